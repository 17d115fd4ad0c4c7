"""SQL of sending: claims with a lease, attempts before the call, outcomes after it, statuses that only rise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg

from notifications.domain.pace import Sent
from notifications.domain.senders import SenderSpec
from notifications.store import STOP_KINDS

Row = Mapping[str, Any]

# The few that are due next, by the index that holds them in order. Statistics are as old as the last quiet hour and say
# that nothing waits: the planner would then read and sort all 10,000 that wait for each 32 that are taken.
_IN_ORDER = "set local enable_sort = off; set local enable_bitmapscan = off"
_CLAIM = """
with due as (
    select d.id from delivery d
    where d.state = 'queued' and d.next_at <= $1 and d.expires_at > $1
      and d.channel = $4 and (d.refused_by = '{}' or not ($6 = any(d.refused_by)))
      -- Asked of each row and not joined, so that the index of what is due gives the first few and no more is read.
      and (select k.stood_down_at is null or d.kind = any($3::text[]) from known_case k where k.case_id = d.case_id)
      -- An exercise can't reach a number outside the exercise list, whatever was planned.
      and (select (not n.exercise or c.exercise_list)
                and (cardinality($5::text[]) = 0 or c.phone like any($5::text[]))
            from contact c, notice n where c.contact_id = d.contact_id and n.id = d.notice_id)
    order by least(d.priority, 2), d.rank_at, d.distance_km
    limit $2 for no key update of d skip locked
)
update delivery d set state = 'sending', attempts = d.attempts + 1
from due, contact c left join site s on s.site_id = c.site_id
where d.id = due.id and c.contact_id = d.contact_id
returning d.id, d.notice_id, d.case_id, d.kind, d.version, d.attempts, d.ack_code, d.page_token, d.priority,
    d.distance_km, d.expires_at, d.channel, c.phone, c.webhook_url,
    c.language, c.url_ok, c.two_way,
    case when c.unit_id is not null then 'unit' else s.category end as category
"""
_BUDGET = "select sent from sender_budget where sender = $1 for no key update"
_NEW_BUDGET = "insert into sender_budget (sender, sent) values ($1, '[]') on conflict (sender) do nothing"
_SPEND = "update sender_budget set sent = $2 where sender = $1"
_NOTICES = """
select n.id, n.kind, n.version, n.exercise, n.content, k.case_code from notice n
join known_case k on k.case_id = n.case_id where n.id = any($1::uuid[])
"""
_ADD_ATTEMPTS = """
insert into attempt (provider, sender, state, lease_until, started_at, id, delivery_id, n, token, body)
select $1, $2, 'posting', $3, $4, x.* from unnest($5::uuid[], $6::uuid[], $7::int[], $8::text[], $9::text[]) as x
"""
# The last look before the call: is it still ours, and is the case still open?
_MAY_GO = """
select a.id from attempt a join delivery d on d.id = a.delivery_id join known_case k on k.case_id = d.case_id
where a.id = any($1::uuid[]) and a.state = 'posting' and a.lease_until > $2 and d.accepted_at is null
  and (k.stood_down_at is null or d.kind = any($3::text[]))
"""
_ATTEMPT_COLUMNS = """
a.id as attempt_id, a.state as attempt_state, a.provider, a.sender, a.provider_id, a.status_rank, a.segments,
    a.started_at, a.token, d.*, n.exercise, k.stood_down_at, c.phone
"""
_JOINED = """
from attempt a join delivery d on d.id = a.delivery_id join notice n on n.id = d.notice_id
    join known_case k on k.case_id = d.case_id join contact c on c.contact_id = d.contact_id
"""
# A stand-down and the end of a sending wait for each other here, so that nobody who was told is forgotten.
_HOLD_CASES = """
select 1 from known_case where case_id in (
    select d.case_id from attempt a join delivery d on d.id = a.delivery_id where a.id = any($1::uuid[]))
order by case_id for share
"""
# "No key": two callbacks of one attempt each refer to it by a foreign key; a full lock made them deadlock.
_LOCK = f"select {_ATTEMPT_COLUMNS} {_JOINED} where a.id = any($1::uuid[]) order by d.id for no key update of d, a"
_ATTEMPTS_BY_ADDRESS = "select token, id from attempt where token = any($1::text[])"
_SETTLE_ATTEMPTS = """
update attempt a set state = x.state, provider_id = coalesce(x.provider_id, a.provider_id),
    status_rank = greatest(a.status_rank, x.status_rank), segments = greatest(a.segments, x.segments),
    code = x.code, settled_at = $1
from unnest($2::uuid[], $3::text[], $4::text[], $5::smallint[], $6::smallint[], $7::text[])
    as x (id, state, provider_id, status_rank, segments, code)
