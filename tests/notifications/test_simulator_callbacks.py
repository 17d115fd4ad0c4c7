"""How the simulator calls back: signed, patient as the address asks, and broken on demand."""

from __future__ import annotations

import pytest
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from harness.far_side import (
    OTHER_PHONE,
    OURS,
    PHONE,
    SERVICE,
    TOKEN,
    Ear,
    break_with,
    closed_port,
    real_client,
    settled,
    simulator_running,
)
from sms_simulator.faults import FaultKind
from sms_simulator.server import Simulator
from sms_simulator.webhook import target


async def send(client: Client, callback: str, to: str = PHONE, **more: str) -> str:
    message = await client.messages.create_async(
        to=to, from_=OURS, body="hello", status_callback=callback, **more
    )
    return str(message.sid)


async def test_every_status_but_the_first_is_called_back_in_order(
    simulator: Simulator, client: Client, ear: Ear
) -> None:
    sid = await send(client, f"{ear.url}/s?a=1")
    await settled(simulator)

    assert sorted(ear.words(sid)) == ["delivered", "sending", "sent"]
    assert all(h.form["To"] == PHONE and h.form["From"] == OURS for h in ear.heard)


async def test_a_messaging_service_calls_back_queued_too(
    simulator: Simulator, client: Client, ear: Ear
) -> None:
    await client.messages.create_async(
        to=PHONE, messaging_service_sid=SERVICE, body="x", status_callback=ear.url
    )
    await settled(simulator)

    assert sorted(ear.words()) == ["delivered", "queued", "sending", "sent"]
    assert {h.form["MessagingServiceSid"] for h in ear.heard} == {SERVICE}


async def test_callbacks_are_signed_as_the_real_validator_wants_it(
    simulator: Simulator, client: Client, ear: Ear
) -> None:
    await send(client, f"{ear.url}/status/x?a=%E4%B8%AD&b=1#rc=5&rp=all")
    await settled(simulator)
    valid = [
        RequestValidator(TOKEN).validate(h.url, h.form, h.headers["x-twilio-signature"]) for h in ear.heard
    ]

    assert valid == [True, True, True]


async def test_a_forged_callback_does_not_pass_the_validator(
    simulator: Simulator, client: Client, ear: Ear
) -> None:
    break_with(simulator, FaultKind.callback_forged)
    await send(client, ear.url)
    await settled(simulator)
    heard = ear.heard[0]

    assert not RequestValidator(TOKEN).validate(heard.url, heard.form, heard.headers["x-twilio-signature"])


@pytest.mark.parametrize(
    ("fragment", "statuses", "calls"),
    [
        ("", [503, 503], 1),  # Twilio's default repeats only what could not be connected.
        ("#rc=2&rp=5xx", [503, 500, 200], 3),
        ("#rc=2&rp=5xx", [404], 1),
        ("#rc=5&rp=4xx,5xx", [404, 503, 404, 200], 4),
        ("#rc=5&rp=all", [503] * 9, 6),
        ("#rc=99&rp=all", [503] * 9, 6),  # Five is the most that Twilio allows.
        ("#rc=0&rp=all", [503], 1),
        ("#rc=1&rp=rt&rt=100", [0, 200], 2),
        ("#rc=1&rt=100", [0, 200], 1),
    ],
)
async def test_the_address_says_what_is_repeated(
    ear: Ear, fragment: str, statuses: list[int], calls: int
) -> None:
    ear.statuses = statuses
    async with simulator_running() as simulator, real_client(simulator) as client:
        break_with(simulator, FaultKind.stuck)
        simulator.carrier.delays_s = (0, 3600, 0)  # Only `sending` is reached.
        await send(client, ear.url + fragment)
        await simulator.carrier.mailbox.pulse.until(
            lambda: simulator.carrier.courier.idle and bool(simulator.carrier.courier.counts), 10
        )

    assert len(ear.heard) == calls
    assert len({h.headers["i-twilio-idempotency-token"] for h in ear.heard}) == 1


