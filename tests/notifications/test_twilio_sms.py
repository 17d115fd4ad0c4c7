"""The adapter over the real client: four honest outcomes, look-up, capabilities by destination, and forms."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from harness.far_side import OTHER_PHONE, OURS, PHONE, Ear, account, break_with, closed_port, settled
from notifications.providers.error_policy import UNKNOWN, ErrorClass, error_class, policies
from notifications.providers.protocol import (
    Accepted,
    CannotSay,
    NotSent,
    Outgoing,
    Provider,
    Rejected,
    Unknown,
    Unreadable,
)
from notifications.providers.twilio_sms import TwilioSms, open_twilio_sms
from sms_simulator.faults import FaultKind
from sms_simulator.server import Simulator

GOOD_SID = "SM" + "1" * 32
STATUS = {"MessageSid": GOOD_SID, "MessageStatus": "delivered", "To": PHONE, "From": OURS}
INBOUND = {"MessageSid": GOOD_SID, "From": PHONE, "To": OURS, "Body": "签收 7K3M"}


def sms_to(to: str = PHONE, body: str = "签收码7K3M", callback: str = "") -> Outgoing:
    return Outgoing(to, body, callback or f"http://127.0.0.1:{closed_port()}/s#rc=0")


@pytest_asyncio.fixture
async def sms(simulator: Simulator) -> AsyncIterator[TwilioSms]:
    async with open_twilio_sms(account(simulator.url, total_timeout_s=0.4)) as adapter:
        yield adapter


@pytest.fixture
def just_now() -> datetime:
    return datetime.now(UTC) - timedelta(seconds=5)


def test_the_adapter_fulfils_the_protocol(sms: TwilioSms) -> None:
    provider: Provider = sms

    assert provider.name == "twilio"


async def test_an_accepted_sms_has_its_id_and_segments(sms: TwilioSms, simulator: Simulator) -> None:
    result = await sms.send(sms_to(body="字" * 71))

    assert isinstance(result, Accepted)
    assert (result.status, result.segments) == ("queued", 2)
    assert result.provider_id in simulator.carrier.mailbox.by_sid


async def test_the_callback_address_and_validity_reach_the_provider(
    sms: TwilioSms, simulator: Simulator, ear: Ear
) -> None:
    await sms.send(Outgoing(PHONE, "x", f"{ear.url}/s?a=1#rc=0", validity_s=77))
    await settled(simulator)

    assert {h.url for h in ear.heard} == {f"{ear.url}/s?a=1"}
    assert simulator.carrier.mailbox.messages[-1].validity_s == 77


@pytest.mark.parametrize(
    ("kind", "result", "taken"),
    [
        (FaultKind.too_many_requests, Rejected("20429", ErrorClass.transient_safe), 0),
        (FaultKind.error_before, Unknown("http_500"), 0),
        (FaultKind.error_after, Unknown("http_500"), 1),
        (FaultKind.close_before, Unknown("ServerDisconnectedError"), 0),
        (FaultKind.lost_response, Unknown("ServerDisconnectedError"), 1),
        (FaultKind.hang_after, Unknown("TimeoutError"), 1),
    ],
)
async def test_each_fault_has_its_honest_outcome(
    sms: TwilioSms, simulator: Simulator, kind: FaultKind, result: object, taken: int
) -> None:
    break_with(simulator, kind, count=1, seconds=5)

    seen = await sms.send(sms_to())

    assert type(seen) is type(result)
    assert seen == result or isinstance(seen, Unknown)
    assert simulator.carrier.mailbox.ledger.total() == taken


@pytest.mark.parametrize(
    ("to", "code", "kind"),
    [
        ("+1", "21211", ErrorClass.permanent_recipient),
        (OTHER_PHONE, "21610", ErrorClass.permanent_recipient),
    ],
)
async def test_a_refusal_has_twilios_code_and_our_class(
    sms: TwilioSms, simulator: Simulator, to: str, code: str, kind: ErrorClass
) -> None:
    await simulator.carrier.receive(OTHER_PHONE, OURS, "STOP")

    assert await sms.send(sms_to(to)) == Rejected(code, kind)


async def test_a_wrong_token_stops_the_sender(simulator: Simulator) -> None:
    async with open_twilio_sms(account(simulator.url, auth_token="wrong")) as sms:
        result = await sms.send(sms_to())

    assert result == Rejected("20003", ErrorClass.permanent_config)


async def test_nobody_listening_means_not_sent() -> None:
    async with open_twilio_sms(account(f"http://127.0.0.1:{closed_port()}")) as sms:
        assert isinstance(await sms.send(sms_to()), NotSent)


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (200, b"<html>log in first</html>", Unknown("JSONDecodeError")),
        (201, b"{}", Unknown("answer_without_sid")),
        (201, b'{"sid": "nonsense", "status": "queued"}', Unknown("answer_without_sid")),
        (201, b"[]", Unknown("AttributeError")),
        (302, b"", Unknown("http_302")),
        (403, b"blocked", Rejected("403", ErrorClass.permanent_unknown)),
        (408, b"", Unknown("http_408")),
        (429, b"slow down", Rejected("429", ErrorClass.transient_safe)),
        (429, b'{"code": 21611, "message": "x"}', Rejected("21611", ErrorClass.transient_sender)),
        (400, b'{"code": 29999, "message": "x"}', Rejected("29999", ErrorClass.permanent_unknown)),
        (
            400,
            b'{"type": "t", "title": "t", "status": 400, "code": 21617}',
            Rejected("21617", ErrorClass.permanent_content),
        ),
        (503, b"", Unknown("http_503")),
    ],
)
async def test_answers_of_proxies_and_other_surprises(
    ear: Ear, status: int, body: bytes, result: object
) -> None:
    ear.statuses, ear.body = [status], body
    async with open_twilio_sms(account(ear.url)) as sms:
        seen = await sms.send(sms_to())

    assert type(seen) is type(result)
    assert seen == result or isinstance(seen, Unknown)
    assert len(ear.heard) == 1


async def test_edge_and_region_of_the_environment_do_not_move_the_host(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_EDGE", "sydney")
    monkeypatch.setenv("TWILIO_REGION", "au1")
    async with open_twilio_sms(account(simulator.url)) as sms:
        assert isinstance(await sms.send(sms_to()), Accepted)


async def test_lookup_finds_what_a_lost_answer_left_behind(
    sms: TwilioSms, simulator: Simulator, just_now: datetime
) -> None:
    break_with(simulator, FaultKind.lost_response)
    await sms.send(sms_to(body="签收码7K3M"))
    sid = simulator.carrier.mailbox.messages[-1].sid

    found = await sms.lookup(sms_to(PHONE, "7K3M"), just_now)

    assert isinstance(found, list)
    assert [m.provider_id for m in found] == [sid]
    assert await sms.lookup(sms_to(PHONE, "8X1P"), just_now) == []
    assert await sms.lookup(sms_to(OTHER_PHONE, "7K3M"), just_now) == []
    assert await sms.lookup(sms_to(PHONE, "7K3M"), just_now, owned={sid}) == []
    assert await sms.lookup(sms_to(PHONE, "7K3M"), datetime.now(UTC) + timedelta(hours=25)) == []


async def test_a_clock_of_ours_that_jumped_ahead_makes_nothing_absent_that_was_accepted(
    sms: TwilioSms, simulator: Simulator
) -> None:
    break_with(simulator, FaultKind.lost_response)
    await sms.send(sms_to(body="签收码7K3M"))

    found = await sms.lookup(sms_to(PHONE, "7K3M"), datetime.now(UTC) + timedelta(hours=3))

    assert isinstance(found, list)
    assert len(found) == 1


async def test_lookup_reads_on_over_several_pages(
    sms: TwilioSms, simulator: Simulator, just_now: datetime
) -> None:
    simulator.carrier.delays_s = (3600, 0, 0)
    await sms.send(sms_to(body="code 7K3M"))
    await asyncio.gather(*(sms.send(sms_to(body=f"other {n}")) for n in range(120)))

    found = await sms.lookup(sms_to(PHONE, "7K3M"), just_now)

    assert isinstance(found, list)
    assert len(found) == 1


async def test_a_failed_lookup_is_neither_found_nor_absent(
    sms: TwilioSms, simulator: Simulator, just_now: datetime
) -> None:
    for kind in (FaultKind.error_before, FaultKind.close_before, FaultKind.hang_before):
        break_with(simulator, kind, on=frozenset({"list"}), seconds=5)

        assert isinstance(await sms.lookup(sms_to(PHONE, "7K3M"), just_now), CannotSay)


async def test_a_search_that_never_ends_cannot_say(
    sms: TwilioSms, just_now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifications.providers.twilio_sms.PAGE_SIZE", 1)
    for n in range(6):
        await sms.send(sms_to(body=f"other {n}"))

    assert await sms.lookup(sms_to(PHONE, "7K3M"), just_now) == CannotSay("too_many_messages")


@pytest.mark.parametrize("body", ["看 https://guitu.example/n/1", "看 WWW.guitu.example", "字" * 501, ""])
async def test_to_china_goes_no_link_and_no_long_text(
    sms: TwilioSms, simulator: Simulator, body: str
) -> None:
    result = await sms.send(sms_to("+8613800000000", body))

    assert result == Rejected("route_cannot_carry", ErrorClass.permanent_content)
    assert simulator.carrier.mailbox.ledger.total() == 0


async def test_elsewhere_a_link_may_go(sms: TwilioSms) -> None:
    assert isinstance(await sms.send(sms_to(body="see https://guitu.example/n/1")), Accepted)


def test_capabilities_follow_the_destination(sms: TwilioSms) -> None:
    china, britain = sms.capabilities("+8613800000000"), sms.capabilities(PHONE)

    assert (china.two_way, china.url_ok, china.template_only, china.max_segments) == (False, False, True, 8)
    assert (britain.two_way, britain.url_ok, britain.template_only) == (True, True, False)
    assert not any(route.client_ref or route.voice for route in (china, britain))


def test_an_account_does_not_show_its_token() -> None:
    assert "token" not in repr(account("http://127.0.0.1"))


async def test_a_refusal_never_repeats_twilios_words(
    sms: TwilioSms, caplog: pytest.LogCaptureFixture
) -> None:
    """Twilio's message for 21211 quotes the number."""
    caplog.set_level(logging.DEBUG)

    result = await sms.send(sms_to("+4477009001239999"))

    assert isinstance(result, Rejected)
    assert "7700" not in repr(result) + caplog.text


