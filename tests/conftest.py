"""Fixtures of every test: one real PostgreSQL and, where asked for, one real Kafka for the whole run."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from guitu.embedded.node import Node
from guitu.migrate import migrate_now
from guitu.pg import schema_of
from guitu.service import Runtime
from guitu.settings import Settings
from harness import ground

Outside = dict[str, str]


@pytest.fixture(scope="session")
def node() -> Iterator[Node]:
    """Kafka and PostgreSQL of this run's own, in a directory that goes away afterwards."""
    with Node(ephemeral=True, outside={}) as running:
        yield running


@pytest.fixture(scope="session")
def postgres_node() -> Iterator[Node]:
    """PostgreSQL alone, for the tests of one service."""
    with Node(ephemeral=True, outside={"GUITU_KAFKA": "127.0.0.1:9"}) as running:
        yield running


@pytest.fixture(scope="session")
def settings(postgres_node: Node) -> Settings:
    """Settings of the PostgreSQL-only node."""
    return ground.settings_for(postgres_node.env)


@pytest.fixture(scope="session")
def postgres_url(settings: Settings) -> str:
    """URL of the owner role."""
    return settings.database_url


@pytest.fixture(scope="session")
def migrated() -> set[str]:
    """The schemas of this run's database that are at their newest version: to ask again takes 0.1 s a test."""
    return set()


@pytest_asyncio.fixture
async def runtime_for(settings: Settings, migrated: set[str]) -> AsyncIterator[Callable[[str], object]]:
    """`await runtime_for("alerts")`: a Runtime on empty tables, with a clock that the test advances."""
    async with AsyncExitStack() as stack:

        async def make(service: str) -> Runtime:
            if (schema := schema_of(service)) not in migrated:
                await asyncio.to_thread(migrate_now, settings.database_url, (schema,))
                migrated.add(schema)
            opened: AbstractAsyncContextManager[Runtime] = ground.runtime(service, settings)
            return await stack.enter_async_context(opened)

        yield make


@pytest.fixture(scope="session")
def eval_data() -> Path:
    """Data without a licence for the product; tests that want it say what they skip."""
    place = Path(os.environ.get("GUITU_EVAL_DATA", ground.repo_root().parent / "shared" / "data"))
    if not place.is_dir():
        pytest.skip(f"No evaluation data at {place}; set GUITU_EVAL_DATA.")
    return place
