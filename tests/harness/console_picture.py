"""The console's picture on a real broker and database: opened, folded by processes of its own, and read whole."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from console.projection.rebuild import Progress
from guitu.embedded.node import Node
from guitu.migrate import migrate_now
from guitu.service import Runtime
from guitu.topics import ensure_topics
from harness import ground


@asynccontextmanager
async def console_on(node: Node) -> AsyncIterator[Runtime]:
    """A Runtime of the console at this node, its schema and topics made."""
    settings = ground.settings_for(node.env)
    await asyncio.to_thread(migrate_now, settings.database_url, ("console",))
    await ensure_topics(settings)
    async with ground.runtime("console", settings) as opened:
        yield opened


def process(request: pytest.FixtureRequest, node: Node, *command: str, **env: str) -> subprocess.Popen[bytes]:
    """A process of Guitu's that ends with the test."""
    started = subprocess.Popen(
        [sys.executable, "-m", *command],
        env=os.environ | node.env | {"GUITU_LOG_LEVEL": "error"} | env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    request.addfinalizer(started.wait)
    request.addfinalizer(started.kill)
    return started


async def picture(run: Runtime, tables: Sequence[str]) -> dict[str, list[Any]]:
    """Every row of these tables, without its number in the stream, in an order of its own."""
    found = {}
    for table in tables:
        rows = await run.pool.fetch(f"select to_jsonb(t) - 'seq' as line from {table} t")
        found[table] = sorted((row["line"] for row in rows), key=repr)
    return found


def unseen(_: Progress) -> None:
    """Progress that nobody looks at."""
