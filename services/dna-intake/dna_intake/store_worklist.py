"""SQL of the laboratory's worklist: what waits for a step, since when, and what is late."""
# ruff: noqa: S608 - statements are put together from the column list of `store`, never from input.

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from dna_intake.domain.custody import State
from dna_intake.models import SpecimenRow
from dna_intake.store import SPECIMEN

_WAITING = f"""
select {SPECIMEN}, held.shipment_id as held_by, held.outcome as held_as
from specimen left join lateral (
    -- A tube that was shipped once more is on its way again.
    select i.shipment_id, i.outcome from shipment_item i
    where i.specimen_id = specimen.id and specimen.state = 'collected'
    order by i.changed_at desc, i.shipment_id limit 1
) held on held.outcome in ('missing', 'seal_refused')
where due_at is not null and ($1::text is null or state = $1) and (not $2 or due_at <= $3)
order by due_at, id limit $4
"""
_COUNTS = """
select state, count(*) as waiting, count(*) filter (where due_at <= $1) as overdue
from specimen where due_at is not null group by state
"""
_OVERDUE = f"""
update specimen set overdue_at = $1
where id in (
    select id from specimen where due_at <= $1 and overdue_at is null
    order by due_at limit $2 for update skip locked
)
returning {SPECIMEN}
"""
_HURRY = "update specimen set due_at = least(coalesce(due_at, $2), $2) where id = any($1::uuid[])"


class Waiting(NamedTuple):
    """A specimen that waits for a step, and the shipment that it is missing from or was held back in."""

    row: SpecimenRow
    held_by: UUID | None
    held_as: str | None


class Count(NamedTuple):
    """How many specimens wait in a state, and how many of them too long."""

    state: State
    waiting: int
    overdue: int


async def waiting(
    conn: asyncpg.Connection, state: State | None, now: datetime, limit: int, *, overdue_only: bool
) -> list[Waiting]:
    """The specimens with a clock, the most overdue first."""
    records = await conn.fetch(_WAITING, state, overdue_only, now, limit)
    return [Waiting(SpecimenRow.model_validate(dict(r)), r["held_by"], r["held_as"]) for r in records]


async def counts(conn: asyncpg.Connection, now: datetime) -> list[Count]:
    """How much waits in each state."""
    return [Count(r["state"], r["waiting"], r["overdue"]) for r in await conn.fetch(_COUNTS, now)]


async def mark_overdue(conn: asyncpg.Connection, now: datetime, limit: int) -> list[SpecimenRow]:
    """Mark up to `limit` late specimens, each once for each step."""
    return [SpecimenRow.model_validate(dict(r)) for r in await conn.fetch(_OVERDUE, now, limit)]


async def hurry(conn: asyncpg.Connection, specimen_ids: list[UUID], due_at: datetime) -> None:
    """Bring the clocks of some specimens forward; none is put off."""
    await conn.execute(_HURRY, specimen_ids, due_at)
