"""SQL of the road network's versions: written as a whole, read as a whole."""
# ruff: noqa: S608 - statements are put together from the dataclasses' fields, never from input.

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeVar

import asyncpg

from dispatch.domain.rows import EdgeRow, ExitRow, NodeRow, PlaceRow, TimetableRow, UnitRow
from dispatch.importing.assembling import About, NetworkFiles
from dispatch.models import NetworkVersion

Row = TypeVar("Row", NodeRow, EdgeRow, PlaceRow, ExitRow, TimetableRow)

TABLES: dict[type[Any], str] = {
    NodeRow: "network_node",
    EdgeRow: "network_edge",
    PlaceRow: "network_place",
    ExitRow: "network_exit",
    TimetableRow: "network_timetable",
}
_NEWEST = "select version from network_version where region_code = $1 order by loaded_seq desc limit 1"
_PUT_VERSION = """
insert into network_version (version, region_code, loaded_at, source_kind, source, schematic, imported_by, note,
    loaded_seq)
values ($1, $2, $3, $4, $5, $6, $7, $8,
    (select coalesce(max(loaded_seq), 0) + 1 from network_version where region_code = $2))
on conflict (region_code, version) do update set loaded_at = excluded.loaded_at, loaded_seq = excluded.loaded_seq,
    source_kind = excluded.source_kind, source = excluded.source, schematic = excluded.schematic,
    imported_by = excluded.imported_by, note = excluded.note
returning (xmax = 0) as is_new
"""
_DESCRIBE = """
update network_version set source_kind = $3, source = $4, schematic = $5, note = $6
where region_code = $1 and version = $2
"""
_USE = """
update network_version set loaded_seq = (select max(loaded_seq) + 1 from network_version where region_code = $1)
where region_code = $1 and version = $2
"""
_VERSION = """
select v.version, v.region_code, v.loaded_at, v.source_kind, v.source, v.schematic, v.imported_by, v.note,
    v.loaded_seq = (select max(n.loaded_seq) from network_version n where n.region_code = v.region_code) as in_use,
    (select count(*) from network_node t where t.region_code = v.region_code and t.version = v.version) as nodes,
    (select count(*) from network_edge t where t.region_code = v.region_code and t.version = v.version) as edges,
    (select count(*) from network_place t where t.region_code = v.region_code and t.version = v.version) as places,
    (select count(*) from network_exit t where t.region_code = v.region_code and t.version = v.version) as exits,
    (select count(distinct t.trip_id) from network_timetable t
        where t.region_code = v.region_code and t.version = v.version) as trips
from network_version v
"""
_VERSIONS = f"{_VERSION} where $1 in ('*', v.region_code) order by v.region_code, v.loaded_seq desc limit $2"
_ONE_VERSION = f"{_VERSION} where v.region_code = $1 and v.version = $2"
_REGIONS = "select distinct region_code from network_version order by region_code limit $1"
_IS_SCHEMATIC = "select schematic from network_version where region_code = $1 and version = $2"
_NODE_IDS = "select node_id from network_node where region_code = $1 and version = $2"
_PLACE_IDS = "select place_id from network_place where region_code = $1 and version = $2"
_BASES = "select code, base_node, post_place_id from unit where region_code = $1 and active order by code"
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


async def add_version(
    conn: asyncpg.Connection,
    region_code: str,
    version: str,
    now: datetime,
    about: About | None = None,
    imported_by: str = "",
) -> bool:
    """Make this version the newest; True if its rows must be added, since it was never there."""
    about = about or About()
    if await conn.fetchval(_NEWEST, region_code) == version:
        described = (about.source_kind, about.source, about.schematic, about.note)
        await conn.execute(_DESCRIBE, region_code, version, *described)
        return False
    who = (about.source_kind, about.source, about.schematic, imported_by, about.note)
    # xmax is 0 in a row that was inserted, not updated.
    return bool(await conn.fetchval(_PUT_VERSION, version, region_code, now, *who))


