"""The laboratory and the matcher of DNA intake as processes of their own, to be stopped or killed at any moment."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import structlog

from dna_intake.matching.matcher import Matcher
from dna_intake.settings import DnaSettings
from guitu.clock import Clock, Ids
from guitu.pg import TRANSIENT, open_pool
from guitu.service import Runtime
from harness.dna_stories import CASE
from harness.kin_stories import Here, enters, family

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Start:
    """What a process is told: families to enter, and where to note what was accepted; or partitions to hold."""

    settings: dict[str, Any]
    accepted: Path
    people: tuple[tuple[int, str], ...] = ()
    partitions: tuple[int, ...] = ()


def start(told: Start) -> BaseProcess:
    """A new process; a laboratory ends when everybody is entered, a matcher goes on until it is killed."""
    process = CONTEXT.Process(target=_run, args=(told,), daemon=True)
    process.start()
    return process


def _run(told: Start) -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    asyncio.run(_opened(told))


async def _opened(told: Start) -> None:
    settings = DnaSettings(**told.settings)
    while True:
        try:
            pool = await open_pool(settings.database_url, "dna-intake", size=3)
            break
        except TRANSIENT:
            await asyncio.sleep(0.1)
    log = structlog.get_logger()
    run = Runtime("dna-intake", settings, pool, Clock(None), Ids(), log, "http://127.0.0.1")
    if told.partitions:
        await _matches(run, told.partitions)
    for seed, role in told.people:
        await _again(lambda seed=seed, role=role: _enters(run, told.accepted, seed, role))


async def _enters(run: Runtime, accepted: Path, seed: int, role: str) -> None:
    kin = family(seed)
    if role == "father":
        row = await enters(run, kin.father, "parent_of_missing_child", case_id=CASE, relation="father")
    else:
        row = await enters(run, kin.child)
    # One write to the end of the file: a killed process leaves a whole line or none.
    with accepted.open("ab", buffering=0) as told:
        told.write(f"{seed} {role} {row.id}\n".encode())


class _Part(Matcher):
    def __init__(self, run: Runtime, partitions: tuple[int, ...]) -> None:
        super().__init__(run, Here(run.settings))
        self._partitions = partitions

    def wanted(self) -> tuple[int, ...]:
        return self._partitions


async def _matches(run: Runtime, partitions: tuple[int, ...]) -> None:
    matcher = _Part(run, partitions)
    while True:
        await _again(matcher.sweep)
        await asyncio.sleep(0.02)


async def _again(step: Callable[[], Any]) -> None:
    """Until the database is there, as the service's sweeps and its callers do it."""
    while True:
        try:
            await step()
        except TRANSIENT:
            await asyncio.sleep(0.1)
        else:
            return
