"""SQL of the list of cases: one line a case with what its head would say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

_LINES = """
select c.case_id, c.region_code, c.exercise, c.case_code, c.version, c.body, c.raised_at, c.changed_at, c.ended_at,
    c.outcome, c.merged_into, c.end_reason, o.standing, o.unanswered, o.in_position, o.intercepted,
    s.told, s.acknowledged, g.waiting as sightings_waiting, g.sightings,
    jsonb_array_length(p.body -> 'open_exits') as open_exits, (p.body ->> 'closed_exits')::integer as closed_exits
from case_line c
left join plan_line p on p.case_id = c.case_id
cross join lateral (
    select count(*) filter (where state not in ('stood_down', 'stand_down_acknowledged')) as standing,
        count(*) filter (where state in ('issued', 'overdue')) as unanswered,
        count(*) filter (where state in ('in_position', 'nothing_seen')) as in_position,
        count(*) filter (where outcome = 'intercepted') as intercepted
    from order_line where case_id = c.case_id) o
cross join lateral (
    select count(*) as told, count(*) filter (where acked) as acknowledged from (
        select distinct on (site_id) site_id, state = 'acknowledged' as acked from delivery_line
        where case_id = c.case_id and site_id is not null and kind not in ('drill', 'nil_report', 'stood_down')
        order by site_id, alert_version desc, rank desc) newest) s
cross join lateral (
    select count(*) as sightings, count(*) filter (where verdict is null) as waiting
    from sighting_line where case_id = c.case_id and body is not null) g
"""
_THESE = _LINES + "where c.case_id = any($1) and c.body is not null"
_OPEN = (
    _LINES + "where c.ended_at is null and c.body is not null order by c.raised_at desc, c.case_id limit $1"
)
_ENDED = (
    _LINES
    + """
where c.ended_at is not null and c.body is not null and ($2::timestamptz is null or c.raised_at < $2)
order by c.raised_at desc, c.case_id limit $1
"""
)
_FOUND = (
    _LINES
    + """
where c.body is not null and (c.case_code = upper($2) or c.case_code like '%-' || upper($2) || '%')
order by c.ended_at is not null, c.raised_at desc, c.case_id limit $1
"""
)


async def lines(conn: asyncpg.Connection, case_ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """These cases."""
    return list(await conn.fetch(_THESE, list(case_ids)))


async def open_cases(conn: asyncpg.Connection, limit: int) -> list[asyncpg.Record]:
    """What is open, the newest first."""
    return list(await conn.fetch(_OPEN, limit))


async def ended_cases(
    conn: asyncpg.Connection, limit: int, before: datetime | None = None
) -> list[asyncpg.Record]:
    """What is over, the newest first; `before` is where the page before ended."""
    return list(await conn.fetch(_ENDED, limit, before))


async def found_by_code(conn: asyncpg.Connection, code: str, limit: int) -> list[asyncpg.Record]:
    """Cases with this code, or whose number begins so."""
    like = code.replace("\\", "").replace("%", "").replace("_", "")
    return list(await conn.fetch(_FOUND, limit, like))
