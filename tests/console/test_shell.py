"""What every page stands in: the door, the bar of a role, both languages, and files under changing addresses."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest

from console.navigation import CONSOLE_ROLES, PLACES
from guitu.service import Runtime
from harness.console_http import at_the_desk, csrf_of, submits

RuntimeFor = Callable[[str], Awaitable[Runtime]]


async def test_nobody_is_led_to_the_login_and_back(runtime_for: RuntimeFor) -> None:
    async with at_the_desk(await runtime_for("console"), None) as http:
        answer = await http.get("/keys")

    assert (303, "/login?to=%2Fkeys") == (answer.status_code, answer.headers["location"])


@pytest.mark.parametrize("role", CONSOLE_ROLES)
async def test_the_bar_leads_a_role_to_its_pages_only(runtime_for: RuntimeFor, role: str) -> None:
    async with at_the_desk(await runtime_for("console"), role) as http:  # type: ignore[arg-type]
        text = (await http.get("/keys")).text

    linked = set(re.findall(r'<a href="(/[^"]*)" data-key', text))
    assert {place.path for place in PLACES if role in place.roles} - {"/inbox"} == linked


async def test_keys_that_lead_to_pages_are_all_different() -> None:
    keys = [place.key for place in PLACES]

    assert len(keys) == len(set(keys)) == len("".join(keys))


async def test_a_form_without_the_token_of_its_session_changes_nothing(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    async with at_the_desk(run) as http, at_the_desk(run, "case_leader") as other:
        foreign = await csrf_of(other)

        refused = [
            await http.post("/logout", data=fields) for fields in ({}, {"csrf": "x"}, {"csrf": foreign})
        ]
        still_in = await http.get("/keys")
        accepted = await submits(http, "/logout")

    assert [403, 403, 403] == [answer.status_code for answer in refused]
    assert 200 == still_in.status_code
    assert 303 == accepted.status_code


async def test_a_page_shows_its_token_differently_each_time_and_takes_every_one(
    runtime_for: RuntimeFor,
) -> None:
    async with at_the_desk(await runtime_for("console")) as http:
        first, second = await csrf_of(http), await csrf_of(http)
        answer = await http.post("/logout", headers={"X-CSRF": first})

    assert first != second
    assert 303 == answer.status_code


async def test_every_page_has_the_same_words_in_both_languages(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    async with at_the_desk(run) as chinese, at_the_desk(run, language="en-GB") as english:
        zh, en = (await chinese.get("/keys")).text, (await english.get("/keys")).text

    assert '<html lang="zh-CN">' in zh
    assert "发布警情" in zh
    assert '<html lang="en">' in en
    assert "Raise an alert" in en


async def test_assets_are_small_kept_for_a_year_and_never_those_of_another_version(
    runtime_for: RuntimeFor,
) -> None:
    async with at_the_desk(await runtime_for("console")) as http:
        page = (await http.get("/keys")).text
        address = re.search(r'href="(/static/\w+/console.css)"', page)[1]  # type: ignore[index]
        now = await http.get(address, headers={"Accept-Encoding": "gzip"})
        plain = await http.get(address, headers={"Accept-Encoding": "identity"})
        old = await http.get("/static/0123456789/console.css")
        outside = await http.get(f"{address.rsplit('/', 1)[0]}/%2e%2e/service.py")

    assert "immutable" in now.headers["cache-control"]
    assert "gzip" == now.headers["content-encoding"]
    assert plain.content == now.content
    assert "no-cache" == old.headers["cache-control"]
    assert 404 == outside.status_code


async def test_no_page_may_load_from_elsewhere_or_run_what_is_inside_it(runtime_for: RuntimeFor) -> None:
    async with at_the_desk(await runtime_for("console")) as http:
        answer = await http.get("/keys")

    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    inline = [tag for tag in re.findall(r"<script[^>]*>", answer.text) if "src=" not in tag]
    assert all('type="application/json"' in tag for tag in inline)
    assert not re.search(r'\s(?:style|on\w+)="', answer.text)


async def test_a_page_that_is_not_there_and_a_form_that_cannot_be_read_are_said_in_words(
    runtime_for: RuntimeFor,
) -> None:
    async with at_the_desk(await runtime_for("console")) as http:
        nowhere = await http.get("/no-such-page")
        unreadable = await submits(http, "/alarms/not-a-number/acknowledge")

    assert (404, 422) == (nowhere.status_code, unreadable.status_code)
    assert "没有这个页面" in nowhere.text
    assert "无法识别填写的内容" in unreadable.text
    assert "not-a-number" not in unreadable.text.split("<main", 1)[1]


async def test_a_script_gets_problem_documents_instead(runtime_for: RuntimeFor) -> None:
    async with at_the_desk(await runtime_for("console")) as http:
        http.headers["Accept"] = "application/json"
        answer = await http.get("/no-such-page")

    assert (404, "no_such_page") == (answer.status_code, answer.json()["code"])
