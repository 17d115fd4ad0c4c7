"""The door: who gets in by which way, how often one may try, and when a session is over."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from console.door import passwords, store_accounts
from console.door.account_cli import new_login_link
from console.door.sessions import COOKIE, forget_old
from guitu.auth import mint
from guitu.service import Runtime
from harness.console_http import at_the_desk, submits

RuntimeFor = Callable[[str], Awaitable[Runtime]]
RIGHT = "a good long phrase"
KEPT = passwords.hashed(RIGHT)


async def account(run: Runtime, name: str = "duty-1", role: str = "operator") -> None:
    async with run.tx(actor="test") as tx:
        assert await store_accounts.add(tx.conn, name, role, "500235", KEPT, tx.now)


async def tries(http: httpx.AsyncClient, password: str, name: str = "duty-1", **more: str) -> httpx.Response:
    return await http.post("/login", data={"name": name, "password": password, **more})


async def is_in(http: httpx.AsyncClient) -> bool:
    return (await http.get("/keys")).status_code == 200


async def said(run: Runtime, action: str) -> list[dict[str, Any]]:
    rows = await run.pool.fetch("select actor, details from audit where action = $1 order by id", action)
    return [{"actor": row["actor"], **row["details"]} for row in rows]


@pytest.fixture(scope="module", autouse=True)
def _cheap() -> Iterator[None]:
    """Nobody waits for 64 MiB here; the costs have a test of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            passwords, "_HASHER", passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        )
        yield


