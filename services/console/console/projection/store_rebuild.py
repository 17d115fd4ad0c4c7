"""SQL of a rebuild: hold the live folds, forget everything, say that it was read anew."""

from __future__ import annotations

from datetime import datetime

import asyncpg

from console.projection.store_projection import IN_ORDER

# A live fold begins with its row of the inbox, so it waits here and holds nothing. Readers go on reading.
_HOLD = "lock table inbox in exclusive mode"
_BOUNDS = (
    "set local guitu.rebuilds = 'yes'",
    "set local lock_timeout = '60s'",
    "set local statement_timeout = '10min'",
    "set local idle_in_transaction_session_timeout = '10min'",
)
_FORGET = (
    "delete from case_line",
    "delete from plan_line",
    "delete from order_line",
    "delete from aid_line",
    "delete from delivery_line",
    "delete from sighting_line",
    "delete from dna_line",
    "delete from specimen_line",
    "delete from timeline",
    "delete from change",
    "delete from inbox",
)
_REBUILT = """
insert into change (region_code, part, key, fact_at, written_at) values ('*', 'rebuilt', '', $1, $2) returning seq
"""
_COUNTS = """
select (select count(*) from case_line) as cases, (select count(*) from case_line where ended_at is null) as open,
    (select count(*) from order_line) as orders, (select count(*) from delivery_line) as deliveries,
    (select count(*) from sighting_line) as sightings, (select count(*) from timeline) as timeline
"""


async def hold(conn: asyncpg.Connection) -> None:
    """Let live folds wait until the transaction ends."""
    for statement in (*_BOUNDS, _HOLD):
        await conn.execute(statement)


async def forget(conn: asyncpg.Connection) -> None:
    """Empty the picture, and forget which facts are in it."""
    for statement in _FORGET:
        await conn.execute(statement)


async def say_rebuilt(conn: asyncpg.Connection, facts_at: datetime, now: datetime) -> int:
    """Everybody who listens reads the page anew; returns the number of the word."""
    await conn.execute(IN_ORDER)
    seq: int = await conn.fetchval(_REBUILT, facts_at, now)
    return seq


async def counts(conn: asyncpg.Connection) -> asyncpg.Record:
    """How much the picture holds."""
    return await conn.fetchrow(_COUNTS)
