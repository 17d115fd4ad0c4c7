"""SQL of planning and answering: cases, sites, notices, deliveries. Sending's is in `store_sending.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from notifications.domain.duty import minute_of_week

ALERT_KINDS = ["raised", "updated", "widened"]
STOP_KINDS = ["stood_down", "order_stood_down"]
AGES_BY = timedelta(minutes=1)
"""How much earlier something must have been queued to go before what is one priority more urgent."""
EXPIRES_AFTER = timedelta(hours=6)
"""What nobody could take for so long is not sent any more; that it is over is worth telling four times as long."""
OPEN_FOR = timedelta(days=30)
"""A code stays taken, and a reply may mean its notice, for this long."""

Row = Mapping[str, Any]
DELIVERY = "d.*, n.exercise, n.content, k.case_code, k.stood_down_at, k.outcome"

_SEE_ALERT = """
insert into known_case as k (case_id, region_code, exercise, case_code, version, picture)
values ($1, $2, $3, $4, $5, $6)
on conflict (case_id) do update set
    version = greatest(k.version, excluded.version),
    picture = case when k.picture is null or excluded.version >= k.version then excluded.picture else k.picture end
returning *
"""
_SEE_STAND_DOWN = """
insert into known_case as k (case_id, region_code, exercise, case_code, version, stood_down_at, outcome)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (case_id) do update set
    version = greatest(k.version, excluded.version),
    stood_down_at = excluded.stood_down_at, outcome = excluded.outcome
where k.stood_down_at is null
returning case_id
"""
# An order may come before its alert: the case is then known by its code alone.
_SEE_ORDER = """
insert into known_case as k (case_id, region_code, exercise, case_code, version)
values ($1, $2, $3, $4, 1)
on conflict (case_id) do update set case_code = k.case_code
returning *
"""
# An opted-out number would be refused by the provider; a retired one is no longer the site's.
TELLABLE = "retired_at is null and opted_out_at is null"
_CODES = """
select array_agg(o.ack_code) as codes from delivery o
where o.contact_id = c.contact_id and o.queued_at > $2::timestamptz
"""
_NEW_SITES = f"""
select s.site_id, s.lon, s.lat, c.contact_id, coalesce(open.codes, '{{}}') as codes
from site s
join lateral (
    select contact_id from contact
    where contact.site_id = s.site_id and (not $3::boolean or exercise_list) and {TELLABLE}
    order by on_duty @> $7::int desc, contact_order, contact_id limit 1
) c on true
left join lateral ({_CODES}) open on true
where s.lat between $4 and $5 and s.retired_at is null and (not $3::boolean or s.exercise_ok)
  -- Read once and hashed. As `not exists` it was read again for each site until statistics knew of the deliveries:
  -- 25 s for the wider ring of a case that 10,000 sites had been told of, now 0.02 s.
  and s.site_id not in (
    select d.site_id from delivery d where d.case_id = $1 and d.kind = any($6::text[]) and d.site_id is not null)
