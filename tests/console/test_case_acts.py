"""Commands about a case: forwarded to alerts once, led back, and shown again as typed when they are refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from guitu.service import Runtime
from harness.case_desk import Room, room
from harness.console_http import csrf_of, submits
from harness.ground import SettableClock

RuntimeFor = Callable[[str], Awaitable[Runtime]]


async def opened(at: Room, **more: object) -> str:
    return str((await at.alerts.reports(**more))["case_id"])


async def test_a_command_is_forwarded_and_leads_back_to_where_it_came_from(runtime_for: RuntimeFor) -> None:
    async with room(runtime_for) as at:
        case_id = await opened(at)

        answer = await submits(
            at.browser,
            f"/cases/{case_id}/tier",
            tier="search",
            reason="seen alone",
            to=f"/cases/{case_id}#orders",
        )
        case = await at.alerts.case(case_id)

    assert (answer.status_code, answer.headers["location"]) == (303, f"/cases/{case_id}?done=tier#orders")
    assert case["tier"] == "search"


async def test_a_form_never_leads_to_another_host(runtime_for: RuntimeFor) -> None:
    async with room(runtime_for) as at:
        case_id = await opened(at)

        answer = await submits(
            at.browser, f"/cases/{case_id}/notes", words="x", key=str(uuid4()), to="//evil.example/"
        )

    assert answer.headers["location"] == f"/cases/{case_id}/file?done=note"


async def test_a_refused_command_says_why_and_keeps_what_was_typed(runtime_for: RuntimeFor) -> None:
    async with room(runtime_for) as at:
        case_id = await opened(at)
        key = str(uuid4())

        answer = await submits(
            at.browser,
            f"/cases/{case_id}/stand-down",
            outcome="exercise_over",
            reason="went home at four",
            key=key,
        )

    assert answer.status_code == 409
    assert "The case is real, not an exercise" in answer.text
    assert 'value="went home at four"' in answer.text
    assert f'name="key" value="{key}"' in answer.text


async def test_a_script_gets_the_owner_s_answer_or_its_refusal(runtime_for: RuntimeFor) -> None:
    async with room(runtime_for) as at:
        case_id = await opened(at)
        headers = {"X-CSRF": await csrf_of(at.browser), "Accept": "application/json"}

        kept = await at.browser.post(f"/cases/{case_id}/notes", data={"words": "looked"}, headers=headers)
        refused = await at.browser.post(f"/cases/{case_id}/notes", data={"words": " "}, headers=headers)

    assert (kept.status_code, set(kept.json())) == (200, {"case_id", "entry_id"})
    assert (refused.status_code, refused.json()["code"]) == (422, "field_empty")


@pytest.mark.parametrize("act", ["notes", "tasks", "sightings"])
async def test_a_form_that_is_sent_twice_does_its_thing_once(runtime_for: RuntimeFor, act: str) -> None:
    fields = {
        "words": "w",
        "what": "w",
        "seen": "5",
        "place": "108.69|30.93|bus station",
        "key": str(uuid4()),
    }
    async with room(runtime_for) as at:
        case_id = await opened(at)

        first, second = [await submits(at.browser, f"/cases/{case_id}/{act}", **fields) for _ in range(2)]
        counts = await at.alerts.runtime.pool.fetchval(
            "select (select count(*) from case_note) + (select count(*) from case_task)"
            " + (select count(*) from sighting)"
        )

    assert (first.status_code, second.status_code) == (303, 303)
    assert counts == 1


async def test_minutes_ago_are_counted_from_the_clock_and_an_exact_time_is_beijing_s(
    runtime_for: RuntimeFor,
) -> None:
    place = "108.69|30.93|bus station"
    async with room(runtime_for) as at:
        case_id = await opened(at)
        now = at.alerts.runtime.clock.now()
        await submits(at.browser, f"/cases/{case_id}/sightings", seen="15", place=place)
        await submits(at.browser, f"/cases/{case_id}/sightings", seen_at="2026-03-01T13:30", place=place)
        seen = [
            row["seen_at"]
            for row in await at.alerts.runtime.pool.fetch("select seen_at from sighting order by seen_at")
        ]

    # The test's clock begins at 14:00 in Beijing.
    assert seen == [now - timedelta(minutes=30), now - timedelta(minutes=15)]


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "Fill in: How did it end?."), ("zh-CN", "请填写:处置结果。")],
)
async def test_an_empty_form_is_told_which_fields_it_lacks_before_anything_goes_out(
    runtime_for: RuntimeFor, language: str, said: str
) -> None:
    async with room(runtime_for, language=language) as at:
        case_id = await opened(at)

        answer = await submits(at.browser, f"/cases/{case_id}/stand-down", reason="x")

    assert answer.status_code == 422
    assert said in answer.text
    assert at.commands() == []


async def test_who_changes_the_language_on_a_refused_form_is_led_to_the_file(runtime_for: RuntimeFor) -> None:
    async with room(runtime_for) as at:
        case_id = await opened(at)

        page = (await submits(at.browser, f"/cases/{case_id}/stand-down", reason="x")).text

    switch = page.split('action="/language"', 1)[1]
    assert switch.split('name="to" value="', 1)[1].startswith(f"/cases/{case_id}/file")


async def test_a_sighting_without_a_place_is_refused_and_its_words_are_kept(runtime_for: RuntimeFor) -> None:
    async with room(runtime_for) as at:
        case_id = await opened(at)

        answer = await submits(at.browser, f"/cases/{case_id}/sightings", note="a white van, two adults")

    assert answer.status_code == 422
    assert "a white van, two adults" in answer.text
    assert at.commands() == []


async def test_a_page_from_an_hour_ago_takes_nobody_s_correction_back(runtime_for: RuntimeFor) -> None:
    async with room(runtime_for) as at:
        case_id = await opened(at, vehicle="white van")
        old_page = {
            "vehicle": "white van",
            "was_vehicle": "white van",
            "age_years": "7",
            "was_age_years": "6",
            "reason": "the mother says so",
        }
        await at.alerts.post(
            f"/cases/{case_id}/updates", {"fields": {"vehicle": "grey van"}, "reason": "camera"}
        )

        await submits(at.browser, f"/cases/{case_id}/updates", **old_page)
        case = await at.alerts.case(case_id)

    assert (case["vehicle"], case["child"]["age_years"]) == ("grey van", 7)


async def test_a_number_that_is_none_is_refused_before_it_goes_out(runtime_for: RuntimeFor) -> None:
    async with room(runtime_for) as at:
        case_id = await opened(at)

        answer = await submits(
            at.browser, f"/cases/{case_id}/updates", age_years="six", was_age_years="6", reason="x"
        )

    assert answer.status_code == 422
    assert "is not a whole number" in answer.text
    assert at.commands() == []


async def test_a_merge_ends_one_case_and_the_other_goes_on(runtime_for: RuntimeFor) -> None:
    async with room(runtime_for) as at:
        first, second = await opened(at), await opened(at)

        await submits(at.browser, f"/cases/{second}/merge", into=first, reason="the same child")
        page = (await at.browser.get(f"/cases/{second}/file")).text

    assert f'href="/cases/{first}/file"' in page


async def test_other_roles_command_nothing(runtime_for: RuntimeFor) -> None:
    async with room(runtime_for, "auditor") as at:
        case_id = await opened(at)

        answers = [
            (await submits(at.browser, f"/cases/{case_id}/{act}", words="x", reason="x")).status_code
            for act in ("tier", "stand-down", "notes", "sightings", "merge", "updates", "publication")
        ]

    assert answers == [403] * 7
    assert at.commands() == []


async def test_triage_shows_what_waits_and_a_judgement_takes_it_off_the_list(runtime_for: RuntimeFor) -> None:
    async with room(runtime_for) as at:
        case_id = await opened(at)
        for note in ("older", "newer"):
            await submits(
                at.browser, f"/cases/{case_id}/sightings", note=f"{note} word", place="108.7|30.9|pier"
            )
            clock = at.alerts.runtime.clock
            assert isinstance(clock, SettableClock)
            clock.advance(seconds=30)
        listed = (await at.browser.get("/sightings")).text
        newest = (await at.browser.get("/sightings/newest")).json()["waiting"][0]

        judged = await submits(
            at.browser, f"/cases/{case_id}/sightings/{newest}/assessment", verdict="refuted", to="/sightings"
        )
        waiting = (await at.browser.get("/sightings")).text
        everything = (await at.browser.get("/sightings?show=all")).text

    assert listed.index("newer word") < listed.index("older word")
    assert judged.headers["location"] == "/sightings?done=assessment"
    assert "newer word" not in waiting
    assert "older word" in waiting
    assert "newer word" in everything
