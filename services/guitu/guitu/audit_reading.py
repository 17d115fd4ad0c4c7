"""Read the audit log and check its chain: what happened, by whom, and whether anybody changed the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from guitu import audit

# Ids are made in the order of time (UUID version 7), so the newest come first without another index.
_ENTRIES = """
select a.id, a.at, a.actor, a.action, a.subject, a.details, s.seq as sealed_as
from audit a left join audit_seal s on s.audit_id = a.id
where ($1::uuid is null or a.id < $1)
  and ($2::text is null or a.actor = $2)
  and ($3::text is null or starts_with(a.action, $3))
  and ($4::uuid is null or a.subject = $4)
  and ($5::timestamptz is null or a.at >= $5)
  and ($6::timestamptz is null or a.at < $6)
order by a.id desc limit $7
"""
_UNSEALED = "select count(*) from audit a where not exists (select from audit_seal s where s.audit_id = a.id)"
_HEAD = "select seq, hash from audit_seal order by seq desc limit 1"
_KNOWN = "select seq from audit_seal where hash = $1 order by seq limit 1"


@dataclass(frozen=True)
class Wanted:
    """Which entries somebody wants to see; None is no limit."""

    before: UUID | None = None
    actor: str | None = None
    action: str | None = None
    """The beginning of it: `dna.` is everything of dna-intake."""
    subject: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 100


@dataclass(frozen=True)
class Chain:
    """What a walk along the whole chain found."""

    sealed: int
    """How many rows the chain has by its head; those up to `broken_at` hold."""
    unsealed: int
    head: bytes
    broken: str | None
    broken_at: int | None
    known_at: int | None
    """Where the link stands that somebody noted down earlier; None if the chain does not have it."""


async def entries(conn: asyncpg.Connection, wanted: Wanted) -> Sequence[asyncpg.Record]:
    """The newest entries first, at most `limit`."""
    w = wanted
    found: list[asyncpg.Record] = await conn.fetch(
        _ENTRIES, w.before, w.actor, w.action, w.subject, w.since, w.until, w.limit
    )
    return found


async def chain(conn: asyncpg.Connection, known: bytes | None = None) -> Chain:
    """Compute the whole chain again from the rows.

    Cutting off the newest links leaves a chain that holds; only a link that was noted down elsewhere shows that.
    """
    head: Any = await conn.fetchrow(_HEAD) or {"seq": 0, "hash": b""}
    unsealed = await conn.fetchval(_UNSEALED)
    known_at = await conn.fetchval(_KNOWN, known) if known else None
    broken, at = None, None
    try:
        await audit.verify(conn)
    except audit.AuditBroken as found:
        broken, at = str(found), found.seq
    return Chain(head["seq"], unsealed, head["hash"], broken, at, known_at)
