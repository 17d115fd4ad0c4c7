"""Login by the county's identity service: its token is what the owners see, sealed at rest and renewed in time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from console.door.sessions import read_session
from console.settings import ConsoleSettings
from guitu.service import Runtime
from harness.console_http import app_of, at_the_desk
from harness.identity_service import CLIENT, SECRET, IdentityService, identity_service

RuntimeFor = Callable[[str], Awaitable[Runtime]]


@pytest.fixture(autouse=True)
def _straight(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the machine has no business on loopback."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest_asyncio.fixture
async def service() -> AsyncIterator[IdentityService]:
    async with identity_service() as running:
        yield running


async def runtime(runtime_for: RuntimeFor, service: IdentityService) -> Runtime:
    run = await runtime_for("console")
    settings = ConsoleSettings(
        **(
            run.settings.model_dump()
            | {"oidc_issuer": service.url, "oidc_client_id": CLIENT, "oidc_client_secret": SecretStr(SECRET)}
        )
    )
    return replace(run, settings=settings)


async def departs(http: httpx.AsyncClient, to: str = "/keys") -> str:
    return str((await http.get("/oidc/start", params={"to": to})).headers["location"])


@asynccontextmanager
async def logged_in(run: Runtime, service: IdentityService) -> AsyncIterator[httpx.AsyncClient]:
    async with at_the_desk(run, None) as http:
        back = service.logs_in(await departs(http))
        assert 303 == (await http.get("/oidc/return", params=back)).status_code
        yield http


async def token_of(run: Runtime, http: httpx.AsyncClient) -> str | None:
    """What the owners would be shown for this browser."""
    from fastapi import Request

    cookies = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
    scope = {"type": "http", "headers": [(b"cookie", cookies.encode())], "app": app_of(run), "method": "GET"}
    who = await read_session(Request(scope))
    return who.token if who else None


async def test_a_person_of_the_issuer_gets_in_with_its_role_and_goes_on_where_they_wanted(
    runtime_for: RuntimeFor, service: IdentityService
) -> None:
    run = await runtime(runtime_for, service)
    async with at_the_desk(run, None) as http:
        back = service.logs_in(await departs(http, "/keys?x=1"))
        answer = await http.get("/oidc/return", params=back)
        page = await http.get("/keys")

    assert (303, "/keys?x=1") == (answer.status_code, answer.headers["location"])
    assert "zhang-7" in page.text
    assert 'data-role="operator"' in page.text


async def test_the_owners_see_the_issuers_own_token_and_the_database_holds_none_that_can_be_read(
    runtime_for: RuntimeFor, service: IdentityService
) -> None:
    run = await runtime(runtime_for, service)
    async with logged_in(run, service) as http:
        token = await token_of(run, http)
        row = await run.pool.fetchval("select sealed_tokens from session")

    assert token is not None
    assert token.count(".") == 2
    assert token.encode() not in row
    assert b"refresh-" not in row


async def test_a_way_back_that_began_elsewhere_is_refused(
    runtime_for: RuntimeFor, service: IdentityService
) -> None:
    run = await runtime(runtime_for, service)
    async with at_the_desk(run, None) as attacker, at_the_desk(run, None) as victim:
        foreign = service.logs_in(await departs(attacker))
        without_departure = await victim.get("/oidc/return", params=foreign)
        own = service.logs_in(await departs(victim))
        swapped = await victim.get("/oidc/return", params=own | {"state": foreign["state"]})
        injected = await victim.get("/oidc/return", params=own | {"code": foreign["code"]})

    assert [401, 401, 401] == [a.status_code for a in (without_departure, swapped, injected)]


async def test_ways_back_that_nobody_went_fill_no_log(
    runtime_for: RuntimeFor, service: IdentityService
) -> None:
    run = await runtime(runtime_for, service)
    async with at_the_desk(run, None) as http:
        statuses = {
            (await http.get("/oidc/return", params={"code": "c", "state": "s"})).status_code
            for _ in range(60)
        }

    assert {401} == statuses
    assert 30 <= await run.pool.fetchval("select count(*) from audit where action = 'login_refused'") <= 32


async def test_a_code_is_good_once(runtime_for: RuntimeFor, service: IdentityService) -> None:
    run = await runtime(runtime_for, service)
    async with at_the_desk(run, None) as http:
        back = service.logs_in(await departs(http))
        cookies = dict(http.cookies)
        await http.get("/oidc/return", params=back)
        async with at_the_desk(run, None) as thief:
            thief.cookies.update(cookies)
            again = await thief.get("/oidc/return", params=back)

    assert 401 == again.status_code


@pytest.mark.parametrize(
    "claims", [{"nonce": "another"}, {"aud": "another"}, {"sub": "another"}, {"iss": "https://another"}]
)
async def test_an_id_token_of_another_login_is_refused(
    runtime_for: RuntimeFor, service: IdentityService, claims: dict[str, str]
) -> None:
    run = await runtime(runtime_for, service)
    service.id_claims = claims
    async with at_the_desk(run, None) as http:
        back = service.logs_in(await departs(http))
        answer = await http.get("/oidc/return", params=back)

    assert 401 == answer.status_code


async def test_a_token_is_renewed_before_it_ends_and_once_for_all_requests(
    runtime_for: RuntimeFor, service: IdentityService
) -> None:
    import asyncio

    run = await runtime(runtime_for, service)
    async with logged_in(run, service) as http:
        first = await token_of(run, http)
        run.clock.advance(seconds=250)  # type: ignore[attr-defined]
        service.now = run.clock.now()
        renewed = await asyncio.gather(*(token_of(run, http) for _ in range(8)))

    assert 1 == len(set(renewed))
    assert first not in renewed
    assert ["authorization_code", "refresh_token"] == [grant["grant_type"] for grant in service.grants]


async def test_who_the_issuer_renews_no_longer_is_out_and_it_is_logged(
    runtime_for: RuntimeFor, service: IdentityService
) -> None:
    run = await runtime(runtime_for, service)
    async with logged_in(run, service) as http:
        service.refreshes.clear()
        run.clock.advance(seconds=250)  # type: ignore[attr-defined]
        while_it_lasts = await token_of(run, http)
        run.clock.advance(seconds=60)  # type: ignore[attr-defined]
        afterwards = await http.get("/keys")

    assert while_it_lasts is not None
    assert (303, "/login?to=%2Fkeys") == (afterwards.status_code, afterwards.headers["location"])
    assert 1 == await run.pool.fetchval("select count(*) from audit where action = 'login_ended'")


@pytest.mark.parametrize("change", [{"role": "laboratory"}, {"region": "500236"}])
async def test_who_has_another_role_or_region_by_the_next_renewal_logs_in_again(
    runtime_for: RuntimeFor, service: IdentityService, change: dict[str, str]
) -> None:
    run = await runtime(runtime_for, service)
    async with logged_in(run, service) as http:
        service.person |= change
        run.clock.advance(seconds=250)  # type: ignore[attr-defined]
        service.now = run.clock.now()
        answer = await http.get("/cases")

    assert (303, "/login?to=%2Fcases") == (answer.status_code, answer.headers["location"])
    assert "changed" == await run.pool.fetchval("select ended_why from session")


async def test_a_way_back_with_a_strange_state_is_refused_in_words(
    runtime_for: RuntimeFor, service: IdentityService
) -> None:
    run = await runtime(runtime_for, service)
    async with at_the_desk(run, None) as http:
        back = service.logs_in(await departs(http))
        answer = await http.get("/oidc/return", params=back | {"state": "归途"})

    assert 401 == answer.status_code


async def test_names_and_passwords_of_this_node_are_not_asked_for(
    runtime_for: RuntimeFor, service: IdentityService
) -> None:
    run = await runtime(runtime_for, service)
    async with at_the_desk(run, None) as http:
        page = await http.get("/login")
        answer = await http.post("/login", data={"name": "duty-1", "password": "whatever it is"})

    assert 'name="password"' not in page.text
    assert "/oidc/start" in page.text
    assert 401 == answer.status_code


async def test_while_the_issuer_is_away_the_login_page_says_so(
    runtime_for: RuntimeFor, service: IdentityService
) -> None:
    run = await runtime(runtime_for, service)
    async with at_the_desk(run, None) as http:
        service.instead["/.well-known/openid-configuration"] = (503, b"")
        answer = await http.get("/oidc/start")

    assert 503 == answer.status_code
    assert "身份认证服务暂不可用" in answer.text
