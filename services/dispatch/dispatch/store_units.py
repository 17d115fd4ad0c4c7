"""SQL of the table of units: what other counties have, and who is planned with no longer."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import asyncpg

_OF_OTHERS = "select unit_id from unit where unit_id = any($1::uuid[]) and region_code <> $2"
_RETIRE = """
update unit set active = false
where region_code = $1 and active and not unit_id = any($2::uuid[]) returning unit_id
"""


async def of_other_regions(conn: asyncpg.Connection, unit_ids: Iterable[UUID], region_code: str) -> set[UUID]:
    """Which of these ids are units of another region; asked without a region's limit."""
    return {record["unit_id"] for record in await conn.fetch(_OF_OTHERS, list(unit_ids), region_code)}


async def retire_all_but(conn: asyncpg.Connection, region_code: str, kept: Iterable[UUID]) -> list[UUID]:
    """Plan with the region's other units no longer; returns them."""
    return [record["unit_id"] for record in await conn.fetch(_RETIRE, region_code, list(kept))]