async def add_network(conn: asyncpg.Connection, region_code: str, version: str, files: NetworkFiles) -> None:
    """Add all rows of a new version."""
    await add_rows(conn, NodeRow, region_code, version, files.nodes)
    await add_rows(conn, EdgeRow, region_code, version, files.edges)
    await add_rows(conn, PlaceRow, region_code, version, files.places)
    await add_rows(conn, ExitRow, region_code, version, files.exits)
    await add_rows(conn, TimetableRow, region_code, version, files.timetable)


async def add_rows(
    conn: asyncpg.Connection, kind: type[Row], region_code: str, version: str, rows: Sequence[Row]
) -> None:
    """Add all rows of one kind to a new version, in their order; copied, since a county has 100,000 of them."""
    columns = ("region_code", "version", "ordinal", *(column.name for column in fields(kind)))
    await conn.copy_records_to_table(
        TABLES[kind], records=_numbered(kind, region_code, version, rows), columns=columns
    )


async def rows_of(conn: asyncpg.Connection, kind: type[Row], region_code: str, version: str) -> list[Row]:
    """All rows of one kind of a version, in their order."""
    columns = ", ".join(column.name for column in fields(kind))
    records = await conn.fetch(
        f"select {columns} from {TABLES[kind]} where region_code = $1 and version = $2 order by ordinal",
        region_code,
        version,
    )
    return [kind(*record.values()) for record in records]


async def regions(conn: asyncpg.Connection, limit: int) -> list[str]:
    """Regions that have a network, at most so many."""
    return [record["region_code"] for record in await conn.fetch(_REGIONS, limit)]


async def is_schematic(conn: asyncpg.Connection, region_code: str, version: str) -> bool:
    """The version is a drawing."""
    return bool(await conn.fetchval(_IS_SCHEMATIC, region_code, version))


async def versions(conn: asyncpg.Connection, region_code: str, limit: int) -> list[NetworkVersion]:
    """The versions of a region (`*`: of all), the one in use first."""
    return [NetworkVersion(**dict(record)) for record in await conn.fetch(_VERSIONS, region_code, limit)]


async def one_version(conn: asyncpg.Connection, region_code: str, version: str) -> NetworkVersion | None:
    """A version; None if the region never had it."""
    record = await conn.fetchrow(_ONE_VERSION, region_code, version)
    return NetworkVersion(**dict(record)) if record else None


async def use_version(conn: asyncpg.Connection, region_code: str, version: str) -> None:
    """Plan with this version from now on."""
    await conn.execute(_USE, region_code, version)


async def units_without_base(conn: asyncpg.Connection, region_code: str, version: str) -> list[str]:
    """Codes of active units whose base or post this version does not have."""
    nodes = {record["node_id"] for record in await conn.fetch(_NODE_IDS, region_code, version)}
    places = {record["place_id"] for record in await conn.fetch(_PLACE_IDS, region_code, version)}
    posts = {None, *places}
    return [
        record["code"]
        for record in await conn.fetch(_BASES, region_code)
        if record["base_node"] not in nodes or record["post_place_id"] not in posts
    ]


async def put_units(conn: asyncpg.Connection, region_code: str, rows: Sequence[UnitRow]) -> None:
    """Add or change units; those of the region that are not listed any more are planned with no longer."""
    await conn.execute(_RETIRE_UNITS, region_code, [row.unit_id for row in rows])
    await add_or_change_units(conn, rows)


async def add_or_change_units(conn: asyncpg.Connection, rows: Sequence[UnitRow]) -> None:
    """Add or change these units; all others stay as they are."""
    await conn.executemany(_PUT_UNIT, [_columns(row) for row in rows])


def _numbered(
    kind: type[Any], region_code: str, version: str, rows: Sequence[Any]
) -> Iterator[tuple[Any, ...]]:
    # `astuple` copies every value deeply, which took half of the time of an import.
    values = attrgetter(*(column.name for column in fields(kind)))
    for number, row in enumerate(rows):
        yield (region_code, version, number, *values(row))


def _columns(row: UnitRow) -> tuple[Any, ...]:
    return (
        *(row.unit_id, row.code, row.name_zh, row.name_en, row.region_code, row.kind, row.base_node),
        *(row.post_place_id, sorted(row.capabilities), row.shift.start_min, row.shift.end_min, row.turnout_s),
    )
