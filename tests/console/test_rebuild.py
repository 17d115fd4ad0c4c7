"""The picture dropped and built again from real topics: the same as before, or untouched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer

from console.board.board import board_of
from console.board.lines import Board
from console.county.directory import Directory
from console.live.snapshots import snapshot
from console.projection.agents import REACTIONS
from console.projection.rebuild import Progress, rebuild
from contracts import notice, order, wire
from contracts.base import EventId, Fact
from guitu import inbox
from guitu.embedded.node import Node
from guitu.service import Runtime
from harness import ground
from harness.console_picture import console_on, unseen
from harness.console_stories import CaseStory
from harness.ground import START, react


@pytest_asyncio.fixture
async def run(node: Node) -> AsyncIterator[Runtime]:
    async with console_on(node) as opened:
        yield opened


def story_facts(story: CaseStory) -> list[Fact]:
    return [
        story.raised(),
        story.planned(1),
        story.ordered(1),
        story.moved(order.OrderAccepted, 2),
        story.told(notice.NoticeQueued, 1),
        story.told(notice.NoticeAcknowledged, 4),
        story.seen(5),
        story.judged(6, "credible"),
        story.sample_due(7),
    ]


async def written(run: Runtime, facts: Sequence[Fact]) -> list[UUID]:
    """Put facts on their topics; returns their event ids."""
    producer = AIOKafkaProducer(bootstrap_servers=run.settings.kafka, acks="all")
    await producer.start()
    ids = [uuid4() for _ in facts]
    try:
        for fact, event_id in zip(facts, ids, strict=True):
            message = wire.encode(fact, EventId(event_id), "guitu/test")
            await producer.send_and_wait(
                message.topic, message.value, key=message.key.encode(), headers=message.headers
            )
    finally:
        await producer.stop()
    return ids


async def board(run: Runtime, story: CaseStory) -> Board | None:
    async with snapshot(run, "*") as conn:
        found = await board_of(conn, story.case_id, Directory())
    return replace(found, seq=0, as_of=None) if found else None


async def test_what_is_built_again_is_what_was_folded_live(run: Runtime) -> None:
    story = CaseStory(START, "rebuilt")
    facts = story_facts(story)
    for fact, event_id in zip(facts, await written(run, facts), strict=True):
        await react(run, REACTIONS, fact, event_id)
    live = await board(run, story)
    await run.pool.execute("update order_line set state = 'overdue', rank = 9")

    done = await rebuild(run.pool, run.settings, run.clock, unseen)

    assert live is not None
    assert live == await board(run, story)
    assert (0, 0) == (done.unreadable, done.set_aside)
    assert ["rebuilt"] == [row["part"] for row in await run.pool.fetch("select part from change")]


async def test_a_fact_that_comes_again_after_a_rebuild_changes_nothing(run: Runtime) -> None:
    story = CaseStory(START, "again")
    facts = story_facts(story)
    ids = await written(run, facts)
    await rebuild(run.pool, run.settings, run.clock, unseen)
    before = await board(run, story)

    new = [await react(run, REACTIONS, fact, event_id) for fact, event_id in zip(facts, ids, strict=True)]

    assert not any(new)
    assert before == await board(run, story)


async def test_a_rebuild_that_is_broken_off_leaves_everything_as_it_was(run: Runtime) -> None:
    story = CaseStory(START, "broken")
    for fact in story_facts(story):
        await react(run, REACTIONS, fact, uuid4())
    before = await board(run, story)
    await written(run, story_facts(CaseStory(START, "other")))

    def breaks(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await rebuild(run.pool, run.settings, run.clock, breaks)

    assert before is not None
    assert before == await board(run, story)


async def test_live_folds_wait_for_a_rebuild_and_are_not_lost(run: Runtime) -> None:
    story, late = CaseStory(START, "early"), CaseStory(START, "late")
    await written(run, story_facts(story))
    waiting: list[asyncio.Task[bool]] = []

    def meanwhile(progress: Progress) -> None:
        if not waiting:
            waiting.append(asyncio.create_task(react(run, REACTIONS, late.raised(), uuid4())))

    await rebuild(run.pool, run.settings, run.clock, meanwhile)

    assert await waiting[0]
    assert await board(run, late) is not None
    assert await board(run, story) is not None


async def test_a_rebuild_waits_for_the_folds_that_have_begun(run: Runtime) -> None:
    """Else it could forget a fact that the live reader has acknowledged and that lies behind the ends it reads to."""
    waits = "select count(*) from pg_locks where not granted and relation = 'console.inbox'::regclass"

    async with run.pool.acquire() as conn, conn.transaction():
        await inbox.receive(conn, [uuid4()], START)
        rebuilding = asyncio.create_task(rebuild(run.pool, run.settings, run.clock, unseen))
        waiting = await ground.until(run, waits)

    await rebuilding
    assert 1 == waiting


async def test_one_fact_that_no_fold_takes_keeps_no_other_out(run: Runtime) -> None:
    story = CaseStory(START, "bad")
    far = story.raised().model_copy(update={"version": 2**40})
    await written(run, [far, *story_facts(story)])

    done = await rebuild(run.pool, run.settings, run.clock, unseen)

    assert 1 <= done.set_aside
    assert (await board(run, story)) is not None
