"""SQL of the gate's webhooks: subscriptions with sealed secrets, and deliveries with lease and fence."""
# ruff: noqa: S608 - statements are put together from the column lists below, never from input.

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import asyncpg

from dna_intake.models_gate import DeliveryRow, SubscriptionRow

_SUBSCRIPTION = """
id, region_code, url, wrapped_key, secrets_sealed, old_secret_until, created_at, ended_at, ended_because
"""
# One at a time a region, so that two at once can't pass the limit together.
_LOCK_REGION = "select pg_advisory_xact_lock(7_206, $1::integer)"
_STANDING = "select count(*) from gate_subscription where region_code = $1 and ended_at is null"
_ADD = """
insert into gate_subscription (id, region_code, url, wrapped_key, secrets_sealed, created_at, created_by)
values ($1, $2, $3, $4, $5, $6, $7)
"""
_BY_ID = f"select {_SUBSCRIPTION} from gate_subscription where id = $1"
_LOCK = f"select {_SUBSCRIPTION} from gate_subscription where id = $1 for update"
_LIST = f"select {_SUBSCRIPTION} from gate_subscription order by id desc limit $1"
_RESEAL = "update gate_subscription set secrets_sealed = $2, old_secret_until = $3 where id = $1"
_END = "update gate_subscription set ended_at = $2, ended_because = $3 where id = $1 and ended_at is null"
_STOP = """
update gate_delivery set state = 'stopped', ended_at = $2, lease_until = null
where subscription_id = $1 and state = 'queued'
"""

_DELIVERY = """
id, subscription_id, request_id, seq, region_code, state, attempts, tries_max, due_at, last_answer, queued_at, ended_at
"""
_QUEUE = """
insert into gate_delivery (id, subscription_id, request_id, seq, region_code, state, tries_max, due_at, queued_at)
select $1, $2, $3, $4, $5, 'queued', $6, $7, $7
from gate_subscription where id = $2 and ended_at is null
on conflict (subscription_id, request_id, seq) do nothing
"""
# One that is out is left to its worker: whether it arrived is not known, and it is not tried again.
_SUPERSEDE = """
update gate_delivery set state = 'superseded', ended_at = $3
where request_id = $1 and seq < $2 and state = 'queued'
"""
# A lease that ran out is taken like one that is due. None overtakes an older decision of the same request that is
# out, and a slow receiver has a few places only.
_CLAIM = f"""
with waits as (
    select distinct subscription_id from gate_delivery
    where state = 'queued' and due_at <= $1 or state = 'sending' and lease_until <= $1
),
due as (
    select d.id from waits cross join lateral (
        select q.id, q.due_at from gate_delivery q
        where q.subscription_id = waits.subscription_id
            and (q.state = 'queued' and q.due_at <= $1 or q.state = 'sending' and q.lease_until <= $1)
            and not exists (
                select from gate_delivery o
                where o.request_id = q.request_id and o.seq < q.seq and o.state = 'sending' and o.lease_until > $1)
        order by q.due_at
        limit greatest(0, $4 - (
            select count(*) from gate_delivery o
            where o.subscription_id = waits.subscription_id and o.state = 'sending' and o.lease_until > $1))
        for no key update skip locked
    ) d
    order by d.due_at limit $3
)
update gate_delivery d set state = 'sending', attempts = d.attempts + 1, lease_until = $2
from due where d.id = due.id
returning {", ".join(f"d.{name.strip()}" for name in _DELIVERY.split(","))}
"""
_IS_NEWEST = """
select not exists (select from gate_delivery n where n.request_id = $1 and n.seq > $2)
"""
# Not a try: the decision was not current just now. The next claim has a fence of its own all the same.
_PUT_BACK = """
update gate_delivery set state = 'queued', lease_until = null, due_at = $3, tries_max = tries_max + 1
where id = $1 and attempts = $2 and state = 'sending'
"""
_RECORD = """
update gate_delivery d set lease_until = null, last_answer = $4,
    state = case
        when $3 <> 'queued' then $3
        when exists (select from gate_delivery n where n.request_id = d.request_id and n.seq > d.seq) then 'superseded'
        when (select ended_at from gate_subscription where id = d.subscription_id) is not null then 'stopped'
        else 'queued' end,
    ended_at = case
        when $3 <> 'queued'
            or exists (select from gate_delivery n where n.request_id = d.request_id and n.seq > d.seq)
            or (select ended_at from gate_subscription where id = d.subscription_id) is not null
        then $5::timestamptz end,
    due_at = coalesce($6, due_at)
where id = $1 and attempts = $2 and state = 'sending'
returning state
"""
_BY_DELIVERY = f"select {_DELIVERY} from gate_delivery where id = $1"
_LOCK_DELIVERY = f"select {_DELIVERY} from gate_delivery where id = $1 for update"
_AGAIN = """
update gate_delivery set state = 'queued', ended_at = null, due_at = $2, tries_max = attempts + $3 where id = $1
"""
_DELIVERIES = f"""
select {_DELIVERY} from gate_delivery
where ($1::uuid is null or id < $1) and ($2::text is null or state = $2)
    and ($3::uuid is null or subscription_id = $3) and ($4::uuid is null or request_id = $4)
order by id desc limit $5
"""
_FAILED = "select count(*) from gate_delivery where state = 'failed'"


