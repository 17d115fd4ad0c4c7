"""SQL of templates: versions are added and retired, never changed."""

from __future__ import annotations

from datetime import datetime

import asyncpg

from notifications.store import Row

_COLUMNS = "recipient_kind, language, stage, version, body, note, made_by, made_at, retired_at"
_NEWEST = f"""
select distinct on (recipient_kind, language, stage) {_COLUMNS} from template
where retired_at is null order by recipient_kind, language, stage, version desc
"""  # noqa: S608 - built from constants of this file only.
_HISTORY = f"""
select {_COLUMNS} from template
where recipient_kind = $1 and language = $2 and stage = $3 order by version desc limit $4
"""  # noqa: S608 - built from constants of this file only.
# Two people who save at once get two versions, one after the other.
_ONE_AT_A_TIME = "select pg_advisory_xact_lock(hashtext('notifications.template'))"
_ADD = """
insert into template (recipient_kind, language, stage, version, body, note, made_by, made_at)
select $1, $2, $3, coalesce(max(version), 0) + 1, $4, $5, $6, $7 from template
where recipient_kind = $1 and language = $2 and stage = $3
returning version
"""
_RETIRE = """
update template set retired_at = $4
where recipient_kind = $1 and language = $2 and stage = $3 and retired_at is null
returning version
"""


async def newest(conn: asyncpg.Connection) -> list[Row]:
    """The newest version of each template that is not retired."""
    return list(await conn.fetch(_NEWEST))


async def history(conn: asyncpg.Connection, key: tuple[str, str, str], limit: int) -> list[Row]:
    """Every version of one template, newest first, retired ones too."""
    return list(await conn.fetch(_HISTORY, *key, limit))


async def lock(conn: asyncpg.Connection) -> None:
    """Let one change of templates wait for another, until the end of the transaction."""
    await conn.execute(_ONE_AT_A_TIME)


async def add(
    conn: asyncpg.Connection, key: tuple[str, str, str], body: str, note: str, made_by: str, now: datetime
) -> int:
    """Add the next version and return its number; `lock` first."""
    version: int = await conn.fetchval(_ADD, *key, body, note, made_by, now)
    return version


async def retire(conn: asyncpg.Connection, key: tuple[str, str, str], now: datetime) -> list[int]:
    """Retire every version, so that the built-in holds again; returns those that were not retired yet."""
    return sorted(row["version"] for row in await conn.fetch(_RETIRE, *key, now))
