"""SQL of the banner."""

from __future__ import annotations

import asyncpg

_OPEN = """
select case_id, case_code, exercise, coalesce(raised_at, changed_at) as since from case_line
where ended_at is null and body is not null and $1 in ('*', region_code)
order by raised_at desc limit 100
"""


async def open_cases(conn: asyncpg.Connection, region: str) -> list[asyncpg.Record]:
    """Cases of a region that nobody has ended, exercises too, the newest first."""
    return list(await conn.fetch(_OPEN, region))
