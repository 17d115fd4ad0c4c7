"""SQL of alarms: one open row for each cause, and what the watch looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from notifications.store import ALERT_KINDS, STOP_KINDS

Row = Mapping[str, Any]
LATELY, REFUSED_WITHIN = timedelta(minutes=5), timedelta(minutes=10)
RECEIPTS_WITHIN, RECEIPT_LATE = timedelta(minutes=30), timedelta(minutes=5)
FORGED_KEPT = timedelta(hours=1)

_OPEN = """
insert into alarm as a (id, kind, subject, region_code, severity, detail, opened_at, last_seen_at)
values ($1, $2, $3, $4, $5, $6, $7, $7)
on conflict (kind, subject) where closed_at is null do update
    set last_seen_at = excluded.last_seen_at, count = a.count + 1, detail = excluded.detail,
        severity = excluded.severity
returning id = $1 as is_new
"""
_CLOSE = "update alarm set closed_at = $3 where kind = $1 and subject = $2 and closed_at is null returning id"
_OPEN_SUBJECTS = "select kind, subject from alarm where closed_at is null and kind = any($1::text[])"
_COUNTS = "select kind, count(*) as open from alarm where closed_at is null group by kind"
_COLUMNS = """
id, kind, subject, region_code, severity, detail, opened_at, last_seen_at, closed_at, acknowledged_at,
    acknowledged_by, count
"""
_LISTED_OPEN = f"""
select {_COLUMNS} from alarm where closed_at is null
order by (severity = 'warning'), opened_at desc limit $1
"""  # noqa: S608 - built from constants of this file only.
_LISTED_ALL = f"select {_COLUMNS} from alarm order by opened_at desc limit $1"  # noqa: S608 - as above.
_ONE = f"select {_COLUMNS} from alarm where id = $1 for no key update"  # noqa: S608 - as above.
_ACKNOWLEDGE = """
update alarm set acknowledged_at = $2, acknowledged_by = $3 where id = $1 and acknowledged_at is null
"""
_CASE_HAS_TOLD = "select 1 from delivery where case_id = $1 and kind = any($2::text[]) limit 1"
# Told after all, or over: then nobody is missing any more.
_CLOSE_NO_RECIPIENTS = """
update alarm a set closed_at = $1
where a.kind = 'no_recipients' and a.closed_at is null and (
    exists (select 1 from known_case k
        where k.case_id = (a.detail ->> 'case_id')::uuid and k.stood_down_at is not null)
    or exists (select 1 from delivery d where d.case_id = (a.detail ->> 'case_id')::uuid
        and case when a.detail ? 'unit_id' then d.unit_id = (a.detail ->> 'unit_id')::uuid
            else d.kind = any($2::text[]) end))
returning id
"""
# Opted in again, or the number was replaced, or the contact is no longer in the directory.
_CLOSE_OPTED_OUT = """
update alarm a set closed_at = $1
where a.kind = 'duty_number_opted_out' and a.closed_at is null and not exists (
    select 1 from contact c join inbound i on i.contact_id = c.contact_id and i.phone = c.phone
    where c.contact_id = a.subject::uuid and i.meaning = 'opt_out' and not exists (
        select 1 from inbound later where later.contact_id = i.contact_id and later.meaning = 'opt_in'
          and later.received_at >= i.received_at))
returning id
"""
_CONTACT_REGION = "select region_code from contact where contact_id = $1"
# What a sender could take now, oldest first, by priority; what nobody may send is not late.
_UNSENT = """
with waiting as (
    select d.priority, d.queued_at from delivery d
    join notice n on n.id = d.notice_id join known_case k on k.case_id = d.case_id
    join contact c on c.contact_id = d.contact_id
    where d.state = 'queued' and d.next_at <= $1::timestamptz + interval '1 minute'
      and (k.stood_down_at is null or d.kind = any($2::text[])) and (not n.exercise or c.exercise_list)
), by_priority as (
    select priority, min(queued_at) as oldest_at, count(*) as waiting,
        sum(count(*)) over (order by priority) as ahead
    from waiting group by priority
)
select p.priority, p.oldest_at, p.waiting, p.ahead::integer as ahead,
    (select count(*) from attempt a where a.started_at >= p.oldest_at) as sent_since
from by_priority p where p.oldest_at < $3
"""
_SENDERS = """
select coalesce(nullif(sender, ''), provider) as sender, count(*) as accepted,
    count(*) filter (where status_rank < 5) as without_receipt
from attempt where state = 'accepted' and started_at > $1 and started_at <= $2 group by 1
"""
_REFUSALS = """
select coalesce(nullif(sender, ''), provider) as sender, code, count(*) as refused from attempt
where started_at > $1 and settled_at > $2
  and (code = any($3::text[]) or split_part(code, '.', 1) = any($4::text[])) group by 1, code
"""
_UNKNOWN = """
select coalesce(nullif(sender, ''), provider) as sender, count(*) as unknown,
    (array_agg(delivery_id order by started_at))[1:10] as deliveries
