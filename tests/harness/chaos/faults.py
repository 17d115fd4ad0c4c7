"""What is done to the system, and when: a schedule drawn from the seed, and the blows themselves.

Blows go past the product: a signal to the process that the supervisor shows, or the proxy. Nobody is told, and the
supervisor starts again what died, as it does in production.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import psutil  # type: ignore[import-untyped]

from contracts.flow import TOPICS
from guitu.republish import republish_now
from guitu.supervisor.keeper import State
from harness.chaos.county import County
from harness.chaos.desk import Desk
from harness.chaos.size import PROCESSES, SERVICES, Size

Kind = Literal["kill", "restart", "pause", "cut", "republish"]
FIRST, LAST = 0.03, 0.9
"""Shares of the load between which faults fall: there is flow before the first and after the last."""
DELAY_S_MAX = 1.5
READY_WAIT_S = 90.0
REPUBLISHED = timedelta(seconds=30)
STOPPED = ("console", "dispatch", "notifications", "alerts", "dna-intake")
"""In this order: the console has streams open, dispatch is the likeliest to be stopped inside a transaction, then
the one with calls under way."""
LAST_WORDS = timedelta(seconds=0.5)
"""A broker's last acknowledgements are still being written down when it is dead, which takes milliseconds."""
ORDERLY = {"kafka": signal.SIGTERM, "postgres": signal.SIGINT}
PROVIDER_FAULTS: list[dict[str, Any]] = [
    {"kind": "too_many_requests", "probability": 0.02},
    {"kind": "error_before", "probability": 0.02},
    {"kind": "close_before", "probability": 0.02},
    {"kind": "error_after", "probability": 0.02},
    {"kind": "lost_response", "probability": 0.02},
    # Longer than our patience with one request (3 s): accepted, but we hear nothing.
    {"kind": "hang_after", "probability": 0.005, "seconds": 5},
    # Less than the lag that our look-up allows for (3 s).
    {"kind": "list_lag", "probability": 0.2, "seconds": 2},
    {"kind": "error_before", "probability": 0.1, "on": ["list"]},
    {"kind": "callback_lost", "probability": 0.02},
    {"kind": "callback_doubled", "probability": 0.1},
    {"kind": "callback_late", "probability": 0.05, "seconds": 4},
    {"kind": "callback_shuffled", "probability": 0.2, "seconds": 1},
    {"kind": "callback_forged", "probability": 0.01},
]


@dataclass(frozen=True)
class Fault:
    """One blow: due when `at` of the load was accepted, struck `delay_s` later, lasting so long."""

    kind: Kind
    names: tuple[str, ...]
    at: float
    delay_s: float
    lasts_s: float = 0.0

    def __str__(self) -> str:
        whom = {"cut": "services from kafka", "republish": "the last facts of all"}.get(
            self.kind, " and ".join(self.names)
        )
        return f"{self.kind} {whom}" + (f" for {self.lasts_s:g} s" if self.lasts_s else "")


def schedule(rng: random.Random, size: Size) -> Sequence[Fault]:
    """The faults of a run in the order in which they fall."""
    blows: list[tuple[Kind, tuple[str, ...], float]] = []
    for name in PROCESSES:
        blows += [("kill", (name,), 0.0)] * size.kills_each
    blows += [("kill", tuple(rng.sample(PROCESSES, 2)), 0.0) for _ in range(size.pairs)]
    for name in ORDERLY:
        blows += [("restart", (name,), 0.0)] * size.restarts_each
    blows += [("pause", (STOPPED[n % len(STOPPED)],), s) for n, s in enumerate(size.pauses_s)]
    blows += [("cut", ("services", "kafka"), s) for s in size.cuts_s]
    blows += [("republish", SERVICES, 0.0)] * size.republished
    rng.shuffle(blows)
    # One in each stretch of the load, anywhere in it.
    stretch = (LAST - FIRST) / len(blows)
    return [
        Fault(kind, names, FIRST + (n + rng.random()) * stretch, rng.uniform(0, DELAY_S_MAX), lasts_s)
        for n, (kind, names, lasts_s) in enumerate(blows)
    ]