where a.id = x.id
"""
_SETTLE_DELIVERIES = """
update delivery d set state = x.state, next_at = x.next_at,
    attempted_at = coalesce(d.attempted_at, x.attempted_at), accepted_at = coalesce(d.accepted_at, x.accepted_at),
    delivered_at = coalesce(d.delivered_at, x.delivered_at), failed_at = coalesce(d.failed_at, x.failed_at),
    answer_due_at = x.answer_due_at, expired_at = coalesce(d.expired_at, x.expired_at),
    refused_by = case when x.refused_by is null then d.refused_by else d.refused_by || x.refused_by end,
    resent_blind = d.resent_blind or x.resent_blind
from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],
    $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::text[], $11::boolean[])
    as x (id, state, next_at, attempted_at, accepted_at, delivered_at, failed_at, answer_due_at, expired_at,
        refused_by, resent_blind)
where d.id = x.id
"""
_LEASE_OVER = (
    "select id from attempt where state = 'posting' and lease_until <= $1 order by lease_until limit $2"
)
_TO_LOOK_UP = f"""
select a.id as attempt_id, a.token, a.provider, a.sender, a.body, a.started_at, d.channel, c.phone, c.webhook_url
{_JOINED}
where a.state = 'unknown' and a.started_at <= $1 and (a.looked_up_at is null or a.looked_up_at <= $3)
order by a.started_at limit $2
"""
_WITHOUT_END = f"""
select a.id as attempt_id, a.token, a.provider, a.sender, a.body, a.started_at, d.channel, c.phone, c.webhook_url
{_JOINED}
where a.state = 'accepted' and a.status_rank < 5 and a.started_at <= $1 and a.started_at > $4
  and (a.looked_up_at is null or a.looked_up_at <= $3)
order by a.started_at limit $2
"""
_TO_GIVE_UP = """
select id from attempt where state = 'unknown' and started_at <= $1 and lookups_failed >= $3
order by started_at limit $2
"""
# Segments that the provider took and did not send yet, and whether it reports anything at all. Two looks: the first by
# the index of what is under way, the second ends at the first report it finds.
_UNDER_WAY = """
select coalesce(sum(greatest(segments, 1)), 0) as segments, exists (
    select from attempt t where t.sender = $1 and t.started_at > $2 and t.status_rank >= 4) as told
from attempt where sender = $1 and started_at > $2 and state in ('posting', 'accepted') and status_rank < 4
"""
_COULD_NOT_SAY = """
update attempt set lookups_failed = least(lookups_failed + 1, 1000) where id = any($1::uuid[]) and state = 'unknown'
"""
_LOOKED_UP = "update attempt set looked_up_at = $2 where id = any($1::uuid[])"
_ADD_EVENTS = """
insert into provider_event (received_at, event_key, attempt_id, status, code)
select $1, x.* from unnest($2::text[], $3::uuid[], $4::text[], $5::text[]) as x
on conflict (event_key) do nothing returning event_key
"""
_OTHERS_PROVIDER_IDS = """
select a.provider_id from attempt a join delivery d on d.id = a.delivery_id join contact c using (contact_id)
where c.phone = $1 and a.id <> $2 and a.provider_id is not null order by a.started_at desc limit 1000
"""


async def claim(conn: asyncpg.Connection, spec: SenderSpec, limit: int, now: datetime) -> list[Row]:
    """Take the most urgent due deliveries that this sender may send; other processes skip them."""
    prefixes = [f"{prefix}%" for prefix in spec.prefixes]
    await conn.execute(_IN_ORDER)
    return list(await conn.fetch(_CLAIM, now, limit, STOP_KINDS, spec.channel, prefixes, spec.name))


async def under_way(conn: asyncpg.Connection, sender: str, since: datetime) -> tuple[int, bool]:
    """Segments that the provider took since then and has not sent yet; and whether it reports at all."""
    row = await conn.fetchrow(_UNDER_WAY, sender, since)
    assert row is not None, "An aggregate has a row."
    return row["segments"], row["told"]


async def sent_lately(conn: asyncpg.Connection, sender: str) -> list[Sent]:
    """What a sender sent lately, locked until the end of the transaction."""
    row = await conn.fetchrow(_BUDGET, sender)
    if row is None:
        await conn.execute(_NEW_BUDGET, sender)
        row = await conn.fetchrow(_BUDGET, sender)
    assert row is not None, "The row was made a moment ago."
    return [(datetime.fromtimestamp(at, UTC), segments) for at, segments in row["sent"]]


async def keep_sent_lately(conn: asyncpg.Connection, sender: str, sent: Sequence[Sent]) -> None:
    """Keep what a sender sent lately."""
    await conn.execute(_SPEND, sender, [(at.timestamp(), segments) for at, segments in sent])


async def notices(conn: asyncpg.Connection, ids: Sequence[UUID]) -> dict[UUID, Row]:
    """What the claimed deliveries say."""
    return {row["id"]: row for row in await conn.fetch(_NOTICES, list(ids))}


async def add_attempts(
    conn: asyncpg.Connection,
    spec: SenderSpec,
    lease_until: datetime,
    now: datetime,
    rows: Sequence[tuple[UUID, UUID, int, str, str]],
) -> None:
    """Write attempts (id, delivery_id, n, token, body) that will be committed before any call."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    await conn.execute(_ADD_ATTEMPTS, spec.provider, spec.name, lease_until, now, *columns)


