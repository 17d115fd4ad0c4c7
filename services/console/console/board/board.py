"""Reading the board: a whole case in one snapshot with its place in the stream, or the lines that a patch needs.

The values are in `lines`, the SQL in `store_board`; here rows become lines and get their names.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any
from uuid import UUID

import asyncpg

from console.board import rows_of, store_board
from console.board.lines import Board, Counts, Line, PlanLine
from console.county.directory import Directory

Keys = Mapping[str, Collection[str]]


async def board_of(
    conn: asyncpg.Connection,
    case_id: UUID,
    directory: Directory,
    *,
    whole: bool = True,
    story_max: int = store_board.TIMELINE_MAX,
) -> Board | None:
    """A case at one moment, with so many of the newest lines of its story; None if who asks knows of no alert of it.

    `conn` comes from `snapshots.snapshot`. With `whole=False` it is what the head needs: no orders, sites or timeline.
    """
    seq, as_of = await store_board.position(conn)
    row = await store_board.case(conn, case_id)
    if row is None:
        return None
    orders, sites, sightings = await store_board.counts(conn, case_id)
    return Board(
        seq,
        as_of,
        rows_of.head(row),
        await _plan(conn, case_id),
        await _orders(conn, case_id, directory) if whole else (),
        await _sites(conn, case_id, directory) if whole else (),
        tuple(rows_of.sighting(r, directory) for r in await store_board.sightings(conn, case_id)),
        tuple(rows_of.dna(r) for r in await store_board.dna(conn, case_id)),
        tuple(rows_of.aid(r) for r in await store_board.aid(conn, case_id)),
        await _timeline(conn, case_id, directory, story_max) if whole else (),
        Counts(orders, sites, sightings, await store_board.timeline_length(conn, case_id) if whole else 0),
    )


async def lines_of(
    conn: asyncpg.Connection, case_id: UUID, keys: Keys, directory: Directory
) -> list[tuple[str, Line]]:
    """The lines of some keys of each part, as they are now; `unit` keys give that unit's orders.

    Case and plan are no rows: the head shows them.
    """
    found: list[tuple[str, Line]] = []
    if keys.get("order") or keys.get("unit"):
        ids, units = _uuids(keys.get("order", ())), _uuids(keys.get("unit", ()))
        found += _named("order", await store_board.orders(conn, case_id, ids, units), directory)
    for part, read in _READ.items():
        if keys.get(part):
            found += _named(part, await read(conn, case_id, _uuids(keys[part])), directory)
    if keys.get("dna"):
        rows = await store_board.dna(conn, case_id, list(keys["dna"]))
        found += [("dna", rows_of.dna(row)) for row in rows]
    if keys.get("case"):
        found += await _ended_with_it(conn, case_id, directory)
    return found


async def _ended_with_it(
    conn: asyncpg.Connection, case_id: UUID, directory: Directory
) -> list[tuple[str, Line]]:
    """What a case's end changes without a fact of its own: what will not be done any more."""
    sites = [row for row in await store_board.sites(conn, case_id) if row["state"] == "cancelled"]
    dna = [row for row in await store_board.dna(conn, case_id) if row["lapsed"]]
    return _named("site", sites, directory) + [("dna", rows_of.dna(row)) for row in dna]


_READ: dict[str, Callable[..., Any]] = {
    "site": store_board.sites,
    "sighting": store_board.sightings,
    "aid": store_board.aid,
    "timeline": store_board.timeline,
}


def _named(part: str, rows: list[Any], directory: Directory) -> list[tuple[str, Line]]:
    make: dict[str, Callable[[Any], Line]] = {
        "order": lambda row: rows_of.order(row, directory),
        "site": lambda row: rows_of.site(row, directory),
        "sighting": lambda row: rows_of.sighting(row, directory),
        "aid": rows_of.aid,
        "timeline": lambda row: rows_of.timeline(row, directory),
    }
    return [(part, make[part](row)) for row in rows]


def _uuids(keys: Collection[str]) -> list[UUID]:
    return [UUID(key) for key in keys]


async def _plan(conn: asyncpg.Connection, case_id: UUID) -> PlanLine | None:
    row = await store_board.plan(conn, case_id)
    return rows_of.plan(row) if row else None


async def _orders(conn: asyncpg.Connection, case_id: UUID, directory: Directory) -> tuple[Any, ...]:
    lines = [rows_of.order(row, directory) for row in await store_board.orders(conn, case_id)]
    return tuple(sorted(lines, key=lambda line: -line.badness))


async def _sites(conn: asyncpg.Connection, case_id: UUID, directory: Directory) -> tuple[Any, ...]:
    lines = [rows_of.site(row, directory) for row in await store_board.sites(conn, case_id)]
    return tuple(sorted(lines, key=lambda line: (-line.badness, line.category, line.name_zh)))


async def _timeline(
    conn: asyncpg.Connection, case_id: UUID, directory: Directory, most: int
) -> tuple[Any, ...]:
    rows = await store_board.timeline(conn, case_id, most=most)
    return tuple(rows_of.timeline(row, directory) for row in rows)
