"""SQL of silence: what is overdue, who else of the same site or unit can be asked, and what was passed on to whom."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from notifications.domain.duty import minute_of_week
from notifications.store import DELIVERY, OPEN_FOR, TELLABLE, Row

_UNANSWERED = f"""
select {DELIVERY} from delivery d join notice n on n.id = d.notice_id join known_case k on k.case_id = d.case_id
where d.answer_due_at <= $1 and d.acknowledged_at is null
order by d.answer_due_at limit $2 for no key update of d skip locked
"""  # noqa: S608 - built from constants of this file only.
_OTHERS = """
select late.id as delivery_id, other.contact_id, other.site_id, other.unit_id, coalesce(open.codes, '{}') as codes
from unnest($1::uuid[]) as asked (id) join delivery late on late.id = asked.id
join notice n on n.id = late.notice_id
join lateral (
    select c.contact_id, c.site_id, c.unit_id from contact c
    where (c.site_id = late.site_id or c.unit_id = late.unit_id) and (not n.exercise or c.exercise_list)
      and <<suits>>
    order by c.on_duty @> $3::int desc, c.contact_order, c.contact_id limit 1
) other on true
left join lateral (
    select array_agg(o.ack_code) as codes from delivery o
    where o.contact_id = other.contact_id and o.queued_at > $2::timestamptz
) open on true
"""
# Who was off duty when the notice was new, and comes before, was not asked yet either.
_NOT_ASKED = f"""
{TELLABLE} and not exists (select from delivery d where d.notice_id = n.id and d.contact_id = c.contact_id)
"""
_NEXT_CONTACTS = _OTHERS.replace("<<suits>>", _NOT_ASKED)
# Whoever of this site or unit takes calls and was not called about this notice; who opted out did so of SMS.
_NOT_CALLED = """
c.voice and c.phone is not null and c.retired_at is null and not exists (
    select from delivery d where d.notice_id = n.id and d.contact_id = c.contact_id and d.channel = 'voice')
"""
_CONTACTS_TO_CALL = _OTHERS.replace("<<suits>>", _NOT_CALLED)
_ASK_AGAIN_AT = "update delivery set answer_due_at = $2 where id = any($1::uuid[])"
_ESCALATED = "update delivery set answer_due_at = null, escalated_at = $2 where id = any($1::uuid[])"
# Time passes a delivery on once; a person may then pass it on further.
_ADD_ESCALATIONS = """
insert into escalation (escalated_at, id, delivery_id, escalated_to, region_code)
select $1, x.* from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[]) as x on conflict (delivery_id) do update set
    escalated_to = excluded.escalated_to, escalated_at = excluded.escalated_at
"""


async def unanswered(conn: asyncpg.Connection, now: datetime, limit: int) -> list[Row]:
    """Deliveries whose answer is overdue, locked."""
    return list(await conn.fetch(_UNANSWERED, now, limit))


async def next_contacts(
    conn: asyncpg.Connection, delivery_ids: Sequence[UUID], now: datetime
) -> dict[UUID, Row]:
    """By delivery: who else of its site or unit was not asked yet about this notice, those on duty first."""
    return await _others(conn, _NEXT_CONTACTS, delivery_ids, now)


async def contacts_to_call(
    conn: asyncpg.Connection, delivery_ids: Sequence[UUID], now: datetime
) -> dict[UUID, Row]:
    """By delivery: a contact of its site or unit who takes calls and was not called about this notice."""
    return await _others(conn, _CONTACTS_TO_CALL, delivery_ids, now)


async def _others(
    conn: asyncpg.Connection, sql: str, delivery_ids: Sequence[UUID], now: datetime
) -> dict[UUID, Row]:
    rows = await conn.fetch(sql, list(delivery_ids), now - OPEN_FOR, minute_of_week(now))
    return {row["delivery_id"]: row for row in rows}


async def ask_again_at(conn: asyncpg.Connection, delivery_ids: Sequence[UUID], at: datetime) -> None:
    """Look at these deliveries' missing answers again then."""
    await conn.execute(_ASK_AGAIN_AT, list(delivery_ids), at)


async def escalated(
    conn: asyncpg.Connection, marks: Sequence[tuple[UUID, UUID, str, str]], now: datetime
) -> None:
    """Remember to whom unanswered deliveries went on: (id, delivery_id, to, region_code)."""
    columns = [list(column) for column in zip(*marks, strict=True)]
    await conn.execute(_ESCALATED, columns[1], now)
    await conn.execute(_ADD_ESCALATIONS, now, *columns)
