"""The sending part of notifications as a process of its own that can be killed at any moment, many times a minute.

No broker: what is sent stands in PostgreSQL, and the outbox is not carried. The fork server of `multiprocessing` has
everything imported, so that a start costs milliseconds and 200 kills fit into a test.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
from contextlib import AsyncExitStack
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import structlog
import uvicorn

from guitu.clock import Clock, Ids
from guitu.pg import open_pool
from guitu.service import Runtime, _sweep_for_ever
from harness.notice_http import app_of
from notifications.senders import open_senders
from notifications.service import SERVICE, sending_with, settings_of
from notifications.settings import NotificationSettings

SWEEPS = frozenset(
    {
        "sms_send",
        "sms_record",
        "sms_close_leases",
        "sms_look_up",
        "sms_give_up_unknown",
        "sms_look_up_without_end",
    }
)
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Start:
    """What a process is told."""

    settings: dict[str, Any]
    callbacks_port: int
    clock_file: Path


def start(told: Start) -> BaseProcess:
    """A new process; it sends until it is killed."""
    process: ForkServerProcess = CONTEXT.Process(target=_run, args=(told,), daemon=True)
    process.start()
    return process


def _run(told: Start) -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    asyncio.run(_serve(told))


async def _serve(told: Start) -> None:
    settings = NotificationSettings(**told.settings)
    async with AsyncExitStack() as stack:
        pool = await open_pool(settings.database_url, "notifications", size=5)
        stack.push_async_callback(pool.close)
        log = structlog.get_logger()
        url = f"http://127.0.0.1:{told.callbacks_port}"
        run = Runtime("notifications", settings, pool, Clock(told.clock_file), Ids(), log, url)
        senders = await stack.enter_async_context(open_senders(settings_of(run)))
        await stack.enter_async_context(sending_with(run, senders, settings))
        sweeps = [_sweep_for_ever(run, sweep) for sweep in SERVICE.sweeps if sweep.name in SWEEPS]
        await asyncio.gather(_callbacks(run, told.callbacks_port), *sweeps)


async def _callbacks(run: Runtime, port: int) -> None:
    app = app_of(run)
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        await uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off")).serve([sock])
