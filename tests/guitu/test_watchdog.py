"""A reader that stalls without an error ends its process; one that works, or has nothing to do, goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest_asyncio
from fastapi import FastAPI

from guitu import watchdog
from guitu.embedded.node import Node
from guitu.migrate import migrate_now
from guitu.service import Runtime, running
from guitu.stream import EXIT_STUCK
from guitu.topics import ensure_topics
from harness import ground
from harness.examples import report
from toy import TOY

BOUND_S = 30.0


@pytest_asyncio.fixture(scope="module")
async def toy() -> AsyncIterator[Runtime]:
    """The toy on a node of its own: stalling it must disturb nobody."""
    with Node(ephemeral=True, outside={}) as node:
        settings = ground.settings_for(node.env, partitions=2)
        await asyncio.to_thread(migrate_now, settings.database_url, ("toy",))
        await ensure_topics(settings)
        async with running(TOY, settings, 0, FastAPI()) as runtime:
            yield runtime


async def publish(toy: Runtime, many: int) -> None:
    async with toy.tx(actor="test") as tx:
        for _ in range(many):
            tx.publish(report())


async def seen(toy: Runtime, at_least: int) -> None:
    async with asyncio.timeout(BOUND_S):
        while await toy.pool.fetchval("select count(*) from seen") < at_least:
            await asyncio.sleep(0.05)


async def test_a_reader_at_work_and_an_idle_one_are_left_alone(toy: Runtime) -> None:
    stopped: list[int] = []
    watching = asyncio.create_task(watchdog.watch(toy, look_s=0.1, stuck_s=5.0, stop=stopped.append))

    await publish(toy, 200)
    await seen(toy, 200)
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(watching), 7.0)
    watching.cancel()

    assert [] == stopped


async def test_a_reader_that_stalls_while_events_wait_is_stopped(toy: Runtime) -> None:
    assert toy.streams is not None
    consumer = toy.streams.app.consumer
    await publish(toy, 1)
    await seen(toy, 1)
    consumer.pause_partitions(consumer.assignment())
    stopped: asyncio.Queue[int] = asyncio.Queue()
    watching = asyncio.create_task(watchdog.watch(toy, look_s=0.1, stuck_s=1.0, stop=stopped.put_nowait))

    await publish(toy, 5)
    code = await asyncio.wait_for(stopped.get(), BOUND_S)
    watching.cancel()

    assert EXIT_STUCK == code


async def test_a_handler_that_never_returns_is_stopped(toy: Runtime) -> None:
    assert toy.streams is not None
    stopped: asyncio.Queue[int] = asyncio.Queue()
    toy.streams.busy_since = asyncio.get_running_loop().time() - 60
    watching = asyncio.create_task(watchdog.watch(toy, look_s=0.1, stuck_s=30.0, stop=stopped.put_nowait))

    code = await asyncio.wait_for(stopped.get(), BOUND_S)
    watching.cancel()

    assert EXIT_STUCK == code
