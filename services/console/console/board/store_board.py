"""SQL of the board: a case as it is folded now, whole or some of its lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

TIMELINE_MAX = 10_000
"""More than weeks of a case have; a page has to end somewhere."""

_SEQ = "select seq, fact_at from change order by seq desc limit 1"
_CASE = """
select case_id, region_code, exercise, case_code, version, body, raised_at, changed_at, ended_at, outcome,
    merged_into, end_reason
from case_line where case_id = $1 and body is not null
"""
_PLAN = "select plan_number, published_at, body from plan_line where case_id = $1"
_ORDERS = """
select o.order_id, o.unit_id, o.state, o.changed_at, o.issued, o.stop, o.issued_at, o.accepted_at,
    o.in_position_at, o.reported_at, o.outcome, o.overdue_at, o.reassigned_to, o.stood_down_at,
    o.stood_down_reason, o.cause, o.acknowledged_at, s.state as sms, s.changed_at as sms_at,
    s.delivery_id as sms_delivery_id
from order_line o
left join lateral (
    -- Notices name no order. A unit has one standing order at a time, so the first notice of the kind after the order
    -- (or its end) is about it; of its contacts, the one who came furthest counts.
    select d.state, d.changed_at, d.delivery_id from delivery_line d
    where d.case_id = o.case_id and d.unit_id = o.unit_id and d.notice_id = (
        select f.notice_id from delivery_line f
        where f.case_id = o.case_id and f.unit_id = o.unit_id
            and f.kind = case when o.stood_down_at is null then 'order' else 'order_stood_down' end
            and f.queued_at >= coalesce(o.stood_down_at, o.issued_at)
        order by f.queued_at, f.delivery_id limit 1)
    order by d.rank desc, d.queued_at desc limit 1) s on true
where o.case_id = $1 and ($2::uuid[] is null or o.order_id = any($2) or o.unit_id = any($3::uuid[]))
order by o.issued_at nulls last, o.order_id
"""
# What waits when a case ends is never sent, and no fact says so of each (see `notifications.handlers`).
_STANDS = """
case when d.state = 'queued' and d.kind in ('raised', 'updated', 'widened')
    and exists (select from case_line c where c.case_id = d.case_id and c.ended_at is not null)
    then 'cancelled' else d.state end
"""
_SITES = f"""
with mine as (
    select d.*, {_STANDS} as stands, max(d.alert_version) filter (where d.kind not in ('drill', 'nil_report'))
        over (partition by d.site_id) as newest
    from delivery_line d
    where d.case_id = $1 and d.site_id is not null and ($2::uuid[] is null or d.site_id = any($2)))
select site_id, max(newest) as alert_version,
    (array_agg(kind order by queued_at desc nulls last, delivery_id desc) filter (where now_on))[1] as kind,
    (array_agg(delivery_id order by queued_at desc nulls last, delivery_id desc) filter (where now_on))[1]
        as delivery_id,
    (array_agg(stands order by rank desc, changed_at desc) filter (where now_on))[1] as state,
    max(changed_at) filter (where now_on) as changed_at,
    count(*) filter (where now_on) as attempts,
    min(queued_at) filter (where now_on) as queued_at,
    min(accepted_at) filter (where now_on) as sent_at,
    min(delivered_at) filter (where now_on) as delivered_at,
    min(opened_at) filter (where now_on) as opened_at,
    min(acknowledged_at) filter (where now_on) as acknowledged_at,
    min(acknowledged_at) filter (where not now_on) as acknowledged_before,
    max(channel) filter (where now_on) as channel,
    max(seen_nothing_until) as seen_nothing_until,
    (array_agg(failed_code order by failed_at desc nulls last) filter (where now_on and state = 'failed'))[1]
        as failed_code,
    (array_agg(failed_reason order by failed_at desc nulls last) filter (where now_on and state = 'failed'))[1]
        as failed_reason,
    max(escalated_at) filter (where now_on) as escalated_at,
    (array_agg(escalated_to order by escalated_at desc nulls last) filter (where now_on))[1] as escalated_to,
    (select max(s.reported_at) from sighting_line s
        where s.case_id = $1 and s.body ->> 'site_id' = mine.site_id::text) as sighting_at
from mine, lateral (select coalesce(mine.alert_version = mine.newest and mine.kind not in ('drill', 'nil_report'),
    mine.newest is null) as now_on) n
group by site_id order by site_id
"""  # noqa: S608 - built from constants of this file only.
_SIGHTINGS = """
select sighting_id, reported_at, body, verdict, verdict_reason, assessed_at from sighting_line
where case_id = $1 and body is not null and ($2::uuid[] is null or sighting_id = any($2))
order by reported_at desc, sighting_id
"""
# With its case a sample lapses that nobody took; which were taken no fact of a case says (ADR 0013).
_DNA = """
select type, at, times, details, type = 'guitu.dna.sample_requested.v1' and exists (
    select from case_line c where c.case_id = $1 and c.ended_at is not null) as lapsed
