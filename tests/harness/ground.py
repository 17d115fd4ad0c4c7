"""What tests of one service stand on: a real database, a clock to advance, facts in and facts out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import structlog

from contracts.base import EventId, Fact
from guitu import inbox
from guitu.clock import Clock, Ids
from guitu.pg import open_pool, schema_of
from guitu.service import Reaction, Runtime
from guitu.settings import Settings
from guitu.tx import Tx

F = TypeVar("F", bound=Fact)
START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)


class SettableClock(Clock):
    """A clock that stands still until a test advances it."""

    def __init__(self, start: datetime = START) -> None:
        super().__init__(None)
        self.moment = start

    def now(self) -> datetime:
        """The moment the test has reached."""
        return self.moment

    def advance(self, **amount: float) -> None:
        """Go forward, by the keywords of timedelta."""
        self.moment += timedelta(**amount)


def settings_for(env: dict[str, str], **more: Any) -> Settings:
    """Settings from a node's environment, not from the tests' own."""
    fields = {name.removeprefix("GUITU_").lower(): value for name, value in env.items()}
    known = {name: value for name, value in fields.items() if name in Settings.model_fields}
    return Settings(**(known | more))


@asynccontextmanager
async def runtime(service: str, settings: Settings) -> AsyncIterator[Runtime]:
    """A Runtime of `service` without broker or HTTP, on empty tables."""
    await truncate(settings.database_url, service)
    pool = await open_pool(settings.database_url, service, size=5)
    try:
        log = structlog.get_logger().bind(service=service)
        yield Runtime(service, settings, pool, SettableClock(), Ids(), log, "http://127.0.0.1:8200")
    finally:
        pool.terminate()


async def truncate(database_url: str, service: str) -> None:
    """Empty every table of a service and begin its counters anew, as the owner.

    Only tables that hold something and counters that have counted are touched: truncating makes the files of a table
    and its indexes anew, and a hundred of them took longer than most tests.
    """
    schema = schema_of(service)
    conn = await asyncpg.connect(database_url)
    try:
        async with conn.transaction():
            tables = [row["name"] for row in await conn.fetch(_TABLES, schema)]
            if tables:
                await _empty(conn, schema, tables)
    finally:
        await conn.close()


_TABLES = """select format('%I.%I', schemaname, tablename) as name from pg_tables
    where schemaname = $1 and tablename <> 'alembic_version'"""
_COUNTED = """select format('%I.%I', schemaname, sequencename) as name from pg_sequences
    where schemaname = $1 and last_value is not null"""


async def _empty(conn: asyncpg.Connection, schema: str, tables: list[str]) -> None:
    # Whatever the last test left running is waited for, as truncating does.
    await conn.execute(f"lock table {', '.join(tables)} in access exclusive mode")
    looks = " union all ".join(
        f"select '{name}' as name where exists (select from {name})" for name in tables
    )
    filled = [row["name"] for row in await conn.fetch(looks)]
    counted = [row["name"] for row in await conn.fetch(_COUNTED, schema)]
    if filled:
        await conn.execute(f"truncate {', '.join(filled)} cascade")
    for name in counted:
        await conn.execute(f"alter sequence {name} restart")


async def react(
    run: Runtime, reactions: Sequence[Reaction], fact: Fact, event_id: UUID | None = None
) -> bool:
    """One fact through inbox, handler and outbox in one transaction, as the stream wrapper does it.

    Returns False if the event had been received before.
    """
    event_id = event_id or run.ids.new()
    reaction = next(r for r in reactions if r.fact is type(fact))
    async with run.pool.acquire() as conn, conn.transaction():
        now = run.clock.now()
        if not await inbox.receive(conn, [event_id], now):
            return False
        tx = Tx(conn, now, run.ids, f"guitu.{run.service}", f"guitu/{run.service}", EventId(event_id))
        await reaction.handle(tx, fact)
        await tx.flush()
    return True


async def facts(run: Runtime, kind: type[F]) -> list[F]:
    """The facts of one kind in the outbox, in their order."""
    rows = await run.pool.fetch("select payload from outbox where type = $1 order by seq", kind.type_)
    return [kind.model_validate_json(row["payload"]) for row in rows]


async def until(run: Runtime, sql: str, *values: object) -> int:
    """Wait (20 s at most) until the query counts something; returns the count."""
    for _ in range(400):
        count: int = await run.pool.fetchval(sql, *values)
        if count:
            return count
        await asyncio.sleep(0.05)
    return 0


def repo_root() -> Path:
    """The checkout that the tests run in."""
    return Path(__file__).resolve().parents[2]


async def owner(database_url: str) -> asyncpg.Connection:
    """A connection as the owner, who may do what a service may not."""
    return await asyncpg.connect(database_url)


def to_json(value: Any) -> str:
    """The encoder of jsonb columns on connections that are not of a service's pool."""
    return json.dumps(value)
