"""Errors for people: what happened, with which values, and how to mend it, in English and Chinese (RFC 9457)."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
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


class FieldTrouble(BaseModel):
    """One field that must be mended; its value is left out, for it may be personal."""

    field: str
    says: str
    kind: str


class ProblemDocument(BaseModel):
    """How every refusal reads: what happened, and where it can be said, how to mend it."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(pattern="^urn:guitu:", description="`urn:guitu:` and the code.")
    status: int
    code: str = Field(description="Stable; programs may rely on it.")
    detail: str
    detail_zh: str
    mend: str | None = None
    fields: list[FieldTrouble] | None = None


MEDIA_TYPE = "application/problem+json"
WORDS = {
    400: "The request can't be read, or lacks a header.",
    401: "No token, or one that is forged, expired or of another issuer.",
    403: "The role or the region of the token, or the signature, does not allow it.",
    404: "There is no such thing in your region.",
    409: "It can't be done where things stand now.",
    410: "It is over for good.",
    413: "The body is too large.",
    422: "A field, or what it says, can't be right.",
    429: "As many as one person may ask for; wait, or ask who sets the limit.",
    503: "A part of ours does not answer; nothing was stored.",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that refuses with these; `guitu.openapi` adds those of every route."""
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {s: {"description": WORDS[s], "content": {MEDIA_TYPE: {"schema": schema}}} for s in statuses}


def answer(status: int, code: str, detail_en: str, detail_zh: str, **extra: Any) -> JSONResponse:
    body = {
        "type": f"urn:guitu:{code}",
        "status": status,
        "code": code,
        "detail": detail_en,
        "detail_zh": detail_zh,
    }
    return JSONResponse(body | extra, status, _HEADERS.get(status), media_type=MEDIA_TYPE)


_HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "1"}}


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


_OF_HTTP = {
    400: (
        "unreadable",
        "请求内容无法识别。",
        "Send JSON (or a form, where the OpenAPI page says so) in UTF-8.",
    ),
    404: ("no_such_address", "没有这个地址。", "Look at /docs for the addresses there are."),
    405: ("method_not_allowed", "此地址不支持该方法。", "Use a method that the header Allow names."),
    413: ("body_too_large", "内容过大。", "Send a smaller photo or shorter texts."),
}


def _of_http(_: Request, error: Exception) -> JSONResponse:
    """What the framework itself refuses, before any of our rules."""
    assert isinstance(error, HTTPException)
    says = str(error.detail)
    code, says_zh, mend = _OF_HTTP.get(error.status_code, ("http_error", says, "See /docs."))
    answered = answer(error.status_code, code, says, says_zh, mend=mend)
    answered.headers.update(error.headers or {})
    return answered


def _of_outage(_: Request, __: Exception) -> JSONResponse:
    return answer(
        503,
        "database_away",
        "The database does not answer; nothing was stored. Send the same request again.",
        "数据库暂不可用,内容未保存,请重新提交。",
    )


def install(app: FastAPI) -> None:
    """Make every error of `app` a problem document."""
    app.add_exception_handler(Problem, _of_problem)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)
    for outage in TRANSIENT:
        app.add_exception_handler(outage, _of_outage)
