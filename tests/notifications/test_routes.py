"""Each contact is told by the way that reaches it: SMS, a call, or its own system, whose answer ends the waiting."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest_asyncio

from contracts.notice import NoticeAcknowledged, NoticeFailed, NoticeNilReported
from contracts.sighting import SightingReported
from guitu.service import Runtime
from guitu.webhook_signature import signed_headers
from harness.far_systems import listening
from harness.ground import facts, react
from harness.notice_http import over_http
from harness.notice_stories import Carrier, contact, fill, raised, site
from harness.site_system import SECRET, SiteSystem
from notifications import planning
from notifications.agents import REACTIONS
from notifications.composing import segments_of
from notifications.domain.senders import SenderSpec
from notifications.outside import outgoing
from notifications.providers.adapter import Adapted
from notifications.providers.webhook import WebhookSites, open_webhook
from notifications.senders import Line, Senders
from notifications.sending import Sender
from notifications.service import sending_with
from notifications.settings import NotificationSettings

FIXED_LINE = "+442079460000"
SENDERS = [
    {"name": "sms", "provider": "twilio"},
    {"name": "calls", "provider": "twilio_voice", "channel": "voice"},
    {"name": "sites", "provider": "webhook", "channel": "webhook"},
]


@dataclass
class County:
    """A bus station with a mobile, one with a fixed line, and a hotel with a system of its own."""

    run: Runtime
    hotel: SiteSystem
    sms: Carrier
    calls: Carrier
    sender: Sender
    http: httpx.AsyncClient

    async def is_told(self) -> None:
        await react(self.run, REACTIONS, raised(self.run.clock.now()))
        while await self.sender.pump():
            await self.sender.drain()

    async def hotel_says(self, **said: str) -> httpx.Response:
        [delivery] = self.hotel.had
        body = json.dumps({"delivery": delivery, **said}).encode()
        headers = signed_headers([SECRET], delivery, body, self.run.clock.now())
        return await self.http.post("/webhook/answers", content=body, headers=headers)


@pytest_asyncio.fixture
async def county(runtime_for: Callable[[str], Awaitable[Runtime]]) -> AsyncIterator[County]:
    run = await runtime_for("notifications")
    settings = NotificationSettings(**(run.settings.model_dump() | {"senders": json.dumps(SENDERS)}))
    async with AsyncExitStack() as stack:
        hotel = await stack.enter_async_context(listening(SiteSystem))
        url = f"{hotel.url}/guitu"
        own = {"phone_e164": "", "webhook_url": url}
        await fill(
            run,
            [site(n, n) for n in (1, 2, 3)],
            [contact(1, 1), contact(2, 2, phone_e164=FIXED_LINE, voice=True), contact(3, 3, **own)],
        )
        sites = WebhookSites({url: [SECRET]}, private_ok=True)
        webhook = await stack.enter_async_context(open_webhook(sites, run.clock.now))
        sms, calls = Carrier(), Carrier(channel="voice")
        ways = [sms, calls, Adapted(webhook)]
        lines = [Line(s, way) for s, way in zip(settings.sender_specs, ways, strict=True)]
        sender = await stack.enter_async_context(sending_with(run, Senders(lines), settings))
        http = await stack.enter_async_context(over_http(run))
        yield County(run, hotel, sms, calls, sender, http)


async def test_each_is_told_once_by_the_way_that_reaches_it(county: County) -> None:
    await county.is_told()

    assert [1, 1, 1] == [len(county.sms.accepted), len(county.calls.accepted), len(county.hotel.had)]
    assert FIXED_LINE == county.calls.accepted[0].to
    [notice] = county.hotel.had.values()
    assert "走失" in notice["data"]["text"]
    assert ("raised", "CY-0472", "false") == tuple(
        notice["data"][x] for x in ("kind", "case_code", "exercise")
    )


async def test_a_sites_own_system_acknowledges_its_notice_and_no_other(county: County) -> None:
    await county.is_told()

    answer = await county.hotel_says(answer="ack")
    again = await county.hotel_says(answer="ack")

    assert (200, 200) == (answer.status_code, again.status_code)
    [fact] = await facts(county.run, NoticeAcknowledged)
    assert ("webhook", 3) == (fact.channel, fact.site_id.int if fact.site_id else None)


async def test_what_it_saw_and_what_it_did_not_see_are_facts(county: County) -> None:
    await county.is_told()

    await county.hotel_says(answer="seen_nothing")
    await county.hotel_says(answer="sighting", text="二楼走廊,红衣男孩")

    assert ["webhook"] == [fact.channel for fact in await facts(county.run, NoticeNilReported)]
    [seen] = await facts(county.run, SightingReported)
    assert ("webhook", "二楼走廊,红衣男孩") == (seen.channel, seen.note)


async def test_without_a_sender_of_its_channel_nobody_waits_for_ever(county: County) -> None:
    county.run.state["settings"] = NotificationSettings(**county.run.settings.model_dump())
    await react(county.run, REACTIONS, raised(county.run.clock.now()))

    await planning.expire(county.run)

    failed = await facts(county.run, NoticeFailed)
    assert {("no_sender", "none for voice"), ("no_sender", "none for webhook")} == {
        (fact.code, fact.reason) for fact in failed
    }


async def test_a_call_costs_one_whatever_its_text(county: County) -> None:
    line = Line(SenderSpec(name="calls", provider="twilio_voice", channel="voice", per_s=1), county.calls)
    long = outgoing("http://t", FIXED_LINE, "字" * 200, "t", channel="voice")

    assert 1 == segments_of(line, long)
