"""`guitu console rebuild`: the picture is dropped and built again from the topics' beginning, in one transaction.

Live folds wait meanwhile and pages show what they showed; killed midway, nothing has changed. The facts go through the
same folds and the same inbox as live ones, so what the live reader brings afterwards a second time changes nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from console.projection import store_rebuild
from console.projection.agents import REACTIONS
from console.projection.partitions import partitions
from console.projection.store_projection import CHANGE
from contracts import wire
from contracts.flow import TOPIC_BY_NAME
from guitu import header_names, inbox
from guitu.clock import Clock, Ids
from guitu.settings import Settings
from guitu.tx import Pending, Tx

BATCH_FACTS = 1_000
SILENT_ROUNDS_MAX = 30
ROUND_MS = 2_000
_NAMES = "guitu.console", "guitu/console"
_HANDLERS: dict[type, Callable[[Tx, Any], Awaitable[None]]] = {each.fact: each.handle for each in REACTIONS}
_BAD_FACT = (
    *(ValueError, LookupError, TypeError, AssertionError),
    *(asyncpg.DataError, asyncpg.IntegrityConstraintViolationError),
)
"""What a fold raises for a fact that it can't take; anything else ends the rebuild, and nothing has changed."""


class BrokerSilent(Exception):
    """The broker has more and does not give it; nothing was changed."""


@dataclass
class Progress:
    """How far a rebuild is; `set_aside` are facts that no fold could take, as live ones become dead letters."""

    total: int = 0
    read: int = 0
    folded: int = 0
    unreadable: int = 0
    set_aside: int = 0
    facts_at: datetime | None = None
    seq: int = 0
    by_type: dict[str, int] = field(default_factory=dict)


Say = Callable[[Progress], None]


async def rebuild(pool: asyncpg.Pool, settings: Settings, clock: Clock, say: Say) -> Progress:
    """Build the picture anew; `say` is called after each batch.

    Raises: BrokerSilent, KafkaError and database errors; then everything is as it was.
    """
    progress = Progress()
    async with pool.acquire() as conn, conn.transaction(), _reader(settings) as reader:
        await store_rebuild.hold(conn)
        # Only now: whatever the live reader has committed lies before these ends.
        ends = await _ends(reader, settings)
        progress.total = sum(ends.values()) - sum((await reader.beginning_offsets(list(ends))).values())
        await store_rebuild.forget(conn)
        async for messages in _messages(reader, ends):
            await _fold(conn, messages, progress, clock)
            say(progress)
        now = clock.now()
        progress.seq = await store_rebuild.say_rebuilt(conn, progress.facts_at or now, now)
        tx = Tx(conn, now, Ids(), "cli", _NAMES[1])
        tx.audit("projection_rebuilt", facts=progress.folded, set_aside=progress.set_aside)
        await tx.flush()
    return progress


@asynccontextmanager
async def _reader(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    """A reader of nobody's group: what the live reader has read is its own business."""
    header_names.read_any()
    reader = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka,
        client_id="guitu-console-rebuild",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await reader.start()
    try:
        yield reader
    finally:
        await reader.stop()


async def _ends(reader: AIOKafkaConsumer, settings: Settings) -> dict[TopicPartition, int]:
    parts = await partitions(settings)
    reader.assign(parts)
    await reader.seek_to_beginning(*parts)
    ends: dict[TopicPartition, int] = await reader.end_offsets(parts)
    return ends


async def _messages(
    reader: AIOKafkaConsumer, ends: dict[TopicPartition, int]
) -> AsyncIterator[Sequence[Any]]:
    """What lies before the ends, each partition in its order."""
    silent = 0
    left = {part for part in ends if await reader.position(part) < ends[part]}
    while left:
        found = await reader.getmany(*left, timeout_ms=ROUND_MS, max_records=BATCH_FACTS)
        silent = 0 if found else silent + 1
        if silent > SILENT_ROUNDS_MAX:
            raise BrokerSilent(
                f"The broker gave nothing for {SILENT_ROUNDS_MAX * ROUND_MS // 1000} s although {len(left)} "
                "partitions have more. Mend: look at its log, then repeat; nothing was changed."
            )
        messages = [m for part, many in found.items() for m in many if m.offset < ends[part]]
        if messages:
            yield messages
        left = {part for part in left if await reader.position(part) < ends[part]}


async def _fold(conn: asyncpg.Connection, messages: Sequence[Any], progress: Progress, clock: Clock) -> None:
    """One batch; if a fold fails, each fact alone, so that one bad fact does not keep all others out."""
    received: dict[Any, wire.Received] = {}
    for message in messages:
        progress.read += 1
        try:
            item = wire.decode(TOPIC_BY_NAME[message.topic], message.headers, message.value)
        except wire.Unreadable:
            progress.unreadable += 1
            continue
        if type(item.fact) in _HANDLERS:
            received.setdefault(item.event_id, item)
    items = list(received.values())
    try:
        await _fold_all(conn, items, progress, clock)
    except _BAD_FACT:
        for item in items:
            try:
                await _fold_all(conn, [item], progress, clock)
            except _BAD_FACT:
                progress.set_aside += 1


async def _fold_all(
    conn: asyncpg.Connection, items: Sequence[wire.Received], progress: Progress, clock: Clock
) -> None:
    now, ids, pending = clock.now(), Ids(), Pending()
    async with conn.transaction():
        new = await inbox.receive(conn, [item.event_id for item in items], now)
        fresh = [item for item in items if item.event_id in new]
        for item in fresh:
            await _HANDLERS[type(item.fact)](Tx(conn, now, ids, *_NAMES, item.event_id, pending), item.fact)
        # Everybody reads the page anew afterwards: what changed one by one is nobody's news.
        pending.later.pop(CHANGE, None)
        await Tx(conn, now, ids, *_NAMES, None, pending).flush()
    progress.folded += len(fresh)
    for item in fresh:
        progress.facts_at = max(item.time, progress.facts_at or item.time)
        progress.by_type[item.fact.type_] = progress.by_type.get(item.fact.type_, 0) + 1
