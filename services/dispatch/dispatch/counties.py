"""The newest road network of a region, built once per version and kept in memory."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

import asyncpg

from dispatch import store, store_network
from dispatch.domain.rows import (
    EdgeRow,
    ExitRow,
    NodeRow,
    PlaceRow,
    TimetableRow,
    exits_of,
    network_of,
    places_of,
    timetable_of,
)
from dispatch.models import County

COUNTIES_KEPT = 4
_kept: OrderedDict[tuple[str, str], County] = OrderedDict()
"""A version is a hash of its content, so an entry can be forgotten but never be wrong."""


async def county_of(conn: asyncpg.Connection, region_code: str) -> County | None:
    """The newest network of a region; None if none was loaded yet."""
    version = await store.newest_version(conn, region_code)
    if version is None:
        return None
    found = _kept.get((region_code, version))
    if found is None:
        found = await _load(conn, region_code, version)
        _kept[region_code, version] = found
        while len(_kept) > COUNTIES_KEPT:
            _kept.popitem(last=False)
    return found


async def _load(conn: asyncpg.Connection, region_code: str, version: str) -> County:
    nodes = await store_network.rows_of(conn, NodeRow, region_code, version)
    edges = await store_network.rows_of(conn, EdgeRow, region_code, version)
    places = await store_network.rows_of(conn, PlaceRow, region_code, version)
    exits = await store_network.rows_of(conn, ExitRow, region_code, version)
    calls = await store_network.rows_of(conn, TimetableRow, region_code, version)
    schematic = await store_network.is_schematic(conn, region_code, version)
    network = await asyncio.to_thread(network_of, nodes, edges)
    return County(
        version,
        network,
        places_of(places, network),
        exits_of(exits, network),
        timetable_of(calls, network),
        schematic,
    )
