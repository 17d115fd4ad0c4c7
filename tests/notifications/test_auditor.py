"""The auditor finds everybody who is forgotten, nobody else, and is missed when it is silent."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from asyncpg import UndefinedTableError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guitu.service import Runtime
from harness.ground import START, SettableClock, owner, react, truncate
from harness.notice_stories import (
    PHONES,
    contact,
    fill,
    order_over,
    ordered,
    raised,
    site,
    stood_down,
    updated,
    widened,
)
from harness.watch_stories import Watch, watching
from notifications import auditor, paging, store_auditing
from notifications.agents import REACTIONS
from notifications.domain.auditing import FAULTS
from notifications.settings import NotificationSettings

RuntimeFor = Callable[[str], Awaitable[Runtime]]
OPERATOR = "+12025550199"


@pytest_asyncio.fixture
async def watch(runtime_for: RuntimeFor) -> AsyncIterator[Watch]:
    async with watching(await runtime_for("notifications")) as ready:
        yield ready


async def sql(watch: Watch, *statements: str) -> None:
    async with watch.run.pool.acquire() as conn:
        for statement in statements:
            await conn.execute(statement)


async def told(watch: Watch) -> None:
    """Site 1 was told and nobody answered yet."""
    await watch.raise_alert()


async def escalated(watch: Watch) -> None:
    """Site 1's first contact did not answer; its second was told."""
    await told(watch)
    await watch.after(seconds=181)


async def left_to_people(watch: Watch) -> None:
    """Nobody of site 1 answered; the command centre has a task."""
    await told(watch)
    await watch.unheard()


async def waiting(watch: Watch) -> None:
    """Nothing was sent yet."""
    await react(watch.run, REACTIONS, raised(watch.run.clock.now(), radius_km=5))


async def over(watch: Watch) -> None:
    """Site 1 was told, and told that it is over."""
    await told(watch)
    await react(watch.run, REACTIONS, stood_down(watch.run.clock.now()))
    await watch.send()


PLANTED: list[tuple[str, Callable[[Watch], Awaitable[None]], list[str]]] = [
    ("deliveries_missing", told, ["delete from attempt", "delete from delivery"]),
    ("no_deadline", told, ["update delivery set answer_due_at = null"]),
    ("deadline_missed", told, ["update delivery set answer_due_at = answer_due_at - interval '5 minutes'"]),
    ("escalated_to_nobody", told, ["update delivery set escalated_at = queued_at, answer_due_at = null"]),
    (
        "escalated_to_nobody",
        escalated,
        [
            "delete from attempt where delivery_id in (select id from delivery where escalated_at is null)",
            "update notice set planned = planned - 1",
            "delete from delivery where escalated_at is null",
        ],
    ),
    ("escalated_without_task", left_to_people, ["delete from task"]),
    ("failed_and_left", told, ["update delivery set state = 'failed', answer_due_at = null"]),
    ("cancelled_and_left", waiting, ["update delivery set state = 'cancelled'"]),
    ("claim_lost", waiting, ["update delivery set state = 'sending'"]),
    ("never_sent", waiting, ["update delivery set expires_at = queued_at - interval '2 minutes'"]),
    (
        "told_and_not_stood_down",
        over,
        [
            "delete from attempt where delivery_id in (select id from delivery where kind = 'stood_down')",
            "delete from delivery where kind = 'stood_down'",
            "update notice set planned = 0 where kind = 'stood_down'",
        ],
    ),
    (
        "stand_down_left",
        over,
        [
            "update delivery set state = 'failed', failed_at = queued_at - interval '5 minutes'"
            " where kind = 'stood_down'"
        ],
    ),
]


@pytest.mark.parametrize(
    ("fault", "story", "statements"),
    PLANTED,
    ids=[f"{fault}-{story.__name__}" for fault, story, _ in PLANTED],
)
async def test_a_planted_fault_is_found(
    watch: Watch, fault: str, story: Callable[[Watch], Awaitable[None]], statements: list[str]
) -> None:
    await story(watch)
    assert [] == await watch.faults()

    await sql(watch, *statements)

    assert [fault] == await watch.faults()


def test_each_fault_is_planted_once_and_has_its_words() -> None:
    assert set(FAULTS) == {fault for fault, _, _ in PLANTED}
    assert all(words["zh"] and words["en"] for words in FAULTS.values())


async def test_a_lost_answer_that_nobody_asks_after_is_found(watch: Watch) -> None:
    watch.carrier.told[PHONES[1]] = "lost_answer"
    await told(watch)
    assert [] == await watch.faults()

    await sql(watch, "update delivery set answer_due_at = null")

    assert ["no_deadline"] == await watch.faults()


