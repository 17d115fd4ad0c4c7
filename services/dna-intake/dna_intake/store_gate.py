"""SQL of the registration gate: requests, their decisions, and which of them are to be looked at."""
# ruff: noqa: S608 - statements are put together from the column lists below, never from input.

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import asyncpg

from dna_intake.models_gate import DecisionRow, GateRow

_REQUEST = """
id, specimen_id, office_reference, region_code, exercise, kind, subscription_id, asked_at, asked_by, closed_at,
outcome, seq, decision, reason, generation, deadline, valid_until, lead, decided_at, behind_since
"""
_ADD = """
insert into gate_request (id, specimen_id, office_reference, region_code, exercise, kind, subscription_id, asked_at,
    asked_by, seq, decision, reason, generation, deadline, valid_until, lead, decided_at, look_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17)
on conflict (specimen_id, office_reference) do nothing
"""
_BY_ID = f"select {_REQUEST} from gate_request where id = $1"
_LOCK = f"select {_REQUEST} from gate_request where id = $1 for update"
_LOCK_BY_REFERENCE = f"""
select {_REQUEST} from gate_request where specimen_id = $1 and office_reference = $2 for update
"""
_DECISION = """
request_id, seq, region_code, decision, reason, generation, searched_through, kit, loci_typed, table_sha256,
deadline, valid_until, lead, decided_at
"""
_ADD_DECISION = f"""
insert into gate_decision ({_DECISION}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
"""
_FOLLOW = """
update gate_request set seq = $2, decision = $3, reason = $4, generation = $5, deadline = $6, valid_until = $7,
    lead = $8, decided_at = $9, behind_since = null
where id = $1
"""
_DECISIONS = f"select {_DECISION} from gate_decision where request_id = $1 order by seq desc limit $2"
_LIST = f"""
select {_REQUEST} from gate_request
where ($1::uuid is null or id < $1) and ($2::uuid is null or specimen_id = $2)
    and ($3::text is null or office_reference = $3) and ($4::text is null or decision = $4)
    and ($5::boolean is null or (closed_at is null) = $5)
    and (not $6 or (closed_at is null and deadline < $7))
order by id desc limit $8
"""
_CLOSE = "update gate_request set closed_at = $2, closed_by = $3, outcome = $4 where id = $1"
_LOOK_AT = "update gate_request set look_at = $2 where id = $1"
# Left as it is where it is due already, so that a move waits for nobody who is just looking.
WAKE = """
update gate_request set look_at = $2 where specimen_id = $1 and closed_at is null and look_at > $2
"""
_FALL_BEHIND = """
update gate_request set behind_since = $2, look_at = least(look_at, $2)
where id in (
    select id from gate_request
    where closed_at is null and decision = 'clear' and behind_since is null and generation < $1
    order by generation limit $3 for update skip locked
)
"""
# Looks are minutes apart at most: one that is further off was set by a clock that ran ahead.
_CLAIM = """
update gate_request set look_at = $2
where id in (
    select id from gate_request
    where closed_at is null and (look_at <= $1 or look_at > $1 + interval '10 minutes')
    order by look_at limit $3 for update skip locked
)
returning id
"""
_COUNT = """
select coalesce(region_code, '') as region_code, decision, count(*) as requests,
    count(*) filter (where deadline < $1) as overdue
from gate_request where closed_at is null group by region_code, decision
"""
_REGION = "select current_setting('guitu.region', true)"
_SET_REGION = "select set_config('guitu.region', $1, true)"


@asynccontextmanager
async def all_regions(conn: asyncpg.Connection) -> AsyncIterator[None]:
    """See every region for a moment, then as before: a family may be looking from anywhere.

    Without it row-level security would hide a lead of another county, and the gate would say clear.
    """
    before = await conn.fetchval(_REGION)
    await conn.execute(_SET_REGION, "*")
    try:
        yield
    except BaseException:
        # The transaction is over; its settings end with it.
        raise
    else:
        await conn.execute(_SET_REGION, before)


