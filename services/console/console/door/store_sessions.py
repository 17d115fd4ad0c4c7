"""SQL of sessions, login links and failed logins."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import asyncpg

# A clock that was ahead and was set right leaves times behind that are far off: nothing here lasts until then.
_FIND = """
select s.id_hash, s.subject, s.role, s.region_code, s.csrf, s.sealed_tokens, s.token_expires_at, s.expires_at
from session s left join account a on a.subject = s.subject and s.generation is not null
where s.id_hash = $1 and s.ended_at is null and s.expires_at > $2 and s.expires_at <= $2 + interval '25 hours'
    and (s.generation is null or (a.generation = s.generation and a.disabled_at is null))
"""
_BEGIN = """
insert into session (id_hash, subject, role, region_code, origin, generation, csrf, sealed_tokens,
    token_expires_at, started_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
_END = """
update session set ended_at = $2, ended_why = $3, sealed_tokens = null where id_hash = $1 and ended_at is null
"""
_END_ALL = """
update session set ended_at = $2, ended_why = $3, sealed_tokens = null where subject = $1 and ended_at is null
"""
_TOKENS = """
select sealed_tokens, token_expires_at from session
where id_hash = $1 and ended_at is null and sealed_tokens is not null
"""
_KEEP_TOKENS = (
    "update session set sealed_tokens = $2, token_expires_at = $3 where id_hash = $1 and ended_at is null"
)
_LINK = """
insert into login_link (token_hash, subject, role, region_code, expires_at) values ($1, $2, $3, $4, $5)
"""
_PEEK_LINK = """
select subject, role, region_code from login_link
where token_hash = $1 and used_at is null and expires_at > $2 and expires_at <= $2 + interval '20 minutes'
"""
_USE_LINK = """
update login_link set used_at = $2
where token_hash = $1 and used_at is null and expires_at > $2 and expires_at <= $2 + interval '20 minutes'
returning subject, role, region_code
"""
_WAITS = """
select max(wait_until) from login_failure
where who = any($1) and wait_until > $2 and wait_until <= $2 + interval '15 minutes'
"""
# The wait doubles with each failure after the free ones, up to the longest; a quiet day forgets all of them.
_FAILED = """
insert into login_failure (who, failures, last_at, wait_until) values ($1, 1, $2, $2)
on conflict (who) do update set
    failures = case when login_failure.last_at < $2 - interval '1 day' then 1
        else login_failure.failures + 1 end,
    last_at = $2,
    wait_until = case
        when login_failure.last_at < $2 - interval '1 day' or login_failure.failures < $3 then $2
        else $2 + least($4::interval * power(2, least(login_failure.failures - $3, 10)), $5::interval) end
"""
_FORGIVE = "delete from login_failure where who = $1"
_SWEEP = (
    "delete from session where expires_at < $1",
    "delete from login_link where expires_at < $1",
    "delete from login_failure where last_at < $1",
)


async def find(conn: asyncpg.Connection, id_hash: bytes, now: datetime) -> asyncpg.Record | None:
    """A session that still holds: not ended, not expired, its account not disabled and not changed since."""
    row: asyncpg.Record | None = await conn.fetchrow(_FIND, id_hash, now)
    return row


async def begin(conn: asyncpg.Connection, *values: Any) -> None:
    """Keep a new session; values as in `_BEGIN`."""
    await conn.execute(_BEGIN, *values)


async def end(conn: asyncpg.Connection, id_hash: bytes, now: datetime, why: str) -> None:
    """End one session; the issuer's tokens go with it."""
    await conn.execute(_END, id_hash, now, why)


async def end_all(conn: asyncpg.Connection, subject: str, now: datetime, why: str) -> int:
    """End every session of a person; returns how many there were."""
    return int((await conn.execute(_END_ALL, subject, now, why)).split()[-1])


async def tokens_of(conn: asyncpg.Connection, id_hash: bytes) -> asyncpg.Record | None:
    """The issuer's tokens of a session that has some."""
    row: asyncpg.Record | None = await conn.fetchrow(_TOKENS, id_hash)
    return row


async def keep_tokens(conn: asyncpg.Connection, id_hash: bytes, sealed: bytes, until: datetime) -> None:
    """Replace them."""
    await conn.execute(_KEEP_TOKENS, id_hash, sealed, until)


async def add_link(
    conn: asyncpg.Connection, token_hash: bytes, subject: str, role: str, region: str, until: datetime
) -> None:
    """Keep a login link."""
    await conn.execute(_LINK, token_hash, subject, role, region, until)


async def peek_link(conn: asyncpg.Connection, token_hash: bytes, now: datetime) -> asyncpg.Record | None:
    """For whom a link is, if it can still be used."""
    row: asyncpg.Record | None = await conn.fetchrow(_PEEK_LINK, token_hash, now)
    return row


async def use_link(conn: asyncpg.Connection, token_hash: bytes, now: datetime) -> asyncpg.Record | None:
    """Use a link up; None if somebody was faster or it is too old."""
    row: asyncpg.Record | None = await conn.fetchrow(_USE_LINK, token_hash, now)
    return row


async def waits_until(conn: asyncpg.Connection, who: list[str], now: datetime) -> datetime | None:
    """When one of these may try again; None if now."""
    found: datetime | None = await conn.fetchval(_WAITS, who, now)
    return found


async def failed(
    conn: asyncpg.Connection, who: str, now: datetime, free: int, first: timedelta, longest: timedelta
) -> None:
    """Count a failed login."""
    await conn.execute(_FAILED, who, now, free, first, longest)


async def forgive(conn: asyncpg.Connection, who: str) -> None:
    """Forget the failures of who has got in."""
    await conn.execute(_FORGIVE, who)


async def sweep(conn: asyncpg.Connection, before: datetime) -> int:
    """Remove what nobody needs any more; returns how many rows."""
    return sum([int((await conn.execute(statement, before)).split()[-1]) for statement in _SWEEP])
