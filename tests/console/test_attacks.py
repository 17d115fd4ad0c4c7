"""Attacks on the console as a whole: every route is tried without a token, from elsewhere and from another region."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import httpx
import pytest
from fastapi.routing import APIRoute

from console.door import entering, passwords, store_accounts
from console.door.sessions import COOKIE
from console.service import SERVICE
from guitu.auth import mint
from guitu.service import Runtime
from harness.console_http import at_the_desk, csrf_of
from harness.console_stories import RuntimeFor

NOBODYS = "00000000-0000-4000-8000-000000000000"
DOORS = {"/login", "/login/link/{token}", "/language"}
"""Where there is no session yet, so no token of one; who comes from another site is refused by its origin."""
RIGHT = "a good long phrase"


def routes_of(run: Runtime) -> list[tuple[str, str]]:
    """Every method and path of the console."""
    found = [each for router in SERVICE.routers(run) for each in router.routes if isinstance(each, APIRoute)]
    return sorted((method, each.path) for each in found for method in each.methods)


def filled(path: str, **known: str) -> str:
    """A path with its parameters filled in."""
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda m: known.get(m[1], NOBODYS), path)


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for 64 MiB here."""
    monkeypatch.setattr(
        passwords, "_HASHER", passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    )


async def test_no_route_that_changes_anything_takes_a_request_without_the_sessions_token(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("console")
    asked: list[str] = []

    def owners(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path}")
        return httpx.Response(200, json={})

    tried, taken = 0, []
    async with at_the_desk(run, "admin", owners=owners) as http:
        for method, path in routes_of(run):
            if method in ("GET", "HEAD") or path in DOORS:
                continue
            for body in ({}, {"csrf": ""}, {"csrf": "AAAA"}):
                answer = await http.request(method, filled(path), data=body)
                tried += 1
                if (answer.status_code, "form_refused" in answer.text or "表单已失效" in answer.text) != (
                    403,
                    True,
                ):
                    taken.append((method, path, answer.status_code))

    assert [] == taken
    assert [] == asked
    assert tried > 90


async def test_tries_that_come_at_once_are_slowed_down_as_those_one_by_one(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    async with run.tx(actor="test") as tx:
        await store_accounts.add(tx.conn, "duty-1", "operator", "500235", passwords.hashed(RIGHT), tx.now)
    async with at_the_desk(run, None) as http:
        tries = [http.post("/login", data={"name": "duty-1", "password": f"wrong-{n}"}) for n in range(40)]
        statuses = [answer.status_code for answer in await asyncio.gather(*tries)]

    assert entering.FREE_FAILURES + 1 == statuses.count(401)
    assert 40 - entering.FREE_FAILURES - 1 == statuses.count(429)


async def test_names_that_are_tried_at_once_from_one_address_are_slowed_down_too(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("console")
    async with at_the_desk(run, None) as http:
        tries = [http.post("/login", data={"name": f"duty-{n}", "password": "wrong"}) for n in range(60)]
        statuses = [answer.status_code for answer in await asyncio.gather(*tries)]

    assert entering.FREE_FAILURES_OF_ADDRESS + 1 == statuses.count(401)


async def test_a_token_of_minutes_opens_no_session_of_hours(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    token = mint(run.settings, "duty-1", "operator", "500235", run.clock.now(), timedelta(minutes=5))
    async with at_the_desk(run, None) as http:
        await http.post("/login", data={"token": token})
        inside = (await http.get("/keys")).status_code
        run.clock.advance(minutes=6)  # type: ignore[attr-defined]
        outside = (await http.get("/keys")).status_code

    assert (200, 303) == (inside, outside)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://console.test.evil.example"])
@pytest.mark.parametrize("door", ["/login", "/login/link/some-link", "/language"])
async def test_without_https_the_origin_keeps_other_sites_out(
    runtime_for: RuntimeFor, door: str, origin: str
) -> None:
    run = await runtime_for("console")
    token = mint(run.settings, "evil-1", "operator", "500235", run.clock.now(), timedelta(minutes=5))
    async with at_the_desk(run, None) as http:
        answer = await http.post(door, data={"token": token, "choice": "en"}, headers={"Origin": origin})

    assert 403 == answer.status_code
    assert {} == dict(answer.cookies)


async def test_the_consoles_own_page_logs_in_without_https(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    token = mint(run.settings, "duty-1", "operator", "500235", run.clock.now(), timedelta(minutes=5))
    async with at_the_desk(run, None) as http:
        answer = await http.post("/login", data={"token": token}, headers={"Origin": "http://console.test"})

    assert 303 == answer.status_code
    assert COOKIE in answer.cookies


async def test_a_logout_drops_no_alert_that_waits_to_be_sent(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    async with at_the_desk(run) as http:
        answer = await http.post("/logout", data={"csrf": await csrf_of(http)})

    assert 303 == answer.status_code
    assert "Clear-Site-Data" not in answer.headers
