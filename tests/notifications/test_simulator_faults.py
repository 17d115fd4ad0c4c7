"""Limits and faults on demand: what each does to the caller, and that a seed repeats it."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from harness.far_side import OTHER_PHONE, OURS, PHONE, break_with, settled
from sms_simulator.faults import FaultKind, Faults, Rule
from sms_simulator.limit import Limits, Rate
from sms_simulator.server import Simulator

BODY = "hello"


async def put(simulator: Simulator, path: str, body: Any) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.put(simulator.url + path, json=body) as answer,
    ):
        return answer.status, await answer.json()


async def create(client: Client, to: str = PHONE, sender: str = OURS, body: str = BODY) -> str:
    """Create a message; returns what the caller sees."""
    try:
        message = await client.messages.create_async(to=to, from_=sender, body=body)
    except TwilioRestException as error:
        return str(error.code)
    except aiohttp.ClientError as error:
        return type(error).__name__
    return str(message.status)


def accepted(simulator: Simulator) -> int:
    return simulator.carrier.mailbox.ledger.total()


@pytest.mark.parametrize(
    ("kind", "seen", "taken"),
    [
        (FaultKind.too_many_requests, "20429", 0),
        (FaultKind.error_before, "20500", 0),
        (FaultKind.close_before, "ServerDisconnectedError", 0),
        (FaultKind.error_after, "20500", 1),
        (FaultKind.lost_response, "ServerDisconnectedError", 1),
        (FaultKind.hang_before, "queued", 1),
        (FaultKind.hang_after, "queued", 1),
    ],
)
async def test_each_fault_shows_the_caller_its_face(
    simulator: Simulator, client: Client, kind: FaultKind, seen: str, taken: int
) -> None:
    break_with(simulator, kind, count=1, seconds=0.01)

    assert (seen, taken) == (await create(client), accepted(simulator))
    assert (await create(client), accepted(simulator)) == ("queued", taken + 1)


async def test_a_fault_can_be_for_one_number_or_one_sender(simulator: Simulator, client: Client) -> None:
    break_with(simulator, FaultKind.error_before, numbers=frozenset({PHONE}), senders=frozenset({OURS}))

    assert await create(client) == "20500"
    assert await create(client, to=OTHER_PHONE) == "queued"
    assert await create(client, sender="+12025550101") == "queued"


async def test_lists_and_fetches_can_fail_too(simulator: Simulator, client: Client) -> None:
    message = await client.messages.create_async(to=PHONE, from_=OURS, body=BODY)
    break_with(simulator, FaultKind.error_before, on=frozenset({"fetch"}))

    with pytest.raises(TwilioRestException):
        await message.fetch_async()
    assert len(await client.messages.list_async(to=PHONE)) == 1


async def test_a_lagging_list_hides_a_message_that_can_be_fetched(
    simulator: Simulator, client: Client
) -> None:
    break_with(simulator, FaultKind.list_lag, seconds=3600)
    message = await client.messages.create_async(to=PHONE, from_=OURS, body=BODY)

    assert await client.messages.list_async(to=PHONE) == []
    assert (await client.messages(message.sid).fetch_async()).sid == message.sid


async def test_the_ledger_shows_doubles_only_when_asked(simulator: Simulator, client: Client) -> None:
    for to in (PHONE, PHONE, OTHER_PHONE):
        await create(client, to=to)

    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{simulator.url}/simulator/ledger?min_count=2") as answer,
    ):
        ledger = await answer.json()

    assert (ledger["accepted"], ledger["distinct"], ledger["forgotten"]) == (3, 2, 0)
    assert ledger["pairs"] == [{"to": PHONE, "body": BODY, "count": 2}]


async def test_messages_can_be_waited_for(simulator: Simulator, client: Client) -> None:
    query = {"to": PHONE, "containing": "签收", "at_least": "1", "wait_s": "20"}
    async with aiohttp.ClientSession() as session:
        asking = session.get(f"{simulator.url}/simulator/messages", params=query)
        await create(client, body="其他")
        await create(client, body="签收码7K3M")
        async with asking as answer:
            said = await answer.json()

    assert [m["text"] for m in said["messages"]] == ["签收码7K3M"]
    assert said["last_seq"] == said["messages"][0]["seq"]


async def test_over_the_limit_a_create_is_refused_and_nothing_is_taken(
    simulator: Simulator, client: Client
) -> None:
    await put(simulator, "/simulator/limit", {"segments_per_s": 0.001, "burst": 3})

    seen = [await create(client, body="字" * 71), await create(client), await create(client)]
    await put(simulator, "/simulator/limit", {"segments_per_s": None})

    assert seen == ["queued", "queued", "20429"]
    assert accepted(simulator) == 2
    assert await create(client) == "queued"


async def test_a_limit_can_queue_instead_and_expire_what_waits_too_long(
    simulator: Simulator, client: Client
) -> None:
    limit = {"segments_per_s": 0.001, "burst": 1, "mode": "queue", "sender": OURS}
    await put(simulator, "/simulator/limit", limit)

    first = await client.messages.create_async(to=PHONE, from_=OURS, body=BODY)
    late = await client.messages.create_async(to=PHONE, from_=OURS, body=BODY, validity_period=1)
    other = await client.messages.create_async(to=PHONE, from_="+12025550101", body=BODY)
    await settled(simulator)

    ends = [(await client.messages(m.sid).fetch_async()) for m in (first, late, other)]
    assert [(m.status, m.error_code) for m in ends] == [
        ("delivered", None),
        ("failed", 30036),
        ("delivered", None),
    ]


async def test_a_queue_of_more_than_ten_hours_is_refused(simulator: Simulator, client: Client) -> None:
    limit = {"segments_per_s": 1 / 36_000, "burst": 1, "mode": "queue"}
    await put(simulator, "/simulator/limit", limit)

    assert [await create(client) for _ in range(3)] == ["queued", "queued", "21611"]


@given(
    st.lists(st.tuples(st.floats(0, 0.2), st.integers(1, 3)), min_size=1, max_size=60),
    st.integers(1, 50),
    st.integers(3, 20),
)
def test_no_window_of_one_second_passes_more_than_rate_and_burst(
    arrivals: list[tuple[float, int]], per_s: int, burst: int
) -> None:
    limits = Limits(default=Rate(per_s, burst, "reject"))
    now, passed = 1_000.0, []
    for gap_s, segments in arrivals:
        now += gap_s
        if limits.admit(OURS, segments, now) is not None:
            passed.append((now, segments))

    for start, _ in passed:
        assert sum(n for at, n in passed if start <= at < start + 1) <= per_s + burst + 1e-6


async def test_a_provider_that_is_down_refuses_until_it_is_back(simulator: Simulator, client: Client) -> None:
    status, _ = await put(simulator, "/simulator/down", {"seconds": 600})
    await simulator.listener.refuse_for(600)  # At once: the request's own takes effect after its answer.
    while_down = await create(client)
    await simulator.listener.reopen()

    assert (status, while_down) == (200, "ClientConnectorError")
    assert await create(client) == "queued"


def strikes(seed: int, tries: int = 200) -> list[bool]:
    faults = Faults()
    faults.replace([Rule(FaultKind.error_before, probability=0.3)], seed)
    return [faults.strike(FaultKind.error_before, PHONE) is not None for _ in range(tries)]


def test_the_same_seed_gives_the_same_faults() -> None:
    assert strikes(7) == strikes(7)
    assert strikes(7) != strikes(8)
    assert 30 <= sum(strikes(7)) <= 90


def test_one_fault_does_not_move_another() -> None:
    faults = Faults()
    other = Rule(FaultKind.lost_response, probability=0.5)
    faults.replace([Rule(FaultKind.error_before, probability=0.3), other], 7)
    seen = []
    for _ in range(200):
        faults.strike(FaultKind.lost_response, PHONE)
        seen.append(faults.strike(FaultKind.error_before, PHONE) is not None)

    assert seen == strikes(7)


async def test_counters_say_how_often_each_fault_struck(simulator: Simulator, client: Client) -> None:
    rules = [{"kind": "error_before", "count": 1}, {"kind": "callback_lost", "probability": 0}]
    await put(simulator, "/simulator/faults", {"seed": 3, "rules": rules})
    await create(client)
    await create(client)

    report = simulator.carrier.faults.report()

    assert report["seed"] == 3
    assert [(r["kind"], r["considered"], r["struck"]) for r in report["rules"]] == [
        ("error_before", 2, 1),
        ("callback_lost", 0, 0),
    ]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/simulator/faults", {"rules": [{"kind": "meteor"}]}),
        ("/simulator/faults", {"rules": [{"kind": "error_before", "probability": 2}]}),
        ("/simulator/faults", {"rules": [{"kind": "error_before", "probabilty": 1}]}),
        ("/simulator/limit", {"segments_per_s": 0}),
        ("/simulator/down", {"seconds": 601}),
        ("/simulator/lifecycle", {"sending_ms": -1, "sent_ms": 0, "delivered_ms": 0}),
        ("/simulator/numbers/default", {"inbound_url": "ftp://x"}),
        ("/simulator/numbers/%20", {"inbound_url": ""}),
    ],
)
async def test_a_misspelt_wish_is_refused(simulator: Simulator, path: str, body: dict[str, Any]) -> None:
    status, _ = await put(simulator, path, body)

    assert status == 422
    assert simulator.carrier.faults.quiet