async def may_go(conn: asyncpg.Connection, attempt_ids: Sequence[UUID], now: datetime) -> set[UUID]:
    """Which attempts may still be sent: ours by lease, and of a case that was not stood down."""
    return {row["id"] for row in await conn.fetch(_MAY_GO, list(attempt_ids), now, STOP_KINDS)}


async def lock(conn: asyncpg.Connection, attempt_ids: Sequence[UUID]) -> dict[UUID, Row]:
    """Attempts with their deliveries, locked in one order everywhere: cases first, then deliveries."""
    await conn.execute(_HOLD_CASES, list(attempt_ids))
    return {row["attempt_id"]: row for row in await conn.fetch(_LOCK, list(attempt_ids))}


async def attempts_of_tokens(conn: asyncpg.Connection, tokens: Sequence[str]) -> dict[str, UUID]:
    """The attempts that callbacks' addresses name; unknown ones are left out."""
    return {row["token"]: row["id"] for row in await conn.fetch(_ATTEMPTS_BY_ADDRESS, list(tokens))}


class MessageOfAnother(Exception):
    """The provider's message is known as another attempt's: one SMS can't be two."""


async def settle_attempts(conn: asyncpg.Connection, now: datetime, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write outcomes: (attempt_id, state, provider_id, status_rank, segments, code). Raises: MessageOfAnother."""
    try:
        await conn.execute(_SETTLE_ATTEMPTS, now, *(list(column) for column in zip(*rows, strict=True)))
    except asyncpg.UniqueViolationError:
        raise MessageOfAnother from None


async def settle_deliveries(conn: asyncpg.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write (id, state, and the rest of `Settled` in the order of the statement)."""
    await conn.execute(_SETTLE_DELIVERIES, *(list(column) for column in zip(*rows, strict=True)))


async def lease_over(conn: asyncpg.Connection, now: datetime, limit: int) -> list[UUID]:
    """Attempts whose process died or hangs."""
    return [row["id"] for row in await conn.fetch(_LEASE_OVER, now, limit)]


async def to_look_up(
    conn: asyncpg.Connection, started_before: datetime, limit: int, looked_up_before: datetime
) -> list[Row]:
    """Unknown outcomes that are old enough for the provider's list to be true."""
    return list(await conn.fetch(_TO_LOOK_UP, started_before, limit, looked_up_before))


async def to_give_up(
    conn: asyncpg.Connection, started_before: datetime, limit: int, asked_at_least: int
) -> list[UUID]:
    """Unknown outcomes that the provider was asked about so often and could not clear up for too long."""
    return [row["id"] for row in await conn.fetch(_TO_GIVE_UP, started_before, limit, asked_at_least)]


async def could_not_say(conn: asyncpg.Connection, attempt_ids: Sequence[UUID]) -> None:
    """Remember that the provider was asked and did not know, or did not answer."""
    await conn.execute(_COULD_NOT_SAY, list(attempt_ids))


async def without_end(
    conn: asyncpg.Connection,
    started_before: datetime,
    limit: int,
    looked_up_before: datetime,
    started_after: datetime,
) -> list[Row]:
    """Accepted SMS without a final status, whose callback may have been lost."""
    rows = await conn.fetch(_WITHOUT_END, started_before, limit, looked_up_before, started_after)
    return list(rows)


async def looked_up(conn: asyncpg.Connection, attempt_ids: Sequence[UUID], now: datetime) -> None:
    """Remember when the provider was asked last."""
    await conn.execute(_LOOKED_UP, list(attempt_ids), now)


async def add_events(
    conn: asyncpg.Connection, rows: Sequence[tuple[str, UUID, str, str]], now: datetime
) -> set[str]:
    """Keep callbacks (key, attempt_id, status, code); returns the keys that did not come before."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    return {row["event_key"] for row in await conn.fetch(_ADD_EVENTS, now, *columns)}


async def other_provider_ids(conn: asyncpg.Connection, phone: str, attempt_id: UUID) -> set[str]:
    """Messages to this number that other attempts already own."""
    return {row["provider_id"] for row in await conn.fetch(_OTHERS_PROVIDER_IDS, phone, attempt_id)}
