"""Dead letters: a message that could not be handled, with its reason and original bytes, until a person replays it.

The row is the truth, the `.dlq` topic its copy for whoever watches the broker. A replay puts the original bytes
and headers on the original topic again; the event id stays, so readers that had it before ignore it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg

from contracts.flow import Topic
from contracts.wire import event_id_of
from guitu import outbox

if TYPE_CHECKING:
    from guitu.service import Runtime

_BURY = """
insert into dead_letter (id, event_id, topic, partition, "offset", key, headers, value, reason, detail, arrived_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (topic, partition, "offset") do nothing
"""
_LIST = """
select id, event_id, topic, reason, detail, arrived_at, replayed_at from dead_letter
where ($1::text is null or topic = $1) and ($2 or replayed_at is null) order by arrived_at limit $3
"""
_SHOW = "select * from dead_letter where id = $1"
_REPLAYED = "update dead_letter set replayed_at = $2 where id = $1"


COPY_BYTES_MAX = 512 * 1024
COPY_HEADERS_MAX = 50
COPY_WORDS_MAX = 1000
"""The copy on the dead-letter topic says more than the original and must still fit; the row has it all.

What is no UTF-8 grows when it is written as text: three bytes for one.
"""


class TooLargeToReplay(Exception):
    """The message would not fit its topic again."""


def _text(raw: bytes | None) -> str:
    """As text that PostgreSQL can hold: it has no NUL."""
    return (raw or b"").decode("utf-8", "replace").replace("\x00", "\ufffd")


def _short(headers: dict[str, str]) -> dict[str, str]:
    kept = list(headers.items())[:COPY_HEADERS_MAX]
    return {name[:COPY_WORDS_MAX]: value[:COPY_WORDS_MAX] for name, value in kept}


def _as_text(headers: Sequence[tuple[str, bytes]]) -> dict[str, str]:
    return {_text(name.encode("utf-8", "replace")): _text(value) for name, value in headers}


async def bury(
    runtime: Runtime,
    topic: Topic,
    message: Any,
    headers: Sequence[tuple[str, bytes]],
    reason: str,
    detail: str,
) -> None:
    """Store the message and copy it to the dead-letter topic, in one transaction."""
    now = runtime.clock.now()
    why = {"guitu_reason": reason, "guitu_service": runtime.service}
    key = _text(message.key)[:COPY_WORDS_MAX]
    copy = message.value or b""
    letter = outbox.Row(
        runtime.ids.new(),
        topic.dead_letters,
        key,
        outbox.shard_of(key),
        "dead_letter",
        _short(_as_text(headers)) | why,
        copy if len(copy) <= COPY_BYTES_MAX else b"",
        now,
    )
    async with runtime.pool.acquire() as conn, conn.transaction():
        done = await conn.execute(
            _BURY,
            letter.id,
            event_id_of(headers),
            topic.name,
            message.partition,
            message.offset,
            message.key,
            _as_text(headers),
            message.value,
            reason,
            _text(detail.encode("utf-8", "replace")),
            now,
        )
        if done == "INSERT 0 1":
            await outbox.insert(conn, [letter])
    await runtime.published()


async def waiting(
    conn: asyncpg.Connection, topic: str | None, all_: bool, limit: int
) -> list[asyncpg.Record]:
    """The oldest dead letters first; replayed ones only if `all_`."""
    return list(await conn.fetch(_LIST, topic, all_, limit))


async def show(conn: asyncpg.Connection, letter_id: UUID) -> asyncpg.Record | None:
    """One dead letter, whole."""
    return await conn.fetchrow(_SHOW, letter_id)


async def replay(conn: asyncpg.Connection, letter: asyncpg.Record, new_id: UUID, now: Any) -> None:
    """Queue the original bytes for the original topic and remember when; the event id header is untouched.

    Raises: TooLargeToReplay; nothing is queued then.
    """
    key = _text(letter["key"])
    row = outbox.Row(
        new_id,
        letter["topic"],
        key,
        outbox.shard_of(key),
        "replay",
        letter["headers"],
        letter["value"] or b"",
        now,
    )
    size = outbox.size_of(row)
    if size > outbox.MESSAGE_BYTES_MAX:
        raise TooLargeToReplay(f"It has {size} bytes; {outbox.MESSAGE_BYTES_MAX} fit. Send it anew, smaller.")
    async with conn.transaction():
        await outbox.insert(conn, [row])
        await conn.execute(_REPLAYED, letter["id"], now)
