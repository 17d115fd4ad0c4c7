"""SQL of the auditor: the evidence for each recipient in one statement, its runs, and pages to the operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

Row = Mapping[str, Any]
RUNS_KEPT = timedelta(days=7)
STOOD_DOWN_FOR = timedelta(days=2)
"""A case that is over is looked at for so long; its stand-downs are given up long before."""
PAGE_EVERY = timedelta(minutes=10)

_PLANNED = "update notice set planned = planned + $2 where id = $1"
# Windows and not self-joins: 10,000 deliveries of one notice are sorted, never compared each with each.
_OPEN_CASES = """
with mine as (
    select d.id, d.notice_id, d.case_id, d.region_code, d.state, d.queued_at, d.expires_at, d.answer_due_at,
        d.escalated_at, d.acknowledged_at, d.version, d.kind = 'order' as is_order, d.key,
        bool_or(d.acknowledged_at is not null) over place as acknowledged,
        max(d.queued_at) over place as last_at, count(*) over place as at_place,
        max(d.queued_at) over contact as newest_at, max(d.version) over contact as newest_version
    from known_case k join delivery d on d.case_id = k.case_id
    where k.stood_down_at is null and d.kind in ('raised', 'updated', 'widened', 'order')
    window place as (partition by d.notice_id, coalesce(d.site_id, d.unit_id)),
        contact as (partition by d.case_id, d.contact_id, d.kind = 'order')
)
select d.id as delivery_id, d.notice_id, d.case_id, d.region_code, d.state, d.expires_at, d.answer_due_at,
    d.escalated_at, d.is_order, d.acknowledged, e.escalated_to, a.lease_until,
    not d.is_order and (d.newest_version > d.version or d.newest_at > d.queued_at) as has_newer,
    d.at_place > 1 and coalesce(d.last_at >= d.escalated_at, false) as has_next,
    exists (select 1 from task t where t.delivery_id = d.id) as has_task,
    d.is_order and exists (select 1 from notice o
        where o.case_id = d.case_id and o.kind = 'order_stood_down' and o.key = d.key) as order_is_over
from mine d
left join escalation e on e.delivery_id = d.id
left join attempt a on a.delivery_id = d.id and a.state = 'posting' and d.state = 'sending'
where d.acknowledged_at is null
"""
_COUNT_OPEN = """
select count(*) from known_case k join delivery d on d.case_id = k.case_id
where k.stood_down_at is null and d.kind in ('raised', 'updated', 'widened', 'order')
"""
_MISSING = """
select n.id as notice_id, n.case_id, n.region_code from notice n join known_case k on k.case_id = n.case_id
left join delivery d on d.notice_id = n.id
where k.stood_down_at is null or k.stood_down_at > $1
group by n.id having count(d.id) < n.planned
"""
# Told is whoever has an attempt that was, or may have been, accepted: not what the delivery says of itself.
_STOOD_DOWN = """
select distinct on (told.case_id, told.contact_id)
    told.id as delivery_id, told.notice_id, told.case_id, told.region_code,
    over.id as over_id, over.state, over.expires_at, over.failed_at, over.expired_at,
    exists (select 1 from task t where t.delivery_id = over.id) as has_task
from known_case k join delivery told on told.case_id = k.case_id and told.kind in ('raised', 'updated', 'widened')
join attempt a on a.delivery_id = told.id and a.state in ('accepted', 'unknown', 'given_up')
left join delivery over on over.case_id = told.case_id and over.contact_id = told.contact_id
    and over.kind = 'stood_down'
where k.stood_down_at > $1
-- Over another channel it may have arrived: the one that stands best counts.
order by told.case_id, told.contact_id, (over.state in ('accepted', 'sent', 'delivered')) desc nulls last,
    has_task desc, told.queued_at
"""
_ADD_RUN = """
insert into audit_run (id, ran_at, took_ms, checked, found, violations) values ($1, $2, $3, $4, $5, $6)
"""
_FORGET_RUNS = "delete from audit_run where ran_at < $1"
_LAST_RUN = """
select ran_at, took_ms, checked, found, violations from audit_run order by ran_at desc, id desc limit 1
"""
_ASK_PAGE = """
insert into alarm_page (id, slot, reason, state, created_at)
select $1, $2, $3, 'pending', $4 where not exists (select 1 from alarm_page where created_at > $5)
on conflict (slot) do nothing returning id
"""
_TAKE_PAGE = """
update alarm_page set state = 'sending', started_at = $1
where id = (select id from alarm_page where state = 'pending' order by created_at limit 1
    for no key update skip locked)
returning id, reason
"""
_PAGE_ENDED = "update alarm_page set state = $2, ended_at = $3, code = $4 where id = $1"


async def planned(conn: asyncpg.Connection, notice_id: UUID, added: int) -> None:
    """So many deliveries more belong to this notice."""
    if added:
        await conn.execute(_PLANNED, notice_id, added)


async def open_deliveries(conn: asyncpg.Connection) -> list[Row]:
    """Each delivery of an open case that was not itself acknowledged, with who could hold its recipient."""
    return list(await conn.fetch(_OPEN_CASES))


async def count_open(conn: asyncpg.Connection) -> int:
    """How many deliveries open cases have."""
    return int(await conn.fetchval(_COUNT_OPEN))


async def missing(conn: asyncpg.Connection, now: datetime) -> list[Row]:
    """Notices with fewer deliveries than were planned."""
    return list(await conn.fetch(_MISSING, now - STOOD_DOWN_FOR))


async def stood_down(conn: asyncpg.Connection, now: datetime) -> list[Row]:
    """Each contact who was told of a case that is over, with how the stand-down to them stands."""
    return list(await conn.fetch(_STOOD_DOWN, now - STOOD_DOWN_FOR))


async def add_run(
    conn: asyncpg.Connection,
    run_id: UUID,
    now: datetime,
    took_ms: int,
    checked: int,
    found: int,
    violations: Sequence[Mapping[str, str | None]],
) -> None:
    """Keep what an audit found, and forget those of more than a week ago."""
    await conn.execute(_ADD_RUN, run_id, now, took_ms, checked, found, list(violations))
    await conn.execute(_FORGET_RUNS, now - RUNS_KEPT)


async def last_run(conn: asyncpg.Connection) -> Row | None:
    """The newest audit."""
    row: Row | None = await conn.fetchrow(_LAST_RUN)
    return row


async def ask_page(conn: asyncpg.Connection, page_id: UUID, reason: str, now: datetime) -> bool:
    """Ask for a page to the operator; False if one was asked for within ten minutes."""
    slot = int(now.timestamp() // PAGE_EVERY.total_seconds())
    return await conn.fetchval(_ASK_PAGE, page_id, slot, reason, now, now - PAGE_EVERY) is not None


async def take_page(conn: asyncpg.Connection, now: datetime) -> Row | None:
    """A page that waits, marked as being sent: nobody takes it a second time."""
    row: Row | None = await conn.fetchrow(_TAKE_PAGE, now)
    return row


async def page_ended(conn: asyncpg.Connection, page_id: UUID, state: str, now: datetime, code: str) -> None:
    """What became of a page."""
    await conn.execute(_PAGE_ENDED, page_id, state, now, code)
