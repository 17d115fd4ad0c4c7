"""SQL of the live status: what orders, notices, sightings and DNA told us, folded by case.

Every write guards against older news, since topics keep order by key only; a fact of a case that is not ours
changes nothing. Folds wait for the end of their transaction: a batch of facts is one round trip a kind.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg

from alerts import store
from contracts.base import Fact
from contracts.dna import DnaFact
from contracts.notice import NoticeFact
from contracts.order import OrderFact, PlanPublished
from contracts.sighting import SightingAssessed, SightingReported
from guitu.tx import Tx

_PLAN = """
with newest as (
    insert into plan_line (
        case_id, region_code, plan_id, plan_number, published_at, closed_exits, open_exits, units_free, figures, cause)
    select $1, $2, $3, $4, $5, $6, $7, $8, $11, $12 where exists (select 1 from case_file where id = $1)
    on conflict (case_id) do update set
        plan_id = excluded.plan_id, plan_number = excluded.plan_number, published_at = excluded.published_at,
        closed_exits = excluded.closed_exits, open_exits = excluded.open_exits, units_free = excluded.units_free,
        figures = excluded.figures, cause = excluded.cause
    where plan_line.plan_number < excluded.plan_number
    returning case_id)
insert into timeline (case_id, region_code, at, type, details) select case_id, $2, $5, $9, $10 from newest
"""
_ORDER = """
insert into order_line as line (order_id, case_id, region_code, unit_id, state, rank, changed_at, details)
select $1, $2, $3, $4, $5, $6, $7, $8 where exists (select 1 from case_file where id = $2)
on conflict (order_id) do update set
    state = case when line.rank < excluded.rank then excluded.state else line.state end,
    changed_at = case when line.rank < excluded.rank then excluded.changed_at else line.changed_at end,
    rank = greatest(line.rank, excluded.rank),
    details = line.details || excluded.details
"""
_NOTICE = """
insert into notice_line as line (
    delivery_id, case_id, region_code, kind, state, rank, escalated, changed_at)
select $1, $2, $3, $4, $5, $6, $7, $8 where exists (select 1 from case_file where id = $2)
on conflict (delivery_id) do update set
    state = case when line.rank < excluded.rank then excluded.state else line.state end,
    changed_at = case when line.rank < excluded.rank then excluded.changed_at else line.changed_at end,
    rank = greatest(line.rank, excluded.rank),
    escalated = line.escalated or excluded.escalated
"""
_SIGHTING = """
insert into sighting (
    id, case_id, region_code, exercise, seen_at, place, mode, note, channel, site_id, unit_id, reported_at,
    verdict_reason)
select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, ''
where exists (select 1 from case_file where id = $2)
on conflict (id) do nothing
"""
_VERDICT = """
update sighting set verdict = $3, verdict_reason = $4, assessed_at = $5
where id = $1 and case_id = $2 and (assessed_at is null or assessed_at < $5)
"""
_DNA = """
insert into dna_line as line (case_id, type, region_code, at, times, details)
select $1, $2, $3, $4, 1, $5 where exists (select 1 from case_file where id = $1)
on conflict (case_id, type) do update set
    details = case when line.at <= excluded.at then excluded.details else line.details end,
    at = greatest(line.at, excluded.at),
    times = line.times + 1
