"""The adapter in this service's words: outcomes that settle attempts, and callbacks only with a signature."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from pydantic import SecretStr

from harness.far_side import OURS, PHONE, SID, TOKEN, Ear, break_with, closed_port, settled
from notifications.domain.delivery import Outcome
from notifications.outside import Callback, Forged, Outgoing, Outside, Unreadable, open_provider
from notifications.settings import NotificationSettings
from sms_simulator.faults import FaultKind
from sms_simulator.server import Simulator
from sms_simulator.webhook import sign

URL = "https://guitu.example/twilio/status/abc"
STATUS = {"MessageSid": "SM" + "1" * 32, "MessageStatus": "undelivered", "ErrorCode": "30003"}
INBOUND = {"MessageSid": "SM" + "1" * 32, "From": PHONE, "To": OURS, "Body": "1"}
SMS = Outgoing(PHONE, "签收码7K3M", f"http://127.0.0.1:{closed_port()}/s#rc=0")


def settings(url: str, **more: object) -> NotificationSettings:
    plain = {
        "twilio_url": url,
        "twilio_account_sid": SID,
        "twilio_auth_token": SecretStr(TOKEN),
        "sms_timeout_s": 1,
    }
    return NotificationSettings.model_validate(plain | more)


@pytest_asyncio.fixture
async def twilio(simulator: Simulator) -> AsyncIterator[Outside]:
    async with open_provider(settings(simulator.url)) as outside:
        yield outside


def signed(form: dict[str, str], token: str = TOKEN) -> dict[str, str]:
    return {"x-twilio-signature": sign(token, URL, form)}


def called(form: dict[str, str], headers: dict[str, str]) -> Callback:
    return Callback(URL, headers, b"", form, "abc")


def just_now() -> datetime:
    return datetime.now(UTC) - timedelta(seconds=5)


def test_it_is_what_the_service_needs(twilio: Outside) -> None:
    assert (twilio.name, twilio.channel) == ("twilio", "sms")


@pytest.mark.parametrize(
    ("kind", "outcome", "retry"),
    [
        (FaultKind.too_many_requests, "rejected", True),
        (FaultKind.error_after, "unknown", False),
        (FaultKind.lost_response, "unknown", False),
        (FaultKind.close_before, "unknown", False),
    ],
)
async def test_only_what_was_certainly_not_accepted_may_be_sent_again(
    twilio: Outside, simulator: Simulator, kind: FaultKind, outcome: str, retry: bool
) -> None:
    break_with(simulator, kind)

    seen = await twilio.send(SMS)

    assert (seen.kind, seen.retry) == (outcome, retry)


async def test_nobody_listening_may_be_tried_again() -> None:
    async with open_provider(settings(f"http://127.0.0.1:{closed_port()}")) as twilio:
        seen = await twilio.send(SMS)

    assert (seen.kind, seen.retry) == ("not_sent", True)


async def test_a_number_that_is_none_is_not_tried_again(twilio: Outside) -> None:
    seen = await twilio.send(Outgoing("+1", "x", SMS.status_callback))

    assert (seen.kind, seen.code, seen.retry) == ("rejected", "21211", False)


async def test_what_a_lost_answer_left_is_found_and_what_never_came_is_absent(
    twilio: Outside, simulator: Simulator
) -> None:
    absent = await twilio.lookup(SMS, just_now(), ())
    break_with(simulator, FaultKind.lost_response)
    await twilio.send(SMS)
    found = await twilio.lookup(SMS, just_now(), ())
    break_with(simulator, FaultKind.error_before, on=frozenset({"list"}))
    nobody_knows = await twilio.lookup(SMS, just_now(), ())

    assert absent == Outcome("absent")
    assert found is not None
    assert (found.kind, found.provider_id) == ("accepted", simulator.carrier.mailbox.messages[-1].sid)
    assert nobody_knows is None


async def test_a_real_callback_passes_and_its_repetition_has_the_same_key(
    twilio: Outside, simulator: Simulator, ear: Ear
) -> None:
    break_with(simulator, FaultKind.callback_doubled)
    await twilio.send(Outgoing(PHONE, "x", f"{ear.url}/twilio/status/abc#rc=5&rp=all"))
    await settled(simulator)

    read = [one for h in ear.heard for one in twilio.statuses(Callback(h.url, h.headers, b"", h.form, "abc"))]

    assert len(read) == 6
    assert sorted({outcome.status for _, _, outcome in read}) == ["delivered", "sending", "sent"]
    assert len({key for _, key, _ in read}) == 3


def test_a_failure_says_its_class(twilio: Outside) -> None:
    [(token, _, outcome)] = twilio.statuses(called(STATUS, signed(STATUS)))

    assert token == "abc"
    assert (outcome.status, outcome.code, outcome.reason) == ("undelivered", "30003", "transient_recipient")


@pytest.mark.parametrize("headers", [{}, {"x-twilio-signature": ""}, signed(STATUS, "guessed")])
def test_a_forged_callback_or_reply_is_refused(twilio: Outside, headers: dict[str, str]) -> None:
    with pytest.raises(Forged):
        twilio.statuses(called(STATUS, headers))
    with pytest.raises(Forged):
        twilio.inbound(called(INBOUND, headers))


def test_a_signed_form_that_makes_no_sense_is_unreadable(twilio: Outside) -> None:
    with pytest.raises(Unreadable, match="MessageSid"):
        twilio.statuses(called({}, signed({})))
    with pytest.raises(Unreadable, match="Body"):
        twilio.inbound(called(STATUS, signed(STATUS)))


def test_a_reply_comes_through(twilio: Outside) -> None:
    [reply] = twilio.inbound(called(INBOUND, signed(INBOUND)))

    assert (reply.sender, reply.body) == (PHONE, "1")


@pytest.mark.parametrize("missing", [{"twilio_url": ""}, {"twilio_account_sid": ""}])
async def test_nothing_goes_to_real_numbers_by_default(missing: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="GUITU_TWILIO_URL"):
        async with open_provider(settings("http://127.0.0.1:9", **missing)):
            pass
