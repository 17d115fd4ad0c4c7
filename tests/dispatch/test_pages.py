"""The order page as a unit's phone sees it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from contracts.order import CheckpointReported, OrderAccepted, StandDownAcknowledged, UnitInPosition
from harness.dispatch_http import over_http
from harness.dispatch_stories import Dispatch, dispatch_in_yunyang, raised, stood_down


@dataclass
class Phone:
    """A unit's phone with the link of one order."""

    dispatch: Dispatch
    http: httpx.AsyncClient
    path: str

    async def opens(self) -> httpx.Response:
        return await self.http.get(self.path)

    async def presses(self, button: str) -> httpx.Response:
        return await self.http.post(f"{self.path}/{button}")

    async def enabled(self) -> list[str]:
        page = (await self.opens()).text
        return re.findall(r'<button class="([a-z-]+)">', page)


@pytest.fixture
async def phone(runtime_for: Any) -> AsyncIterator[Phone]:
    dispatch = await dispatch_in_yunyang(runtime_for)
    await dispatch.hears(raised())
    async with over_http(dispatch) as http:
        yield Phone(dispatch, http, (await dispatch.orders())[0].page_path)


async def test_the_page_says_where_what_and_until_when_in_both_languages(phone: Phone) -> None:
    order = (await phone.dispatch.orders())[0]

    page = await phone.opens()

    assert page.status_code == 200
    for words in (
        order.stop.name_zh,
        order.stop.name_en,
        "接令",
        "Accept",
        "红色外套",
        "14:03",
        "Press Accept now",
    ):
        assert words in page.text
    assert not re.search(r"<script(?![^>]* src=)| on[a-z]+=| style=", page.text), (
        "No script or style of its own."
    )
    assert len(page.content) < 25_000


async def test_only_the_next_step_is_enabled(phone: Phone) -> None:
    seen = [await phone.enabled()]
    for button in ("accept", "in-position", "nothing-seen", "intercepted"):
        await phone.presses(button)
        seen.append(await phone.enabled())

    assert seen == [["accept"], ["in-position"], ["nothing-seen", "intercepted"], ["intercepted"], []]


async def test_opening_the_page_changes_nothing(phone: Phone) -> None:
    before = await phone.dispatch.states()

    await phone.opens()
    await phone.http.head(phone.path)
    await phone.http.get(f"{phone.path}/accept")

    assert before == await phone.dispatch.states()


async def test_a_button_pressed_twice_answers_alike_and_is_one_fact(phone: Phone) -> None:
    answers = [await phone.presses("accept") for _ in range(2)]

    assert [(303, phone.path)] * 2 == [(a.status_code, a.headers["location"]) for a in answers]
    assert len(await phone.dispatch.said(OrderAccepted)) == 1


async def test_four_buttons_become_four_facts(phone: Phone) -> None:
    for button in ("accept", "in-position", "nothing-seen", "intercepted"):
        await phone.presses(button)

    assert len(await phone.dispatch.said(UnitInPosition)) == 1
    reported = [fact.outcome for fact in await phone.dispatch.said(CheckpointReported)]
    assert reported == ["nothing_seen", "intercepted"]


async def test_a_step_that_is_not_next_shows_what_is(phone: Phone) -> None:
    answer = await phone.presses("intercepted")

    assert answer.status_code == 409
    assert "按下方可用按钮" in answer.text
    assert {"issued"} == set(await phone.dispatch.states())


async def test_after_the_stand_down_the_unit_is_thanked_and_acknowledges(phone: Phone) -> None:
    await phone.presses("accept")
    await phone.dispatch.hears(stood_down())

    page = await phone.opens()
    await phone.presses("stand-down-ack")
    await phone.presses("stand-down-ack")

    assert "辛苦了" in page.text
    assert "stand-down-ack" in page.text
    assert "stand-down-ack" not in (await phone.opens()).text
    assert len(await phone.dispatch.said(StandDownAcknowledged)) == 1


async def test_an_answer_that_comes_after_the_stand_down_is_refused(phone: Phone) -> None:
    await phone.dispatch.hears(stood_down())

    answer = await phone.presses("accept")

    assert answer.status_code == 409
    assert "stand-down-ack" in answer.text


@pytest.mark.parametrize("token", ["x", "a.b.c", "%00", "..", "e" * 3000])
async def test_a_forged_link_opens_nothing(phone: Phone, token: str) -> None:
    page, press = await phone.http.get(f"/o/{token}"), await phone.http.post(f"/o/{token}/accept")

    assert {404} == {page.status_code, press.status_code}


async def test_a_link_changed_by_one_letter_is_forged(phone: Phone) -> None:
    token = phone.path.removeprefix("/o/")
    changed = token[:-5] + ("A" if token[-5] != "A" else "B") + token[-4:]

    assert (await phone.http.get(f"/o/{changed}")).status_code == 404


async def test_a_link_ends_after_a_day_and_says_so_in_both_languages(phone: Phone) -> None:
    phone.dispatch.run.clock.advance(hours=24)
    assert (await phone.opens()).status_code == 200
    phone.dispatch.run.clock.advance(seconds=1)

    page, press = await phone.opens(), await phone.presses("accept")

    assert [page.status_code, press.status_code] == [410, 410]
    assert "链接已过期" in page.text
    assert "expired" in page.text


async def test_an_unknown_button_is_not_found(phone: Phone) -> None:
    assert (await phone.presses("explode")).status_code == 404


@pytest.mark.parametrize("path", ["", "x"])
async def test_pages_keep_the_link_to_themselves(phone: Phone, path: str) -> None:
    page = await phone.http.get(f"/o/{path}" if path else phone.path)

    assert page.headers["referrer-policy"] == "no-referrer"
    assert "noindex" in page.headers["x-robots-tag"]
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"


async def test_an_exercise_is_written_on_the_page(runtime_for: Any) -> None:
    dispatch = await dispatch_in_yunyang(runtime_for)
    await dispatch.hears(raised(exercise=True))

    async with over_http(dispatch) as http:
        page = await http.get((await dispatch.orders())[0].page_path)

    assert "演练" in page.text


async def test_what_an_alert_says_cannot_become_markup(runtime_for: Any) -> None:
    dispatch = await dispatch_in_yunyang(runtime_for)
    await dispatch.hears(raised(vehicle="<script>alert(1)</script>"))

    async with over_http(dispatch) as http:
        page = await http.get((await dispatch.orders())[0].page_path)

    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text
