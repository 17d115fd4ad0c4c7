"""A drill to one site: one marked SMS to somebody of the exercise list, answered like any other, told to no other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from contracts.notice import NoticeAcknowledged, NoticeEscalated, NoticeQueued
from contracts.sighting import SightingReported
from guitu.auth import Role
from guitu.service import Runtime
from harness.ground import SettableClock, facts, react
from harness.notice_http import Office, over_http
from harness.notice_stories import PHONES, YUNYANG, Carrier, contact, fill, raised, site
from notifications import answers, escalating
from notifications.agents import REACTIONS
from notifications.providers.protocol import InboundSms
from notifications.sending import Sender
from notifications.service import sending_with, settings_of

RuntimeFor = Callable[[str], Awaitable[Runtime]]


@dataclass
class Range:
    """A service with three sites, its carrier, and a desk."""

    run: Runtime
    carrier: Carrier
    sender: Sender
    http: httpx.AsyncClient

    def person(self, role: Role = "operator", region: str = YUNYANG) -> Office:
        return Office(self.run, self.http, role, region)

    async def drills(self, number: int = 1) -> Any:
        return await self.person().sends(f"/sites/{UUID(int=number)}/drill")

    async def goes_out(self) -> None:
        while await self.sender.pump():
            await self.sender.drain()

    async def replies(self, body: str, number: int = 1) -> None:
        sms = InboundSms(str(self.run.ids.new()), PHONES[number], "+12025550100", body)
        async with self.run.tx(actor="provider") as tx:
            await answers.reply_came(tx, sms, settings_of(self.run))

    def later(self, **amount: float) -> None:
        assert isinstance(self.run.clock, SettableClock)
        self.run.clock.advance(**amount)


@pytest_asyncio.fixture
async def place(runtime_for: RuntimeFor) -> AsyncIterator[Range]:
    run = await runtime_for("notifications")
    quiet = site(2, 20).model_copy(update={"exercise_ok": False})
    people = [
        contact(1, 1, 1, exercise_list=False),
        contact(2, 1, 2, duty_hours="Mon 08:00-09:00"),
        contact(3, 1, 3, url_ok=True),
        contact(4, 2),
        contact(5, 3, exercise_list=False),
    ]
    await fill(run, [site(1, 1), quiet, site(3, 3)], people)
    carrier = Carrier()
    async with AsyncExitStack() as stack:
        sender = await stack.enter_async_context(sending_with(run, carrier, settings_of(run)))
        http = await stack.enter_async_context(over_http(run))
        yield Range(run, carrier, sender, http)


async def test_a_drill_is_one_marked_sms_to_the_listed_contact_on_duty(place: Range) -> None:
    started = await place.drills()
    await place.goes_out()

    assert 202 == started.status_code, started.text
    assert started.json()["code"].startswith("DRILL-")
    [text] = place.carrier.texts_to(PHONES[3])
    assert text.startswith("【演练】")
    assert 1 == len(place.carrier.accepted)
    [queued] = await facts(place.run, NoticeQueued)
    assert ("raised", "drill", True) == (queued.kind, queued.purpose, queued.exercise)


@pytest.mark.parametrize("answer", ["1", "签收", "收到,谢谢", "无"])
async def test_whatever_is_answered_acknowledges_and_is_timed(place: Range, answer: str) -> None:
    await place.drills()
    await place.goes_out()
    place.later(seconds=42)

    await place.replies(answer, 3)

    [shown] = (await place.person("auditor").reads("/drills")).json()["drills"]
    assert (42.0, "accepted", "operator-1") == (
        shown["answered_after_s"],
        shown["state"],
        shown["started_by"],
    )
    assert 1 == len(await facts(place.run, NoticeAcknowledged))
    assert [] == await facts(place.run, SightingReported)


async def test_its_page_says_that_no_child_is_missing_and_acknowledges(place: Range) -> None:
    await place.drills()
    token = await place.run.pool.fetchval("select page_token from delivery")

    page = await place.http.get(f"/n/{token}")
    await place.http.post(f"/n/{token}/sighting", data={"note": "看到了"})
    await place.http.post(f"/n/{token}/ack")

    assert "没有孩子走失" in page.text
    assert "立即拨打" not in page.text
    assert 1 == len(await facts(place.run, NoticeAcknowledged))
    assert [] == await facts(place.run, SightingReported)


async def test_an_unanswered_drill_asks_nobody_else(place: Range) -> None:
    await place.drills()
    await place.goes_out()
    place.later(hours=1)

    await escalating.escalate_unanswered(place.run)

    assert [] == await facts(place.run, NoticeEscalated)
    [shown] = (await place.person().reads("/drills")).json()["drills"]
    assert shown["answered_after_s"] is None


async def test_an_old_drill_does_not_make_a_plain_answer_ambiguous(place: Range) -> None:
    await place.run.pool.execute("update contact set exercise_list = true, duty_hours = ''")
    await place.run.pool.execute("update contact set on_duty = '{[0,10080)}'")
    await place.drills()
    await place.goes_out()
    place.later(hours=3)
    await react(place.run, REACTIONS, raised(place.run.clock.now(), radius_km=2))
    await place.goes_out()

    await place.replies("1", 1)

    [acknowledged] = await facts(place.run, NoticeAcknowledged)
    assert acknowledged.purpose is None


@pytest.mark.parametrize(("number", "code"), [(2, "site_not_in_exercises"), (3, "nobody_to_drill")])
async def test_who_takes_no_part_in_exercises_is_not_drilled(place: Range, number: int, code: str) -> None:
    refused = await place.drills(number)
    await place.goes_out()

    assert (409, code) == (refused.status_code, refused.json()["code"])
    assert [] == place.carrier.accepted


async def test_a_second_press_of_the_button_is_no_second_drill(place: Range) -> None:
    await place.drills()
    again = await place.drills()
    place.later(minutes=6)

    later = await place.drills()

    assert (409, "drilled_just_now") == (again.status_code, again.json()["code"])
    assert 202 == later.status_code


async def test_only_those_who_command_may_drill_and_only_in_their_region(place: Range) -> None:
    path = f"/sites/{UUID(int=1)}/drill"

    assert 403 == (await place.person("auditor").sends(path)).status_code
    assert 404 == (await place.person("operator", "500101").sends(path)).status_code
    assert 0 == await place.run.pool.fetchval("select count(*) from drill")