"""


def fold_plan(tx: Tx, plan: PlanPublished, details: dict[str, Any]) -> None:
    """Keep the newest plan of a case, and tell it; an older one, or one of a case not ours, changes nothing."""
    exits = plan.model_dump(mode="json", include={"open_exits"})["open_exits"]
    tx.later(
        _PLAN,
        plan.case_id,
        plan.region_code,
        plan.plan_id,
        plan.plan_number,
        plan.occurred_at,
        plan.closed_exits,
        exits,
        plan.units_free,
        plan.type_,
        details,
        plan.figures.model_dump(mode="json") if plan.figures else None,
        plan.cause,
    )


def fold_order(tx: Tx, fact: OrderFact, state: str, rank: int, details: dict[str, Any]) -> None:
    """Move an order on."""
    who = fact.order_id, fact.case_id, fact.region_code, fact.unit_id
    tx.later(_ORDER, *who, state, rank, fact.occurred_at, details)


def fold_notice(tx: Tx, fact: NoticeFact, state: str, rank: int, escalated: bool) -> None:
    """Move a notice on."""
    what = fact.delivery_id, fact.case_id, fact.region_code, fact.really
    tx.later(_NOTICE, *what, state, rank, escalated, fact.occurred_at)


def fold_dna(tx: Tx, fact: DnaFact, case_id: UUID, details: dict[str, Any]) -> None:
    """Keep the newest fact of each type and count them."""
    tx.later(_DNA, case_id, fact.type_, fact.region_code, fact.occurred_at, details)


def tell(tx: Tx, fact: Fact, case_id: UUID, details: dict[str, Any]) -> None:
    """Add a line to the timeline of a case of ours."""
    store.timeline_entry(tx, case_id, fact.region_code, fact.occurred_at, fact.type_, details)


async def keep_sighting(conn: asyncpg.Connection, fact: SightingReported) -> bool:
    """Keep a sighting; False if it is known, or the case is not ours."""
    status = await conn.execute(
        _SIGHTING,
        fact.sighting_id,
        fact.case_id,
        fact.region_code,
        fact.exercise,
        fact.seen_at,
        fact.place.model_dump(mode="json"),
        fact.mode,
        fact.note,
        fact.channel,
        fact.site_id,
        fact.unit_id,
        fact.occurred_at,
    )
    return bool(status == "INSERT 0 1")


async def keep_verdict(conn: asyncpg.Connection, fact: SightingAssessed) -> bool:
    """Keep the newest judgement of a sighting; False if it is older, or the sighting is not ours."""
    status = await conn.execute(
        _VERDICT, fact.sighting_id, fact.case_id, fact.verdict, fact.reason, fact.occurred_at
    )
    return bool(status == "UPDATE 1")


async def plan_of(conn: asyncpg.Connection, case_id: UUID) -> asyncpg.Record | None:
    """The newest plan."""
    sql = """
    select plan_id, plan_number, published_at, closed_exits, open_exits, units_free, figures, cause from plan_line
    where case_id = $1
    """
    return await conn.fetchrow(sql, case_id)


async def orders_of(conn: asyncpg.Connection, case_id: UUID, limit: int) -> list[asyncpg.Record]:
    """The orders of a case, the newest change first."""
    sql = """
    select order_id, unit_id, state, changed_at, details from order_line
    where case_id = $1 order by changed_at desc, order_id limit $2
    """
    return list(await conn.fetch(sql, case_id, limit))


async def order_counts(conn: asyncpg.Connection, case_id: UUID) -> dict[str, int]:
    """How many orders stand in each state."""
    sql = "select state, count(*) as many from order_line where case_id = $1 group by state order by state"
    return {row["state"]: row["many"] for row in await conn.fetch(sql, case_id)}


async def notice_counts(conn: asyncpg.Connection, case_id: UUID) -> list[asyncpg.Record]:
    """How many notices of each kind stand in each state, and how many went on to somebody else."""
    sql = """
    select kind, state, count(*) as many, count(*) filter (where escalated) as escalated from notice_line
    where case_id = $1 group by kind, state order by kind, state
    """
    return list(await conn.fetch(sql, case_id))


async def sighting(
    conn: asyncpg.Connection, case_id: UUID, sighting_id: UUID, *, lock: bool = False
) -> asyncpg.Record | None:
    """One sighting of a case."""
    sql = "select id, verdict, verdict_reason from sighting where id = $1 and case_id = $2"
    return await conn.fetchrow(sql + (" for update" if lock else ""), sighting_id, case_id)


async def sightings_of(conn: asyncpg.Connection, case_id: UUID, limit: int) -> list[asyncpg.Record]:
    """The newest sightings of a case."""
    sql = """
    select id as sighting_id, seen_at, place, mode, note, channel, site_id, unit_id, reported_at, verdict,
        verdict_reason, assessed_at
    from sighting where case_id = $1 order by reported_at desc, id limit $2
    """
    return list(await conn.fetch(sql, case_id, limit))


async def dna_of(conn: asyncpg.Connection, case_id: UUID) -> list[asyncpg.Record]:
    """What the laboratory told, a row a type."""
    sql = "select type, at, times, details from dna_line where case_id = $1 order by at, type"
    return list(await conn.fetch(sql, case_id))


async def timeline_of(conn: asyncpg.Connection, case_id: UUID, limit: int) -> list[asyncpg.Record]:
    """The newest lines of the timeline, oldest first."""
    sql = """
    select at, type, details from (
        select seq, at, type, details from timeline where case_id = $1 order by at desc, seq desc limit $2) t
    order by at, seq
    """
    return list(await conn.fetch(sql, case_id, limit))
