"""`guitu console rebuild` as a process that is killed while the console folds; GUITU_FAULT_SEED repeats a run.

Two console processes fold what a producer writes; rebuilds begin and are killed at moments of chance. In the end every
table holds what one more rebuild, and one fold in order of all facts, would hold: nothing is lost and nothing doubled.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta
from uuid import uuid4

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer

from console.projection.rebuild import rebuild
from contracts import notice, order, wire
from contracts.base import EventId, Fact
from guitu.embedded.node import Node
from guitu.embedded.ports import free_port
from guitu.service import Runtime
from harness import ground
from harness.console_picture import console_on, picture, process, unseen
from harness.console_stories import CaseStory
from harness.ground import START

SEED = int(os.environ.get("GUITU_FAULT_SEED", "20260307"))
CASES, KILLS = 60, 3
TABLES = ("case_line", "plan_line", "order_line", "delivery_line", "sighting_line", "dna_line", "timeline")
FOLDED = "select count(*) from inbox having count(*) >= $1"


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    """A node of this test's own: every fact on its topics is counted."""
    with Node(ephemeral=True, outside={}) as running:
        yield running


@pytest_asyncio.fixture
async def run(node: Node) -> AsyncIterator[Runtime]:
    async with console_on(node) as opened:
        yield opened


def facts_of(number: int) -> list[Fact]:
    story = CaseStory(START + timedelta(minutes=number), f"under load {number}")
    return [
        story.raised(),
        story.planned(1),
        story.ordered(1),
        story.moved(order.OrderAccepted, 2),
        story.told(notice.NoticeQueued, 1),
        story.told(notice.NoticeFailed, 2),
        story.told(notice.NoticeEscalated, 3),
        story.told(notice.NoticeAcknowledged, 4),
        story.seen(5),
        story.judged(6, "credible"),
        story.sample_due(7),
        story.stood_down(9),
    ]


async def write(run: Runtime, facts: Sequence[Fact], chance: random.Random) -> None:
    """Put facts on their topics, some twice, as a relay that dies does."""
    producer = AIOKafkaProducer(bootstrap_servers=run.settings.kafka, acks="all")
    await producer.start()
    try:
        for fact in facts:
            message = wire.encode(fact, EventId(uuid4()), "guitu/test")
            for _ in range(1 + (chance.random() < 0.2)):
                await producer.send(
                    message.topic, message.value, key=message.key.encode(), headers=message.headers
                )
            await asyncio.sleep(0.001)
        await producer.flush()
    finally:
        await producer.stop()


@pytest.mark.timeout(120)
async def test_rebuilds_killed_under_load_lose_and_double_nothing(
    run: Runtime, node: Node, request: pytest.FixtureRequest
) -> None:
    chance, facts = random.Random(SEED), [fact for n in range(CASES) for fact in facts_of(n)]
    for _ in range(2):
        process(request, node, "console", GUITU_PORT=str(free_port()))
    writing = asyncio.create_task(write(run, facts, chance))
    killed = 0
    for _ in range(KILLS):
        rebuilding = process(request, node, "guitu", "console", "rebuild")
        holds = "select count(*) from pg_locks where mode = 'ExclusiveLock' and relation = 'console.inbox'::regclass"
        assert await ground.until(run, holds), "No rebuild began."
        await asyncio.sleep(chance.random() * 0.05)
        rebuilding.kill()
        killed += rebuilding.wait() != 0
    await writing
    assert await ground.until(run, FOLDED, len(facts)), f"GUITU_FAULT_SEED={SEED}: facts are missing"
    live = await picture(run, TABLES)

    done = await rebuild(run.pool, run.settings, run.clock, unseen)

    again = f"GUITU_FAULT_SEED={SEED}"
    assert live == await picture(run, TABLES), again
    assert (0, 0) == (done.unreadable, done.set_aside), again
    assert CASES == len(live["case_line"]) == len(live["order_line"]) == len(live["sighting_line"])
    assert killed, "Every rebuild was over before it could be killed."
