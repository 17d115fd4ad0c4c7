"""The outbox: facts written with the state they follow from; the relay carries them to Kafka afterwards.

Published rows stay: any topic can be written again from PostgreSQL (rule 1). `shard` is a hash of the key, so
that one relay owns all facts of a case and keeps their order (rule 7).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from contracts import wire
from contracts.base import EventId, Fact

SHARDS = 16
MESSAGE_BYTES_MAX = 900_000
"""Key, headers and body: what a broker takes by default is 1 MiB a batch (Kafka's message.max.bytes)."""
_INSERT = """
insert into outbox (id, topic, key, shard, type, headers, payload, occurred_at)
select * from unnest(
    $1::uuid[], $2::text[], $3::text[], $4::smallint[], $5::text[], $6::jsonb[], $7::bytea[], $8::timestamptz[])
on conflict (id) do nothing
"""
_PENDING = """
select seq, topic, key, headers, payload from outbox
where published_at is null and shard = any($1::smallint[]) order by seq limit $2
"""
_PUBLISHED = "update outbox set published_at = $2 where seq = any($1::bigint[])"
OLDEST = "select min(occurred_at) from outbox where published_at is null"
_AGAIN = "update outbox set published_at = null where topic = $1 and occurred_at >= $2"


@dataclass(frozen=True)
class Row:
    """A message that waits for the relay."""

    id: UUID
    topic: str
    key: str
    shard: int
    type: str
    headers: dict[str, str]
    payload: bytes
    occurred_at: datetime


def shard_of(key: str) -> int:
    """Which relay carries this key; stable over versions and machines."""
    return zlib.crc32(key.encode()) % SHARDS


def row(fact: Fact, event_id: EventId, source: str) -> Row:
    """The outbox row of a fact, in its wire form."""
    topic, key, headers = wire.addressed(fact, event_id, source)
    payload = wire.body_of(fact)
    return Row(event_id, topic, key, shard_of(key), fact.type_, headers, payload, fact.occurred_at)


def size_of(row: Row) -> int:
    """How many bytes the broker gets."""
    words = sum(map(_bytes_of, row.headers)) + sum(map(_bytes_of, row.headers.values()))
    return len(row.payload) + _bytes_of(row.key) + words


def _bytes_of(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


async def insert(conn: asyncpg.Connection, rows: Sequence[Row]) -> None:
    """Add rows in the caller's transaction; one statement for any number (rule 11)."""
    # One message that the broker refuses would stop the relay for all that wait behind it.
    largest = max(map(size_of, rows), default=0)
    assert largest <= MESSAGE_BYTES_MAX, f"A message of {largest} bytes; {MESSAGE_BYTES_MAX} is the most."
    columns: Any = zip(
        *((r.id, r.topic, r.key, r.shard, r.type, r.headers, r.payload, r.occurred_at) for r in rows),
        strict=True,
    )
    await conn.execute(_INSERT, *(list(column) for column in columns))


async def pending(conn: asyncpg.Connection, shards: Sequence[int], limit: int) -> list[asyncpg.Record]:
    """The oldest unpublished rows of the given shards, in order."""
    return list(await conn.fetch(_PENDING, list(shards), limit))


async def mark_published(conn: asyncpg.Connection, seqs: Sequence[int], now: datetime) -> None:
    """Remember that the broker has them."""
    await conn.execute(_PUBLISHED, list(seqs), now)


async def oldest_pending(conn: asyncpg.Connection) -> datetime | None:
    """When the oldest unpublished fact happened; None if nothing waits."""
    moment: datetime | None = await conn.fetchval(OLDEST)
    return moment


async def publish_again(conn: asyncpg.Connection, topic: str, since: datetime) -> str:
    """Mark a topic's rows since a moment as unpublished, so that the relay writes the topic again."""
    status: str = await conn.execute(_AGAIN, topic, since)
    return status
