"""SQL of the second look: which cases are due, and what a look left behind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg

LookFor = Literal["update", "answer"]

# Exercises after what is real, new plans before old ones; ids rise with time. A new plan is not due at once: its
# orders and notices need the machine first.
_DUE = """
select c.case_id, w.case_id is not null as answered, c.look_tries
from alert_case c left join look_wish w on w.case_id = c.case_id
where c.stood_down_as is null and c.alert is not null and c.plan_number > 0
  and case when c.plan_number > c.looked_number then case when c.look_tries = 0
          then (select made_at from plan p where p.case_id = c.case_id and p.plan_number = c.plan_number) <= $2
          else c.look_after <= $1 end
      else w.case_id is not null or c.look_after <= $1 end
order by c.exercise, c.plan_number = c.looked_number, c.case_id limit 1
"""
_LOOKED = (
    "update alert_case set looked_number = plan_number, look_tries = 0, look_after = $2 where case_id = $1"
)
_WISH_OVER = "delete from look_wish where case_id = $1"
_FAILED = "update alert_case set look_tries = look_tries + 1, look_after = $3 where case_id = $1 and plan_number = $2"
_AGAIN = """
insert into look_wish (case_id, asked_at)
select $1, $2 where exists (select from alert_case where case_id = $1 and stood_down_as is null)
on conflict (case_id) do update set asked_at = excluded.asked_at
"""
_PUT_PROOF = "update plan set proof = $3 where case_id = $1 and plan_number = $2"
_PROOF = """
select plan_number, made_at, published, proof from plan
where case_id = $1 and proof is not null order by plan_number desc limit 1
"""
_FIRST_PLAN = "select made_at from plan where case_id = $1 order by plan_number limit 1"


async def due(
    conn: asyncpg.Connection, now: datetime, new_until: datetime
) -> tuple[UUID, LookFor, int] | None:
    """The case that has waited longest: its id, why, and how often its look failed; newer plans wait."""
    row = await conn.fetchrow(_DUE, now, new_until)
    return (row["case_id"], "answer" if row["answered"] else "update", row["look_tries"]) if row else None


async def looked(conn: asyncpg.Connection, case_id: UUID, again_at: datetime | None) -> None:
    """The newest plan had its look; the next one comes with the next plan, or at that time."""
    await conn.execute(_LOOKED, case_id, again_at)
    await conn.execute(_WISH_OVER, case_id)


async def failed(conn: asyncpg.Connection, case_id: UUID, plan_number: int, again_at: datetime) -> None:
    """The look at this plan failed; try it again then."""
    await conn.execute(_FAILED, case_id, plan_number, again_at)


async def look_again(conn: asyncpg.Connection, case_id: UUID, now: datetime) -> None:
    """A unit answered: what is known has changed, and the plan with it, maybe."""
    await conn.execute(_AGAIN, case_id, now)


async def look_no_more(conn: asyncpg.Connection, case_id: UUID) -> None:
    """The case is over."""
    await conn.execute(_WISH_OVER, case_id)


async def put_proof(
    conn: asyncpg.Connection, case_id: UUID, plan_number: int, proof: Mapping[str, Any]
) -> None:
    """Keep what the look found with its plan."""
    await conn.execute(_PUT_PROOF, case_id, plan_number, dict(proof))


async def newest_proof(conn: asyncpg.Connection, case_id: UUID) -> asyncpg.Record | None:
    """plan_number, made_at, published and proof of the newest plan that had a look."""
    return await conn.fetchrow(_PROOF, case_id)


async def first_planned_at(conn: asyncpg.Connection, case_id: UUID) -> datetime | None:
    """When the case got its first plan."""
    moment: datetime | None = await conn.fetchval(_FIRST_PLAN, case_id)
    return moment