async def test_name_and_password_open_the_door_and_lead_to_where_one_wanted(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    await account(run)
    async with at_the_desk(run, None) as http:
        answer = await tries(http, RIGHT, to="/cases?region=500235")

        assert (303, "/cases?region=500235") == (answer.status_code, answer.headers["location"])
        assert await is_in(http)
    [login] = await said(run, "login")
    assert ("duty-1", "account", "operator") == (login["actor"], login["origin"], login["role"])


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example", "evil"])
async def test_a_login_leads_to_no_other_site(runtime_for: RuntimeFor, to: str) -> None:
    run = await runtime_for("console")
    await account(run)
    async with at_the_desk(run, None) as http:
        answer = await tries(http, RIGHT, to=to)

    assert "/" == answer.headers["location"]


async def test_the_cookie_is_for_us_alone_and_the_database_lets_nobody_in(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    await account(run)
    async with at_the_desk(run, None) as http:
        answer = await tries(http, RIGHT)
        kept = await run.pool.fetchval("select encode(id_hash, 'escape') || csrf from session")

    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert http.cookies[COOKIE] not in kept


async def test_over_https_the_cookie_stays_encrypted(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    await account(run)
    async with at_the_desk(run, None) as http:
        http.base_url = httpx.URL("https://console.test")
        answer = await tries(http, RIGHT)

    assert "Secure" in answer.headers["set-cookie"]


async def test_a_wrong_password_keeps_the_name_and_is_logged_without_it_unless_there_is_such_an_account(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("console")
    await account(run)
    async with at_the_desk(run, None) as http:
        wrong = await tries(http, "wrong")
        unknown = await tries(http, "whatever", name="my-password-by-mistake")

    assert [401, 401] == [wrong.status_code, unknown.status_code]
    assert 'value="duty-1"' in wrong.text
    assert COOKIE not in wrong.cookies
    assert "wrong" not in re.sub(r"class=\"[^\"]*\"", "", wrong.text.split("<main")[1])
    assert ["duty-1", None] == [row["account"] for row in await said(run, "login_refused")]


async def test_five_wrong_passwords_are_free_then_each_waits_twice_as_long(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    await account(run)
    async with at_the_desk(run, None) as http:
        free = [(await tries(http, "wrong")).status_code for _ in range(6)]
        right_but_early = await tries(http, RIGHT)
        run.clock.advance(seconds=16)  # type: ignore[attr-defined]
        again = [(await tries(http, "wrong")).status_code for _ in range(2)]
        run.clock.advance(seconds=16)  # type: ignore[attr-defined]
        still_early = await tries(http, RIGHT)
        run.clock.advance(seconds=30)  # type: ignore[attr-defined]
        in_time = await tries(http, RIGHT)

    assert [401] * 6 == free
    assert (429, [401, 429], 429) == (right_but_early.status_code, again, still_early.status_code)
    assert 303 == in_time.status_code


async def test_waiting_for_one_account_holds_up_no_other(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    await account(run)
    await account(run, "duty-2")
    async with at_the_desk(run, None) as http:
        for _ in range(7):
            await tries(http, "wrong")
        other = await tries(http, RIGHT, name="duty-2")

    assert 303 == other.status_code


async def test_one_address_cannot_try_names_for_ever(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    async with at_the_desk(run, None) as http:
        statuses = [(await tries(http, "wrong", name=f"name-{n}")).status_code for n in range(32)]

    assert [401] * 31 + [429] == statuses


@pytest.mark.parametrize("how", ["disabled", "password", "role"])
async def test_a_session_is_over_when_its_account_changes(runtime_for: RuntimeFor, how: str) -> None:
    run = await runtime_for("console")
    await account(run)
    change: dict[str, Callable[..., Awaitable[bool]]] = {
        "disabled": lambda conn, now: store_accounts.disable(conn, "duty-1", now),
        "password": lambda conn, now: store_accounts.new_password(conn, "duty-1", KEPT, now),
        "role": lambda conn, now: store_accounts.new_role(conn, "duty-1", "auditor", "500235", now),
    }
    async with at_the_desk(run, None) as http:
        await tries(http, RIGHT)
        before = await is_in(http)
        async with run.tx(actor="test") as tx:
            assert await change[how](tx.conn, tx.now)
        after = await is_in(http)
        again = await tries(http, RIGHT)

    assert (True, False) == (before, after)
    assert (401 if how == "disabled" else 303) == again.status_code


async def test_the_session_ends_after_its_hours(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    async with at_the_desk(run) as http:
        run.clock.advance(hours=11, minutes=59)  # type: ignore[attr-defined]
        before = await is_in(http)
        run.clock.advance(minutes=2)  # type: ignore[attr-defined]
        after = await is_in(http)

    assert (True, False) == (before, after)


async def test_logout_ends_this_session_and_logout_everywhere_all_of_them(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    await account(run)
    async with (
        at_the_desk(run, None) as desk,
        at_the_desk(run, None) as wall,
        at_the_desk(run, None) as phone,
    ):
        for http in (desk, wall, phone):
            await tries(http, RIGHT)
        stolen = desk.cookies[COOKIE]
        await submits(desk, "/logout")
        desk.cookies.set(COOKIE, stolen)
        after_logout = [await is_in(http) for http in (desk, wall, phone)]
        await submits(wall, "/logout", everywhere="yes")
        after_all = [await is_in(http) for http in (desk, wall, phone)]

    assert [False, True, True] == after_logout
    assert [False, False, False] == after_all
    assert [{"actor": "duty-1", "sessions": 2}] == await said(run, "logout_everywhere")


async def test_a_token_of_this_node_lets_in_who_has_a_console(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    now, day = run.clock.now(), timedelta(days=1)
    async with at_the_desk(run, None) as http:
        unit = await http.post("/login", data={"token": mint(run.settings, "u", "unit", "500235", now, day)})
        forged = await http.post("/login", data={"token": "not.a.token"})
        good = await http.post("/login", data={"token": mint(run.settings, "a", "auditor", "*", now, day)})
        place = (await http.get("/")).headers["location"]

    assert [403, 401, 303] == [unit.status_code, forged.status_code, good.status_code]
    assert "/audit" == place


async def test_what_is_over_for_a_day_is_forgotten_and_what_is_open_stays(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    await account(run)
    async with at_the_desk(run) as old, at_the_desk(run, None) as new:
        await tries(new, "wrong")
        run.clock.advance(hours=37)  # type: ignore[attr-defined]
        await tries(new, RIGHT)
        counts = [await forget_old(run), await forget_old(run)]
        inside = [await is_in(old), await is_in(new)]

    assert [2, 0] == counts
    assert [False, True] == inside


async def test_a_login_link_works_once_and_looking_at_it_uses_nothing_up(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    link = await new_login_link(run.settings, "http://console.test", "laboratory")
    await run.pool.execute("update login_link set expires_at = $1", run.clock.now() + timedelta(minutes=15))
    async with at_the_desk(run, None) as http:
        looked = [await http.get(link), await http.head(link), await http.get(link)]
        used = await http.post(link)
        inside = await is_in(http)
        again = await http.post(link)

    assert [200, 200] == [looked[0].status_code, looked[2].status_code]
    assert "demo-laboratory" in looked[0].text
    assert (303, True, 410) == (used.status_code, inside, again.status_code)


async def test_a_login_link_is_over_after_its_minutes(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    link = await new_login_link(run.settings, "http://console.test", "operator")
    await run.pool.execute("update login_link set expires_at = $1", run.clock.now() + timedelta(minutes=15))
    run.clock.advance(minutes=16)  # type: ignore[attr-defined]
    async with at_the_desk(run, None) as http:
        statuses = [(await http.get(link)).status_code, (await http.post(link)).status_code]

    assert [410, 410] == statuses


async def test_what_was_made_while_the_clock_was_ahead_outlasts_nothing_once_it_is_set_right(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("console")
    await account(run)
    run.clock.advance(days=3000)  # type: ignore[attr-defined]
    async with at_the_desk(run, None) as http, at_the_desk(run, None) as later:
        for _ in range(7):
            await tries(http, "wrong")
        run.clock.advance(minutes=16)  # type: ignore[attr-defined]
        await tries(http, RIGHT)
        link = await new_login_link(run.settings, "http://console.test", "operator")
        await run.pool.execute(
            "update login_link set expires_at = $1", run.clock.now() + timedelta(minutes=15)
        )
        for _ in range(7):
            await tries(later, "wrong")
        was_in = await is_in(http)

        run.clock.advance(days=-3000)  # type: ignore[attr-defined]
        still_in, looked, used = await is_in(http), await later.get(link), await later.post(link)
        entered = await tries(later, RIGHT)

    assert (True, False) == (was_in, still_in), "A session would last for years."
    assert (410, 410) == (looked.status_code, used.status_code), "A link would last for years."
    assert 303 == entered.status_code, "An account would be locked for years."


async def test_a_session_outlives_a_clock_that_is_set_back_by_hours(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    await account(run)
    async with at_the_desk(run, None) as http:
        await tries(http, RIGHT)
        run.clock.advance(hours=-8)  # type: ignore[attr-defined]
        inside = await is_in(http)

    assert inside


async def test_rubbish_for_links_fills_no_log_and_keeps_no_good_link_shut(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    link = await new_login_link(run.settings, "http://console.test", "operator")
    await run.pool.execute("update login_link set expires_at = $1", run.clock.now() + timedelta(minutes=15))
    async with at_the_desk(run, None) as http:
        rubbish = {(await http.post(f"/login/link/rubbish-{n}")).status_code for n in range(60)}
        written = len(await said(run, "login_refused"))
        run.clock.advance(minutes=1)  # type: ignore[attr-defined]
        await http.post("/login/link/rubbish")
        later = len(await said(run, "login_refused"))
        good = await http.post(link)

    assert {410} == rubbish
    assert 30 <= written <= 32
    assert later == written + 1, "Who goes on is still seen."
    assert 303 == good.status_code


async def test_another_site_can_log_nobody_in(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    await account(run)
    async with at_the_desk(run, None) as http:
        http.headers["Sec-Fetch-Site"] = "cross-site"
        answer = await tries(http, RIGHT)

    assert 403 == answer.status_code
    assert COOKIE not in answer.cookies


def test_passwords_are_kept_at_the_costs_of_the_rfc() -> None:
    assert KEPT.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@pytest.mark.parametrize("password", ["short", "duty-1-duty-1-duty-1", "aaaaaaaaaaaaaaa", "x" * 201])
def test_a_password_that_can_be_guessed_is_refused(password: str) -> None:
    with pytest.raises(passwords.TooWeak):
        passwords.check_strength("duty-1", password)


async def test_a_page_of_another_role_is_refused_in_words_and_logged(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    async with at_the_desk(run, "laboratory") as http:
        answer = await http.get("/texts")

    assert 403 == answer.status_code
    assert "您的角色无此权限" in answer.text
    assert [{"actor": "laboratory-1", "role": "laboratory", "page": "/texts", "method": "GET"}] == await said(
        run, "page_refused"
    )
