"""Errors for people: what happened, with which values, and how to mend it, in English and Chinese (RFC 9457)."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from guitu.pg import TRANSIENT


class Problem(Exception):
    """A refusal that the caller can act on; `code` is stable, the texts are for people."""

    def __init__(self, status: int, code: str, detail_en: str, detail_zh: str, mend: str = "") -> None:
        super().__init__(f"{code}: {detail_en}")
        self.status, self.code, self.mend = status, code, mend
        self.detail_en, self.detail_zh = detail_en, detail_zh
        self.extra: dict[str, Any] = {}


class ApiModel(BaseModel):
    """A request body: a field we do not know is an error, since a typing error must not lose a fact."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def answer(status: int, code: str, detail_en: str, detail_zh: str, **extra: Any) -> JSONResponse:
    body = {
        "type": f"urn:guitu:{code}",
        "status": status,
        "code": code,
        "detail": detail_en,
        "detail_zh": detail_zh,
    }
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse(body | extra, status, headers, media_type="application/problem+json")


def _of_problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    extra = dict(error.extra) | ({"mend": error.mend} if error.mend else {})
    return answer(error.status, error.code, error.detail_en, error.detail_zh, **extra)


def _of_validation(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # Values are left out: they may be personal.
    fields = [
        {"field": ".".join(str(part) for part in item["loc"]), "says": item["msg"], "kind": item["type"]}
        for item in error.errors()[:20]
    ]
    named = "; ".join(f"{item['field']}: {item['says']}" for item in fields[:5])
    return answer(422, "invalid_request", f"Please mend: {named}", f"请改正:{named}", fields=fields)


def _of_http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    answered = answer(error.status_code, "http_error", str(error.detail), str(error.detail))
    answered.headers.update(error.headers or {})
    return answered


def _of_outage(_: Request, __: Exception) -> JSONResponse:
    answered = answer(
        503,
        "database_away",
        "The database does not answer; nothing was stored. Send the same request again.",
        "数据库暂不可用,内容未保存,请重新提交。",
    )
    answered.headers["Retry-After"] = "1"
    return answered


def install(app: FastAPI) -> None:
    """Make every error of `app` a problem document."""
    app.add_exception_handler(Problem, _of_problem)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)
    for outage in TRANSIENT:
        app.add_exception_handler(outage, _of_outage)
