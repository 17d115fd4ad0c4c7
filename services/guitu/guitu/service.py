"""One process a service: HTTP by FastAPI, streams by Faust, relay and timers, all on one event loop.

A service is a value (`Service`): its name, routers, reactions to facts and sweeps (timers that are rows). The
order of the start is the order of need: database, streams, relay, timers, and only then ready.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import uvicorn
import uvloop
from fastapi import APIRouter, FastAPI
from faust.contrib.asgi import faust_app_running

from contracts.base import Fact
from guitu import audit, audit_api, health, limits, logging, metrics, openapi, outbox, problem, watchdog
from guitu.clock import Clock, Ids
from guitu.pg import TRANSIENT, open_pool, schema_of
from guitu.relay import Relay
from guitu.settings import Settings
from guitu.stream import Streams
from guitu.tx import Tx

UNREAD_MS_MAX = 60_000
"""How long what we sent may lie at the far side unread, or on the way unanswered, before the connection is closed."""


@dataclass(frozen=True)
class Reaction:
    """What a service does about a fact, once: inbox, effect, audit and outbox in one transaction."""

    fact: type[Fact]
    handle: Callable[[Tx, Any], Awaitable[None]]


@dataclass(frozen=True)
class Sweep:
    """A timer over rows with `due_at`: a bounded batch a run, again at once while there is more.

    `woken` is for rows that a commit of this process may have made due: then the interval is the fallback.
    """

    name: str
    every_s: float
    run: Callable[[Runtime], Awaitable[int]]
    woken: bool = False


@dataclass(frozen=True)
class Service:
    """What makes a service; `start` opens extra long-lived parts, such as an HTTP session.

    `dress` changes how the application answers, such as refusals as pages for people.
    """

    name: str
    title: str
    routers: Callable[[Runtime], Sequence[APIRouter]]
    reactions: Sequence[Reaction] = ()
    sweeps: Sequence[Sweep] = ()
    start: Callable[[Runtime], AbstractAsyncContextManager[None]] | None = None
    dress: Callable[[FastAPI], None] | None = None


@dataclass
class Runtime:
    """What the parts of a running service share."""

    service: str
    settings: Settings
    pool: asyncpg.Pool
    clock: Clock
    ids: Ids
    log: Any
    public_url: str
    relay: Relay | None = None
    streams: Streams | None = None
    state: dict[str, Any] = field(default_factory=dict)
    wakes: dict[str, asyncio.Event] = field(default_factory=dict)
    woken: set[str] = field(default_factory=set)

    @property
    def schema(self) -> str:
        """The database schema of the service."""
        return schema_of(self.service)

    @asynccontextmanager
    async def tx(self, *, actor: str, region: str = "*") -> AsyncIterator[Tx]:
        """One transaction for a request or a sweep: state, audit and outbox commit together at its end."""
        async with self.pool.acquire() as conn, conn.transaction():
            if region != "*":
                await conn.execute("select set_config('guitu.region', $1, true)", region)
            tx = Tx(conn, self.clock.now(), self.ids, actor, f"guitu/{self.service}")
            yield tx
            published = await tx.flush()
        if published:
            await self.published(published)

    @asynccontextmanager
    async def read(self, *, region: str = "*") -> AsyncIterator[asyncpg.Connection]:
        """A connection for reading, limited to a region by row-level security."""
        async with self.pool.acquire() as conn, conn.transaction(readonly=True):
            if region != "*":
                await conn.execute("select set_config('guitu.region', $1, true)", region)
            yield conn

    async def published(self, facts: Sequence[outbox.Row] = ()) -> None:
        """Wake the relay after a commit: ours, or by NOTIFY the one of another process. Logs the facts.

        NOTIFY is not part of the transaction: it would serialise all commits on one lock.
        """
        for fact in facts:
            logging.told(
                self.log,
                "fact.published",
                fact.type,
                fact.headers.get("ce_id"),
                fact.headers.get("ce_subject"),
            )
        if self.relay and self.relay.leads:
            self.relay.wake()
        elif self.relay:
            # The commit stands; if the word does not get through, the poll finds the rows.
            with suppress(*TRANSIENT):
                await self.pool.execute(f"notify outbox_{self.schema}")
        self.wake()

    def wake(self) -> None:
        """Let the sweeps that a commit concerns look at once."""
        for name in self.woken:
            self.wakes[name].set()


def _public_url(settings: Settings, port: int) -> str:
    return (settings.public_url or f"http://{settings.host}:{port}").rstrip("/")


async def _sweep_for_ever(runtime: Runtime, sweep: Sweep) -> None:
    wake = runtime.wakes.setdefault(sweep.name, asyncio.Event())
    if sweep.woken:
        runtime.woken.add(sweep.name)
    while True:
        done = 0
        try:
            done = await sweep.run(runtime)
            metrics.SWEEP_ROWS.labels(runtime.service, sweep.name).inc(done)
        except TRANSIENT as error:
            runtime.log.warning("sweep.waits", sweep=sweep.name, error=type(error).__name__)
            await asyncio.sleep(min(1.0, sweep.every_s * 4))
        except Exception:
            metrics.SWEEP_FAILURES.labels(runtime.service, sweep.name).inc()
            runtime.log.error("sweep.failed", sweep=sweep.name, exc_info=True)
            await asyncio.sleep(1.0)
        if not done:
            with suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), sweep.every_s)
            wake.clear()


async def _seal(runtime: Runtime) -> int:
    async with runtime.pool.acquire() as conn:
        return await audit.seal(conn)


@asynccontextmanager
async def _tasks(runtime: Runtime, jobs: Sequence[Awaitable[None]]) -> AsyncIterator[None]:
    """Run jobs beside the API; one that ends or fails ends the process, since a service with a dead part lies."""

    async def guarded(job: Awaitable[None]) -> None:
        try:
            await job
        except asyncio.CancelledError:
            raise
        except BaseException:
            runtime.log.error("part.died", exc_info=True)
        os._exit(72)

    tasks = [asyncio.create_task(guarded(job)) for job in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def running(service: Service, settings: Settings, port: int, app: FastAPI) -> AsyncIterator[Runtime]:
    """Everything of a service that lives as long as its process."""
    log = logging.configure(service.name, settings.log_level)
    async with AsyncExitStack() as stack:
        pool = await open_pool(settings.database_url, service.name)
        stack.push_async_callback(_close_pool, pool)
        runtime = Runtime(
            service.name, settings, pool, Clock(settings.clock_file), Ids(), log, _public_url(settings, port)
        )
        app.state.runtime = runtime
        if service.start:
            await stack.enter_async_context(service.start(runtime))
        for router in service.routers(runtime):
            app.include_router(router)
        runtime.relay = Relay(runtime)
        if service.reactions:
            runtime.streams = Streams(runtime, service.reactions)
            await stack.enter_async_context(faust_app_running(runtime.streams.app, stop_timeout=8.0))
        # Made only now: after a start that failed, each would warn that nobody awaited it, and hide why.
        jobs = [runtime.relay.run()]
        jobs += [_sweep_for_ever(runtime, s) for s in (*service.sweeps, Sweep("audit_seal", 1.0, _seal))]
        if runtime.streams:
            jobs += [runtime.streams.run(), watchdog.watch(runtime)]
        await stack.enter_async_context(_tasks(runtime, jobs))
        log.info("service.started", port=port)
        yield runtime


async def _close_pool(pool: asyncpg.Pool) -> None:
    try:
        await asyncio.wait_for(pool.close(), 5)
    except TimeoutError:
        pool.terminate()


def build_app(service: Service, settings: Settings, port: int) -> FastAPI:
    """The FastAPI application of a service, with health, metrics and problem documents."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running(service, settings, port, app):
            yield

    app = FastAPI(title=service.title, version="0.1.0", lifespan=lifespan)
    problem.install(app)
    app.add_middleware(limits.BodyLimit)
    app.include_router(health.router)
    app.include_router(audit_api.router)
    if service.dress:
        service.dress(app)
    openapi.describe(app)
    return app


def _look_for_rubbish_seldom() -> None:
    """Leave what was imported alone, and look for cycles less often: we make few, and 10,000 facts at a time.

    Measured on an alert to 10,000 sites: a sixth of its time went to collections that found nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def listener_at(host: str, port: int) -> socket.socket:
    """A bound socket; what it accepts is closed when the far side takes nothing for UNREAD_MS_MAX."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Connections inherit it: who vanished, or reads no more, is let go of in a minute and not in a quarter of an hour.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MS_MAX)
    sock.bind((host, port))
    return sock


def run(service: Service, settings: Settings | None = None) -> None:
    """Serve until SIGTERM or SIGINT; exits within 10 s, and correctly after SIGKILL too."""
    settings = settings or Settings()
    sock = listener_at(settings.host, settings.port)
    app = build_app(service, settings, sock.getsockname()[1])
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
        lifespan="on",
    )
    server = uvicorn.Server(config)
    # uvicorn raises the signal again after a clean stop; a clean stop is not a crash.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    _look_for_rubbish_seldom()
    # A policy and not a loop factory: Faust reads in a thread of its own, with a loop that it makes itself.
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(server.serve(sockets=[sock]))
