"""The real twilio library against the simulator: what Twilio takes, refuses, lists and forgets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from harness.far_side import (
    OTHER_PHONE,
    OURS,
    PHONE,
    SERVICE,
    SID,
    TOKEN,
    real_client,
    settled,
    simulator_running,
)
from sms_simulator.server import Simulator


@pytest_asyncio.fixture
async def strict() -> AsyncIterator[Client]:
    """A simulator whose account has one number and knows landlines."""
    async with (
        simulator_running(simulator_senders=OURS, simulator_landline_prefixes="+4420") as running,
        real_client(running) as real,
    ):
        yield real


async def code_of(client: Client, **fields: Any) -> int:
    """Create a message that must be refused; returns Twilio's code."""
    wish = {"to": PHONE, "from_": OURS, "body": "hello"} | fields
    with pytest.raises(TwilioRestException) as refusal:
        await client.messages.create_async(**{k: v for k, v in wish.items() if v is not None})
    return int(refusal.value.code or 0)


async def test_a_created_message_is_queued_then_delivered(client: Client, simulator: Simulator) -> None:
    created = await client.messages.create_async(to=PHONE, from_=OURS, body="你好")
    await settled(simulator)
    fetched = await client.messages(created.sid).fetch_async()

    assert (created.status, created.num_segments, created.body) == ("queued", "1", "你好")
    assert (fetched.status, fetched.from_, fetched.to) == ("delivered", OURS, PHONE)
    assert created.date_sent is None
    assert fetched.date_sent is not None


async def test_a_wrong_token_is_refused_as_twilio_does(simulator: Simulator) -> None:
    async with real_client(simulator, token="wrong") as stranger:
        with pytest.raises(TwilioRestException) as refusal:
            await stranger.messages.create_async(to=PHONE, from_=OURS, body="x")

    assert (refusal.value.status, refusal.value.code) == (401, 20003)
    assert simulator.carrier.mailbox.ledger.total() == 0


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": ""}, 21604),
        ({"to": "7700900123"}, 21211),
        ({"to": "+44 7700 900123"}, 21211),
        ({"to": "+0447700900123"}, 21211),
        ({"to": "+1"}, 21211),
        ({"to": "+442079460123"}, 21614),
        ({"from_": None}, 21603),
        ({"from_": "+12025550199"}, 21606),
        ({"from_": "+1x"}, 21212),
        ({"from_": None, "messaging_service_sid": "MG1"}, 21701),
        ({"body": ""}, 21602),
        ({"body": None}, 21602),
        ({"body": "字" * 1601}, 21617),
        ({"validity_period": 0}, 90007),
        ({"validity_period": 36_001}, 90007),
        ({"status_callback": "ftp://example.com"}, 21609),
        ({"status_callback": "http://under_score.example/"}, 21609),
        ({"status_callback": "http://[::1"}, 21609),
    ],
)
async def test_bad_requests_get_twilios_code(strict: Client, fields: dict[str, Any], code: int) -> None:
    assert code == await code_of(strict, **fields)


async def test_the_longest_body_is_taken_and_counted(client: Client) -> None:
    created = await client.messages.create_async(to=PHONE, from_=OURS, body="字" * 1600)

    assert created.num_segments == "24"


async def test_a_messaging_service_chooses_its_sender_later(client: Client, simulator: Simulator) -> None:
    created = await client.messages.create_async(to=PHONE, messaging_service_sid=SERVICE, body="hello")
    await settled(simulator)
    fetched = await client.messages(created.sid).fetch_async()

    assert (created.status, created.from_, created.num_segments) == ("accepted", None, "0")
    assert (fetched.status, fetched.from_, fetched.num_segments) == ("delivered", OURS, "1")


async def test_only_a_scheduled_message_can_be_cancelled(client: Client) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    wish = {"to": PHONE, "messaging_service_sid": SERVICE, "body": "later", "send_at": later}
    scheduled = await client.messages.create_async(schedule_type="fixed", **wish)
    queued = await client.messages.create_async(to=PHONE, from_=OURS, body="now")

    canceled = await client.messages(scheduled.sid).update_async(status="canceled")
    with pytest.raises(TwilioRestException) as refusal:
        await client.messages(queued.sid).update_async(status="canceled")

    assert (scheduled.status, canceled.status) == ("scheduled", "canceled")
    assert refusal.value.code == 30409


async def test_a_message_can_be_scheduled_15_minutes_ahead_at_the_earliest(client: Client) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=14)
    wish = {"from_": None, "messaging_service_sid": SERVICE, "schedule_type": "fixed", "send_at": soon}

    assert await code_of(client, **wish) == 35114


async def test_redacting_empties_the_body_but_not_the_ledger(client: Client, simulator: Simulator) -> None:
    created = await client.messages.create_async(to=PHONE, from_=OURS, body="secret")

    redacted = await client.messages(created.sid).update_async(body="")
    with pytest.raises(TwilioRestException):
        await client.messages(created.sid).update_async(body="rewritten")

    assert redacted.body == ""
    assert dict(simulator.carrier.mailbox.ledger) == {(PHONE, "secret"): 1}


async def test_a_deleted_message_is_gone_but_was_accepted(client: Client, simulator: Simulator) -> None:
    created = await client.messages.create_async(to=PHONE, from_=OURS, body="gone")

    assert await client.messages(created.sid).delete_async()
    with pytest.raises(TwilioRestException) as missing:
        await client.messages(created.sid).fetch_async()

    assert (missing.value.status, missing.value.code) == (404, 20404)
    assert await client.messages.list_async(to=PHONE) == []
    assert simulator.carrier.mailbox.ledger.total() == 1


