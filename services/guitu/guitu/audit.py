"""The audit log: append-only, sealed into one hash chain a service, so that a change of the past shows.

Handlers only insert (no lock, no contention); one sealer a service gives the rows their place in the chain
within a second. The service's role may not update or delete either table.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg

SEAL_LOCK = 7_201
_INSERT = """
insert into audit (id, at, actor, action, subject, details)
select * from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::uuid[], $6::jsonb[])
"""
_UNSEALED = """
select a.id, a.at, a.actor, a.action, a.subject, a.details from audit a
where not exists (select from audit_seal s where s.audit_id = a.id)
order by a.id limit $1
"""
_HEAD = "select seq, hash from audit_seal order by seq desc limit 1"
_SEAL = """
insert into audit_seal (seq, audit_id, hash) select * from unnest($1::bigint[], $2::uuid[], $3::bytea[])
"""
_CHAIN = """
select s.seq, s.hash, s.audit_id, a.id, a.at, a.actor, a.action, a.subject, a.details
from audit_seal s left join audit a on a.id = s.audit_id where s.seq > $1 order by s.seq limit $2
"""


@dataclass(frozen=True)
class Row:
    """One line of the log."""

    id: UUID
    at: datetime
    actor: str
    action: str
    subject: UUID | None
    details: dict[str, Any]


class AuditBroken(Exception):
    """The chain does not hold: somebody changed, removed or reordered the past; says where."""

    def __init__(self, seq: int, says: str) -> None:
        super().__init__(says)
        self.seq = seq


async def insert(conn: asyncpg.Connection, rows: Sequence[Row]) -> None:
    """Append rows in the caller's transaction."""
    columns = zip(*((r.id, r.at, r.actor, r.action, r.subject, r.details) for r in rows), strict=True)
    await conn.execute(_INSERT, *(list(column) for column in columns))


def digest(before: bytes, row: Row) -> bytes:
    """The next link: SHA-256 over the link before and the row in a canonical form."""
    body = json.dumps(
        [
            str(row.id),
            row.at.astimezone(UTC).isoformat(),
            row.actor,
            row.action,
            str(row.subject),
            row.details,
        ],
        sort_keys=True,
        ensure_ascii=False,
        default=str,
        separators=(",", ":"),
    )
    return hashlib.sha256(before + body.encode()).digest()


async def seal(conn: asyncpg.Connection, limit: int = 500) -> int:
    """Chain up to `limit` unsealed rows; returns how many. Only one sealer at a time does anything."""
    async with conn.transaction():
        if not await conn.fetchval(
            "select pg_try_advisory_xact_lock($1, hashtext(current_schema()))", SEAL_LOCK
        ):
            return 0
        head = await conn.fetchrow(_HEAD)
        seq, last = (head["seq"], head["hash"]) if head else (0, b"")
        links: list[tuple[int, UUID, bytes]] = []
        for record in await conn.fetch(_UNSEALED, limit):
            seq, last = seq + 1, digest(last, Row(**dict(record)))
            links.append((seq, record["id"], last))
        if links:
            await conn.execute(_SEAL, *(list(column) for column in zip(*links, strict=True)))
        return len(links)


async def verify(conn: asyncpg.Connection) -> int:
    """Walk the whole chain; returns the number of sealed rows.

    Raises: AuditBroken, at the first link that does not hold.
    """
    seq, last = 0, b""
    while records := await conn.fetch(_CHAIN, seq, 1000):
        for record in records:
            seq += 1
            fields = {k: record[k] for k in ("id", "at", "actor", "action", "subject", "details")}
            if record["seq"] != seq or record["id"] is None:
                raise AuditBroken(seq, f"Audit row {seq} is missing; compare with the last backup.")
            last = digest(last, Row(**fields))
            if last != record["hash"]:
                raise AuditBroken(
                    seq, f"Audit row {seq} ({record['audit_id']}) was changed after it was sealed."
                )
    return seq
