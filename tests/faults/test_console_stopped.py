"""A console process that stands still (SIGSTOP, a machine without breath) in the middle of a fold.

It holds the lock that keeps the numbers of changes in order; the console beside it must go on within seconds. Woken
up, it must write nothing old over what is newer. GUITU_FAULT_SEED repeats a run.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
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

SEED = int(os.environ.get("GUITU_FAULT_SEED", "20260311"))
GOES_ON_WITHIN_S = 30.0
"""On a busy machine; without the mend the second one stood still for minutes."""
COMES_WITHIN_S = 90.0
TRIES = 400
TABLES = ("case_line", "order_line", "delivery_line", "sighting_line", "timeline")
HELD = """
select count(*) from pg_locks l join pg_stat_activity a using (pid)
where l.locktype = 'advisory' and l.objid = 7210 and l.granted and a.wait_event = 'ClientRead'
    and a.state_change < clock_timestamp() - interval '30 ms'
"""
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


def facts_of(number: int) -> Sequence[Fact]:
    story = CaseStory(START + timedelta(minutes=number), f"while one stands still {number}")
    return (
        story.raised(),
        story.ordered(1),
        story.moved(order.OrderAccepted, 2),
        story.told(notice.NoticeQueued, 1),
        story.told(notice.NoticeAcknowledged, 4),
        story.seen(5),
    )


@asynccontextmanager
async def written_on_and_on(run: Runtime) -> AsyncIterator[list[int]]:
    """Facts without a pause; the list counts them."""
    count = [0]
    producer = AIOKafkaProducer(bootstrap_servers=run.settings.kafka, acks="all", linger_ms=5)
    await producer.start()

    async def write() -> None:
        number = 0
        while True:
            for fact in facts_of(number):
                message = wire.encode(fact, EventId(uuid4()), "guitu/test")
                await producer.send_and_wait(
                    message.topic, message.value, key=message.key.encode(), headers=message.headers
                )
                count[0] += 1
                await asyncio.sleep(0.002)
            number += 1

    writing = asyncio.create_task(write())
    try:
        yield count
    finally:
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing
        await producer.stop()


async def stopped_in_a_fold(
    run: Runtime, consoles: Sequence[subprocess.Popen[bytes]], chance: random.Random
) -> subprocess.Popen[bytes]:
    """Stop one at moments of chance until it is one in which it holds the lock."""
    owner = await ground.owner(run.settings.database_url)
    for _ in range(TRIES):
        one = chance.choice(consoles)
        one.send_signal(signal.SIGSTOP)
        await asyncio.sleep(0.06)
        if await owner.fetchval(HELD):
            await owner.close()
            return one
        one.send_signal(signal.SIGCONT)
        await asyncio.sleep(chance.random() * 0.05)
    raise AssertionError(f"GUITU_FAULT_SEED={SEED}: never stopped in a fold")


async def comes(run: Runtime, sql: str, *values: object) -> bool:
    """Wait until the query counts something; two processes start meanwhile, on a machine that may be busy."""
    with suppress(TimeoutError):
        async with asyncio.timeout(COMES_WITHIN_S):
            while not await run.pool.fetchval(sql, *values):
                await asyncio.sleep(0.02)
            return True
    return False


@pytest.mark.timeout(300)
async def test_a_console_that_stands_still_in_a_fold_holds_nobody_up(
    run: Runtime, node: Node, request: pytest.FixtureRequest
) -> None:
    consoles = [process(request, node, "console", GUITU_PORT=str(free_port())) for _ in range(2)]
    async with written_on_and_on(run) as count:
        assert await comes(run, FOLDED, 200), "Nothing was folded."
        stopped = await stopped_in_a_fold(run, consoles, random.Random(SEED))
        before, begin = await run.pool.fetchval("select max(seq) from change"), time.monotonic()
        assert await comes(run, "select count(*) from change where seq > $1", before)
        held_up_s = time.monotonic() - begin
        stopped.send_signal(signal.SIGCONT)
    assert await comes(run, FOLDED, count[0]), f"GUITU_FAULT_SEED={SEED}: facts are missing"
    live = await picture(run, TABLES)

    await rebuild(run.pool, run.settings, run.clock, unseen)

    assert held_up_s < GOES_ON_WITHIN_S
    assert live == await picture(run, TABLES), f"GUITU_FAULT_SEED={SEED}"
    assert [None, None] == [one.poll() for one in consoles]
