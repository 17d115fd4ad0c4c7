"""SQL of senders: how they did lately, what the queue holds, when its parts are planned to go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from notifications.domain.breaker import Health

Row = Mapping[str, Any]

WAITED_AT_LEAST = timedelta(seconds=20)
"""What goes out at once needs no planned deadline: its acceptance sets one."""
_HEALTH = "select sender, health from sender_health where sender = any($1::text[])"
_LOCK_HEALTH = "select health from sender_health where sender = $1 for no key update"
_KEEP_HEALTH = """
insert into sender_health (sender, health) values ($1, $2)
on conflict (sender) do update set health = excluded.health
"""
# What waits on a channel, in the order in which it goes, and whether it still needs a deadline.
_WAITING = """
select id, answer_due_at is null and attempted_at is null and acknowledged_at is null and escalated_at is null
    and kind = any($2::text[]) and queued_at <= $3 as needs_deadline, queued_at
from delivery where state = 'queued' and channel = $1 order by least(priority, 2), rank_at, distance_km
"""
_SET_DEADLINES = """
update delivery d set answer_due_at = x.due_at from unnest($1::uuid[], $2::timestamptz[]) as x (id, due_at)
where d.id = x.id and d.state = 'queued' and d.answer_due_at is null
"""
_EXPIRED = """
select id from delivery where state = 'queued' and (expires_at <= $1 or not channel = any($3::text[]))
order by expires_at limit $2 for no key update skip locked
"""
_EXPIRE = """
update delivery d set state = 'expired', expired_at = $2::timestamptz,
    answer_due_at = case when d.kind = any($3::text[]) and d.acknowledged_at is null and d.escalated_at is null
        then $2 end
from notice n where d.id = any($1::uuid[]) and n.id = d.notice_id
returning d.*, n.exercise
"""
# The places are summed up by notice before they are joined: row by row, statistics that are old made it quadratic.
_PLAN = """
with place as (
    select notice_id, channel,
        row_number() over (partition by channel order by least(priority, 2), rank_at, distance_km) as n
    from delivery where state = 'queued'
), turn as (select notice_id, channel, min(n) as first_place, max(n) as last_place from place group by 1, 2),
told as (
    select d.notice_id, d.channel, count(*) as recipients,
        count(*) filter (where d.state = 'queued' and d.attempts = 0) as planned,
        count(*) filter (where d.state in ('queued', 'sending', 'unknown')) as not_yet_accepted,
        count(*) filter (where d.accepted_at is not null) as accepted,
        count(*) filter (where d.delivered_at is not null) as delivered,
        count(*) filter (where d.acknowledged_at is not null) as acknowledged,
        count(*) filter (where d.state in ('failed', 'expired')) as not_reached
    from delivery d where d.case_id = $1 group by 1, 2
)
select n.id as notice_id, n.kind, n.version, n.exercise, n.created_at,
    n.content -> 'ring' ->> 'radius_km' as ring_radius_km, told.channel, told.recipients, told.planned,
    told.not_yet_accepted, told.accepted, told.delivered, told.acknowledged, told.not_reached,
    turn.first_place, turn.last_place
from told join notice n on n.id = told.notice_id
left join turn on turn.notice_id = told.notice_id and turn.channel = told.channel
order by n.created_at, told.channel
"""


async def health_of(conn: asyncpg.Connection, senders: Sequence[str]) -> dict[str, Health]:
    """How these senders did lately; one that never failed is left out."""
    return {row["sender"]: _health(row["health"]) for row in await conn.fetch(_HEALTH, list(senders))}


async def lock_health(conn: asyncpg.Connection, sender: str) -> Health:
    """How a sender did lately, locked until the end of the transaction if it is known."""
    row = await conn.fetchrow(_LOCK_HEALTH, sender)
    return _health(row["health"]) if row else Health()


async def keep_health(conn: asyncpg.Connection, sender: str, health: Health) -> None:
    """Remember it for all processes."""
    rests_until = health.rests_until.timestamp() if health.rests_until else None
    failed_at = [at.timestamp() for at in health.failed_at]
    kept = {"failed_at": failed_at, "rests_until": rests_until, "trips": health.trips, "code": health.code}
    await conn.execute(_KEEP_HEALTH, sender, kept)


def _health(kept: Mapping[str, Any]) -> Health:
    rests_until = kept["rests_until"]
    return Health(
        tuple(datetime.fromtimestamp(at, UTC) for at in kept["failed_at"]),
        datetime.fromtimestamp(rests_until, UTC) if rests_until is not None else None,
        kept["trips"],
        kept["code"],
    )


async def waiting(conn: asyncpg.Connection, channel: str, kinds: Sequence[str], now: datetime) -> list[Row]:
    """What waits on a channel in the order in which it goes; what has waited for a while may need a deadline."""
    return list(await conn.fetch(_WAITING, channel, list(kinds), now - WAITED_AT_LEAST))


async def set_deadlines(conn: asyncpg.Connection, rows: Sequence[tuple[UUID, datetime]]) -> None:
    """Say by when somebody must have answered: (delivery_id, due_at)."""
    await conn.execute(_SET_DEADLINES, *(list(column) for column in zip(*rows, strict=True)))


async def expired(
    conn: asyncpg.Connection, now: datetime, limit: int, kinds: Sequence[str], channels: Sequence[str]
) -> list[Row]:
    """Mark what is out of time, or has no sender on its channel; kinds that must be answered escalate at once."""
    ids: list[UUID] = [row["id"] for row in await conn.fetch(_EXPIRED, now, limit, list(channels))]
    return list(await conn.fetch(_EXPIRE, ids, now, list(kinds))) if ids else []


async def plan_of(conn: asyncpg.Connection, case_id: UUID) -> list[Row]:
    """Each notice of a case and channel: how many are where, and their places in the queue."""
    return list(await conn.fetch(_PLAN, case_id))
