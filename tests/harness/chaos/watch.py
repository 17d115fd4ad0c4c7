"""When is it back? A look at the database from outside, which the database's own death only delays."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from guitu.pg import TRANSIENT
from harness.chaos.faults import Blow, Fault
from harness.chaos.size import SERVICES

POLL_S = 0.2
BACK_WITHIN_S = 120.0
ASK_S = 5.0
_HANDLED = "select exists (select from {reader}.inbox where received_at > $1)"
_CARRIED = """
select exists (
    select from {reader}.inbox i join {writer}.outbox o on o.id = i.event_id
    where i.received_at > $1 and o.published_at > $1)
"""
_PUBLISHED = """
select not exists (select from {writer}.outbox where published_at is null and occurred_at <= $1)
"""
_LEAKED = """
select count(*) from alerts.outbox where published_at > $1::timestamptz + interval '1 s' and published_at < $2
"""
_SENT = "select exists (select from notifications.attempt where started_at > $1 and state = 'accepted')"


class NeverBack(Exception):
    """Something struck did no work for two minutes; says what."""


class Watch:
    """One connection as the owner, made anew whenever it breaks."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._conn: asyncpg.Connection | None = None

    async def ask(self, sql: str, *values: Any) -> Any:
        """One value, or None while the database is away."""
        try:
            async with asyncio.timeout(ASK_S):
                if self._conn is None or self._conn.is_closed():
                    self._conn = await asyncpg.connect(self._url, timeout=ASK_S)
                return await self._conn.fetchval(sql, *values)
        except (*TRANSIENT, asyncpg.PostgresError):
            await self.close()
            return None

    async def close(self) -> None:
        """Let the connection go."""
        if self._conn is not None:
            self._conn.terminate()
        self._conn = None

    async def back_s(self, fault: Fault, blow: Blow) -> float:
        """Seconds until each part that the fault touched has committed a new effect. Raises: NeverBack.

        For a service: an event that it took in after the blow. For the broker and a partition: in every service an
        event that was published after it. For the provider: an SMS begun and accepted after it. For facts to be
        published again: all of them are.
        """
        waiting = dict(signs_of_life(fault))
        end = time.monotonic() + BACK_WITHIN_S
        while waiting:
            for name, sql in list(waiting.items()):
                if await self.ask(sql, blow.dead):
                    del waiting[name]
            if time.monotonic() > end:
                raise NeverBack(f"{', '.join(waiting)} after: {fault}.")
            await asyncio.sleep(POLL_S if waiting else 0)
        return (datetime.now(UTC) - blow.since).total_seconds()

    async def check_silence(self, fault: Fault, blow: Blow) -> None:
        """A partition that lets facts through tests nothing. Raises: AssertionError."""
        cut_at = blow.since - timedelta(seconds=fault.lasts_s)
        leaked = await self.ask(_LEAKED, cut_at, blow.since)
        assert 0 == leaked, f"{leaked} facts of alerts were published during: {fault}."


def signs_of_life(fault: Fault) -> Mapping[str, str]:
    """What must be seen after a fault, by name."""
    signs: dict[str, str] = {}
    for name in fault.names:
        if fault.kind == "republish":
            signs[name] = _PUBLISHED.format(writer=name.replace("-", "_"))
        elif name == "kafka":
            signs |= {f"{service} by the broker": _carried(service) for service in SERVICES}
        elif name == "postgres":
            signs |= {service: _handled(service) for service in SERVICES}
        elif name == "sms-simulator":
            signs[name] = _SENT
        elif name in SERVICES:
            signs[name] = _handled(name)
    return signs


def _handled(service: str) -> str:
    return _HANDLED.format(reader=service.replace("-", "_"))


def _carried(service: str) -> str:
    """Alerts hears most from notifications, everybody else from alerts."""
    writer = "notifications" if service == "alerts" else "alerts"
    return _CARRIED.format(reader=service.replace("-", "_"), writer=writer)