async def test_lists_are_filtered_by_either_number_and_newest_first(client: Client) -> None:
    for to, sender, body in [(PHONE, OURS, "1"), (OTHER_PHONE, OURS, "2"), (PHONE, "+12025550101", "3")]:
        await client.messages.create_async(to=to, from_=sender, body=body)

    assert [m.body for m in await client.messages.list_async(to=PHONE)] == ["3", "1"]
    assert [m.body for m in await client.messages.list_async(from_=OURS)] == ["2", "1"]
    assert [m.body for m in await client.messages.list_async(to=PHONE, from_=OURS)] == ["1"]
    assert [m.body for m in await client.messages.list_async()] == ["3", "2", "1"]


async def test_paging_shows_every_message_once_although_new_ones_arrive(client: Client) -> None:
    for n in range(7):
        await client.messages.create_async(to=PHONE, from_=OURS, body=str(n))

    seen = []
    page = await client.messages.page_async(to=PHONE, page_size=3)
    while page is not None:
        seen += [m.body for m in page]
        await client.messages.create_async(to=PHONE, from_=OURS, body="new")
        page = await page.next_page_async()

    assert seen == ["6", "5", "4", "3", "2", "1", "0"]


async def test_a_date_filter_hides_what_was_not_sent_yet(client: Client, simulator: Simulator) -> None:
    simulator.carrier.delays_s = (3600, 0, 0)
    await client.messages.create_async(to=PHONE, from_=OURS, body="waiting")
    simulator.carrier.delays_s = (0, 0, 0)
    await client.messages.create_async(to=PHONE, from_=OURS, body="sent")
    await simulator.carrier.mailbox.pulse.until(lambda: len(simulator.carrier.schedule) == 1, 10)
    today = datetime.now(UTC)

    async def bodies(**window: Any) -> list[str | None]:
        return [m.body for m in await client.messages.list_async(to=PHONE, **window)]

    assert await bodies() == ["sent", "waiting"]
    assert await bodies(date_sent_after=today - timedelta(hours=1)) == ["sent"]
    assert await bodies(date_sent_before=today - timedelta(hours=1)) == []
    assert await bodies(date_sent=today.date().isoformat()) == ["sent"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", f"/2010-04-01/Accounts/{SID}/Messages.json?PageSize=no", b"", 400, 20001),
        ("GET", f"/2010-04-01/Accounts/{SID}/Messages.json?DateSent=yesterday", b"", 400, 20001),
        ("GET", f"/2010-04-01/Accounts/{SID}/Messages.json?PageToken=guessed", b"", 400, 20001),
        ("GET", f"/2010-04-01/Accounts/{SID}/Messages/SM{'0' * 32}.json", b"", 404, 20404),
        ("PUT", f"/2010-04-01/Accounts/{SID}/Messages.json", b"", 405, 20004),
        ("POST", f"/2010-04-01/Accounts/AC{'9' * 32}/Messages.json", b"To=1", 404, 20404),
        ("POST", f"/2010-04-01/Accounts/{SID}/Faxes.json", b"To=1", 404, 20404),
        ("POST", f"/2010-04-01/Accounts/{SID}/Calls.json", b"To=1", 400, 21213),
        ("GET", f"/2010-04-01/Accounts/{SID}/Calls.json?PageToken=guessed", b"", 400, 20001),
        ("GET", f"/2010-04-01/Accounts/{SID}/Calls.json?StartTime=2026-03-01", b"", 400, 20001),
        ("GET", f"/2010-04-01/Accounts/{SID}/Calls/CA{'0' * 32}.json", b"", 404, 20404),
        ("PUT", f"/2010-04-01/Accounts/{SID}/Calls.json", b"", 405, 20004),
        ("GET", f"/2010-04-01/Accounts/{SID}/Callsign.json", b"", 404, 20404),
        ("POST", f"/2010-04-01/Accounts/{SID}/Messages.json", b"x" * 70_000, 413, 20413),
        ("POST", f"/2010-04-01/Accounts/{SID}/Messages.json", b"&a=1" * 200, 400, 20001),
        ("POST", f"/2010-04-01/Accounts/{SID}/Messages.json", b"To=\xff\xfe", 400, 20001),
        ("POST", f"/2010-04-01/Accounts/{SID}/Messages.json", b"%%%=%zz&To=%ff", 400, 21603),
    ],
)
async def test_nonsense_gets_an_error_with_a_code(
    simulator: Simulator, method: str, path: str, body: bytes, status: int, code: int
) -> None:
    headers = (
        {"Authorization": aiohttp.encode_basic_auth(SID, TOKEN)}
        if hasattr(aiohttp, "encode_basic_auth")
        else {}
    )
    headers = headers or {"Authorization": aiohttp.BasicAuth(SID, TOKEN).encode()}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, simulator.url + path, data=body) as answer,
    ):
        said = await answer.json()

    assert (status, code, status) == (answer.status, said["code"], said["status"])


async def test_many_clients_at_once_each_get_their_own_message(simulator: Simulator, client: Client) -> None:
    async def create(n: int) -> tuple[str, str | None, int]:
        message = await client.messages.create_async(to=PHONE, from_=OURS, body=f"text {n}")
        return message.sid, message.body, n

    created = await asyncio.gather(*(create(n) for n in range(100)))

    assert len({sid for sid, _, _ in created}) == 100
    assert all(body == f"text {n}" for _, body, n in created)
    assert simulator.carrier.mailbox.ledger.total() == 100
