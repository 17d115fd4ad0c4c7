"""`python -m dispatch.seed [DIRECTORY]`: load the road network and units; running it again changes nothing."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg

from dispatch import store, store_network
from dispatch.domain.rows import EdgeRow, ExitRow, NodeRow, PlaceRow
from dispatch.network_files import YUNYANG, NetworkFileError, NetworkFiles, read_network
from guitu.pg import open_pool
from guitu.settings import Settings


async def seed(database: Any, directory: Path = YUNYANG, region_code: str = "") -> dict[str, int]:
    """Load a folder as the newest network version, in one transaction; returns how many rows of each.

    `database` is a pool, a Runtime or a URL. The region is that of the files' units if it is not given.
    Raises: NetworkFileError, with every bad row, before anything is changed.
    """
    files = await asyncio.to_thread(read_network, directory)
    region = region_code or _region_of(files)
    version = version_of(files)
    async with _pool(database) as pool, pool.acquire() as conn, conn.transaction():
        await store.lock_region(conn, region)
        if await store_network.add_version(conn, region, version, datetime.now(UTC)):
            await store_network.add_rows(conn, NodeRow, region, version, files.nodes)
            await store_network.add_rows(conn, EdgeRow, region, version, files.edges)
            await store_network.add_rows(conn, PlaceRow, region, version, files.places)
            await store_network.add_rows(conn, ExitRow, region, version, files.exits)
        await store_network.put_units(conn, region, files.units)
    return {
        "nodes": len(files.nodes),
        "edges": len(files.edges),
        "places": len(files.places),
        "exits": len(files.exits),
        "units": len(files.units),
    }


def version_of(files: NetworkFiles) -> str:
    """The network's version and a hash of places, exits and names: any change that matters makes a new one."""
    digest = sha256(repr((files.nodes, files.edges, files.places, files.exits)).encode())
    return f"{files.network.version}-{digest.hexdigest()[:8]}"


def _region_of(files: NetworkFiles) -> str:
    regions = sorted({unit.region_code for unit in files.units})
    if len(regions) != 1:
        found = ", ".join(regions) or "none"
        raise NetworkFileError([f"units.csv names {found} as region_code; list units of one county"])
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
