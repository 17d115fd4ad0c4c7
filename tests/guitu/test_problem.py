"""Errors for people: a known shape, both languages, no values, never a bare 500 for what a caller can mend."""

from __future__ import annotations

import asyncpg
import httpx
from fastapi import FastAPI

from guitu import limits, problem

APP = FastAPI()
problem.install(APP)
APP.add_middleware(limits.BodyLimit, bytes_max=1000)


class Body(problem.ApiModel):
    age_years: int


@APP.post("/bodies")
async def take(body: Body) -> int:
    return body.age_years


@APP.get("/outage")
async def outage() -> None:
    raise asyncpg.CannotConnectNowError("starting up")


async def ask(method: str, path: str, **more: object) -> httpx.Response:
    transport = httpx.ASGITransport(APP)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.request(method, path, **more)  # type: ignore[arg-type]


async def test_an_unknown_field_is_named_and_its_value_is_not() -> None:
    response = await ask("POST", "/bodies", json={"age_years": 6, "nmae": "Somebody"})

    assert 422 == response.status_code
    assert "nmae" in response.json()["detail"]
    assert "Somebody" not in response.text


async def test_a_body_over_the_limit_is_413_with_the_mend_in_both_languages() -> None:
    response = await ask("POST", "/bodies", content=b"x" * 1001)

    assert (413, "body_too_large") == (response.status_code, response.json()["code"])
    assert "压缩" in response.json()["detail_zh"]


async def test_a_body_that_hides_its_length_is_413_too() -> None:
    async def stream() -> object:
        for _ in range(20):
            yield b"x" * 100

    response = await ask("POST", "/bodies", content=stream())

    assert 413 == response.status_code


async def test_an_outage_of_the_database_says_that_nothing_was_stored() -> None:
    response = await ask("GET", "/outage")

    assert (503, "1") == (response.status_code, response.headers["retry-after"])


async def test_an_unknown_page_is_a_problem_document() -> None:
    response = await ask("GET", "/nowhere")

    assert (404, "application/problem+json") == (response.status_code, response.headers["content-type"])
