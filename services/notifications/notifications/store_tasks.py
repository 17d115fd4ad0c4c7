"""SQL of tasks: what a person must do, opened once, ended once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from notifications.domain.task_words import ByItself, TaskKind

Row = Mapping[str, Any]

_OPEN_FOR_DELIVERIES = """
insert into task (kind, opened_at, due_at, id, case_id, delivery_id, region_code, exercise)
select $1, $2, $3, x.task_id, d.case_id, d.id, d.region_code, n.exercise
from unnest($4::uuid[], $5::uuid[]) as x (task_id, delivery_id)
join delivery d on d.id = x.delivery_id join notice n on n.id = d.notice_id
on conflict do nothing returning id
"""
_OPEN_FOR_REPLY = """
insert into task (id, kind, opened_at, due_at, case_id, delivery_id, inbound_id, region_code, exercise)
select $1, $2, $3, $4, d.case_id, null, i.id, c.region_code, coalesce(n.exercise, false)
from inbound i join contact c on c.contact_id = i.contact_id
left join delivery d on d.id = i.delivery_id left join notice n on n.id = d.notice_id where i.id = $5
on conflict do nothing returning id
"""
# A stand-down that nobody got leaves people searching: a person has to tell them.
_STOPS_NOT_TOLD = """
select d.id from delivery d
where d.kind = any($1::text[]) and d.state in ('failed', 'expired') and coalesce(d.failed_at, d.expired_at) > $2
  and not exists (select 1 from task t where t.delivery_id = d.id) order by d.queued_at limit $3
"""
_CASE_OVER = """
update task set done_at = $2, done_by = $3, result = 'stood_down' where case_id = $1 and done_at is null
  and kind = 'call_site'
returning id
"""
# Whoever of the site answers, the site knows; an answer to a newer notice answers the older ones.
_ANSWERED = """
update task t set done_at = $2, done_by = $3, result = 'acknowledged_after_all'
from delivery of_task, delivery answered
where answered.id = any($1::uuid[]) and t.delivery_id = of_task.id and t.done_at is null and t.kind = 'call_site'
  and of_task.case_id = answered.case_id and of_task.version <= answered.version
  and (of_task.site_id = answered.site_id
    or (of_task.unit_id = answered.unit_id and of_task.key = answered.key))
returning t.id
"""
_COLUMNS = """
t.id, t.kind, t.case_id, t.delivery_id, t.inbound_id, t.region_code, t.exercise, t.opened_at, t.due_at, t.done_at,
    t.done_by, t.result, t.note, k.case_code, d.kind as notice_kind, coalesce(d.site_id, c.site_id) as site_id,
    coalesce(d.unit_id, c.unit_id) as unit_id, s.name_zh, s.name_en, i.body as reply, i.received_at as replied_at
"""
_JOINED = """
from task t left join known_case k on k.case_id = t.case_id
left join inbound i on i.id = t.inbound_id
left join delivery d on d.id = coalesce(t.delivery_id, i.delivery_id)
left join contact c on c.contact_id = coalesce(t.contact_id, i.contact_id)
left join site s on s.site_id = coalesce(d.site_id, c.site_id)
"""
_OPEN = f"""
select {_COLUMNS} {_JOINED} where t.done_at is null
order by t.exercise, t.due_at, t.id limit $1
"""
_ALL = f"""
select {_COLUMNS} {_JOINED} order by (t.done_at is not null), t.exercise, t.due_at, t.id limit $1
"""
_LOCK = "select * from task where id = $1 for no key update"
_ONE = f"select {_COLUMNS} {_JOINED} where t.id = $1"
_DONE = "update task set done_at = $2, done_by = $3, result = $4, note = $5 where id = $1"
_PHONES = """
select site_id, unit_id, label, role, phone, language from contact
where (site_id = any($1::uuid[]) or unit_id = any($2::uuid[])) and retired_at is null order by contact_order, contact_id
"""


async def open_for_deliveries(
    conn: asyncpg.Connection,
    kind: TaskKind,
    now: datetime,
    due_at: datetime,
    rows: Sequence[tuple[UUID, UUID]],
) -> list[UUID]:
    """Open tasks (task_id, delivery_id); returns those that are new: one of a kind, open or done, is enough."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    return [row["id"] for row in await conn.fetch(_OPEN_FOR_DELIVERIES, kind, now, due_at, *columns)]


async def open_for_reply(
    conn: asyncpg.Connection, task_id: UUID, kind: TaskKind, now: datetime, due_at: datetime, of: UUID
) -> bool:
    """Open a task about a reply from a known number; False if there is one."""
    return await conn.fetchval(_OPEN_FOR_REPLY, task_id, kind, now, due_at, of) is not None


async def stops_not_told(
    conn: asyncpg.Connection, kinds: Sequence[str], failed_after: datetime, limit: int
) -> list[UUID]:
    """Stand-downs that failed since then and that no task is about."""
    return [row["id"] for row in await conn.fetch(_STOPS_NOT_TOLD, list(kinds), failed_after, limit)]


async def end_of_case(conn: asyncpg.Connection, case_id: UUID, now: datetime, by: str) -> int:
    """The case is over: nobody has to be called about it any more; returns how many ended."""
    return len(await conn.fetch(_CASE_OVER, case_id, now, by))


async def end_answered(conn: asyncpg.Connection, delivery_ids: Sequence[UUID], now: datetime, by: str) -> int:
    """These were acknowledged: their sites need no call; returns how many tasks ended."""
    return len(await conn.fetch(_ANSWERED, list(delivery_ids), now, by))


async def listed(conn: asyncpg.Connection, *, only_open: bool, limit: int) -> list[Row]:
    """Tasks, the most urgent first."""
    return list(await conn.fetch(_OPEN if only_open else _ALL, limit))


async def one(conn: asyncpg.Connection, task_id: UUID) -> Row | None:
    """A task as it is listed."""
    row: Row | None = await conn.fetchrow(_ONE, task_id)
    return row


async def lock(conn: asyncpg.Connection, task_id: UUID) -> Row | None:
    """A task, locked."""
    row: Row | None = await conn.fetchrow(_LOCK, task_id)
    return row


async def done(
    conn: asyncpg.Connection, task_id: UUID, now: datetime, by: str, result: str | ByItself, note: str
) -> None:
    """A person did it."""
    await conn.execute(_DONE, task_id, now, by, result, note)


async def contacts_of(conn: asyncpg.Connection, rows: Sequence[Row]) -> list[Row]:
    """The contacts, with their phones, of the sites and units that these tasks are about."""
    sites = [row["site_id"] for row in rows if row["site_id"]]
    units = [row["unit_id"] for row in rows if row["unit_id"]]
    return list(await conn.fetch(_PHONES, sites, units))
