"""The senders of one process: each with its provider's open session, its pace, and how it did lately."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from guitu.service import Runtime
from guitu.tx import Tx
from notifications import store_senders
from notifications.domain import breaker
from notifications.domain.breaker import Health
from notifications.domain.delivery import Outcome
from notifications.domain.pace import Pace, Spacing, pace_of
from notifications.domain.senders import SenderSpec
from notifications.outside import Outside, open_provider
from notifications.settings import NotificationSettings

FRESH_FOR = timedelta(seconds=1)
"""How old what we know of a sender's health may be; our own failures count at once."""


@dataclass
class Line:
    """One sender in this process."""

    spec: SenderSpec
    outside: Outside
    health: Health = field(default_factory=Health)
    calls: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.pace: Pace | None = pace_of(self.spec.per_s)
        self.spacing = Spacing(self.spec.per_s)


class Senders:
    """All senders, the preferred first."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = tuple(lines)
        self._known_at: datetime | None = None

    def __iter__(self) -> Iterator[Line]:
        return iter(self.lines)

    def named(self, name: str) -> Line | None:
        """The sender that made an attempt; the first one where it is not listed any more and there is only one."""
        for line in self.lines:
            if line.spec.name == name:
                return line
        return self.lines[0] if len(self.lines) == 1 else None

    def of_provider(self, provider: str) -> list[Outside]:
        """The sessions of one provider, one an account."""
        return [line.outside for line in self.lines if line.spec.provider == provider]

    def has(self, channel: str) -> bool:
        """Is there any sender of this channel?"""
        return any(line.spec.channel == channel for line in self.lines)

    def all_rest(self, channel: str, now: datetime) -> bool:
        """Does no sender of this channel work now?"""
        lines = [line for line in self.lines if line.spec.channel == channel]
        return bool(lines) and all(line.health.places(now, 1) == 0 for line in lines)

    async def learn(self, runtime: Runtime) -> None:
        """Read how the senders did in other processes, if that is not fresh."""
        now = runtime.clock.now()
        if self._known_at is not None and self._known_at <= now < self._known_at + FRESH_FOR:
            return
        async with runtime.pool.acquire() as conn:
            known = await store_senders.health_of(conn, [line.spec.name for line in self.lines])
        for line in self.lines:
            line.health = known.get(line.spec.name, Health())
        self._known_at = now

    async def judge(self, tx: Tx, outcomes: Mapping[str, Iterable[Outcome]]) -> None:
        """Remember what these outcomes, by sender, say about it; a sender that works costs no statement."""
        for name in sorted(outcomes):
            line, came = self.named(name), list(outcomes[name])
            if line is None or (
                line.health == Health() and breaker.after(Health(), came, tx.now) == Health()
            ):
                continue
            before = await store_senders.lock_health(tx.conn, name)
            line.health = breaker.after(before, came, tx.now)
            if line.health != before:
                await store_senders.keep_health(tx.conn, name, line.health)
            if line.health.trips > before.trips:
                tx.audit("sender.rests", sender=name, code=line.health.code, trips=line.health.trips)


def one_sender(provider: Outside, settings: NotificationSettings) -> Senders:
    """The first listed sender with a session that is open already."""
    return Senders([Line(settings.sender_specs[0], provider)])


@asynccontextmanager
async def open_senders(settings: NotificationSettings) -> AsyncIterator[Senders]:
    """Every listed sender with its session. Raises: ValueError, with the setting to mend."""
    async with AsyncExitStack() as stack:
        yield Senders(
            [
                Line(spec, await stack.enter_async_context(open_provider(settings, spec)))
                for spec in settings.sender_specs
            ]
        )