async def add(conn: asyncpg.Connection, row: GateRow) -> bool:
    """Add a request; False if the specimen has one under this reference."""
    status = await conn.execute(
        _ADD,
        row.id,
        row.specimen_id,
        row.office_reference,
        row.region_code,
        row.exercise,
        row.kind,
        row.subscription_id,
        row.asked_at,
        row.asked_by,
        row.seq,
        row.decision,
        row.reason,
        row.generation,
        row.deadline,
        row.valid_until,
        row.lead,
        row.decided_at,
    )
    return bool(status == "INSERT 0 1")


async def request(conn: asyncpg.Connection, request_id: UUID) -> GateRow | None:
    """One request, if it is visible."""
    return _row(await conn.fetchrow(_BY_ID, request_id))


async def lock(conn: asyncpg.Connection, request_id: UUID) -> GateRow | None:
    """One request, locked for the rest of the transaction, so that its decisions have one writer."""
    return _row(await conn.fetchrow(_LOCK, request_id))


async def lock_by_reference(conn: asyncpg.Connection, specimen_id: UUID, reference: str) -> GateRow | None:
    """The request that an office has made for a specimen under its reference, locked."""
    return _row(await conn.fetchrow(_LOCK_BY_REFERENCE, specimen_id, reference))


def _row(record: asyncpg.Record | None) -> GateRow | None:
    return GateRow.model_validate(dict(record)) if record else None


async def add_decision(conn: asyncpg.Connection, row: DecisionRow) -> None:
    """Append a decision to its request's history."""
    await conn.execute(
        _ADD_DECISION,
        row.request_id,
        row.seq,
        row.region_code,
        row.decision,
        row.reason,
        row.generation,
        row.searched_through,
        row.kit,
        row.loci_typed,
        row.table_sha256,
        row.deadline,
        row.valid_until,
        row.lead,
        row.decided_at,
    )


async def follow(conn: asyncpg.Connection, row: DecisionRow) -> None:
    """Let a locked request stand as its newest decision says."""
    await conn.execute(
        _FOLLOW,
        row.request_id,
        row.seq,
        row.decision,
        row.reason,
        row.generation,
        row.deadline,
        row.valid_until,
        row.lead,
        row.decided_at,
    )


async def decisions(conn: asyncpg.Connection, request_id: UUID, limit: int) -> list[DecisionRow]:
    """The decisions of a request, the newest first."""
    return [DecisionRow.model_validate(dict(r)) for r in await conn.fetch(_DECISIONS, request_id, limit)]


async def listed(
    conn: asyncpg.Connection,
    now: datetime,
    limit: int,
    *,
    before: UUID | None,
    specimen_id: UUID | None,
    office_reference: str | None,
    decision: str | None,
    is_open: bool | None,
    overdue: bool,
) -> list[GateRow]:
    """Visible requests, the newest first, before the cursor."""
    wanted = (before, specimen_id, office_reference, decision, is_open, overdue, now, limit)
    return [GateRow.model_validate(dict(r)) for r in await conn.fetch(_LIST, *wanted)]


async def close(conn: asyncpg.Connection, request_id: UUID, now: datetime, actor: str, outcome: str) -> None:
    """End a locked request."""
    await conn.execute(_CLOSE, request_id, now, actor, outcome)


async def look_again(conn: asyncpg.Connection, request_id: UUID, at: datetime) -> None:
    """When a locked request is looked at next by itself."""
    await conn.execute(_LOOK_AT, request_id, at)


async def fall_behind(conn: asyncpg.Connection, generation: int, now: datetime, limit: int) -> int:
    """Mark up to `limit` clear decisions that are older than the newest family; returns how many."""
    status: str = await conn.execute(_FALL_BEHIND, generation, now, limit)
    return int(status.rpartition(" ")[2])


async def claim(conn: asyncpg.Connection, now: datetime, until: datetime, limit: int) -> list[UUID]:
    """Take up to `limit` requests that are due; nobody else takes them before `until`."""
    return [row["id"] for row in await conn.fetch(_CLAIM, now, until, limit)]


async def counts(conn: asyncpg.Connection, now: datetime) -> list[asyncpg.Record]:
    """Open requests by region and decision, and how many of them are overdue."""
    return list(await conn.fetch(_COUNT, now))
