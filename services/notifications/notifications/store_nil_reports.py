"""SQL of nil-reports: who acknowledged, when they were heard last, and whether they were asked since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

Row = Mapping[str, Any]

# Whoever acknowledged, an alert or a nil-report, was heard then; the newest word of each contact counts.
_HEAR = """
insert into nil_report_timer as r (case_id, contact_id, delivery_id, region_code, heard_at)
select distinct on (d.case_id, d.contact_id) d.case_id, d.contact_id, d.id, d.region_code, d.acknowledged_at
from known_case k join delivery d on d.case_id = k.case_id
where k.stood_down_at is null and d.acknowledged_at is not null and d.site_id is not null
  and d.kind in ('raised', 'updated', 'widened', 'nil_report')
  -- A conflict locks and so writes its row: what is known already is left out before it can conflict.
  and not exists (select 1 from nil_report_timer known where known.case_id = d.case_id
    and known.contact_id = d.contact_id and known.heard_at >= d.acknowledged_at)
order by d.case_id, d.contact_id, d.acknowledged_at desc, d.id desc
on conflict (case_id, contact_id) do update set heard_at = excluded.heard_at, delivery_id = excluded.delivery_id
where r.heard_at < excluded.heard_at
"""
_HEARD = """
insert into nil_report_timer as r (case_id, contact_id, delivery_id, region_code, heard_at)
select d.case_id, d.contact_id, d.id, d.region_code, $2 from delivery d
where d.id = $1 and d.site_id is not null and d.kind <> 'drill'
on conflict (case_id, contact_id) do update set heard_at = greatest(r.heard_at, excluded.heard_at)
"""
_ANSWER = """
update delivery d set acknowledged_at = $2 from delivery named
where named.id = $1 and d.case_id = named.case_id and d.contact_id = named.contact_id and d.kind = 'nil_report'
  and d.acknowledged_at is null
"""
_DUE = """
select r.case_id, r.contact_id, r.rounds, d.site_id, d.distance_km, array(
    select o.ack_code from delivery o where o.contact_id = r.contact_id and o.queued_at > $4) as codes
from nil_report_timer r
join known_case k on k.case_id = r.case_id join contact c on c.contact_id = r.contact_id
join delivery d on d.id = r.delivery_id
where k.stood_down_at is null and k.picture is not null and r.rounds < $2 and (not k.exercise or c.exercise_list)
  and c.retired_at is null and c.opted_out_at is null
  and r.heard_at <= $1 and (r.asked_at is null or r.asked_at <= $1)
order by r.heard_at limit $3 for no key update of r skip locked
"""
_CASES = "select * from known_case where case_id = any($1::uuid[]) order by case_id for share"
_NOTICE = """
select id from notice where case_id = $1 and version = $2 and kind = 'nil_report' and key = $3
"""
_ASKED = """
update nil_report_timer set asked_at = $3, rounds = rounds + 1 where case_id = $1 and contact_id = any($2::uuid[])
"""
# Asked and not heard of since: silence of somebody who had answered before.
_SILENT = """
select d.id from nil_report_timer r join known_case k on k.case_id = r.case_id
join delivery d on d.case_id = r.case_id and d.contact_id = r.contact_id and d.kind = 'nil_report'
where k.stood_down_at is null and r.heard_at < r.asked_at and r.asked_at <= $1 and d.queued_at = r.asked_at
  and d.acknowledged_at is null and not exists (select 1 from task t where t.delivery_id = d.id)
order by r.asked_at limit $2
"""


async def hear(conn: asyncpg.Connection) -> None:
    """Start a timer for whoever acknowledged, or set it back."""
    await conn.execute(_HEAR)


async def heard(conn: asyncpg.Connection, delivery_id: UUID, now: datetime) -> None:
    """This delivery's contact reported just now; questions that were open are answered."""
    await conn.execute(_HEARD, delivery_id, now)
    await conn.execute(_ANSWER, delivery_id, now)


async def due(
    conn: asyncpg.Connection, not_heard_since: datetime, rounds_max: int, limit: int, codes_since: datetime
) -> list[Row]:
    """Whom to ask now, locked."""
    return list(await conn.fetch(_DUE, not_heard_since, rounds_max, limit, codes_since))


async def open_cases(conn: asyncpg.Connection, ids: Sequence[UUID]) -> dict[UUID, Row]:
    """Those of these cases that are not over, held so that a stand-down waits until the question is queued."""
    rows = await conn.fetch(_CASES, sorted(ids))
    return {row["case_id"]: row for row in rows if row["stood_down_at"] is None}


async def notice_of_round(conn: asyncpg.Connection, case_id: UUID, version: int, key: str) -> UUID | None:
    """The notice of a round that was begun before, for another contact."""
    found: UUID | None = await conn.fetchval(_NOTICE, case_id, version, key)
    return found


async def asked(conn: asyncpg.Connection, case_id: UUID, contact_ids: Sequence[UUID], now: datetime) -> None:
    """They are asked now, one round more."""
    await conn.execute(_ASKED, case_id, list(contact_ids), now)


async def silent(conn: asyncpg.Connection, asked_before: datetime, limit: int) -> list[UUID]:
    """Nil-report deliveries that were not answered in time, and that no task is about."""
    return [row["id"] for row in await conn.fetch(_SILENT, asked_before, limit)]