async def test_a_stopped_escalation_is_found_a_minute_after_the_deadline(watch: Watch) -> None:
    await told(watch)

    watch.advance(seconds=180 + 59)
    early = await watch.faults()
    watch.advance(seconds=2)

    assert ([], ["deadline_missed"]) == (early, await watch.faults())


async def test_a_colleague_who_acknowledged_answers_for_the_site(watch: Watch) -> None:
    await escalated(watch)
    await watch.acknowledge(number=4)
    watch.advance(minutes=10)

    assert [] == await watch.faults()


async def test_an_order_is_held_by_dispatch_once_it_arrived(watch: Watch) -> None:
    await react(watch.run, REACTIONS, ordered(watch.run.clock.now()))
    await watch.send()
    watch.advance(hours=2)

    assert [] == await watch.faults()


async def test_an_order_that_is_over_may_be_cancelled(watch: Watch) -> None:
    await react(watch.run, REACTIONS, ordered(watch.run.clock.now()))
    await react(watch.run, REACTIONS, order_over(watch.run.clock.now()))

    assert [] == await watch.faults()


async def test_violations_are_a_critical_alarm_with_their_ids_until_they_are_gone(watch: Watch) -> None:
    await told(watch)
    await sql(watch, "update delivery set answer_due_at = null")
    await auditor.audit(watch.run)
    delivery_id = await watch.run.pool.fetchval("select id from delivery")

    [alarm] = (await watch.get("/alarms"))["alarms"]
    seen = await watch.get("/auditor")
    elsewhere = await watch.get("/auditor", region="110000")

    assert ("auditor_violation", "critical") == (alarm["kind"], alarm["severity"])
    assert [str(delivery_id)] == alarm["detail"]["delivery_ids"]
    assert [("no_deadline", str(delivery_id))] == [(v["fault"], v["delivery_id"]) for v in seen["violations"]]
    assert (1, []) == (elsewhere["found"], elsewhere["violations"])

    await sql(watch, "update delivery set acknowledged_at = queued_at")
    watch.advance(seconds=30)
    await auditor.audit(watch.run)

    assert [] == (await watch.get("/alarms"))["alarms"]
    assert (0, 1) == ((seen := await watch.get("/auditor"))["found"], seen["checked"])


async def test_before_the_first_run_the_auditor_says_so(watch: Watch) -> None:
    assert (await watch.get("/auditor"))["ran_at"] is None


@asynccontextmanager
async def dead_mans_switch(status: int = 200) -> AsyncIterator[tuple[str, list[str]]]:
    """Somebody who waits for heartbeats: their address, and what came."""
    came: list[str] = []

    async def beat(request: web.Request) -> web.Response:
        came.append(request.method)
        return web.Response(status=status)

    app = web.Application()
    app.router.add_get("/ping", beat)
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.SockSite(runner, sock).start()
    try:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}/ping", came
    finally:
        await runner.cleanup()


async def test_the_heartbeat_is_given_when_nobody_is_forgotten_and_withheld_when_somebody_is(
    watch: Watch,
) -> None:
    await told(watch)
    async with dead_mans_switch() as (address, came):
        watch.set(heartbeat_url=address)
        await auditor.audit(watch.run)
        assert ["GET"] == came

        await sql(watch, "update delivery set answer_due_at = null")
        await auditor.audit(watch.run)

    assert ["GET"] == came


async def test_the_heartbeat_is_withheld_when_the_audit_fails(watch: Watch) -> None:
    async with dead_mans_switch() as (address, came):
        watch.set(heartbeat_url=address)
        async with broken_audit(watch):
            with pytest.raises(UndefinedTableError):
                await auditor.audit(watch.run)

    assert [] == came


async def test_a_dead_mans_switch_that_is_away_disturbs_nobody(watch: Watch) -> None:
    async with dead_mans_switch(status=503) as (address, _):
        watch.set(heartbeat_url=address)
        refused = await auditor.heartbeat(watch.run, watch.settings)

    away = await auditor.heartbeat(watch.run, watch.settings)

    assert (False, False) == (refused, away)


@asynccontextmanager
async def broken_audit(watch: Watch) -> AsyncIterator[None]:
    """A table that the auditor reads is away."""
    conn = await owner(watch.run.settings.database_url)
    try:
        await conn.execute("alter table notifications.escalation rename to escalation_away")
        yield
    finally:
        await conn.execute("alter table notifications.escalation_away rename to escalation")
        await conn.close()


async def pages(watch: Watch) -> list[str]:
    await paging.pages_operator(watch.run)
    return watch.carrier.texts_to(OPERATOR)


