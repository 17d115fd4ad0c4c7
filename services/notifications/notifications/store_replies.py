"""SQL of replies: who wrote, what was open for that number, what was said, and whom an opt-out leaves waiting."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from notifications.store import ALERT_KINDS, DELIVERY, OPEN_FOR, Row

DRILL_OPEN_FOR = timedelta(hours=2)
"""A drill that nobody answers within this time has failed; a reply is no longer read as its answer."""

_OPEN_OF_PHONE = f"""
select {DELIVERY}, c.language, s.name_zh, s.name_en, s.lon, s.lat, s.township_code
from contact c join delivery d on d.contact_id = c.contact_id
join notice n on n.id = d.notice_id join known_case k on k.case_id = d.case_id
left join site s on s.site_id = d.site_id
where c.phone = $1 and d.queued_at > $2 and k.stood_down_at is null
  -- An answer may be quicker than our record of the sending.
  and (d.attempted_at is not null or d.state = 'sending') and d.kind not in ('stood_down', 'order_stood_down')
  -- A drill of last week must not make a plain "1" of today mean two things.
  and (d.kind <> 'drill' or d.queued_at > $4)
-- Whatever code was said is looked up among all of them; beyond that the newest are enough.
order by d.ack_code = any($3::text[]) desc, d.queued_at desc, d.id desc limit 50
"""  # noqa: S608 - built from constants of this file only.
# A site's own system answers for itself alone: the attempt must have gone to its address.
_NOTICE_OF_ATTEMPT = f"""
select {DELIVERY}, c.language, s.name_zh, s.name_en, s.lon, s.lat, s.township_code
from attempt a join delivery d on d.id = a.delivery_id join contact c on c.contact_id = d.contact_id
join notice n on n.id = d.notice_id join known_case k on k.case_id = d.case_id
left join site s on s.site_id = d.site_id
where a.token = $1 and c.webhook_url = $2
"""  # noqa: S608 - built from constants of this file only.
_CONTACT_OF_PHONE = """
select contact_id, site_id, unit_id, language from contact where phone = $1
order by retired_at nulls first, contact_id limit 1
"""
_ADD_INBOUND = """
insert into inbound (id, provider_id, contact_id, phone, body, meaning, delivery_id, received_at)
values ($1, $2, $3, $4, $5, '', null, $6) on conflict (provider_id) do nothing returning id
"""
_INBOUND_MEANS = "update inbound set meaning = $2, delivery_id = $3 where id = $1"
# What was handed over already is left to its end; what still waits is not sent to a number that said no.
_ASK_ANOTHER = """
update delivery d set answer_due_at = $2, state = case when d.state = 'queued' then 'cancelled' else d.state end
from known_case k
where d.contact_id = any($1::uuid[]) and k.case_id = d.case_id and k.stood_down_at is null
  and d.acknowledged_at is null and d.escalated_at is null and d.kind = any($3::text[])
  and d.channel = 'sms' and (d.answer_due_at is not null or d.state in ('queued', 'sending'))
returning d.id
"""


async def open_notices_of(
    conn: asyncpg.Connection, phone: str, codes: Sequence[str], now: datetime
) -> list[Row]:
    """What a reply from this number with these codes can mean, newest first."""
    rows = await conn.fetch(_OPEN_OF_PHONE, phone, now - OPEN_FOR, list(codes), now - DRILL_OPEN_FOR)
    return sorted(rows, key=lambda row: (row["queued_at"], row["id"]), reverse=True)


async def notice_of_attempt(conn: asyncpg.Connection, token: str, address: str) -> Row | None:
    """The notice that an attempt at this address was about, with its contact."""
    row: Row | None = await conn.fetchrow(_NOTICE_OF_ATTEMPT, token, address)
    return row


async def contact_of(conn: asyncpg.Connection, phone: str) -> Row | None:
    """Who has this number."""
    row: Row | None = await conn.fetchrow(_CONTACT_OF_PHONE, phone)
    return row


async def add_inbound(
    conn: asyncpg.Connection,
    inbound_id: UUID,
    provider_id: str,
    contact_id: UUID | None,
    phone: str,
    body: str,
    now: datetime,
) -> bool:
    """Keep an SMS word for word; False if the provider has brought it before."""
    return (
        await conn.fetchval(_ADD_INBOUND, inbound_id, provider_id, contact_id, phone, body, now) is not None
    )


async def inbound_means(
    conn: asyncpg.Connection, inbound_id: UUID, meaning: str, delivery_id: UUID | None
) -> None:
    """Remember how an SMS was read."""
    await conn.execute(_INBOUND_MEANS, inbound_id, meaning, delivery_id)


async def ask_another(conn: asyncpg.Connection, contact_ids: Sequence[UUID], now: datetime) -> int:
    """What these contacts have not answered is due now; returns how many deliveries."""
    kinds = [*ALERT_KINDS, "order"]
    return len(await conn.fetch(_ASK_ANOTHER, list(contact_ids), now, kinds))