@dataclass(frozen=True)
class Blow:
    """When it fell: recovery counts from `since` (the blow, or the end of what lasts), and only what happened after
    `dead` can be the work of those who came back."""

    since: datetime
    dead: datetime


class Striker:
    """Strikes, and says from when on recovery counts."""

    def __init__(self, county: County, desk: Desk, seed: int) -> None:
        self._county, self._desk, self._seed = county, desk, seed
        self._struck: dict[str, int] = {}

    async def strike(self, fault: Fault) -> Blow:
        """Do it."""
        await self._all_ready()
        if fault.kind == "cut":
            healed_at = await self._cut(fault.lasts_s)
            return Blow(healed_at, healed_at)
        if fault.kind == "pause":
            woken_at = await self._pause(fault)
            return Blow(woken_at, woken_at)
        struck_at = datetime.now(UTC)
        if fault.kind == "republish":
            await asyncio.to_thread(self._republish, struck_at - REPUBLISHED)
            return Blow(struck_at, struck_at)
        pids = [self._county.system.supervisor.pid(name) for name in fault.names]
        for name, pid in zip(fault.names, pids, strict=True):
            self._struck[name] = self._struck.get(name, 0) + 1
            os.kill(pid, signal.SIGKILL if fault.kind == "kill" else ORDERLY[name])
        await _all_dead(pids)
        await self._noticed(fault.names, pids)
        return Blow(struck_at, datetime.now(UTC) + LAST_WORDS if "kafka" in fault.names else struck_at)

    async def up_s(self, blow: Blow) -> float:
        """Seconds until the supervisor had started again all that died."""
        await self._all_ready()
        return (datetime.now(UTC) - blow.since).total_seconds()

    async def after(self, fault: Fault) -> None:
        """A simulator that was killed has forgotten which faults it plays: tell it again."""
        if "sms-simulator" in fault.names:
            await self.spoil_provider()

    async def spoil_provider(self) -> None:
        """Let the provider misbehave from now on."""
        plan = {"seed": self._seed, "rules": PROVIDER_FAULTS}
        status, answer = await self._desk.ask("sms-simulator", "PUT", "/simulator/faults", plan)
        assert 200 == status, answer

    def count_unplanned(self) -> dict[str, int]:
        """How often each process was started again without having been struck."""
        return {
            each.name: each.restarts - self._struck.get(each.name, 0)
            for each in self._county.system.supervisor.status()
            if each.restarts > self._struck.get(each.name, 0)
        }

    def _republish(self, since: datetime) -> None:
        """Every reader gets everything since then a second time; without an inbox it would do it a second time."""
        for topic in TOPICS:
            republish_now(self._county.settings.database_url, topic.name, since.isoformat())

    async def _all_ready(self) -> None:
        """A blow falls on what stands: the one before must be over."""
        end = time.monotonic() + READY_WAIT_S
        while any(each.state != State.READY for each in self._county.system.supervisor.status()):
            assert time.monotonic() < end, f"Not all ready within {READY_WAIT_S:g} s."
            await asyncio.sleep(0.1)

    async def _noticed(self, names: Sequence[str], pids: Sequence[int]) -> None:
        """Until the supervisor has seen the deaths, which it looks for ten times a second."""
        end = time.monotonic() + READY_WAIT_S
        while any(
            each.name in names and each.pid in pids and each.state == State.READY
            for each in self._county.system.supervisor.status()
        ):
            assert time.monotonic() < end, "The supervisor did not notice a death."
            await asyncio.sleep(0.01)

    async def _cut(self, lasts_s: float) -> datetime:
        self._county.proxy.cut()
        try:
            await asyncio.sleep(lasts_s)
        finally:
            self._county.proxy.heal()
        return datetime.now(UTC)

    async def _pause(self, fault: Fault) -> datetime:
        pids = [self._county.system.supervisor.pid(name) for name in fault.names]
        try:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(fault.lasts_s)
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        return datetime.now(UTC)


async def _all_dead(pids: Sequence[int]) -> None:
    end = time.monotonic() + READY_WAIT_S
    while any(map(_lives, pids)):
        assert time.monotonic() < end, f"Not all dead within {READY_WAIT_S:g} s."
        await asyncio.sleep(0.01)


def _lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