async def test_every_callback_of_the_simulator_can_be_read(
    sms: TwilioSms, simulator: Simulator, ear: Ear
) -> None:
    break_with(simulator, FaultKind.undelivered, error_code=30005)
    sent = await sms.send(sms_to(callback=ear.url))
    await settled(simulator)
    assert isinstance(sent, Accepted)

    reports = {r.status: r for r in map(sms.parse_status, (h.form for h in ear.heard))}

    assert set(reports) == {"sending", "sent", "undelivered"}
    assert {r.provider_id for r in reports.values()} == {sent.provider_id}
    assert reports["undelivered"].error_code == "30005"
    assert reports["undelivered"].error_class is ErrorClass.permanent_recipient
    assert reports["sent"].error_class is None
    assert len({r.event_key for r in reports.values()}) == 3


def test_unknown_parameters_and_statuses_are_passed_on(sms: TwilioSms) -> None:
    report = sms.parse_status(STATUS | {"MessageStatus": "teleported", "RawDlrDoneDate": "2611240000"})

    assert report.status == "teleported"


@pytest.mark.parametrize(
    "change",
    [
        {"MessageSid": ""},
        {"MessageSid": "SM1"},
        {"MessageSid": "CA" + "1" * 32},
        {"MessageStatus": ""},
        {"MessageStatus": "Deli vered"},
        {"MessageStatus": "x" * 41},
        {"ErrorCode": "abc"},
        {"ErrorCode": "9" * 7},
    ],
)
def test_a_broken_status_is_refused(sms: TwilioSms, change: dict[str, str]) -> None:
    with pytest.raises(Unreadable, match=next(iter(change))):
        sms.parse_status(STATUS | change)


