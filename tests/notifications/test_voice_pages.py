"""What a call says and what its keys do: signed requests to the service, and a call from claim to key."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from contracts.base import Child, Sex
from contracts.notice import NoticeAcknowledged, NoticeDelivered, NoticeEscalated
from guitu import problem
from guitu.service import Runtime
from harness.far_side import OURS, SID, TOKEN, account
from harness.ground import SettableClock, facts, react
from harness.notice_stories import Carrier, contact, fill, raised, site, stood_down
from notifications import escalating, service
from notifications.agents import REACTIONS
from notifications.domain import spoken
from notifications.domain.senders import SenderSpec
from notifications.domain.texts import AlertText, OrderText, Signature
from notifications.providers.adapter import Adapted
from notifications.providers.protocol import Outgoing
from notifications.providers.twilio_voice import TwilioVoice, open_twilio_voice
from notifications.senders import Line, Senders
from notifications.sending import Sender
from notifications.service import sending_with
from sms_simulator.webhook import sign

RuntimeFor = Callable[[str], Awaitable[Runtime]]
CALL = "CA" + "1" * 32
SIGNATURE = Signature("云阳公安", "Yunyang Police")
AT = datetime(2026, 3, 1, 6, 20, tzinfo=UTC)


class Phones(Carrier):
    """A far side in memory whose messages are calls."""

    def _id(self, sms: Outgoing) -> str:
        return f"CA{self.accepted.index(sms):032x}"


class Ringing(Adapted):
    """The real adapter for what comes in; what goes out is only noted."""

    def __init__(self, voice: TwilioVoice) -> None:
        super().__init__(voice)
        self.carrier = Phones(name="twilio_voice", channel="voice")
        self.send = self.carrier.send  # type: ignore[method-assign]


@dataclass
class Desk:
    """A site whose contact was called, and what Twilio can ask over HTTP."""

    run: Runtime
    http: httpx.AsyncClient
    token: str

    async def post(self, path: str, auth: str = TOKEN, **form: str) -> httpx.Response:
        fields = {"CallSid": CALL, "AccountSid": SID, "From": OURS, "To": "+447700900101"} | form
        signature = sign(auth, f"{self.run.public_url}{path}", fields)
        return await self.http.post(path, data=fields, headers={"x-twilio-signature": signature})

    async def begin(self, token: str = "") -> httpx.Response:
        return await self.post(f"/twilio/voice/{token or self.token}")

    async def press(self, key: str) -> httpx.Response:
        return await self.post(f"/twilio/voice/{self.token}/keys", Digits=key)

    async def audited(self, action: str) -> int:
        found: int = await self.run.pool.fetchval("select count(*) from audit where action = $1", action)
        return found


def said(answer: httpx.Response) -> list[str]:
    return [say.text or "" for say in ET.fromstring(answer.text).iter("Say")]


@pytest_asyncio.fixture(params=["zh", "en"])
async def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest_asyncio.fixture
async def desk(runtime_for: RuntimeFor, language: str) -> AsyncIterator[Desk]:
    run = await runtime_for("notifications")
    await fill(run, [site(1, 1)], [contact(1, 1, voice=True, language=language)])
    async with AsyncExitStack() as stack:
        voice = await stack.enter_async_context(open_twilio_voice(account("http://127.0.0.1:9")))
        lines = [
            Line(SenderSpec(name="sms", provider="twilio"), Carrier()),
            Line(SenderSpec(name="calls", provider="twilio_voice", channel="voice"), Ringing(voice)),
        ]
        sender = await stack.enter_async_context(sending_with(run, Senders(lines)))
        app = FastAPI()
        app.state.runtime = run
        problem.install(app)
        for router in service.routers(run):
            app.include_router(router)
        await _nobody_answers_the_sms(run, sender)
        token = await run.pool.fetchval("select token from attempt where provider = 'twilio_voice'")
        transport = httpx.ASGITransport(app=app)
        http = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://test"))
        yield Desk(run, http, token)


async def _nobody_answers_the_sms(run: Runtime, sender: Sender) -> None:
    await react(run, REACTIONS, raised(run.clock.now(), radius_km=5))
    await sender.pump()
    await sender.drain()
    assert isinstance(run.clock, SettableClock)
    run.clock.advance(minutes=4)
    await escalating.escalate_unanswered(run)
    await sender.pump()
    await sender.drain()


async def test_the_call_says_the_notice_three_times_and_offers_the_keys(desk: Desk, language: str) -> None:
    answer = await desk.begin()

    root = ET.fromstring(answer.text)
    gathers = root.findall("Gather")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/xml")
    assert [e.tag for e in root] == ["Gather", "Gather", "Gather", "Say", "Hangup"]
    assert {g.get("numDigits") for g in gathers} == {"1"}
    assert {g.get("method") for g in gathers} == {"POST"}
    assert {urlsplit(g.get("action") or "").path for g in gathers} == {f"/twilio/voice/{desk.token}/keys"}
    assert {e.get("language") for e in root.iter("Say")} == {"zh-CN" if language == "zh" else "en-US"}
    assert "C, Y, 0, 4, 7, 2" in said(answer)[0]
    assert spoken.MENU[language] in said(answer)[0]  # type: ignore[index]
    assert await facts(desk.run, NoticeAcknowledged) == []


async def test_one_acknowledges_by_voice_once_and_stops_the_escalation(desk: Desk, language: str) -> None:
    first = await desk.press("1")
    again = await desk.press("1")
    later = await desk.begin()
    assert isinstance(desk.run.clock, SettableClock)
    desk.run.clock.advance(minutes=10)
    await escalating.escalate_unanswered(desk.run)

    thanks = spoken.THANKS[language]  # type: ignore[index]
    answered = spoken.ANSWERED[language]  # type: ignore[index]
    assert (said(first), said(again), said(later)) == ([thanks], [thanks], [answered])
    assert "<Hangup" in first.text
    acknowledged = await facts(desk.run, NoticeAcknowledged)
    assert {fact.channel for fact in acknowledged} == {"voice"}
    assert len({fact.delivery_id for fact in acknowledged}) == len(acknowledged)
    assert [fact.to for fact in await facts(desk.run, NoticeEscalated)] == ["voice"]


@pytest.mark.parametrize("key", ["2", "5", "*", "11"])
async def test_any_other_key_says_it_again(desk: Desk, key: str) -> None:
    first = await desk.begin()

    assert (await desk.press(key)).text == first.text
    assert await facts(desk.run, NoticeAcknowledged) == []


async def test_nine_asks_for_a_person_and_acknowledges_nothing(desk: Desk, language: str) -> None:
    answer = await desk.press("9")

    assert said(answer)[0].startswith(spoken.ASKED[language])  # type: ignore[index]
    assert "<Gather" in answer.text
    assert await desk.audited("notice.person_asked") == 1
    assert await facts(desk.run, NoticeAcknowledged) == []


async def test_after_the_stand_down_it_says_so_and_no_key_acknowledges(desk: Desk, language: str) -> None:
    await react(desk.run, REACTIONS, stood_down(desk.run.clock.now()))

    begun, pressed = await desk.begin(), await desk.press("1")

    assert begun.text == pressed.text
    assert ("解除" if language == "zh" else "over") in said(begun)[0]
    assert "<Gather" not in begun.text
    assert await facts(desk.run, NoticeAcknowledged) == []


@pytest.mark.parametrize("token", ["0" * 26, "nonsense", "x" * 300])
async def test_an_unknown_token_is_told_so_in_both_languages_and_hung_up(desk: Desk, token: str) -> None:
    answer = await desk.begin(token)

    assert answer.status_code == 200
    assert said(answer) == [spoken.UNKNOWN["zh"], spoken.UNKNOWN["en"]]
    assert "<Hangup" in answer.text


async def test_the_token_of_an_sms_begins_no_call(desk: Desk) -> None:
    sms = await desk.run.pool.fetchval("select token from attempt where provider <> 'twilio_voice'")

    assert said(await desk.begin(sms))[0] == spoken.UNKNOWN["zh"]


async def test_a_forged_key_acknowledges_nothing(desk: Desk) -> None:
    forged = await desk.post(f"/twilio/voice/{desk.token}/keys", auth="guessed", Digits="1")
    unreadable = await desk.post(f"/twilio/voice/{desk.token}/keys", Digits="one")

    assert (forged.status_code, unreadable.status_code) == (403, 422)
    assert await facts(desk.run, NoticeAcknowledged) == []


async def test_a_completed_call_is_delivered_and_not_acknowledged(desk: Desk) -> None:
    sid = await desk.run.pool.fetchval("select provider_id from attempt where token = $1", desk.token)
    for status in ("ringing", "completed", "in-progress", "completed"):
        answer = await desk.post(f"/twilio/status/{desk.token}", CallSid=sid, CallStatus=status)
        assert answer.status_code == 204

    row = await desk.run.pool.fetchrow("select state, acknowledged_at from delivery where channel = 'voice'")
    assert (row["state"], row["acknowledged_at"]) == ("delivered", None)
    assert len(await facts(desk.run, NoticeDelivered)) == 1


@given(st.text(alphabet="ABCDEFGHJKLMNPQRSTUVWXYZ0123456789-_ /", max_size=20))
def test_a_code_is_read_sign_by_sign_and_nothing_is_lost(code: str) -> None:
    read = spoken.spelled(code)

    assert read.replace(", ", "") == "".join(c for c in code if c.isalnum())
    assert all(len(sign) == 1 for sign in read.split(", ")) or not read


def alert(**more: object) -> AlertText:
    plain = AlertText(
        case_code="CY-0472",
        child=Child(sex=Sex.male, age_years=6, height_cm=115, appearance="红衣、蓝裤"),
        place="客运站",
        lon=108.69,
        lat=30.93,
        last_seen_at=AT,
        version=1,
        kind="raised",
        exercise=False,
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def test_an_alert_is_said_in_short_sentences() -> None:
    said_zh = spoken.alert_spoken(alert(), "zh", SIGNATURE)

    assert said_zh == (
        "这里是云阳公安。案件编号:C, Y, 0, 4, 7, 2。有儿童走失。男孩,6岁,身高115厘米。红衣、蓝裤。"
        "14点20分,在客运站走失。请查找。看到请拨打1、1、0。"
    )
    assert spoken.alert_spoken(alert(), "en", SIGNATURE) == (
        "This is Yunyang Police. Case number: C, Y, 0, 4, 7, 2. A child is missing. A boy, 6 years old, "
        "115 centimetres tall. Last seen at 14:20. Please look for the child. If seen, call 1, 1, 0."
    )


@pytest.mark.parametrize(("language", "mark"), [("zh", "这是演练。"), ("en", "This is an exercise.")])
def test_an_exercise_says_so_first(language: spoken.Language, mark: str) -> None:
    order = OrderText("CY-0472", True, "北门卡点", "North gate", AT)

    assert spoken.alert_spoken(alert(exercise=True), language, SIGNATURE).startswith(mark)
    assert spoken.order_spoken(order, language, SIGNATURE).startswith(mark)
    assert spoken.drill_spoken(language, SIGNATURE).startswith(mark)
    assert spoken.over_spoken("CY-0472", True, language, SIGNATURE).startswith(mark)


def test_an_order_says_where_and_by_when_or_that_it_is_over() -> None:
    order = OrderText("CY-0472", False, "北门卡点", "North gate", AT)
    over = replace(order, stood_down="found")

    assert "请14点20分前到北门卡点" in spoken.order_spoken(order, "zh", SIGNATURE)
    assert "Go to North gate by 14:20." in spoken.order_spoken(order, "en", SIGNATURE)
    assert "可以撤离" in spoken.order_spoken(over, "zh", SIGNATURE)
    assert "You may leave" in spoken.order_spoken(over, "en", SIGNATURE)