async def lock_region(conn: asyncpg.Connection, region_code: str) -> int:
    """How many subscriptions stand in a region; nobody adds one until the transaction ends."""
    await conn.execute(_LOCK_REGION, int(region_code))
    return int(await conn.fetchval(_STANDING, region_code))


async def add_subscription(conn: asyncpg.Connection, row: SubscriptionRow, created_by: str) -> None:
    """Add a subscription."""
    await conn.execute(
        _ADD,
        row.id,
        row.region_code,
        row.url,
        row.wrapped_key,
        row.secrets_sealed,
        row.created_at,
        created_by,
    )


async def subscription(conn: asyncpg.Connection, subscription_id: UUID) -> SubscriptionRow | None:
    """One subscription, if it is visible."""
    record = await conn.fetchrow(_BY_ID, subscription_id)
    return SubscriptionRow.model_validate(dict(record)) if record else None


async def lock_subscription(conn: asyncpg.Connection, subscription_id: UUID) -> SubscriptionRow | None:
    """One subscription, locked for the rest of the transaction."""
    record = await conn.fetchrow(_LOCK, subscription_id)
    return SubscriptionRow.model_validate(dict(record)) if record else None


async def subscriptions(conn: asyncpg.Connection, limit: int) -> list[SubscriptionRow]:
    """Visible subscriptions, the newest first."""
    return [SubscriptionRow.model_validate(dict(r)) for r in await conn.fetch(_LIST, limit)]


async def reseal(
    conn: asyncpg.Connection, subscription_id: UUID, sealed: bytes, old_secret_until: datetime
) -> None:
    """Put new secrets in place of the ones before; the older signs until then."""
    await conn.execute(_RESEAL, subscription_id, sealed, old_secret_until)


async def end_subscription(
    conn: asyncpg.Connection, subscription_id: UUID, now: datetime, because: str
) -> None:
    """End a subscription and stop what waits for it."""
    await conn.execute(_END, subscription_id, now, because)
    await conn.execute(_STOP, subscription_id, now)


async def queue(
    conn: asyncpg.Connection,
    delivery_id: UUID,
    subscription_id: UUID,
    request_id: UUID,
    seq: int,
    region_code: str,
    tries_max: int,
    now: datetime,
) -> None:
    """Queue a decision for a subscription that stands; one that has ended gets none."""
    await conn.execute(_QUEUE, delivery_id, subscription_id, request_id, seq, region_code, tries_max, now)


async def supersede(conn: asyncpg.Connection, request_id: UUID, before_seq: int, now: datetime) -> None:
    """Let older decisions of a request that still wait go unsent: a newer one says what is so."""
    await conn.execute(_SUPERSEDE, request_id, before_seq, now)


async def claim(
    conn: asyncpg.Connection, now: datetime, lease_until: datetime, limit: int, per_subscription: int
) -> list[DeliveryRow]:
    """Take up to `limit` deliveries that are due; until the lease ends nobody else sends them."""
    records = await conn.fetch(_CLAIM, now, lease_until, limit, per_subscription)
    return [DeliveryRow.model_validate(dict(record)) for record in records]


async def is_newest(conn: asyncpg.Connection, delivery: DeliveryRow) -> bool:
    """Is there no newer decision of the same request on its way?"""
    return bool(await conn.fetchval(_IS_NEWEST, delivery.request_id, delivery.seq))


async def put_back(conn: asyncpg.Connection, delivery: DeliveryRow, due_at: datetime) -> None:
    """Let a claimed delivery wait without having been tried."""
    await conn.execute(_PUT_BACK, delivery.id, delivery.attempts, due_at)


async def record(
    conn: asyncpg.Connection,
    delivery: DeliveryRow,
    state: str,
    answer: str,
    now: datetime,
    due_at: datetime | None,
) -> str | None:
    """Write what became of a try, under its fence; returns the state, or None if the lease is another's by now.

    One that would be tried again is not, if a newer decision or the end of the subscription made it void.
    """
    found: str | None = await conn.fetchval(
        _RECORD, delivery.id, delivery.attempts, state, answer, now, due_at
    )
    return found


async def delivery(conn: asyncpg.Connection, delivery_id: UUID) -> DeliveryRow | None:
    """One delivery, if it is visible."""
    found = await conn.fetchrow(_BY_DELIVERY, delivery_id)
    return DeliveryRow.model_validate(dict(found)) if found else None


async def lock_delivery(conn: asyncpg.Connection, delivery_id: UUID) -> DeliveryRow | None:
    """One delivery, locked for the rest of the transaction."""
    found = await conn.fetchrow(_LOCK_DELIVERY, delivery_id)
    return DeliveryRow.model_validate(dict(found)) if found else None


async def try_again(conn: asyncpg.Connection, delivery_id: UUID, now: datetime, tries: int) -> None:
    """Queue a locked delivery that failed once more, under its old id."""
    await conn.execute(_AGAIN, delivery_id, now, tries)


async def deliveries(
    conn: asyncpg.Connection,
    limit: int,
    *,
    before: UUID | None,
    state: str | None,
    subscription_id: UUID | None,
    request_id: UUID | None,
) -> list[DeliveryRow]:
    """Visible deliveries, the newest first, before the cursor."""
    found = await conn.fetch(_DELIVERIES, before, state, subscription_id, request_id, limit)
    return [DeliveryRow.model_validate(dict(r)) for r in found]


async def failed(conn: asyncpg.Connection) -> int:
    """How many deliveries failed for good and were not tried again."""
    return int(await conn.fetchval(_FAILED))
