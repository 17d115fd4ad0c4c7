"""Ends a process that has work and does none (rule 12): a stuck worker must not look alive.

Two looks, and neither believes Faust: a handler that never returns, and a reader whose committed offsets stand
still while the broker has more. Faust is known to stall without an error after hours or days (faust-streaming
#175, #523, #532). The supervisor starts the process again and counts it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from guitu import metrics
from guitu.stream import EXIT_STUCK

if TYPE_CHECKING:
    from guitu.service import Runtime

LOOK_S = 5.0
STUCK_S = 120.0
ASK_S = 10.0
AGAIN_S = 5.0


@dataclass(frozen=True)
class Progress:
    """How many events wait in our partitions, and how many we have committed in all."""

    waiting: int
    committed: int


async def watch(
    runtime: Runtime,
    *,
    look_s: float = LOOK_S,
    stuck_s: float = STUCK_S,
    stop: Callable[[int], None] = os._exit,
) -> None:
    """Look every `look_s`; call `stop` when nothing moved for `stuck_s` although something waits."""
    while True:
        try:
            async with _broker(runtime) as (admin, reader):
                await _watch(runtime, admin, reader, look_s, stuck_s, stop)
        except (KafkaError, OSError, TimeoutError) as error:
            # Without a broker nobody makes progress: that is not our fault, so the time begins anew.
            runtime.log.warning("watchdog.waits", error=type(error).__name__)
            await asyncio.sleep(AGAIN_S)


async def _watch(
    runtime: Runtime,
    admin: AIOKafkaAdminClient,
    reader: AIOKafkaConsumer,
    look_s: float,
    stuck_s: float,
    stop: Callable[[int], None],
) -> None:
    loop = asyncio.get_running_loop()
    before, moved_at = await _progress(runtime, admin, reader), loop.time()
    while True:
        await asyncio.sleep(look_s)
        now = await _progress(runtime, admin, reader)
        metrics.WAITING.labels(runtime.service).set(now.waiting)
        if now.waiting == 0 or now.committed != before.committed:
            before, moved_at = now, loop.time()
        busy_since = runtime.streams.busy_since if runtime.streams else None
        stuck_for_s = loop.time() - min(moved_at, busy_since or moved_at)
        if stuck_for_s > stuck_s:
            runtime.log.error("watchdog.stops", waiting=now.waiting, stuck_for_s=round(stuck_for_s))
            stop(EXIT_STUCK)


async def _progress(runtime: Runtime, admin: AIOKafkaAdminClient, reader: AIOKafkaConsumer) -> Progress:
    """Ask the broker; a partition from which we never committed counts from its beginning."""
    assert runtime.streams is not None, "Only a service that reads is watched."
    ours = [TopicPartition(topic, number) for topic, number in runtime.streams.assigned()]
    if not ours:
        return Progress(0, 0)
    async with asyncio.timeout(ASK_S):
        ends = await reader.end_offsets(ours)
        known = await admin.list_consumer_group_offsets(runtime.streams.group)
        committed = {each: known[each].offset for each in ours if each in known and known[each].offset >= 0}
        new = [each for each in ours if each not in committed]
        committed |= await reader.beginning_offsets(new) if new else {}
    return Progress(sum(max(0, ends[each] - committed[each]) for each in ours), sum(committed.values()))


@asynccontextmanager
async def _broker(runtime: Runtime) -> AsyncIterator[tuple[AIOKafkaAdminClient, AIOKafkaConsumer]]:
    """Connections of the watchdog's own: those of a stalled reader prove nothing."""
    servers, name = runtime.settings.kafka, f"guitu-{runtime.service}-watchdog"
    admin = AIOKafkaAdminClient(bootstrap_servers=servers, client_id=name)
    reader = AIOKafkaConsumer(bootstrap_servers=servers, client_id=name, enable_auto_commit=False)
    try:
        await admin.start()
        await reader.start()
        yield admin, reader
    finally:
        await reader.stop()
        await admin.close()
