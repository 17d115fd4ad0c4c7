"""The inbox: an event's id and its effect commit together, so a second delivery changes nothing (rule 3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

_RECEIVE = """
insert into inbox (event_id, received_at) select unnest($1::uuid[]), $2
on conflict (event_id) do nothing returning event_id
"""


async def receive(conn: asyncpg.Connection, event_ids: Sequence[UUID], now: datetime) -> set[UUID]:
    """Mark events as received in the caller's transaction; returns those that were not received before."""
    rows = await conn.fetch(_RECEIVE, list(event_ids), now)
    return {row["event_id"] for row in rows}