async def test_a_refused_callback_is_tried_again_once_by_default(
    simulator: Simulator, client: Client
) -> None:
    simulator.carrier.delays_s = (0, 0, 0)
    await send(client, f"http://127.0.0.1:{closed_port()}/")
    await settled(simulator)

    assert {"attempts": 6, "retries": 3, "failed": 3} == dict(simulator.carrier.courier.counts)


def test_overrides_out_of_range_are_pulled_into_it() -> None:
    aim = target("https://guitu.example/s?a=1#rc=7&ct=1&rt=99999&rp=5xx,ct&x=y")

    assert aim.url == "https://guitu.example/s?a=1"
    assert (aim.retries, aim.connect_s, aim.read_s) == (5, 0.1, 15.0)
    assert aim.retries_after("5xx")
    assert not aim.retries_after("4xx")


async def test_lost_callbacks_leave_the_message_delivered(
    simulator: Simulator, client: Client, ear: Ear
) -> None:
    break_with(simulator, FaultKind.callback_lost, numbers=frozenset({PHONE}))
    lost = await send(client, ear.url)
    kept = await send(client, ear.url, to=OTHER_PHONE)
    await settled(simulator)

    assert ear.words(lost) == []
    assert len(ear.words(kept)) == 3
    assert (await client.messages(lost).fetch_async()).status == "delivered"


async def test_doubled_callbacks_come_twice(simulator: Simulator, client: Client, ear: Ear) -> None:
    break_with(simulator, FaultKind.callback_doubled, count=1)
    sid = await send(client, ear.url)
    await settled(simulator)

    assert sorted(ear.words(sid)) == ["delivered", "sending", "sending", "sent"]


async def test_shuffled_callbacks_come_out_of_order(simulator: Simulator, client: Client, ear: Ear) -> None:
    break_with(simulator, FaultKind.callback_shuffled, seconds=0.3)
    sids = [await send(client, ear.url) for _ in range(6)]
    await settled(simulator)

    assert all(sorted(ear.words(sid)) == ["delivered", "sending", "sent"] for sid in sids)
    assert any(ear.words(sid) != ["sending", "sent", "delivered"] for sid in sids)


async def test_a_late_callback_comes_after_the_message_is_done(
    simulator: Simulator, client: Client, ear: Ear
) -> None:
    break_with(simulator, FaultKind.callback_late, seconds=0.2)
    sid = await send(client, ear.url)
    await simulator.carrier.mailbox.pulse.until(
        lambda: simulator.carrier.mailbox.by_sid[sid].status == "delivered", 10
    )
    before = ear.words(sid)
    await settled(simulator)

    assert before == []
    assert sorted(ear.words(sid)) == ["delivered", "sending", "sent"]


@pytest.mark.parametrize(
    ("kind", "last", "code"),
    [
        (FaultKind.undelivered, "undelivered", "30003"),
        (FaultKind.failed, "failed", "30003"),
        (FaultKind.strange_status, "teleported", None),
        (FaultKind.stuck, "sent", None),
    ],
)
async def test_a_message_can_end_badly(
    simulator: Simulator, client: Client, ear: Ear, kind: FaultKind, last: str, code: str | None
) -> None:
    break_with(simulator, kind)
    sid = await send(client, ear.url)
    await settled(simulator)
    ending = next(h for h in ear.heard if h.form["MessageStatus"] == last)

    assert ending.form.get("ErrorCode") == code
    assert simulator.carrier.mailbox.by_sid[sid].status == last


async def test_a_link_to_china_is_filtered(simulator: Simulator, client: Client) -> None:
    linked = await client.messages.create_async(
        to="+8613800000000", from_=OURS, body="http://guitu.example/n/1"
    )
    plain = await client.messages.create_async(to="+8613800000000", from_=OURS, body="签收码7K3M")
    await settled(simulator)

    ends = [(await client.messages(m.sid).fetch_async()) for m in (linked, plain)]

    assert [(m.status, m.error_code) for m in ends] == [("undelivered", 30007), ("delivered", None)]
