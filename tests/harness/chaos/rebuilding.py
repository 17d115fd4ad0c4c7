"""A rebuild of the console as an operator runs it, and whether the picture is the same afterwards.

Services go on meanwhile, an escalation after three minutes of silence for one. A case of which the console has read
something in between is left out of the comparison; how many are left is for the caller to judge.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from harness.chaos.audit import SCHEMAS
from harness.chaos.county import County

TABLES = (
    *("case_line", "plan_line", "order_line", "aid_line", "delivery_line", "sighting_line", "dna_line"),
    "timeline",
)
REBUILT_WITHIN_S = 240.0
_PICTURE = " union all ".join(
    # Nothing of a row is left out; what says when it was written is not in these tables.
    f"""select '{table}', case_id, count(*), md5(string_agg(to_jsonb(t)::text, ',' order by to_jsonb(t)::text))
    from console.{table} t group by case_id"""
    for table in TABLES
)
_NEWS = f"""
select distinct convert_from(payload, 'UTF8')::jsonb ->> 'case_id' from (
    {" union all ".join(f"select id, payload, type from {schema}.outbox" for schema in SCHEMAS)}) o
join console.inbox i on i.event_id = o.id
where o.type like 'guitu.%' and not i.event_id = any($1)
"""


@dataclass(frozen=True)
class Picture:
    """Count and checksum of each case's rows in each table, and the facts that they are made of."""

    rows: Mapping[tuple[str, UUID], tuple[int, str]]
    facts: Sequence[UUID]


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild changed: rows as `table case`; and how many cases could be compared."""

    changed: Sequence[str]
    compared: int
    said: str


async def picture(conn: asyncpg.Connection) -> Picture:
    """What the console holds at one moment."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        rows = {(row[0], row[1]): (row[2], row[3]) for row in await conn.fetch(_PICTURE)}
        return Picture(rows, [row[0] for row in await conn.fetch("select event_id from console.inbox")])


async def rebuild(county: County) -> Rebuilt:
    """Look, run `guitu console rebuild`, look again. Raises: AssertionError, if the command fails."""
    conn = await asyncpg.connect(county.settings.database_url, command_timeout=REBUILT_WITHIN_S)
    try:
        before = await picture(conn)
        said = await _run(county)
        after = await picture(conn)
        news = {UUID(row[0]) for row in await conn.fetch(_NEWS, before.facts) if row[0]}
    finally:
        await conn.close()
    keys = {key for key in before.rows.keys() | after.rows.keys() if key[1] not in news}
    changed = sorted(
        f"{table} {case}"
        for table, case in keys
        if before.rows.get((table, case)) != after.rows.get((table, case))
    )
    return Rebuilt(changed, len({case for _, case in keys}), said)


async def _run(county: County) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "guitu", "console", "rebuild"),
        env=os.environ | county.system.env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(REBUILT_WITHIN_S):
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()