def test_a_reply_is_read_whole_and_without_nul(sms: TwilioSms) -> None:
    text = sms.parse_inbound(INBOUND | {"Body": "见到\x00了" + "字" * 3000})

    assert (text.sender, text.to, len(text.body)) == (PHONE, OURS, 2000)
    assert text.body.startswith("见到了")
    assert sms.parse_inbound(INBOUND | {"Body": ""}).body == ""


@pytest.mark.parametrize("missing", ["MessageSid", "From", "To", "Body"])
def test_a_reply_without_what_it_needs_is_refused(sms: TwilioSms, missing: str) -> None:
    with pytest.raises(Unreadable, match=missing):
        sms.parse_inbound({name: value for name, value in INBOUND.items() if name != missing})


def test_every_code_of_the_table_has_a_class() -> None:
    assert len(policies()) >= 30
    assert error_class(21610, "http") is ErrorClass.permanent_recipient
    assert error_class("30007", "callback") is ErrorClass.permanent_content


@pytest.mark.parametrize(("seen_in", "stated"), list(UNKNOWN.items()))
def test_a_code_that_the_table_lacks_has_the_stated_class(seen_in: str, stated: ErrorClass) -> None:
    assert error_class("99999", seen_in) is stated  # type: ignore[arg-type]


def test_no_refusal_that_may_hide_an_acceptance_is_called_safe() -> None:
    assert error_class("5xx", "http") is ErrorClass.ambiguous
    assert error_class("timeout", "net") is ErrorClass.ambiguous
    assert ErrorClass.transient_safe not in UNKNOWN.values()
