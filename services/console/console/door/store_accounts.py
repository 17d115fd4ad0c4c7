"""SQL of the node's own accounts."""

from __future__ import annotations

from datetime import datetime

import asyncpg

_FIND = "select subject, role, region_code, password_hash, generation, disabled_at from account where subject = $1"
_ADD = """
insert into account (subject, role, region_code, password_hash, created_at, changed_at)
values ($1, $2, $3, $4, $5, $5) on conflict (subject) do nothing
"""
_LIST = """
select a.subject, a.role, a.region_code, a.created_at, a.changed_at, a.disabled_at,
    (select count(*) from session s where s.subject = a.subject and s.ended_at is null and s.expires_at > $1
        and s.generation = a.generation) as sessions
from account a order by a.subject
"""
_CHANGE_HASH = """
update account set password_hash = $2, generation = generation + 1, changed_at = $3, disabled_at = null
where subject = $1
"""
_ROLE = """
update account set role = $2, region_code = $3, generation = generation + 1, changed_at = $4 where subject = $1
"""
_DISABLE = """
update account set disabled_at = $2, generation = generation + 1, changed_at = $2
where subject = $1 and disabled_at is null
"""
_REHASH = "update account set password_hash = $3 where subject = $1 and password_hash = $2"


async def find(conn: asyncpg.Connection, subject: str) -> asyncpg.Record | None:
    """One account, disabled or not."""
    row: asyncpg.Record | None = await conn.fetchrow(_FIND, subject)
    return row


async def add(
    conn: asyncpg.Connection, subject: str, role: str, region: str, password_hash: str, now: datetime
) -> bool:
    """Open an account; False if the name is taken."""
    return _changed(await conn.execute(_ADD, subject, role, region, password_hash, now))


async def listed(conn: asyncpg.Connection, now: datetime) -> list[asyncpg.Record]:
    """Every account, with how many sessions it has."""
    return list(await conn.fetch(_LIST, now))


async def new_password(conn: asyncpg.Connection, subject: str, password_hash: str, now: datetime) -> bool:
    """Change the password; every session of the account is over, and a disabled one is open again."""
    return _changed(await conn.execute(_CHANGE_HASH, subject, password_hash, now))


async def new_role(conn: asyncpg.Connection, subject: str, role: str, region: str, now: datetime) -> bool:
    """Change role and region; every session of the account is over."""
    return _changed(await conn.execute(_ROLE, subject, role, region, now))


async def disable(conn: asyncpg.Connection, subject: str, now: datetime) -> bool:
    """Close the account; every session of it is over. False if there is none that is open."""
    return _changed(await conn.execute(_DISABLE, subject, now))


async def rehash(conn: asyncpg.Connection, subject: str, old: str, new: str) -> None:
    """Keep the same password under newer costs; sessions go on."""
    await conn.execute(_REHASH, subject, old, new)


def _changed(status: str) -> bool:
    return status.endswith(" 1")
