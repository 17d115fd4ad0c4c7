"""An acknowledgement grows stale: who has it is asked to report, in rounds, and called when silent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest_asyncio

from guitu.service import Runtime
from harness.ground import react
from harness.notice_stories import PHONES, raised, stood_down
from harness.watch_stories import Watch, watching
from notifications import nil_reports
from notifications.agents import REACTIONS
from notifications.domain import recipients

RuntimeFor = Callable[[str], Awaitable[Runtime]]


@pytest_asyncio.fixture
async def watch(runtime_for: RuntimeFor) -> AsyncIterator[Watch]:
    async with watching(await runtime_for("notifications")) as ready:
        yield ready


async def asked(watch: Watch, **amount: float) -> list[tuple[str, int]]:
    """Time goes by, the timers run; returns all rounds so far and how many were asked in each."""
    watch.advance(**amount)
    await nil_reports.ask_stale(watch.run)
    rows = await watch.run.pool.fetch(
        "select n.key, count(d.id) as asked from notice n join delivery d on d.notice_id = n.id"
        " where n.kind = 'nil_report' group by n.key order by n.key"
    )
    return [(row["key"], row["asked"]) for row in rows]


async def acknowledged(watch: Watch) -> None:
    await watch.raise_alert()
    await watch.acknowledge()


async def test_who_acknowledged_is_asked_once_after_half_an_hour(watch: Watch) -> None:
    await acknowledged(watch)

    early = await asked(watch, seconds=1799)
    due = await asked(watch, seconds=2)
    again = await asked(watch, seconds=10)

    assert ([], [("1", 1)], [("1", 1)]) == (early, due, again)


async def test_who_did_not_acknowledge_is_escalated_and_not_asked(watch: Watch) -> None:
    await watch.raise_alert()

    assert [] == await asked(watch, hours=2)


async def test_an_answer_sets_the_timer_back(watch: Watch) -> None:
    await acknowledged(watch)
    await asked(watch, seconds=1801)
    watch.advance(seconds=60)
    await watch.acknowledge()

    assert [("1", 1)] == await asked(watch, seconds=1799)
    assert [("1", 1), ("2", 1)] == await asked(watch, seconds=2)


async def test_a_report_in_words_sets_the_timer_back_too(watch: Watch) -> None:
    await acknowledged(watch)
    await asked(watch, seconds=1801)
    watch.advance(seconds=60)
    delivery_id = await watch.run.pool.fetchval("select id from delivery where kind = 'nil_report'")
    async with watch.run.tx(actor="provider") as tx:
        await nil_reports.heard(tx, delivery_id)

    assert [("1", 1)] == await asked(watch, seconds=1799)
    assert 0 == await watch.run.pool.fetchval("select count(*) from task")
    assert [("1", 1), ("2", 1)] == await asked(watch, seconds=2)


async def test_there_are_so_many_rounds_and_no_more(watch: Watch) -> None:
    watch.set(nil_reports_max=2)
    await acknowledged(watch)

    for _ in range(4):
        rounds = await asked(watch, seconds=1801)

    assert [("1", 1), ("2", 1)] == rounds


async def test_who_is_due_later_joins_the_same_round(watch: Watch) -> None:
    await react(watch.run, REACTIONS, raised(watch.run.clock.now()))
    await watch.send()
    await watch.acknowledge(number=1)
    watch.advance(minutes=10)
    await watch.acknowledge(number=2)

    assert [("1", 1)] == await asked(watch, minutes=21)
    assert [("1", 2)] == await asked(watch, minutes=10)


async def test_silence_after_the_question_is_a_call(watch: Watch) -> None:
    await acknowledged(watch)
    await asked(watch, seconds=1801)

    await asked(watch, seconds=179)
    early = await watch.run.pool.fetchval("select count(*) from task")
    await asked(watch, seconds=2)
    await asked(watch, seconds=10)

    tasks = await watch.run.pool.fetch("select kind from task")
    assert (0, ["call_site"]) == (early, [row["kind"] for row in tasks])


async def test_after_the_stand_down_nobody_is_asked_and_what_waits_is_not_sent(watch: Watch) -> None:
    await acknowledged(watch)
    await asked(watch, seconds=1801)

    await react(watch.run, REACTIONS, stood_down(watch.run.clock.now()))

    assert [("1", 1)] == await asked(watch, hours=2)
    assert "cancelled" == await watch.run.pool.fetchval(
        "select state from delivery where kind = 'nil_report'"
    )


async def test_an_exercise_asks_only_its_list(watch: Watch) -> None:
    await react(watch.run, REACTIONS, raised(watch.run.clock.now(), radius_km=5, exercise=True))
    await watch.send()
    await watch.acknowledge()
    async with watch.run.pool.acquire() as conn:
        await conn.execute("update contact set exercise_list = false")

    assert [] == await asked(watch, hours=1)


async def test_zero_is_never(watch: Watch) -> None:
    watch.set(ack_stale_after_s=0)
    await acknowledged(watch)

    assert [] == await asked(watch, hours=5)


async def test_the_auditor_is_content_with_rounds(watch: Watch) -> None:
    await acknowledged(watch)
    await asked(watch, seconds=1801)
    await asked(watch, hours=1)

    assert [] == await watch.faults()


async def test_the_question_is_sent_as_a_text_of_its_own(watch: Watch) -> None:
    await acknowledged(watch)
    await asked(watch, seconds=1801)

    await watch.send()

    told, question = watch.carrier.texts_to(PHONES[1])
    assert told != question


async def test_the_question_of_an_exercise_goes_after_all_that_is_real(watch: Watch) -> None:
    await react(watch.run, REACTIONS, raised(watch.run.clock.now(), radius_km=5, exercise=True))
    await watch.run.pool.execute("update delivery set acknowledged_at = queued_at, attempted_at = queued_at")

    await asked(watch, seconds=1801)

    priority = await watch.run.pool.fetchval("select priority from delivery where kind = 'nil_report'")
    assert recipients.EXERCISE_PRIORITY <= priority