from dna_line
where case_id = $1 and ($2::text[] is null or type = any($2)) order by at, type
"""
_AID = """
select request_id, neighbour, exit_id, asked, requested_at, withdrawn_at, withdrawn_reason from aid_line
where case_id = $1 and ($2::uuid[] is null or request_id = any($2)) order by requested_at, request_id
"""
_TIMELINE = """
select event_id, at, type, details from (
    select event_id, at, type, details from timeline
    where case_id = $1 and ($2::uuid[] is null or event_id = any($2)) order by at desc, event_id desc limit $3) newest
order by at, event_id
"""
_TIMELINE_LENGTH = "select count(*) from timeline where case_id = $1"
_ORDER_COUNTS = "select state, count(*) as many from order_line where case_id = $1 group by state"
_SITE_COUNTS = f"""
select state, count(*) as many from (
    select distinct on (d.site_id) d.site_id, {_STANDS} as state from delivery_line d
    where d.case_id = $1 and d.site_id is not null and d.kind not in ('drill', 'nil_report')
    order by d.site_id, d.alert_version desc, d.rank desc) newest
group by state
"""  # noqa: S608 - built from constants of this file only.
_SIGHTING_COUNTS = """
select coalesce(verdict, 'unassessed') as state, count(*) as many from sighting_line
where case_id = $1 and body is not null group by 1
"""


async def position(conn: asyncpg.Connection) -> tuple[int, datetime | None]:
    """The number of the newest change and its fact's time; 0 and None before the first."""
    row = await conn.fetchrow(_SEQ)
    return (row["seq"], row["fact_at"]) if row else (0, None)


async def case(conn: asyncpg.Connection, case_id: UUID) -> asyncpg.Record | None:
    """The case, once an alert of it was read."""
    return await conn.fetchrow(_CASE, case_id)


async def plan(conn: asyncpg.Connection, case_id: UUID) -> asyncpg.Record | None:
    """The newest plan."""
    return await conn.fetchrow(_PLAN, case_id)


async def orders(
    conn: asyncpg.Connection,
    case_id: UUID,
    order_ids: Sequence[UUID] | None = None,
    unit_ids: Sequence[UUID] = (),
) -> list[asyncpg.Record]:
    """The orders of a case: all, or these and those of these units."""
    only = None if order_ids is None else list(order_ids)
    return list(await conn.fetch(_ORDERS, case_id, only, list(unit_ids)))


async def sites(
    conn: asyncpg.Connection, case_id: UUID, site_ids: Sequence[UUID] | None = None
) -> list[asyncpg.Record]:
    """The matrix: one row a site."""
    return list(await conn.fetch(_SITES, case_id, None if site_ids is None else list(site_ids)))


async def sightings(
    conn: asyncpg.Connection, case_id: UUID, ids: Sequence[UUID] | None = None
) -> list[asyncpg.Record]:
    """Sightings, the newest first."""
    return list(await conn.fetch(_SIGHTINGS, case_id, None if ids is None else list(ids)))


async def dna(
    conn: asyncpg.Connection, case_id: UUID, types: Sequence[str] | None = None
) -> list[asyncpg.Record]:
    """What the laboratory told, a row a type."""
    return list(await conn.fetch(_DNA, case_id, None if types is None else list(types)))


async def aid(
    conn: asyncpg.Connection, case_id: UUID, ids: Sequence[UUID] | None = None
) -> list[asyncpg.Record]:
    """What neighbours were asked."""
    return list(await conn.fetch(_AID, case_id, None if ids is None else list(ids)))


async def timeline(
    conn: asyncpg.Connection, case_id: UUID, ids: Sequence[UUID] | None = None, most: int = TIMELINE_MAX
) -> list[asyncpg.Record]:
    """The newest lines, oldest first; or these."""
    only = None if ids is None else list(ids)
    return list(await conn.fetch(_TIMELINE, case_id, only, most))


async def timeline_length(conn: asyncpg.Connection, case_id: UUID) -> int:
    """How many lines the timeline has."""
    return int(await conn.fetchval(_TIMELINE_LENGTH, case_id))


async def counts(conn: asyncpg.Connection, case_id: UUID) -> tuple[dict[str, int], ...]:
    """How many orders, sites and sightings stand in each state."""
    found = []
    for sql in (_ORDER_COUNTS, _SITE_COUNTS, _SIGHTING_COUNTS):
        found.append({row["state"]: row["many"] for row in await conn.fetch(sql, case_id)})
    return tuple(found)
