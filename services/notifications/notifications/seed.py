"""`python -m notifications.seed [DIRECTORY]`: load sites and contacts; running it again changes nothing."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import asyncpg

from guitu.clock import Clock, Ids
from guitu.pg import open_pool
from guitu.settings import Settings
from guitu.tx import Tx
from notifications import store_directory
from notifications.directory import DirectoryRefused, read_place
from notifications.importing import import_directory

YUNYANG = Path(__file__).parent / "data" / "yunyang"


async def seed(runtime_or_pool: Any, directory: Path = YUNYANG) -> dict[str, int]:
    """Load the directory in one transaction; returns how many sites and contacts it has.

    Raises: DirectoryRefused, with every bad row, before anything is changed.
    """
    found = read_place(directory)
    pool: asyncpg.Pool = getattr(runtime_or_pool, "pool", runtime_or_pool)
    settings = getattr(runtime_or_pool, "settings", None) or Settings()
    clock = getattr(runtime_or_pool, "clock", None) or Clock(settings.clock_file)
    async with pool.acquire() as conn, conn.transaction():
        tx = Tx(conn, clock.now(), Ids(), "guitu.seed", "guitu/notifications")
        await store_directory.one_import_at_a_time(conn)
        stored = await store_directory.stored(conn, found.directory)
        await import_directory(tx, found, stored, region="*", home_region=settings.region_code)
        await tx.flush()
    return {"sites": len(found.sites.rows), "contacts": len(found.contacts.rows)}


async def _main(directory: Path) -> None:
    pool = await open_pool(Settings().database_url, "notifications", size=1)
    try:
        counts = await seed(pool, directory)
    finally:
        await pool.close()
    print(f"notifications: {counts['sites']} sites, {counts['contacts']} contacts")


if __name__ == "__main__":
    try:
        asyncio.run(_main(Path(sys.argv[1]) if len(sys.argv) > 1 else YUNYANG))
    except DirectoryRefused as refused:
        sys.exit(str(refused))
