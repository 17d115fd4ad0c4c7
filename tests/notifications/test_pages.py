"""The notice page and the staff's view, over HTTP, without a browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import httpx
import pytest_asyncio
from fastapi import FastAPI

from contracts.notice import NoticeAcknowledged
from contracts.sighting import SightingReported
from guitu import problem
from guitu.auth import Role, mint
from guitu.service import Runtime
from harness.ground import facts, react
from harness.notice_stories import CASE, PHONES, Carrier, raised, stood_down, three_sites
from notifications import answers, service
from notifications.agents import REACTIONS
from notifications.providers.protocol import InboundSms
from notifications.service import sending_with
from notifications.settings import NotificationSettings

RuntimeFor = Callable[[str], Awaitable[Runtime]]


@dataclass
class Desk:
    """A site that was told, and everything that can be asked over HTTP."""

    run: Runtime
    http: httpx.AsyncClient
    settings: NotificationSettings
    page: str

    async def reply(self, text: str, phone: str = PHONES[1], number: int = 1) -> str:
        async with self.run.tx(actor="provider") as tx:
            return await answers.reply_came(tx, InboundSms(f"SM{number}", phone, "", text), self.settings)

    def staff(self, role: Role = "operator", region: str = "500235") -> dict[str, str]:
        token = mint(self.run.settings, "desk", role, region, self.run.clock.now(), timedelta(hours=1))
        return {"authorization": f"Bearer {token}"}


@pytest_asyncio.fixture
async def desk(runtime_for: RuntimeFor) -> AsyncIterator[Desk]:
    run = await runtime_for("notifications")
    await three_sites(run)
    async with AsyncExitStack() as stack:
        sender = await stack.enter_async_context(sending_with(run, Carrier()))
        app = FastAPI()
        app.state.runtime = run
        problem.install(app)
        for router in service.routers(run):
            app.include_router(router)
        await react(run, REACTIONS, raised(run.clock.now(), radius_km=5))
        await sender.pump()
        await sender.drain()
        token = await run.pool.fetchval("select page_token from delivery")
        transport = httpx.ASGITransport(app=app)
        http = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://test"))
        yield Desk(run, http, run.state["settings"], f"/n/{token}")


async def test_the_page_shows_the_child_small_private_and_without_acknowledging(desk: Desk) -> None:
    answer = await desk.http.get(desk.page)

    assert answer.status_code == 200
    assert "红衣、蓝裤" in answer.text
    assert not re.search(r"<script(?![^>]* src=)| on[a-z]+=| style=|og:", answer.text), (
        "Nothing runs from the page."
    )
    assert len(answer.content) < 25_000
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "noindex" in answer.headers["x-robots-tag"]
    assert answer.text.index("协查通知") < answer.text.index("Notice")
    assert await facts(desk.run, NoticeAcknowledged) == []


async def test_the_button_acknowledges_once(desk: Desk) -> None:
    for _ in range(2):
        answer = await desk.http.post(f"{desk.page}/ack", follow_redirects=True)

    assert "已签收" in answer.text
    [acknowledged] = await facts(desk.run, NoticeAcknowledged)
    assert acknowledged.channel == "page"


async def test_a_sighting_on_the_page_carries_the_place_of_the_site(desk: Desk) -> None:
    form = {"note": "上了去万州的大巴 <b>", "seen_at": "13:55"}

    answer = await desk.http.post(f"{desk.page}/sighting", data=form)

    [sighting] = await facts(desk.run, SightingReported)
    assert (answer.status_code, sighting.place.name, sighting.note) == (303, "1号站", "上了去万州的大巴 <b>")
    assert desk.run.clock.now() - timedelta(minutes=5) == sighting.seen_at


async def test_a_bad_time_and_an_empty_note_are_refused_with_the_mend(desk: Desk) -> None:
    bad_time = await desk.http.post(f"{desk.page}/sighting", data={"note": "x", "seen_at": "25:99"})
    no_note = await desk.http.post(f"{desk.page}/sighting", data={"note": "  "})

    assert (422, 422) == (bad_time.status_code, no_note.status_code)
    assert "The time must be HH:MM" in bad_time.text
    assert ">x</textarea>" in bad_time.text, "What was typed is not lost."
    assert "请点选或写下看到了什么" in no_note.text
    assert await facts(desk.run, SightingReported) == []


async def test_after_the_stand_down_the_page_says_thank_you_and_takes_nothing_more(desk: Desk) -> None:
    await react(desk.run, REACTIONS, stood_down(desk.run.clock.now()))

    page = await desk.http.get(desk.page)
    await desk.http.post(f"{desk.page}/sighting", data={"note": "late"})

    assert "感谢" in page.text
    assert "<form" not in page.text
    assert await facts(desk.run, SightingReported) == []


async def test_a_wrong_or_old_link_is_not_found(desk: Desk) -> None:
    wrong = await desk.http.get("/n/ABCDEFGHJK")
    nonsense = await desk.http.get("/n/x")
    desk.run.clock.advance(days=31)  # type: ignore[attr-defined]
    old = await desk.http.get(desk.page)

    assert [wrong.status_code, nonsense.status_code, old.status_code] == [404, 404, 404]
    for page in (wrong, nonsense, old):
        assert "链接有误或已失效" in page.text
        assert 'href="tel:110"' in page.text


async def test_a_reply_acknowledges_once_and_is_not_answered(desk: Desk) -> None:
    assert await desk.reply("1", number=1) == ""
    assert await desk.reply("收到", number=2) == ""

    [acknowledged] = await facts(desk.run, NoticeAcknowledged)
    assert acknowledged.channel == "sms"


async def test_free_text_is_a_sighting_at_the_site_and_counts_once_if_the_provider_repeats_it(
    desk: Desk,
) -> None:
    await desk.reply("刚看到他在候车室", number=7)
    await desk.reply("刚看到他在候车室", number=7)

    [sighting] = await facts(desk.run, SightingReported)
    assert (sighting.channel, sighting.place.name) == ("sms", "1号站")


async def test_an_unknown_number_is_kept_and_not_answered(desk: Desk) -> None:
    assert await desk.reply("1", phone="+12025550199") == ""

    assert await desk.run.pool.fetchval("select meaning from inbound") == "unknown_number"
    assert await facts(desk.run, NoticeAcknowledged) == []


async def test_an_ambiguous_ack_is_answered_with_the_open_codes(desk: Desk) -> None:
    other = raised(desk.run.clock.now(), 5, case_id=UUID(int=0xBEEF), case_code="CY-0999")
    await react(desk.run, REACTIONS, other)
    sender = desk.run.state["sender"]
    await sender.pump()
    await sender.drain()

    answer = await desk.reply("签收")

    assert "CY-0999:" in answer
    assert "CY-0472:" in answer
    assert await facts(desk.run, NoticeAcknowledged) == []


async def test_staff_see_deliveries_of_their_region_without_phone_numbers(desk: Desk) -> None:
    path = f"/notices?case_id={CASE}"

    ours = await desk.http.get(path, headers=desk.staff())
    theirs = await desk.http.get(path, headers=desk.staff(region="500101"))
    nobody = await desk.http.get(path)

    [delivery] = ours.json()["deliveries"]
    assert delivery["state"] == "accepted"
    assert "+4477" not in ours.text
    assert theirs.json()["deliveries"] == []
    assert nobody.status_code == 401
    one = await desk.http.get(f"/deliveries/{delivery['id']}", headers=desk.staff())
    assert len(one.json()["attempts"]) == 1
    hidden = await desk.http.get(f"/deliveries/{delivery['id']}", headers=desk.staff(region="500101"))
    assert hidden.status_code == 404


async def test_the_directory_is_listed_without_contacts(desk: Desk) -> None:
    sites = (await desk.http.get("/sites", headers=desk.staff("auditor"))).json()["sites"]

    assert len(sites) == 3
    assert not any("phone" in site for site in sites)


async def test_an_operator_acknowledges_for_whoever_called_and_an_auditor_may_not(desk: Desk) -> None:
    path = f"/notices?case_id={CASE}"
    [delivery, *_] = (await desk.http.get(path, headers=desk.staff())).json()["deliveries"]
    act = f"/deliveries/{delivery['id']}/acknowledge"

    refused = await desk.http.post(act, headers=desk.staff("auditor"))
    elsewhere = await desk.http.post(act, headers=desk.staff(region="500101"))
    first = await desk.http.post(act, headers=desk.staff())
    again = await desk.http.post(act, headers=desk.staff())

    assert (403, 404) == (refused.status_code, elsewhere.status_code)
    assert (1, 0) == (first.json()["newly_acknowledged"], again.json()["newly_acknowledged"])
    assert ["operator"] == [fact.channel for fact in await facts(desk.run, NoticeAcknowledged)]