async def test_the_operator_is_paged_when_it_stays_wrong_and_at_most_every_ten_minutes(watch: Watch) -> None:
    watch.set(operator_phone=OPERATOR)
    await told(watch)
    await sql(watch, "update delivery set answer_due_at = null")
    await auditor.audit(watch.run)
    assert [] == await pages(watch)

    watch.advance(seconds=30)
    await auditor.audit(watch.run)
    assert 1 == len(await pages(watch))
    watch.advance(minutes=9)
    await auditor.audit(watch.run)
    assert 1 == len(await pages(watch))
    watch.advance(minutes=2)
    await auditor.audit(watch.run)
    assert 2 == len(await pages(watch))


async def test_a_page_is_sent_at_most_once_though_its_outcome_is_unknown(watch: Watch) -> None:
    watch.set(operator_phone=OPERATOR)
    watch.carrier.told[OPERATOR] = "lost_answer"
    async with watch.run.tx(actor="test") as tx:
        await paging.ask(tx, watch.settings, "3")

    assert 1 == len(await pages(watch))
    assert 1 == len(await pages(watch))
    assert "failed" == await watch.run.pool.fetchval("select state from alarm_page")


async def test_the_operator_is_paged_when_the_audit_fails_twice(watch: Watch) -> None:
    watch.set(operator_phone=OPERATOR)
    async with broken_audit(watch):
        for _ in range(2):
            with pytest.raises(UndefinedTableError):
                await auditor.audit(watch.run)

    [page] = await pages(watch)
    assert "无法完成" in page


@pytest.mark.parametrize("reason", [paging.AUDIT_FAILS, "10000"])
def test_a_page_fits_one_segment(reason: str) -> None:
    assert len(paging.page_text(reason, NotificationSettings())) <= 70


async def test_runs_are_kept_a_week(watch: Watch) -> None:
    await auditor.audit(watch.run)
    watch.advance(days=8)
    await auditor.audit(watch.run)

    assert 1 == await watch.run.pool.fetchval("select count(*) from audit_run")


STEPS = st.sampled_from(
    [
        "raise",
        "update",
        "widen",
        "order",
        "order_over",
        "stand_down",
        "send",
        "wait",
        "silence",
        "ack",
        "busy",
        "lose",
    ]
)


@given(steps=st.lists(STEPS, min_size=3, max_size=14))
@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_normal_life_has_no_fault(watch: Watch, steps: list[str]) -> None:
    """Whatever happens in whichever order: as long as the timers run, nobody is forgotten."""
    await _anew(watch)
    await react(watch.run, REACTIONS, raised(watch.run.clock.now()))
    for number, step in enumerate(steps):
        await _live(watch, step, number)
        assert [] == await watch.faults(), steps[: number + 1]


async def _anew(watch: Watch) -> None:
    await truncate(watch.run.settings.database_url, "notifications")
    watch.carrier.told.clear()
    clock = watch.run.clock
    assert isinstance(clock, SettableClock)
    clock.moment = START
    await fill(
        watch.run,
        [site(1, 1), site(2, 20), site(3, 150)],
        [contact(1, 1), contact(2, 2), contact(3, 3), contact(4, 1, 2), contact(5, None)],
    )


async def _live(watch: Watch, step: str, number: int) -> None:
    now = watch.run.clock.now()
    facts_of: dict[str, Callable[[], Any]] = {
        "raise": lambda: raised(now),
        "update": lambda: updated(now, version=number + 2),
        "widen": lambda: widened(now, version=number + 2),
        "order": lambda: ordered(now, order=number),
        "order_over": lambda: order_over(now, order=max(0, number - 1)),
        "stand_down": lambda: stood_down(now, version=99),
    }
    if step in facts_of:
        await react(watch.run, REACTIONS, facts_of[step]())
    elif step == "send":
        await watch.send()
    elif step == "wait":
        await watch.after(seconds=30)
    elif step == "silence":
        await watch.unheard()
        await watch.after(seconds=5)
    elif step == "ack":
        await watch.acknowledge(number=1)
    else:
        watch.carrier.told[PHONES[1 + number % 4]] = "busy" if step == "busy" else "lost_request"


async def test_the_evidence_is_read_once_and_never_joined_with_itself(watch: Watch) -> None:
    """With 10,000 deliveries of one notice a join of them with each other would be 100 million comparisons."""
    async with watch.run.pool.acquire() as conn:
        plan = await conn.fetch(f"explain {store_auditing._OPEN_CASES}")

    assert 1 == sum(" on delivery " in row[0] for row in plan)
