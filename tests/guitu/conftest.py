"""The toy service on the run's own node, for all tests of the ground."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio
from fastapi import FastAPI

from guitu.embedded.node import Node
from guitu.migrate import migrate_now
from guitu.service import Runtime, running
from guitu.topics import ensure_topics
from harness import ground
from toy import TOY


@pytest_asyncio.fixture(scope="session")
async def toy(node: Node) -> AsyncIterator[Runtime]:
    """It reads guitu.reports from a real broker."""
    settings = ground.settings_for(node.env)
    await asyncio.to_thread(migrate_now, settings.database_url, ("toy",))
    await ensure_topics(settings)
    async with running(TOY, settings, 0, FastAPI()) as runtime:
        yield runtime