"""  # noqa: S608 - built from constants of this file only.
# Of those who were told, whoever is no contact any more is replaced by the one who would be told first now.
_TOLD = f"""
select c.contact_id, c.site_id, coalesce(open.codes, '{{}}') as codes, c.distance_km, c.priority
from (
    select coalesce(still.contact_id, instead.contact_id) as contact_id, told.site_id,
        min(told.distance_km) as distance_km, min(told.priority) as priority
    from (
        select contact_id, site_id, min(distance_km) as distance_km, min(priority) as priority from delivery
        where case_id = $1 and kind = any($3::text[]) and state not in ('failed', 'expired')
          and site_id is not null
        group by contact_id, site_id
    ) told
    join site on site.site_id = told.site_id and site.retired_at is null
    left join contact still on still.contact_id = told.contact_id
        and still.retired_at is null and still.opted_out_at is null
    left join lateral (
        select contact_id from contact
        where still.contact_id is null and contact.site_id = told.site_id and {TELLABLE}
          and (exercise_list or not (select exercise from known_case where case_id = $1))
        order by on_duty @> $4::int desc, contact_order, contact_id limit 1
    ) instead on true
    group by 1, 2
) c
left join lateral ({_CODES}) open on true
where c.contact_id is not null
order by c.distance_km
"""  # noqa: S608 - built from constants of this file only.
_UNIT_CONTACT = f"""
select c.contact_id, c.unit_id, c.url_ok, coalesce(open.codes, '{{}}') as codes
from contact c left join lateral ({_CODES}) open on true
where c.unit_id = $1 and (not $3::boolean or c.exercise_list) and {TELLABLE}
order by c.on_duty @> $4::int desc, c.contact_order, c.contact_id limit 1
"""  # noqa: S608 - built from constants of this file only.
_ADD_NOTICE = """
insert into notice (id, case_id, version, kind, key, region_code, exercise, content, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (case_id, version, kind, key) do nothing returning id
"""
_ADD_DELIVERIES = """
insert into delivery (notice_id, case_id, region_code, kind, version, key, next_at, queued_at, rank_at, expires_at,
    id, contact_id, site_id, unit_id, priority, distance_km, ack_code, page_token, channel, again)
select n.id, n.case_id, n.region_code, n.kind, n.version, n.key, $2::timestamptz, $2, $2 + x.priority * $3::interval,
    $2 + $4::interval * case when n.kind = any($5::text[]) then 4 else 1 end, x.id, x.contact_id, x.site_id,
    x.unit_id, x.priority, x.distance_km, x.ack_code, x.page_token,
    -- Whoever can't get an SMS is called, and who has only a system of their own is told there.
    case when c.phone is null then 'webhook' when not c.sms_ok then 'voice' else x.channel end,
    x.again
from notice n, unnest($6::uuid[], $7::uuid[], $8::uuid[], $9::uuid[], $10::smallint[], $11::float8[], $12::text[],
    $13::text[], $14::text[], $15::smallint[]) as x (id, contact_id, site_id, unit_id, priority, distance_km,
    ack_code, page_token, channel, again) join contact c on c.contact_id = x.contact_id
where n.id = $1
on conflict do nothing
returning id
"""
_NOTICE_COMMON = "select case_id, region_code, version, exercise from notice where id = $1"
_CANCEL_QUEUED = """
update delivery set state = 'cancelled', answer_due_at = null
where case_id = $1 and state = 'queued' and kind = any($2::text[])
"""
_CANCEL_ORDER = """
update delivery set state = 'cancelled', answer_due_at = null
where case_id = $1 and kind = 'order' and key = $2 and state = 'queued'
"""
_NO_MORE_ANSWERS = "update delivery set answer_due_at = null where case_id = $1 and answer_due_at is not null"
_TO_STAND_DOWN = """
select distinct on (d.contact_id) d.contact_id, d.site_id, '{}'::text[] as codes, d.distance_km
from delivery d
where d.case_id = any($1::uuid[]) and d.kind = any($2::text[]) and d.attempted_at is not null
order by d.contact_id, d.distance_km
"""
_STAND_DOWN_NOTICE = (
    "select id, case_id, exercise from notice where case_id = any($1::uuid[]) and kind = 'stood_down'"
)
# An order may have been sent once more, or to the next contact: the one that left us counts.
_ORDER_DELIVERY = """
select * from delivery where case_id = $1 and kind = 'order' and key = $2
order by state in ('queued', 'cancelled'), queued_at limit 1 for no key update
"""
_ORDER_IS_OVER = "select 1 from notice where case_id = $1 and kind = 'order_stood_down' and key = $2 limit 1"
_IS_EXERCISE = "select exercise from notice where id = $1"
_BY_PAGE = f"""
select {DELIVERY}, s.name_zh, s.name_en, s.lon, s.lat, s.township_code
from delivery d join notice n on n.id = d.notice_id join known_case k on k.case_id = d.case_id
left join site s on s.site_id = d.site_id where d.page_token = $1
"""  # noqa: S608 - built from constants of this file only.
_BY_ID = _BY_PAGE.replace("d.page_token = $1", "d.id = $1")
_BY_CALL = _BY_PAGE.replace("d.*,", "d.*, c.language,").replace(
    "where d.page_token = $1",
    "join contact c on c.contact_id = d.contact_id join attempt a on a.delivery_id = d.id "
    "where a.token = $1 and d.channel = 'voice'",
)
_ACKNOWLEDGE = """
update delivery d set acknowledged_at = $2, answer_due_at = null
from delivery named
where named.id = $1 and d.contact_id = named.contact_id and d.case_id = named.case_id
  and d.queued_at <= named.queued_at and d.acknowledged_at is null
  and d.kind not in ('stood_down', 'order_stood_down') and (d.id = named.id or d.attempted_at is not null)
returning d.*
"""
# One answer for a site, or a unit, is enough: nobody else there is waited for.
# By contact, which the index of the notice's deliveries knows: a notice has 10,000 of them.
_NOBODY_ELSE = """
with there as materialized (
    select named.notice_id, array(
        select c.contact_id from contact c where c.site_id = named.site_id
        union all select c.contact_id from contact c where c.unit_id = named.unit_id) as contacts
    from delivery named where named.id = $1
)
update delivery d set answer_due_at = null from there
where d.notice_id = there.notice_id and d.contact_id = any(there.contacts) and d.answer_due_at is not null
"""
_OF_CASE = """
select d.id, d.notice_id, d.kind, d.version, d.site_id, d.unit_id, d.priority, d.distance_km, d.state, d.attempts,
    d.queued_at, d.attempted_at, d.accepted_at, d.delivered_at, d.opened_at, d.failed_at, d.expired_at,
    d.acknowledged_at, d.escalated_at, d.channel, d.again, d.resent_blind, d.ack_code, d.page_token,
    s.name_zh, s.name_en
from delivery d left join site s on s.site_id = d.site_id
where d.case_id = $1 order by d.queued_at, d.priority, d.distance_km limit $2
"""
_OPENED = "update delivery set opened_at = $2 where id = $1 and opened_at is null returning id"
_ATTEMPTS_OF = """
select n, provider, sender, state, started_at, settled_at, segments, status_rank, code from attempt
where delivery_id = $1 order by n
"""
_SITES = """
select site_id, category, name_zh, name_en, township_code, lon, lat, region_code, exercise_ok from site
where retired_at is null order by region_code, category, site_id limit $1
"""


async def see_alert(conn: asyncpg.Connection, fact: Any, picture: dict[str, Any]) -> Row:
    """Remember the newest picture of a case and lock it; returns the case as it now is."""
    return await _one(
        conn, _SEE_ALERT, fact.case_id, fact.region_code, fact.exercise, fact.case_code, fact.version, picture
    )


async def see_stand_down(conn: asyncpg.Connection, fact: Any, now: datetime) -> bool:
    """Remember that the case is over, even if its alert was never seen; False if that was known."""
    row = await conn.fetchrow(
        _SEE_STAND_DOWN,
        fact.case_id,
        fact.region_code,
        fact.exercise,
        fact.case_code,
        fact.version,
        now,
        fact.outcome,
    )
    return row is not None


async def see_order(conn: asyncpg.Connection, fact: Any) -> Row:
    """The order's case, locked."""
    return await _one(conn, _SEE_ORDER, fact.case_id, fact.region_code, fact.exercise, fact.case_code)


async def _one(conn: asyncpg.Connection, sql: str, *values: Any) -> Row:
    row = await conn.fetchrow(sql, *values)
    assert row is not None, "The statement returns exactly one row."
    return dict(row)


async def sites_not_told(
    conn: asyncpg.Connection, case_id: UUID, exercise: bool, latitudes: tuple[float, float], now: datetime
) -> list[Row]:
    """Sites in a band of latitudes that have heard nothing of the case yet, each with whom to tell.

    That is the first contact on duty, or the first of all if none is: somebody must be told.
    """
    minute = minute_of_week(now)
    return list(
        await conn.fetch(_NEW_SITES, case_id, now - OPEN_FOR, exercise, *latitudes, ALERT_KINDS, minute)
    )


async def told(conn: asyncpg.Connection, case_id: UUID, now: datetime) -> list[Row]:
    """Contacts of sites that were told of the case, or will be."""
    return list(await conn.fetch(_TOLD, case_id, now - OPEN_FOR, ALERT_KINDS, minute_of_week(now)))


async def unit_contact(conn: asyncpg.Connection, unit_id: UUID, exercise: bool, now: datetime) -> Row | None:
    """Whom to text in a unit: the first on duty, or the first of all if nobody is."""
    row: Row | None = await conn.fetchrow(
        _UNIT_CONTACT, unit_id, now - OPEN_FOR, exercise, minute_of_week(now)
    )
    return row


async def add_notice(
    conn: asyncpg.Connection,
    notice_id: UUID,
    case: Row,
    version: int,
    kind: str,
    key: str,
    content: dict[str, Any],
    now: datetime,
) -> bool:
    """Add a notice; False if this (case, version, kind, key) has one already."""
    added = await conn.fetchval(
        _ADD_NOTICE,
        notice_id,
        case["case_id"],
        version,
        kind,
        key,
        case["region_code"],
        case["exercise"],
        content,
        now,
    )
    return added is not None


async def add_deliveries(
    conn: asyncpg.Connection,
    notice_id: UUID,
    rows: Sequence[tuple[Any, ...]],
    now: datetime,
) -> set[UUID]:
    """Add deliveries in one statement; returns the ids of those that are new, the others are left alone.

    A row is (id, contact_id, site_id, unit_id, priority, distance_km, ack_code, page_token, channel, again).
    """
    if not rows:
        return set()
    columns = [list(column) for column in zip(*rows, strict=True)]
    added = await conn.fetch(_ADD_DELIVERIES, notice_id, now, AGES_BY, EXPIRES_AFTER, STOP_KINDS, *columns)
    return {row["id"] for row in added}


async def notice_common(conn: asyncpg.Connection, notice_id: UUID) -> Row:
    """What all deliveries of a notice have in common."""
    row: Row | None = await conn.fetchrow(_NOTICE_COMMON, notice_id)
    assert row is not None, "A notice is stored before its deliveries."
    return row


async def cancel_queued(conn: asyncpg.Connection, case_id: UUID, kinds: Sequence[str]) -> None:
    """What was not handed to a provider yet never will be."""
    await conn.execute(_CANCEL_QUEUED, case_id, list(kinds))


async def cancel_order(conn: asyncpg.Connection, case_id: UUID, order_id: UUID) -> None:
    """Whatever of this order still waits is never sent."""
    await conn.execute(_CANCEL_ORDER, case_id, str(order_id))


async def expect_no_answers(conn: asyncpg.Connection, case_id: UUID) -> None:
    """Nobody is asked again about this case."""
    await conn.execute(_NO_MORE_ANSWERS, case_id)


async def to_stand_down(conn: asyncpg.Connection, case_ids: Sequence[UUID]) -> list[Row]:
    """Contacts of these cases who may have got an alert's SMS: accepted, or with an unknown outcome."""
    return list(await conn.fetch(_TO_STAND_DOWN, list(case_ids), ALERT_KINDS))


async def stand_down_notices(conn: asyncpg.Connection, case_ids: Sequence[UUID]) -> list[Row]:
    """The stand-down notices of those cases that have one."""
    return list(await conn.fetch(_STAND_DOWN_NOTICE, list(case_ids)))


async def order_delivery(conn: asyncpg.Connection, case_id: UUID, order_id: UUID) -> Row | None:
    """The SMS of an order, locked; of several the one that was handed over."""
    row: Row | None = await conn.fetchrow(_ORDER_DELIVERY, case_id, str(order_id))
    return row


async def order_is_over(conn: asyncpg.Connection, case_id: UUID, order_id: UUID) -> bool:
    """Was the order stood down, perhaps before we saw it?"""
    return await conn.fetchval(_ORDER_IS_OVER, case_id, str(order_id)) is not None


async def by_page(conn: asyncpg.Connection, token: str) -> Row | None:
    """The delivery behind a notice page."""
    row: Row | None = await conn.fetchrow(_BY_PAGE, token)
    return row


async def by_call(conn: asyncpg.Connection, token: str) -> Row | None:
    """The delivery of the call that an attempt's token belongs to, with its contact's language."""
    row: Row | None = await conn.fetchrow(_BY_CALL, token)
    return row


async def by_id(conn: asyncpg.Connection, delivery_id: UUID) -> Row | None:
    """One delivery with its notice, case and site."""
    row: Row | None = await conn.fetchrow(_BY_ID, delivery_id)
    return row


async def acknowledge(conn: asyncpg.Connection, delivery_id: UUID, now: datetime) -> list[Row]:
    """Mark it and its recipient's earlier notices of the case; returns only those newly acknowledged.

    Nobody else of the same site or unit is waited for any more.
    """
    await conn.execute(_NOBODY_ELSE, delivery_id)
    return list(await conn.fetch(_ACKNOWLEDGE, delivery_id, now))


async def opened(conn: asyncpg.Connection, delivery_id: UUID, now: datetime) -> bool:
    """Mark that its page was opened; False if it was opened before."""
    return await conn.fetchval(_OPENED, delivery_id, now) is not None


async def is_exercise(conn: asyncpg.Connection, notice_id: UUID) -> bool:
    """Is this notice part of an exercise?"""
    return bool(await conn.fetchval(_IS_EXERCISE, notice_id))


async def deliveries_of(conn: asyncpg.Connection, case_id: UUID, limit: int) -> list[Row]:
    """Every delivery of a case, without phone numbers."""
    return list(await conn.fetch(_OF_CASE, case_id, limit))


async def attempts_of(conn: asyncpg.Connection, delivery_id: UUID) -> list[Row]:
    """What was tried for a delivery."""
    return list(await conn.fetch(_ATTEMPTS_OF, delivery_id))


async def sites(conn: asyncpg.Connection, limit: int) -> list[Row]:
    """The directory of sites."""
    return list(await conn.fetch(_SITES, limit))
