"""Webhooks of the gate: signed, at least once under one id, never a decision that is no longer so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from dna_intake import store_webhooks
from dna_intake.domain.webhook_retry import LONGEST, pause_after, verdict_on
from dna_intake.gate_sending import PLACES_EACH, GateSender, telling_offices
from dna_intake.settings import DnaSettings
from guitu.auth import Role
from guitu.clock import advance_file
from guitu.service import Runtime
from guitu.webhook_signature import signer_of
from harness import gate_process
from harness.dna_desk import Desk, desk
from harness.dna_stories import YUNYANG
from harness.far_systems import Said, listening
from harness.gate_stories import REFERENCE, asking, child, compared, family, looked
from harness.office_system import OfficeSystem

RuntimeFor = Callable[[str], Awaitable[Runtime]]


@dataclass
class Story:
    """A gate whose office has a system that is told."""

    run: Runtime
    clerk: Desk
    office: OfficeSystem
    sender: GateSender
    subscription: str

    async def asks(self, specimen: UUID, reference: str = REFERENCE) -> dict[str, Any]:
        body = asking(specimen, subscription_id=self.subscription, office_reference=reference)
        answer = await self.clerk.posts("/gate-requests", body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def tells(self, **later: float) -> None:
        """After some time, all that is due is told and recorded."""
        self.run.clock.advance(**(later or {"seconds": 0}))
        for _ in range(50):
            if not await self.sender.pump():
                break
            await self.sender.drain()

    async def deliveries(self) -> list[dict[str, Any]]:
        found = await self.clerk.gets("/gate-deliveries")
        return list(found["gate_deliveries"])


@pytest_asyncio.fixture
async def story(runtime_for: RuntimeFor) -> AsyncIterator[Story]:
    run = await runtime_for("dna-intake")
    async with told_on_loopback(run) as story:
        yield story


@asynccontextmanager
async def told_on_loopback(run: Runtime) -> AsyncIterator[Story]:
    own = {"gate_webhook_private_ok": True, "gate_webhook_timeout_s": 0.5}
    run.settings = DnaSettings(**(run.settings.model_dump() | own))
    async with (
        listening(OfficeSystem) as office,
        desk(run, "registry") as clerk,
        telling_offices(run) as sender,
    ):
        answer = await clerk.posts(
            "/gate-subscriptions", {"region_code": YUNYANG, "url": f"{office.url}/gate"}
        )
        assert answer.status_code == 201, answer.text
        office.secrets.append(answer.json()["secret"])
        yield Story(run, clerk, office, sender, answer.json()["id"])


async def test_a_decision_arrives_signed_once_and_holds_nothing_of_a_person(story: Story) -> None:
    specimen = await child(story.run)
    told = await story.asks(specimen)

    await story.tells()
    await story.tells(minutes=10)

    [came] = story.office.came
    [(delivery, event)] = story.office.had.items()
    assert event["id"] == delivery
    assert event["type"] == "guitu.gate_decision.v1"
    assert set(event["data"]) == {
        "request_id",
        "specimen_id",
        "office_reference",
        "sequence",
        "decision",
        "reason",
        "reason_en",
        "reason_zh",
        "index_generation",
        "decided_at",
        "deadline",
        "valid_until",
        "exercise",
    }
    assert (told["request_id"], "clear", 1) == tuple(
        event["data"][name] for name in ("request_id", "decision", "sequence")
    )
    assert came.headers["content-type"].startswith("application/cloudevents+json")
    [row] = await story.deliveries()
    assert (delivery, "delivered", 1) == (row["id"], row["state"], row["attempts"])


@pytest.mark.parametrize(
    "fault", ["hang_before", "hang_after", "reset_before", "reset_after", "error_after", 404, 429, 302]
)
async def test_what_failed_is_told_again_under_the_same_id_after_a_pause(story: Story, fault: Any) -> None:
    elsewhere = {"location": f"{story.office.url}/elsewhere"}
    story.office.next = [Said(fault, headers=elsewhere) if isinstance(fault, int) else fault]
    await story.asks(await child(story.run))
    await story.tells()
    await story.tells(seconds=5)
    at_first = len(story.office.came)

    await story.tells(seconds=10)

    assert at_first == 1
    first, again = story.office.came
    assert {"/gate"} == {first.path, again.path}
    assert first.headers["x-guitu-delivery"] == again.headers["x-guitu-delivery"]
    assert first.body == again.body
    [row] = await story.deliveries()
    assert ("delivered", 2) == (row["state"], row["attempts"])


async def test_an_answer_without_end_is_cut_off_and_counts_as_none(story: Story) -> None:
    story.office.next = [Said(200, b"x" * 100_000)]
    await story.asks(await child(story.run))

    await story.tells()

    [row] = await story.deliveries()
    assert ("queued", "ClientPayloadError") == (row["state"], row["last_answer"])


async def test_after_the_last_try_it_waits_for_a_person_who_can_try_again(story: Story) -> None:
    await story.asks(await child(story.run))
    await story.run.pool.execute("update gate_delivery set tries_max = 3")
    story.office.next = [Said(500)] * 3
    for _ in range(5):
        await story.tells(hours=7)
    story.clerk.headers = Desk(story.run, story.clerk.http, "registry", YUNYANG).headers
    [failed] = (await story.clerk.gets("/gate-deliveries?state=failed"))["gate_deliveries"]

    again = await story.clerk.posts(f"/gate-deliveries/{failed['id']}/again", None)

    await story.tells()
    [row] = await story.deliveries()
    twice = await story.clerk.posts(f"/gate-deliveries/{failed['id']}/again", None)
    assert ("failed", 3, "http_500") == (failed["state"], failed["attempts"], failed["last_answer"])
    assert (200, "delivered", 409) == (again.status_code, row["state"], twice.status_code)
    assert len(story.office.came) == 4
    audited = await story.run.pool.fetch("select action from audit where action like 'dna.gate_delivery%'")
    assert ["dna.gate_delivery_failed", "dna.gate_delivery_again"] == [one["action"] for one in audited]


async def test_410_ends_the_subscription_and_whatever_waits_for_it(story: Story) -> None:
    await story.asks(await child(story.run))
    story.office.next = [Said(410)]
    await story.tells()

    refused = await story.clerk.posts(
        "/gate-requests", asking(await child(story.run), subscription_id=story.subscription)
    )

    [subscription] = (await story.clerk.gets("/gate-subscriptions"))["gate_subscriptions"]
    assert subscription["ended_because"] == "gone"
    assert (409, "subscription_ended") == (refused.status_code, refused.json()["code"])
    await story.tells(days=1)
    assert len(story.office.came) == 1


async def test_an_ended_subscription_hears_of_no_later_decision(story: Story) -> None:
    specimen = await child(story.run)
    await story.asks(specimen)
    await story.tells()

    ended = [await story.clerk.posts(f"/gate-subscriptions/{story.subscription}/end", None) for _ in range(2)]

    await family(story.run)
    await looked(story.run)
    await looked(story.run, seconds=90)
    await story.tells()
    assert [200, 200] == [answer.status_code for answer in ended]
    assert ["clear"] == story.office.decisions


async def test_a_clear_that_is_no_longer_so_is_not_sent_and_the_hold_that_follows_is(story: Story) -> None:
    specimen = await child(story.run)
    await story.asks(specimen)
    await family(story.run)

    await story.tells()
    unsent = list(story.office.came)
    await looked(story.run)
    await looked(story.run, seconds=90)
    await story.tells()

    assert unsent == []
    assert ["hold"] == story.office.decisions
    assert ["delivered", "superseded"] == [row["state"] for row in await story.deliveries()]


async def test_a_clear_that_waited_for_a_comparison_is_sent_as_it_was_renewed(story: Story) -> None:
    specimen = await child(story.run)
    await story.asks(specimen)
    newcomer = await family(story.run)
    await story.tells()
    await compared(story.run, newcomer)
    await looked(story.run, seconds=5)

    await story.tells(seconds=5)

    [event] = story.office.had.values()
    assert ("clear", 2, 2) == tuple(
        event["data"][name] for name in ("decision", "sequence", "index_generation")
    )


async def test_an_older_decision_never_follows_a_newer_one(story: Story) -> None:
    """The worker that was telling `clear` died; by the time its lease is over, `hold` has been told."""
    specimen = await child(story.run)
    await story.asks(specimen)
    async with story.run.tx(actor="dies") as tx:
        [taken] = await store_webhooks.claim(tx.conn, tx.now, tx.now + timedelta(seconds=30), 9, 9)
    await family(story.run)
    await looked(story.run)
    await looked(story.run, seconds=90)
    await story.tells()

    await story.tells(minutes=10)

    assert ["hold"] == story.office.decisions
    states = {row["id"]: row["state"] for row in await story.deliveries()}
    assert states[str(taken.id)] == "superseded"


async def test_two_workers_never_send_one_delivery_at_once(story: Story) -> None:
    for number in range(12):
        await story.asks(await child(story.run), f"YY-2026-{number:04}")
    async with telling_offices(story.run) as other:
        for _ in range(8):
            await asyncio.gather(story.sender.pump(), other.pump(), story.sender.pump())
            await asyncio.gather(story.sender.drain(), other.drain())

    ids = [came.headers["x-guitu-delivery"] for came in story.office.came]
    assert 12 == len(ids) == len(set(ids))


async def test_a_worker_that_slept_past_its_lease_neither_sends_nor_records(story: Story) -> None:
    await story.asks(await child(story.run))
    async with story.run.tx(actor="sleeps") as tx:
        [taken] = await store_webhooks.claim(tx.conn, tx.now, tx.now + timedelta(seconds=30), 9, 9)
    begin_by = story.run.clock.now() + timedelta(seconds=29)
    await story.tells(minutes=1)

    await story.sender._one(taken, begin_by)

    assert len(story.office.came) == 1
    async with story.run.tx(actor="sleeps") as tx:
        assert await store_webhooks.record(tx.conn, taken, "failed", "late", tx.now, None) is None
    assert ["delivered"] == [row["state"] for row in await story.deliveries()]


async def test_who_lost_the_lease_does_not_write_over_who_has_it(story: Story) -> None:
    await story.asks(await child(story.run))
    claims = []
    for _ in range(2):
        async with story.run.tx(actor="worker") as tx:
            claims += await store_webhooks.claim(tx.conn, tx.now, tx.now + timedelta(seconds=30), 9, 9)
        story.run.clock.advance(seconds=31)
    first, second = claims

    async with story.run.tx(actor="worker") as tx:
        late = await store_webhooks.record(tx.conn, first, "failed", "late", tx.now, None)
        good = await store_webhooks.record(tx.conn, second, "delivered", "http_200", tx.now, None)

    assert first.id == second.id
    assert (None, "delivered") == (late, good)


async def test_a_slow_receiver_leaves_places_to_the_others(story: Story) -> None:
    async with listening(OfficeSystem) as slow:
        slow.next = ["hang_before"] * 40
        answer = await story.clerk.posts("/gate-subscriptions", {"region_code": YUNYANG, "url": slow.url})
        for number in range(40):
            body = asking(await child(story.run), office_reference=f"SLOW-{number}")
            await story.clerk.posts("/gate-requests", body | {"subscription_id": answer.json()["id"]})
        await story.asks(await child(story.run))

        begun = await story.sender.pump()

        await story.sender.drain()
    assert PLACES_EACH + 1 == begun
    assert ["clear"] == story.office.decisions


async def test_who_is_killed_between_sending_and_recording_is_followed_under_the_same_id(
    story: Story, tmp_path: Path
) -> None:
    """Told by a process that is killed while the receiver, who has it, has not answered; then by the next one."""
    story.run.clock.moment = datetime.now(UTC)
    story.clerk.headers = Desk(story.run, story.clerk.http, "registry", YUNYANG).headers
    clock = tmp_path / "clock"
    own = story.run.settings.model_dump() | {"gate_webhook_timeout_s": 15}
    told = gate_process.Start(own, clock)
    story.office.next = ["hang_after"]
    await story.asks(await child(story.run))
    first = gate_process.start(told)
    await arrived(story.office, 1)
    first.kill()
    first.join(10)
    sending = await story.deliveries()
    advance_file(clock, 40)

    second = gate_process.start(told)
    try:
        await arrived(story.office, 2)
        state = await ends(story)
    finally:
        second.kill()
        second.join(10)

    assert ["sending"] == [row["state"] for row in sending]
    assert 1 == len({came.headers["x-guitu-delivery"] for came in story.office.came})
    assert 1 == len(story.office.had)
    assert state == "delivered"


async def arrived(office: OfficeSystem, many: int) -> None:
    for _ in range(600):
        if len(office.came) >= many:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{len(office.came)} of {many} came within 30 s.")


async def ends(story: Story) -> str:
    for _ in range(200):
        [row] = await story.deliveries()
        if row["state"] != "sending":
            break
        await asyncio.sleep(0.05)
    return str(row["state"])


async def test_while_the_secret_is_replaced_both_sign_and_later_the_new_one_alone(story: Story) -> None:
    old = story.office.secrets[0]
    path = f"/gate-subscriptions/{story.subscription}/secret"
    answer = await story.clerk.posts(path, None)
    new = answer.json()["secret"]
    await story.asks(await child(story.run), "YY-1")
    await story.tells()
    story.office.secrets[:] = [new]
    await story.asks(await child(story.run), "YY-2")
    await story.tells()
    story.run.clock.advance(hours=72)
    story.clerk.headers = Desk(story.run, story.clerk.http, "registry", YUNYANG).headers
    await story.asks(await child(story.run), "YY-3")
    await story.tells()

    both, _, alone = story.office.came
    now = datetime.fromtimestamp(int(alone.headers["x-guitu-timestamp"]), UTC)
    assert old != new
    assert 3 == len(story.office.had)
    assert 2 == len(both.headers["x-guitu-signature"].split(","))
    assert signer_of({"old": [old]}, alone.headers, alone.body, now) is None
    assert "new" == signer_of({"new": [new]}, alone.headers, alone.body, now)


async def test_a_secret_is_shown_once_and_stands_nowhere_in_the_clear(story: Story) -> None:
    secret = story.office.secrets[0]
    listed = await story.clerk.gets("/gate-subscriptions")

    tables = await story.run.pool.fetch("select tablename from pg_tables where schemaname = 'dna_intake'")
    rows = [
        value.decode(errors="replace") if isinstance(value, bytes) else str(value)
        for table in tables
        if table["tablename"] != "alembic_version"
        for row in await story.run.pool.fetch(f"select * from {table['tablename']}")
        for value in row.values()
    ]

    assert len(secret) > 40
    assert not [text for text in [*rows, json.dumps(listed)] if secret in text]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://office.example/gate", "not_https"),
        ("https://127.0.0.1/gate", "private_address"),
        ("https://localhost/gate", "private_address"),
        ("https://10.1.2.3/gate", "private_address"),
        ("https://[::ffff:10.1.2.3]/gate", "private_address"),
        ("https://169.254.169.254/latest", "private_address"),
        ("https://user:word@office.example/", "bad_address"),
        ("https://office.example:99999/", "bad_address"),
        ("ftp://office.example/", "invalid_request"),
    ],
)
async def test_an_address_that_is_not_called_is_not_taken(
    runtime_for: RuntimeFor, url: str, code: str
) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run, "registry") as clerk:
        answer = await clerk.posts("/gate-subscriptions", {"region_code": YUNYANG, "url": url})

    assert (422, code) == (answer.status_code, answer.json()["code"])


async def test_an_address_that_turned_private_is_not_called(story: Story) -> None:
    """The setting was on when it was taken, or a name leads elsewhere now: it is judged again at each call."""
    await story.asks(await child(story.run))
    shut = DnaSettings(**(story.run.settings.model_dump() | {"gate_webhook_private_ok": False}))
    story.run.settings = shut
    async with telling_offices(story.run) as strict:
        await strict.pump()
        await strict.drain()

    [row] = await story.deliveries()
    assert ("queued", "private_address") == (row["state"], row["last_answer"])
    assert story.office.came == []


async def test_a_region_has_a_bounded_number_of_subscriptions(story: Story) -> None:
    body = {"region_code": YUNYANG, "url": "https://office.example/gate"}
    answers = [await story.clerk.posts("/gate-subscriptions", body) for _ in range(20)]

    assert [201] * 19 + [409] == [answer.status_code for answer in answers]


async def test_another_region_sees_no_subscription_and_asks_with_none_of_ours(story: Story) -> None:
    body = {"region_code": YUNYANG, "url": "https://office.example/gate"}
    async with desk(story.run, "registry", "500101") as stranger:
        listed = await stranger.gets("/gate-subscriptions")
        answers = [
            await stranger.posts("/gate-subscriptions", body),
            await stranger.posts(f"/gate-subscriptions/{story.subscription}/secret", None),
            await stranger.posts(f"/gate-subscriptions/{story.subscription}/end", None),
            await stranger.posts(
                "/gate-requests",
                asking(await child(story.run, region="500101"), subscription_id=story.subscription),
            ),
        ]

    assert listed == {"gate_subscriptions": []}
    assert [403, 404, 404, 404] == [answer.status_code for answer in answers]


@pytest.mark.parametrize("role", ["laboratory", "operator", "case_leader", "site"])
async def test_only_the_registry_lets_a_system_be_told(runtime_for: RuntimeFor, role: Role) -> None:
    run = await runtime_for("dna-intake")
    body = {"region_code": YUNYANG, "url": "https://office.example/gate"}
    async with desk(run, role) as other:
        answer = await other.posts("/gate-subscriptions", body)

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(200, "delivered"), (299, "delivered"), (301, "again"), (410, "gone"), (404, "again"), (503, "again")],
)
def test_each_answer_has_its_verdict(status: int, verdict: str) -> None:
    assert verdict == verdict_on(status)


def test_pauses_grow_to_their_bound_and_differ_a_little() -> None:
    one = uuid4()
    pauses = [pause_after(n, one) for n in range(1, 40)]

    assert timedelta(seconds=10) <= pauses[0] <= timedelta(seconds=11)
    assert pauses == sorted(pauses)
    assert LONGEST <= pauses[-1] <= LONGEST * 1.1
    assert len({pause_after(1, UUID(int=n)) for n in range(100)}) == 100
