"""SQL of photos: which renditions are due, and the sealed ones that were made."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

_DUE = """
insert into case_photo (case_id, region_code, state, due_at, attempts, reason) values ($1, $2, 'due', $3, 0, '')
on conflict (case_id) do update set
    state = 'due', due_at = excluded.due_at, attempts = 0, reason = '', notice = null, poster = null, made_at = null
"""
_CLAIM = """
update case_photo set due_at = $1::timestamptz + $2::interval, attempts = attempts + 1
where case_id in (
    select case_id from case_photo where state = 'due' and due_at <= $1 order by due_at limit $3
    for update skip locked)
returning case_id, attempts
"""
# The key is compared, so that what was made of an older photo never replaces the word of a newer one.
_SETTLE = """
update case_photo set state = $3, reason = $4, notice = $5, poster = $6, made_at = $7
where case_id = $1 and state = 'due'
    and exists (select from case_identity i where i.case_id = $1 and i.wrapped_key = $2)
"""
_SEALED = """
select p.state, p.reason, p.made_at, p.notice, p.poster, i.wrapped_key
from case_photo p join case_identity i on i.case_id = p.case_id where p.case_id = $1
"""


async def due(conn: asyncpg.Connection, case_id: UUID, region_code: str, now: datetime) -> None:
    """A new photo is there: whatever was made of an older one is gone."""
    await conn.execute(_DUE, case_id, region_code, now)


async def gone(conn: asyncpg.Connection, case_id: UUID) -> None:
    """There is no photo any more."""
    await conn.execute("delete from case_photo where case_id = $1", case_id)


async def claim(
    conn: asyncpg.Connection, now: datetime, lease: timedelta, limit: int
) -> list[tuple[UUID, int]]:
    """Lease photos that are due: (case, attempts with this one). A lease that runs out makes them due again."""
    rows = await conn.fetch(_CLAIM, now, lease, limit)
    return [(row["case_id"], row["attempts"]) for row in rows]


async def made(
    conn: asyncpg.Connection, case_id: UUID, wrapped: bytes, notice: bytes, poster: bytes, now: datetime
) -> bool:
    """Keep sealed renditions; False if the photo was replaced or forgotten meanwhile."""
    settled = await conn.execute(_SETTLE, case_id, wrapped, "made", "", notice, poster, now)
    return bool(settled == "UPDATE 1")


async def refused(conn: asyncpg.Connection, case_id: UUID, wrapped: bytes, reason: str) -> bool:
    """Nothing can be made of the photo; a person has to bring another."""
    settled = await conn.execute(_SETTLE, case_id, wrapped, "refused", reason, None, None, None)
    return bool(settled == "UPDATE 1")


async def photo(conn: asyncpg.Connection, case_id: UUID) -> asyncpg.Record | None:
    """State and sealed renditions with the key they are sealed with."""
    return await conn.fetchrow(_SEALED, case_id)
