"""Calls over the real client: honest outcomes, a call's words as a message's, look-up, keys and signatures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from harness.far_side import (
    OTHER_PHONE,
    OURS,
    PHONE,
    TOKEN,
    Ear,
    account,
    break_with,
    closed_port,
    settled,
)
from notifications.domain.delivery import RANK
from notifications.providers.error_policy import ErrorClass, error_class
from notifications.providers.protocol import (
    Accepted,
    Callback,
    CannotSay,
    Forged,
    NotSent,
    Outgoing,
    Provider,
    Rejected,
    Unknown,
    Unreadable,
)
from notifications.providers.twilio_voice import TwilioVoice, open_twilio_voice
from sms_simulator.faults import FaultKind
from sms_simulator.server import Simulator
from sms_simulator.switchboard import Does, Manners
from sms_simulator.webhook import sign

SID = "CA" + "1" * 32
URL = "https://guitu.example/twilio/voice/abc/keys"
NOWHERE = f"http://127.0.0.1:{closed_port()}/v#rc=0"
STATUS = {"CallSid": SID, "CallStatus": "completed", "To": PHONE, "From": OURS}
KEY = {"CallSid": SID, "To": PHONE, "From": OURS, "Digits": "1"}


def call_to(
    to: str = PHONE, answer_url: str = NOWHERE, callback: str = NOWHERE, validity_s: int = 600
) -> Outgoing:
    return Outgoing(to, "the SMS", callback, validity_s=validity_s, answer_url=answer_url)


def called(form: dict[str, str], token: str = TOKEN) -> Callback:
    return Callback(URL, {"x-twilio-signature": sign(token, URL, form)}, b"", form, "abc")


@pytest_asyncio.fixture
async def voice(simulator: Simulator) -> AsyncIterator[TwilioVoice]:
    async with open_twilio_voice(account(simulator.url, total_timeout_s=2.0)) as adapter:
        yield adapter


@pytest.fixture
def just_now() -> datetime:
    return datetime.now(UTC) - timedelta(seconds=5)


def test_the_adapter_fulfils_the_protocol(voice: TwilioVoice) -> None:
    provider: Provider = voice

    assert (provider.name, provider.channel) == ("twilio_voice", "voice")


async def test_a_call_is_accepted_with_its_id_and_rings_as_long_as_told(
    voice: TwilioVoice, simulator: Simulator
) -> None:
    usual = await voice.send(call_to())
    await voice.send(call_to(OTHER_PHONE, validity_s=12))

    first, second = simulator.carrier.calls.calls
    assert usual == Accepted(first.sid, "accepted", 1)
    assert (first.ring_s, second.ring_s) == (40, 12)


@pytest.mark.parametrize(
    ("does", "words", "code"),
    [
        ("answer", ["queued", "sending", "sent", "delivered"], ""),
        ("busy", ["queued", "sending", "undelivered"], "call_busy"),
        ("no-answer", ["queued", "sending", "undelivered"], "call_no_answer"),
        ("failed", ["queued", "sending", "failed"], "call_failed"),
    ],
)
async def test_a_calls_life_is_told_in_a_messages_words_whose_rank_only_rises(
    voice: TwilioVoice, simulator: Simulator, ear: Ear, does: Does, words: list[str], code: str
) -> None:
    simulator.carrier.calls.manners[PHONE] = Manners(does)

    await voice.send(call_to(callback=f"{ear.url}/s#rc=0"))
    await settled(simulator)

    seen = [one for h in ear.heard for one in voice.read_status(Callback(h.url, h.headers, b"", h.form))]
    assert [report.status for report in seen] == words
    assert [RANK[word] for word in words] == sorted({RANK[word] for word in words})
    assert seen[-1].error_code == code
    assert len({report.event_key for report in seen}) == len(words)


@pytest.mark.parametrize(
    ("kind", "result", "taken"),
    [
        (FaultKind.too_many_requests, Rejected("20429", ErrorClass.transient_safe), 0),
        (FaultKind.error_before, Unknown("http_500"), 0),
        (FaultKind.error_after, Unknown("http_500"), 1),
        (FaultKind.close_before, Unknown("ServerDisconnectedError"), 0),
        (FaultKind.lost_response, Unknown("ServerDisconnectedError"), 1),
    ],
)
async def test_only_a_definite_no_is_said_to_be_one(
    voice: TwilioVoice, simulator: Simulator, kind: FaultKind, result: object, taken: int
) -> None:
    break_with(simulator, kind)

    assert await voice.send(call_to()) == result
    assert len(simulator.carrier.calls.calls) == taken


async def test_nobody_listening_means_not_sent() -> None:
    async with open_twilio_voice(account(f"http://127.0.0.1:{closed_port()}")) as voice:
        assert isinstance(await voice.send(call_to()), NotSent)


async def test_china_is_not_called_unless_the_operator_says_so(
    simulator: Simulator, voice: TwilioVoice
) -> None:
    china = "+8613800000000"
    refused = await voice.send(call_to(china))
    async with open_twilio_voice(account(simulator.url, voice_to_china=True)) as vetted:
        taken = await vetted.send(call_to(china))

    assert (voice.capabilities(china).voice, voice.capabilities(PHONE).voice) == (False, True)
    assert refused == Rejected("route_cannot_call", ErrorClass.permanent_route)
    assert isinstance(taken, Accepted)


async def test_a_call_without_words_is_not_made(voice: TwilioVoice, simulator: Simulator) -> None:
    result = await voice.send(call_to(answer_url=""))

    assert result == Rejected("nothing_to_say", ErrorClass.permanent_config)
    assert not simulator.carrier.calls.calls


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("21210", ErrorClass.permanent_sender),
        ("21211", ErrorClass.permanent_recipient),
        ("21214", ErrorClass.permanent_recipient),
        ("21215", ErrorClass.permanent_config),
        ("21216", ErrorClass.permanent_route),
        ("10004", ErrorClass.transient_sender),
    ],
)
def test_what_twilio_refuses_calls_with_is_in_the_table(code: str, kind: ErrorClass) -> None:
    assert error_class(code, "http") is kind


async def test_a_number_that_is_none_is_refused_by_the_table(voice: TwilioVoice) -> None:
    assert await voice.send(call_to("+1")) == Rejected("21211", ErrorClass.permanent_recipient)


async def test_a_call_whose_answer_was_lost_is_found_and_others_are_not_ours(
    voice: TwilioVoice, simulator: Simulator, just_now: datetime
) -> None:
    absent = await voice.lookup(call_to(), just_now)
    await voice.send(call_to())
    await voice.send(call_to(OTHER_PHONE))
    break_with(simulator, FaultKind.lost_response)
    await voice.send(call_to())
    await settled(simulator)
    owned, _, lost = (call.sid for call in simulator.carrier.calls.calls)

    found = await voice.lookup(call_to(), just_now, {owned})

    assert absent == []
    assert isinstance(found, list)
    assert [(one.provider_id, one.status) for one in found] == [(lost, "delivered")]
    assert await voice.lookup(call_to(), datetime.now(UTC) + timedelta(hours=1)) == []


async def test_a_look_up_that_fails_cannot_say(
    voice: TwilioVoice, simulator: Simulator, just_now: datetime
) -> None:
    break_with(simulator, FaultKind.error_before, on=frozenset({"list"}))

    assert isinstance(await voice.lookup(call_to(), just_now), CannotSay)


async def test_a_look_up_turns_pages_and_ends(
    voice: TwilioVoice, simulator: Simulator, just_now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifications.providers.twilio_voice.PAGE_SIZE", 1)
    for _ in range(3):
        await voice.send(call_to())
    found = await voice.lookup(call_to(), just_now)
    owned = {call.sid for call in simulator.carrier.calls.calls}
    for _ in range(4):
        await voice.send(call_to())
        owned.add(simulator.carrier.calls.calls[-1].sid)

    assert isinstance(found, list)
    assert len(found) == 3
    assert await voice.lookup(call_to(), just_now, owned) == CannotSay("too_many_calls")


def test_a_key_names_its_attempt_and_the_phone(voice: TwilioVoice) -> None:
    [press] = voice.read_inbound(called(KEY))

    assert (press.body, press.sender, press.to, press.client_ref) == ("1", PHONE, OURS, "abc")


def test_a_call_that_begins_brings_no_key(voice: TwilioVoice) -> None:
    assert voice.read_inbound(called({"CallSid": SID})) == []


@pytest.mark.parametrize("token", ["guessed", ""])
def test_what_is_not_signed_is_forged(voice: TwilioVoice, token: str) -> None:
    with pytest.raises(Forged):
        voice.read_inbound(called(KEY, token))
    with pytest.raises(Forged):
        voice.read_status(called(STATUS, token))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"CallSid": "SM" + "1" * 32}, "CallSid"),
        ({"CallSid": ""}, "CallSid"),
        ({"Digits": "<1>"}, "Digits"),
        ({"To": ""}, "To"),
    ],
)
def test_keys_that_make_no_sense_are_unreadable(
    voice: TwilioVoice, change: dict[str, str], field: str
) -> None:
    with pytest.raises(Unreadable, match=field):
        voice.read_inbound(called(KEY | change))


def test_a_status_never_seen_before_is_passed_on(voice: TwilioVoice) -> None:
    [report] = voice.read_status(called(STATUS | {"CallStatus": "teleported"}))

    assert (report.status, report.error_code, report.error_class) == ("teleported", "", None)
    with pytest.raises(Unreadable, match="CallStatus"):
        voice.read_status(called(STATUS | {"CallStatus": "Not a word"}))


def test_twilios_own_code_comes_before_the_word(voice: TwilioVoice) -> None:
    [report] = voice.read_status(called(STATUS | {"CallStatus": "failed", "ErrorCode": "13225"}))

    assert (report.error_code, report.error_class) == ("13225", ErrorClass.permanent_route)
