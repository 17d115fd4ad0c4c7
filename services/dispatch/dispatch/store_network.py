"""SQL of the road network's versions: written as a whole, read as a whole."""
# ruff: noqa: S608 - statements are put together from the dataclasses' fields, never from input.

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields
from datetime import datetime
from typing import Any, TypeVar

import asyncpg

from dispatch.domain.rows import EdgeRow, ExitRow, NodeRow, PlaceRow, UnitRow

Row = TypeVar("Row", NodeRow, EdgeRow, PlaceRow, ExitRow)

TABLES: dict[type[Any], str] = {
    NodeRow: "network_node",
    EdgeRow: "network_edge",
    PlaceRow: "network_place",
    ExitRow: "network_exit",
}
_NEWEST = "select version from network_version where region_code = $1 order by loaded_seq desc limit 1"
_PUT_VERSION = """
insert into network_version (version, region_code, loaded_at, loaded_seq)
values ($1, $2, $3, (select coalesce(max(loaded_seq), 0) + 1 from network_version where region_code = $2))
on conflict (region_code, version) do update set loaded_at = excluded.loaded_at, loaded_seq = excluded.loaded_seq
returning (xmax = 0) as is_new
"""
_PUT_UNIT = """
insert into unit (unit_id, code, name_zh, name_en, region_code, kind, base_node, post_place_id, capabilities,
    shift_start_min, shift_end_min, turnout_s, active)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, true)
on conflict (unit_id) do update set code = excluded.code, name_zh = excluded.name_zh,
    name_en = excluded.name_en, region_code = excluded.region_code, kind = excluded.kind,
    base_node = excluded.base_node, post_place_id = excluded.post_place_id,
    capabilities = excluded.capabilities, shift_start_min = excluded.shift_start_min,
    shift_end_min = excluded.shift_end_min, turnout_s = excluded.turnout_s, active = true
"""
_RETIRE_UNITS = "update unit set active = false where region_code = $1 and unit_id <> all($2::uuid[])"


async def add_version(conn: asyncpg.Connection, region_code: str, version: str, now: datetime) -> bool:
    """Make this version the newest; True if its rows must be added, since it was never there."""
    if await conn.fetchval(_NEWEST, region_code) == version:
        return False
    # xmax is 0 in a row that was inserted, not updated.
    return bool(await conn.fetchval(_PUT_VERSION, version, region_code, now))


async def add_rows(
    conn: asyncpg.Connection, kind: type[Row], region_code: str, version: str, rows: Sequence[Row]
) -> None:
    """Add all rows of one kind to a new version, in their order."""
    columns = ("region_code", "version", "ordinal", *(column.name for column in fields(kind)))
    marks = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
    values = _numbered(region_code, version, rows)
    await conn.executemany(f"insert into {TABLES[kind]} ({', '.join(columns)}) values ({marks})", values)


async def rows_of(conn: asyncpg.Connection, kind: type[Row], region_code: str, version: str) -> list[Row]:
    """All rows of one kind of a version, in their order."""
    columns = ", ".join(column.name for column in fields(kind))
    records = await conn.fetch(
        f"select {columns} from {TABLES[kind]} where region_code = $1 and version = $2 order by ordinal",
        region_code,
        version,
    )
    return [kind(**dict(record)) for record in records]


async def put_units(conn: asyncpg.Connection, region_code: str, rows: Sequence[UnitRow]) -> None:
    """Add or change units; those of the region that are not listed any more are planned with no longer."""
    await conn.execute(_RETIRE_UNITS, region_code, [row.unit_id for row in rows])
    await conn.executemany(_PUT_UNIT, [_columns(row) for row in rows])


def _numbered(region_code: str, version: str, rows: Sequence[Any]) -> list[tuple[Any, ...]]:
    return [(region_code, version, number, *astuple(row)) for number, row in enumerate(rows)]


def _columns(row: UnitRow) -> tuple[Any, ...]:
    return (
        *(row.unit_id, row.code, row.name_zh, row.name_en, row.region_code, row.kind, row.base_node),
        *(row.post_place_id, sorted(row.capabilities), row.shift.start_min, row.shift.end_min, row.turnout_s),
    )
