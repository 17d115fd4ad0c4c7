"""The part that tells offices, as a process of its own that can be killed at any moment."""

from __future__ import annotations

import asyncio
import multiprocessing
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import structlog

from dna_intake.gate_sending import telling_offices
from dna_intake.settings import DnaSettings
from guitu.clock import Clock, Ids
from guitu.pg import open_pool
from guitu.service import Runtime

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Start:
    """What a process is told."""

    settings: dict[str, Any]
    clock_file: Path


def start(told: Start) -> BaseProcess:
    """A new process; it tells until it is killed."""
    process: ForkServerProcess = CONTEXT.Process(target=_run, args=(told,), daemon=True)
    process.start()
    return process


def _run(told: Start) -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    asyncio.run(_tell(told))


async def _tell(told: Start) -> None:
    settings = DnaSettings(**told.settings)
    pool = await open_pool(settings.database_url, "dna-intake", size=3)
    run = Runtime(
        "dna-intake",
        settings,
        pool,
        Clock(told.clock_file),
        Ids(),
        structlog.get_logger(),
        "http://127.0.0.1",
    )
    async with telling_offices(run) as sender:
        while True:
            if not await sender.pump():
                await asyncio.sleep(0.02)
