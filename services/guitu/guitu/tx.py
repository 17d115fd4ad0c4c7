"""One transaction: state, audit and outbox rows commit together, or not at all (design rules 2 and 3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha1
from typing import Any
from uuid import UUID

import asyncpg

from contracts.base import EventId, Fact
from guitu import audit, outbox
from guitu.clock import Ids


@dataclass
class Pending:
    """What waits for the commit; shared by all events that are handled in one transaction."""

    facts: list[outbox.Row] = field(default_factory=list)
    written: list[outbox.Row] = field(default_factory=list)
    audit: list[audit.Row] = field(default_factory=list)
    later: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)


@dataclass
class Tx:
    """An open transaction as a handler sees it. Nothing here is sent: the relay sends after the commit."""

    conn: asyncpg.Connection
    now: datetime
    ids: Ids
    actor: str
    source: str
    cause: EventId | None = None
    pending: Pending = field(default_factory=Pending)
    _published: int = 0

    def publish(self, fact: Fact) -> EventId:
        """Write a fact to the outbox at commit; the same cause gives the same event id again."""
        self._published += 1
        name = f"{self._published}:{fact.type_}"
        event_id = EventId(self.ids.new() if self.cause is None else _named(self.cause, name))
        self.pending.facts.append(outbox.row(fact, event_id, self.source))
        return event_id

    def later(self, statement: str, *values: Any) -> None:
        """Run a statement at the end of the transaction, with all others like it in one round trip.

        For writes whose result nobody needs and that no later statement of the transaction reads.
        """
        self.pending.later.setdefault(statement, []).append(values)

    def audit(self, action: str, *, subject: UUID | None = None, **details: Any) -> None:
        """Record who did what to what; never a name, a phone number or a genotype."""
        self.pending.audit.append(audit.Row(self.ids.new(), self.now, self.actor, action, subject, details))

    async def write_facts(self) -> None:
        """Write the facts that wait now and not at the end, for who publishes thousands and prepares more meanwhile."""
        facts, self.pending.facts = self.pending.facts, []
        if facts:
            await outbox.insert(self.conn, facts)
            self.pending.written += facts

    async def flush(self) -> list[outbox.Row]:
        """Write what waits; returns the facts that the relay has to carry after the commit."""
        rows, later = self.pending.audit, self.pending.later
        for statement, values in later.items():
            await self.conn.executemany(statement, values)
        await self.write_facts()
        if rows:
            await audit.insert(self.conn, rows)
        facts, self.pending.written = self.pending.written, []
        self.pending.audit, self.pending.later = [], {}
        return facts


def _named(cause: UUID, name: str) -> UUID:
    """`uuid.uuid5`, which imports hashlib anew at each call: a third of what 10,000 facts cost here."""
    return UUID(bytes=sha1(cause.bytes + name.encode(), usedforsecurity=False).digest()[:16], version=5)
