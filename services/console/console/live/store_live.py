"""SQL of the live streams: what changed after a number, and how far back that can be told."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import asyncpg

_AFTER = """
select seq, case_id, region_code, part, key, fact_at from change where seq > $1 order by seq limit $2
"""
_OF_CASE = """
select seq, case_id, region_code, part, key, fact_at from change
where seq > $1 and seq <= $2 and (case_id = $3 or part = 'rebuilt') order by seq limit $4
"""
_OF_REGION = """
select seq, case_id, region_code, part, key, fact_at from change
where seq > $1 and seq <= $2 and ($3 = '*' or region_code in ($3, '*')) order by seq limit $4
"""
_SPAN = "select coalesce(min(seq), 0) as oldest, coalesce(max(seq), 0) as newest, max(fact_at) as fact_at from change"
_SET_ASIDE = """
select count(*) from (select from dead_letter where arrived_at > $1 and replayed_at is null limit 1000) as few
"""
# The newest number is kept whatever its age: it is how far the picture has come.
_PRUNE = """
delete from change where seq in (
    select seq from change where written_at < $1 and seq < (select max(seq) from change) order by seq limit $2)
"""


async def changes_after(conn: asyncpg.Connection, seq: int, limit: int) -> list[asyncpg.Record]:
    """The next changes of all cases."""
    return list(await conn.fetch(_AFTER, seq, limit))


async def changes_of_case(
    conn: asyncpg.Connection, case_id: UUID, after: int, upto: int, limit: int
) -> list[asyncpg.Record]:
    """A case's changes between two numbers."""
    return list(await conn.fetch(_OF_CASE, after, upto, case_id, limit))


async def changes_of_region(
    conn: asyncpg.Connection, region: str, after: int, upto: int, limit: int
) -> list[asyncpg.Record]:
    """A region's changes between two numbers; `*` is all regions."""
    return list(await conn.fetch(_OF_REGION, after, upto, region, limit))


async def span(conn: asyncpg.Connection) -> tuple[int, int, datetime | None]:
    """The oldest and newest number that is kept, and the time of the newest fact among them."""
    row = await conn.fetchrow(_SPAN)
    return row["oldest"], row["newest"], row["fact_at"]


async def set_aside(conn: asyncpg.Connection, since: datetime) -> int:
    """How many messages lie with the dead letters since then, 1,000 at most: the picture is without them."""
    found: int = await conn.fetchval(_SET_ASIDE, since)
    return found


async def prune(conn: asyncpg.Connection, before: datetime, limit: int) -> int:
    """Forget old changes; who comes back after longer reads the page anew. Returns how many."""
    status: str = await conn.execute(_PRUNE, before, limit)
    return int(status.rsplit(maxsplit=1)[-1])
