"""One moment of the projection: all that a page or a patch reads in it belongs together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from guitu.service import Runtime


@asynccontextmanager
async def snapshot(runtime: Runtime, region: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that sees one moment only, limited to a region (`*`: all) by row-level security."""
    async with (
        runtime.pool.acquire() as conn,
        conn.transaction(isolation="repeatable_read", readonly=True),
    ):
        if region != "*":
            await conn.execute("select set_config('guitu.region', $1, true)", region)
        yield conn
