"""`python -m dispatch.seed [DIRECTORY]`: load the road network and units; running it again changes nothing."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from dispatch import store, store_network
from dispatch.domain.rows import UnitRow
from dispatch.importing.assembling import NetworkFiles
from dispatch.importing.problems import NetworkFileError, Where, problem
from dispatch.network_files import YUNYANG, read_network
from guitu.pg import open_pool
from guitu.settings import Settings


async def seed(database: Any, directory: Path = YUNYANG, region_code: str = "") -> dict[str, int]:
    """Load a folder as the newest network version, in one transaction; returns how many rows of each.

    `database` is a pool, a Runtime or a URL. The region is that of the files' units if it is not given.
    Raises: NetworkFileError, with every bad row, before anything is changed.
    """
    files = await asyncio.to_thread(read_network, directory)
    region = region_code or region_of(files.units)
    async with _pool(database) as pool, pool.acquire() as conn, conn.transaction():
        await store_files(conn, region, files, datetime.now(UTC), "guitu seed")
    return counts_of(files)


async def store_files(
    conn: asyncpg.Connection, region: str, files: NetworkFiles, now: datetime, imported_by: str
) -> bool:
    """Make these files the region's newest version; True if it is new. The caller's transaction keeps all or nothing.

    Without units in the files those of the region stay.
    Raises: NetworkFileError, if the base or post of one of them is not in this network.
    """
    await store.lock_region(conn, region)
    version = files.version
    is_new = await store_network.add_version(conn, region, version, now, files.about, imported_by)
    if is_new:
        await store_network.add_network(conn, region, version, files)
    if files.units:
        await store_network.put_units(conn, region, files.units)
    await check_units(conn, region, version)
    return is_new


async def check_units(conn: asyncpg.Connection, region: str, version: str) -> None:
    """Refuse a version on which units of the region have no base. Raises: NetworkFileError."""
    lost = await store_network.units_without_base(conn, region, version)
    if lost:
        which = ", ".join(lost[:5]) + (", ..." if len(lost) > 5 else "")
        raise NetworkFileError([problem("units_lost", Where("units"), n=len(lost), which=which)])


def counts_of(files: NetworkFiles) -> dict[str, int]:
    """How many rows of each kind."""
    return {
        "nodes": len(files.nodes),
        "edges": len(files.edges),
        "places": len(files.places),
        "exits": len(files.exits),
        "units": len(files.units),
        "calls": len(files.timetable),
    }


def region_of(units: Sequence[UnitRow]) -> str:
    """The region that all units name. Raises: NetworkFileError, if there is none or several."""
    regions = sorted({unit.region_code for unit in units})
    if len(regions) != 1:
        found = ", ".join(regions) or "none"
        raise NetworkFileError([problem("regions", Where("units.csv"), found=found)])
    return regions[0]


@asynccontextmanager
async def _pool(database: Any) -> AsyncIterator[asyncpg.Pool]:
    if not isinstance(database, str):
        yield getattr(database, "pool", database)
        return
    pool = await open_pool(database, "dispatch", size=1)
    try:
        yield pool
    finally:
        await pool.close()


async def _main(directory: Path) -> None:
    counts = await seed(Settings().database_url, directory)
    print("dispatch: " + ", ".join(f"{count} {name}" for name, count in counts.items()))


if __name__ == "__main__":
    try:
        asyncio.run(_main(Path(sys.argv[1]) if len(sys.argv) > 1 else YUNYANG))
    except NetworkFileError as refused:
        sys.exit(str(refused))
