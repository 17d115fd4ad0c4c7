"""The adapter in this service's words: outcomes that settle attempts, and callbacks only with a signature."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from pydantic import SecretStr

from harness.far_side import OURS, PHONE, SID, TOKEN, Ear, break_with, closed_port, settled
from notifications.domain.delivery import Outcome
from notifications.outside import Forged, Outgoing, Outside, Unparsable
from notifications.providers.twilio_outside import TwilioOutside, open_twilio
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
async def twilio(simulator: Simulator) -> AsyncIterator[TwilioOutside]:
    async with open_twilio(settings(simulator.url)) as outside:
        yield outside


def signed(form: dict[str, str], token: str = TOKEN) -> dict[str, str]:
    return {"x-twilio-signature": sign(token, URL, form)}


def just_now() -> datetime:
    return datetime.now(UTC) - timedelta(seconds=5)


def test_it_is_what_the_service_needs(twilio: TwilioOutside) -> None:
    outside: Outside = twilio

    assert outside.name == "twilio"


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
    twilio: TwilioOutside, simulator: Simulator, kind: FaultKind, outcome: str, retry: bool
) -> None:
    break_with(simulator, kind)

    seen = await twilio.send(SMS)

    assert (seen.kind, seen.retry) == (outcome, retry)


async def test_nobody_listening_may_be_tried_again() -> None:
    async with open_twilio(settings(f"http://127.0.0.1:{closed_port()}")) as twilio:
        seen = await twilio.send(SMS)

    assert (seen.kind, seen.retry) == ("not_sent", True)


async def test_a_number_that_is_none_is_not_tried_again(twilio: TwilioOutside) -> None:
    seen = await twilio.send(Outgoing("+1", "x", SMS.status_callback))

    assert (seen.kind, seen.code, seen.retry) == ("rejected", "21211", False)


async def test_what_a_lost_answer_left_is_found_and_what_never_came_is_absent(
    twilio: TwilioOutside, simulator: Simulator
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
    twilio: TwilioOutside, simulator: Simulator, ear: Ear
) -> None:
    break_with(simulator, FaultKind.callback_doubled)
    await twilio.send(Outgoing(PHONE, "x", f"{ear.url}/twilio/status/abc#rc=5&rp=all"))
    await settled(simulator)

    read = [twilio.status(h.url, h.form, h.headers, "abc") for h in ear.heard]

    assert len(read) == 6
    assert sorted({outcome.status for _, outcome in read}) == ["delivered", "sending", "sent"]
    assert len({key for key, _ in read}) == 3


def test_a_failure_says_its_class(twilio: TwilioOutside) -> None:
    _, outcome = twilio.status(URL, STATUS, signed(STATUS), "abc")

    assert (outcome.status, outcome.code, outcome.reason) == ("undelivered", "30003", "transient_recipient")


@pytest.mark.parametrize("headers", [{}, {"x-twilio-signature": ""}, signed(STATUS, "guessed")])
def test_a_forged_callback_or_reply_is_refused(twilio: TwilioOutside, headers: dict[str, str]) -> None:
    with pytest.raises(Forged):
        twilio.status(URL, STATUS, headers, "abc")
    with pytest.raises(Forged):
        twilio.inbound(URL, INBOUND, headers)


def test_a_signed_form_that_makes_no_sense_is_unparsable(twilio: TwilioOutside) -> None:
    with pytest.raises(Unparsable, match="MessageSid"):
        twilio.status(URL, {}, signed({}), "abc")
    with pytest.raises(Unparsable, match="Body"):
        twilio.inbound(URL, STATUS, signed(STATUS))


def test_a_reply_comes_through(twilio: TwilioOutside) -> None:
    reply = twilio.inbound(URL, INBOUND, signed(INBOUND))

    assert (reply.phone, reply.body) == (PHONE, "1")


@pytest.mark.parametrize("missing", [{"twilio_url": ""}, {"twilio_account_sid": ""}])
async def test_nothing_goes_to_real_numbers_by_default(missing: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="GUITU_TWILIO_URL"):
        async with open_twilio(settings("http://127.0.0.1:9", **missing)):
            pass
