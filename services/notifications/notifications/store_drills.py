"""SQL of drills to one site: who is asked, what was sent, after how long it was answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from notifications.domain.duty import minute_of_week
from notifications.store import OPEN_FOR, Row

# Locked, so that two people who press at once start one drill.
_SITE = """
select site_id, region_code, exercise_ok, retired_at, name_zh, name_en from site where site_id = $1
for no key update
"""
_LAST_STARTED = "select max(started_at) from drill where site_id = $1"
_CONTACT = """
select c.contact_id, coalesce(open.codes, '{}') as codes
from contact c
left join lateral (
    select array_agg(o.ack_code) as codes from delivery o
    where o.contact_id = c.contact_id and o.queued_at > $2::timestamptz
) open on true
where c.site_id = $1 and c.exercise_list and c.sms_ok and c.retired_at is null and c.opted_out_at is null
order by c.on_duty @> $3::int desc, c.contact_order, c.contact_id limit 1
"""
_ADD_CASE = """
insert into known_case (case_id, region_code, exercise, case_code, version) values ($1, $2, true, $3, 1)
returning *
"""
_ADD_DRILL = """
insert into drill (case_id, site_id, delivery_id, region_code, started_by, started_at)
values ($1, $2, $3, $4, $5, $6)
"""
_DRILLS = """
select r.case_id as drill_id, k.case_code as code, r.site_id, s.name_zh, s.name_en, r.started_by, r.started_at,
    d.id as delivery_id, d.state, d.accepted_at, d.delivered_at, d.failed_at, d.acknowledged_at,
    extract(epoch from d.acknowledged_at - coalesce(d.attempted_at, d.queued_at))::float8 as answered_after_s
from drill r join known_case k on k.case_id = r.case_id join delivery d on d.id = r.delivery_id
join site s on s.site_id = r.site_id
order by r.started_at desc, r.case_id limit $1
"""


async def site(conn: asyncpg.Connection, site_id: UUID) -> Row | None:
    """The site, locked until the transaction ends."""
    row: Row | None = await conn.fetchrow(_SITE, site_id)
    return row


async def last_started(conn: asyncpg.Connection, site_id: UUID) -> datetime | None:
    """When this site had its last drill."""
    at: datetime | None = await conn.fetchval(_LAST_STARTED, site_id)
    return at


async def contact(conn: asyncpg.Connection, site_id: UUID, now: datetime) -> Row | None:
    """Whom a drill asks: of the exercise list the first on duty, or the first of all if none is."""
    row: Row | None = await conn.fetchrow(_CONTACT, site_id, now - OPEN_FOR, minute_of_week(now))
    return row


async def add_case(conn: asyncpg.Connection, case_id: UUID, region_code: str, code: str) -> Row:
    """The drill's own case, an exercise that no other service knows."""
    row = await conn.fetchrow(_ADD_CASE, case_id, region_code, code)
    assert row is not None, "The statement returns exactly one row."
    return dict(row)


async def add_drill(conn: asyncpg.Connection, *values: Any) -> None:
    """Remember it: case_id, site_id, delivery_id, region_code, started_by, started_at."""
    await conn.execute(_ADD_DRILL, *values)


async def drills(conn: asyncpg.Connection, limit: int) -> list[Row]:
    """The last drills with their results, newest first."""
    return list(await conn.fetch(_DRILLS, limit))