from attempt where state = 'unknown' and started_at < $1 group by 1
"""
_ACCEPTED_LATELY = "select count(*) from attempt where state = 'accepted' and started_at > $1"
_CALLED_BACK = "select exists (select from provider_event where received_at > $1)"
_ADD_FORGED = """
insert into refused_callback as r (minute, refused) values (date_trunc('minute', $1::timestamptz), $2)
on conflict (minute) do update set refused = r.refused + excluded.refused
"""
_FORGED = """
select coalesce(sum(refused), 0) from refused_callback where minute > $1::timestamptz - interval '1 minute'
"""
_FORGET_FORGED = "delete from refused_callback where minute < $1"


async def open_alarm(
    conn: asyncpg.Connection,
    alarm_id: UUID,
    kind: str,
    subject: str,
    region_code: str | None,
    severity: str,
    detail: dict[str, Any],
    now: datetime,
) -> bool:
    """Open an alarm, or say that its cause is still there; True if it is new."""
    row = await conn.fetchrow(_OPEN, alarm_id, kind, subject, region_code, severity, detail, now)
    assert row is not None, "An upsert returns its row."
    return bool(row["is_new"])


async def close_alarm(conn: asyncpg.Connection, kind: str, subject: str, now: datetime) -> UUID | None:
    """The cause is gone; the id of what was open."""
    found: UUID | None = await conn.fetchval(_CLOSE, kind, subject, now)
    return found


async def open_subjects(conn: asyncpg.Connection, kinds: Sequence[str]) -> set[tuple[str, str]]:
    """(kind, subject) of what is open."""
    return {(row["kind"], row["subject"]) for row in await conn.fetch(_OPEN_SUBJECTS, list(kinds))}


async def close_told(conn: asyncpg.Connection, now: datetime) -> list[UUID]:
    """Close `no_recipients` where somebody was told after all, or the case is over."""
    return [row["id"] for row in await conn.fetch(_CLOSE_NO_RECIPIENTS, now, ALERT_KINDS)]


async def close_opted_in(conn: asyncpg.Connection, now: datetime) -> list[UUID]:
    """Close `duty_number_opted_out` where the contact opted in or has another number."""
    return [row["id"] for row in await conn.fetch(_CLOSE_OPTED_OUT, now)]


async def counts(conn: asyncpg.Connection) -> dict[str, int]:
    """How many are open, by kind."""
    return {row["kind"]: row["open"] for row in await conn.fetch(_COUNTS)}


async def listed(conn: asyncpg.Connection, *, only_open: bool, limit: int) -> list[Row]:
    """Alarms: critical ones first, or all with the newest first."""
    return list(await conn.fetch(_LISTED_OPEN if only_open else _LISTED_ALL, limit))


async def one(conn: asyncpg.Connection, alarm_id: UUID) -> Row | None:
    """An alarm, locked."""
    row: Row | None = await conn.fetchrow(_ONE, alarm_id)
    return row


async def acknowledge(conn: asyncpg.Connection, alarm_id: UUID, now: datetime, by: str) -> None:
    """Somebody takes care of it; the first who says so is remembered."""
    await conn.execute(_ACKNOWLEDGE, alarm_id, now, by)


async def case_has_told(conn: asyncpg.Connection, case_id: UUID) -> bool:
    """Was anybody told of this case, or will be?"""
    return await conn.fetchval(_CASE_HAS_TOLD, case_id, ALERT_KINDS) is not None


async def region_of_contact(conn: asyncpg.Connection, contact_id: UUID) -> str | None:
    """The region of a contact."""
    region: str | None = await conn.fetchval(_CONTACT_REGION, contact_id)
    return region


async def unsent(conn: asyncpg.Connection, now: datetime, queued_before: datetime) -> list[Row]:
    """What waits, by priority, where the oldest was queued before then."""
    return list(await conn.fetch(_UNSENT, now, STOP_KINDS, queued_before))


async def receipts_by_sender(conn: asyncpg.Connection, now: datetime) -> list[Row]:
    """Accepted SMS of the last half hour that are old enough to have a receipt, and how many have none."""
    return list(await conn.fetch(_SENDERS, now - RECEIPTS_WITHIN, now - RECEIPT_LATE))


async def refusals(
    conn: asyncpg.Connection, now: datetime, codes: Sequence[str], families: Sequence[str]
) -> list[Row]:
    """How often a provider named one of these codes, or one of these families, lately."""
    since = now - RECEIPTS_WITHIN, now - REFUSED_WITHIN
    return list(await conn.fetch(_REFUSALS, *since, list(codes), list(families)))


async def unknown(conn: asyncpg.Connection, started_before: datetime) -> list[Row]:
    """Attempts whose outcome is unknown although they began before then."""
    return list(await conn.fetch(_UNKNOWN, started_before))


async def accepted_lately(conn: asyncpg.Connection, now: datetime) -> int:
    """SMS accepted within the last minutes."""
    return int(await conn.fetchval(_ACCEPTED_LATELY, now - LATELY))


async def called_back_lately(conn: asyncpg.Connection, now: datetime) -> bool:
    """Did any callback come within the last minutes?"""
    return bool(await conn.fetchval(_CALLED_BACK, now - LATELY))


async def add_forged(conn: asyncpg.Connection, now: datetime, refused: int) -> None:
    """Count refused callbacks, and forget old counts."""
    await conn.execute(_ADD_FORGED, now, refused)
    await conn.execute(_FORGET_FORGED, now - FORGED_KEPT)


async def forged_lately(conn: asyncpg.Connection, now: datetime) -> int:
    """Refused callbacks of the last minutes, by all processes."""
    return int(await conn.fetchval(_FORGED, now - LATELY))
