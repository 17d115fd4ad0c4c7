"""SQL of what a person does about one delivery: how it stands among its like, who sent once more, whom to call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from notifications.domain.duty import minute_of_week
from notifications.store import DELIVERY, OPEN_FOR, Row

# "Answered" is the site's, or the unit's, answer to the same notice, whoever gave it.
_LOCKED = f"""
select {DELIVERY}, c.retired_at is null and c.opted_out_at is null as tellable,
    exists (select from delivery o where o.notice_id = d.notice_id and o.acknowledged_at is not null
        and (o.site_id = d.site_id or o.unit_id = d.unit_id)) as answered,
    exists (select from delivery o where o.case_id = d.case_id and o.contact_id = d.contact_id
        and o.state <> 'cancelled' and d.kind = any($2::text[]) and o.kind = any($2::text[])
        and o.version > d.version) as replaced,
    exists (select from notice o where o.case_id = d.case_id and o.kind = 'order_stood_down' and o.key = d.key
        and d.kind = 'order') as order_is_over
from delivery d join notice n on n.id = d.notice_id join known_case k on k.case_id = d.case_id
join contact c on c.contact_id = d.contact_id
where d.id = $1 for no key update of d
"""  # noqa: S608 - built from constants of this file only.
# Each sending of a notice to a contact is a delivery of its own; the last one tells whether it may go again.
_LAST_SENDING = """
select id, state, again, page_token from delivery where notice_id = $1 and contact_id = $2 and channel = $3
order by again desc limit 1
"""
_OPEN_CODES = """
select coalesce(array_agg(ack_code), '{}') from delivery where contact_id = $1 and queued_at > $2
"""
_ASKS_NO_MORE = "update delivery set answer_due_at = null where id = $1 and kind = any($2::text[])"
# Nobody outside the exercise list may be called in an exercise either.
_CONTACTS = """
select label, role, phone, language from contact
where (site_id = $1 or unit_id = $2) and retired_at is null and phone is not null and (not $3::boolean or exercise_list)
order by on_duty @> $4::int desc, contact_order, contact_id
"""
_TASK_OF = "select id from task where delivery_id = $1 and kind = 'call_site' order by opened_at desc limit 1"


async def locked(conn: asyncpg.Connection, delivery_id: UUID, alert_kinds: Sequence[str]) -> Row | None:
    """A delivery, locked, with whether its place answered, its case is over, and something newer replaced it."""
    row: Row | None = await conn.fetchrow(_LOCKED, delivery_id, list(alert_kinds))
    return row


async def last_sending(conn: asyncpg.Connection, delivery: Row) -> Row:
    """The newest sending of the same notice to the same contact by the same way; maybe this one itself."""
    row: Row | None = await conn.fetchrow(
        _LAST_SENDING, delivery["notice_id"], delivery["contact_id"], delivery["channel"]
    )
    assert row is not None, "The delivery itself is one of them."
    return row


async def open_codes(conn: asyncpg.Connection, contact_id: UUID, now: datetime) -> list[str]:
    """Codes that this contact may still answer with; a new one must be another."""
    return list(await conn.fetchval(_OPEN_CODES, contact_id, now - OPEN_FOR))


async def asks_no_more(conn: asyncpg.Connection, delivery_id: UUID, alert_kinds: Sequence[str]) -> None:
    """Silence counts from the sending that follows this one."""
    await conn.execute(_ASKS_NO_MORE, delivery_id, list(alert_kinds))


async def contacts_of(conn: asyncpg.Connection, delivery: Row, now: datetime) -> list[dict[str, Any]]:
    """Who of the delivery's site or unit has a phone, those on duty first."""
    rows = await conn.fetch(
        _CONTACTS, delivery["site_id"], delivery["unit_id"], delivery["exercise"], minute_of_week(now)
    )
    return [dict(row) for row in rows]


async def task_of(conn: asyncpg.Connection, delivery_id: UUID) -> UUID | None:
    """The task to call this delivery's place, open or done."""
    found: UUID | None = await conn.fetchval(_TASK_OF, delivery_id)
    return found
