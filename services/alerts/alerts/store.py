# ruff: noqa: S608 - the only text put into a statement is the constant list of columns.
"""Every SQL statement about cases, versions, rings and the vault; `store_status.py` has those of the live status.

Times come in as parameters, so that a test or a drill decides what now is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from alerts.domain.case import Case
from alerts.domain.duplicates import AGE_DIFFERENCE_MAX, WINDOW, Missing
from alerts.domain.rings import RingStep, due_at
from contracts.base import Fact, Position
from contracts.report import ReportFiled
from guitu.tx import Tx

_CASE_COLUMNS = """
id, region_code, case_code, exercise, report_id, state, version, tier, child, last_seen_place, last_seen_at,
circumstance, suspected_mode, vehicle, companion, note, ring, opened_at, closed_at, outcome, merged_into,
close_reason
"""
_INSERT_REPORT = """
insert into report (id, case_id, region_code, exercise, filed_by, received_at, body)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (id) do nothing
"""
_INSERT_CASE = f"""
insert into case_file ({_CASE_COLUMNS})
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
"""
_UPDATE_CASE = """
update case_file set
    state = $2, version = $3, tier = $4, child = $5, last_seen_place = $6, last_seen_at = $7, circumstance = $8,
    suspected_mode = $9, vehicle = $10, companion = $11, note = $12, ring = $13, closed_at = $14, outcome = $15,
    merged_into = $16, close_reason = $17
where id = $1 and version = $3 - 1
"""
_INSERT_VERSION = """
insert into alert_version (case_id, version, region_code, kind, changed, reason, actor, at, body)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_TIMELINE = """
insert into timeline (case_id, region_code, at, type, details)
select $1, $2, $3, $4, $5 where exists (select 1 from case_file where id = $1)
"""
_INSERT_RINGS = """
insert into ring (case_id, step, region_code, radius_km, due_at, issued_at)
select $1, t.step, $2, t.radius_km, t.due_at, case when t.step <= $3 then $4::timestamptz end
from unnest($5::integer[], $6::double precision[], $7::timestamptz[]) as t (step, radius_km, due_at)
"""
# Those that can't be the same child are left out here, so that the limit counts only those that can.
_ALIKE = """
select id, case_code, exercise, child ->> 'sex', (child ->> 'age_years')::integer, (child ->> 'height_cm')::integer,
    (last_seen_place -> 'position' ->> 'lon')::double precision,
    (last_seen_place -> 'position' ->> 'lat')::double precision, last_seen_at
from case_file
where state = 'open' and region_code = $1 and last_seen_at between $2::timestamptz - $3::interval and $2 + $3
    and exercise = $4 and abs((child ->> 'age_years')::integer - $5) <= $6
    and ($7 = 'unknown' or child ->> 'sex' in ('unknown', $7))
order by abs(extract(epoch from last_seen_at - $2)) limit $8
"""
_DUE_CASES = f"""
select {_CASE_COLUMNS} from case_file
where state = 'open'
    and id in (
        select case_id from ring
        where issued_at is null and cancelled_at is null and due_at <= $1
        order by due_at limit $2)
for no key update skip locked
"""
_MARK_DUE = """
update ring set issued_at = $2
where case_id = $1 and issued_at is null and cancelled_at is null and due_at <= $2
returning step, radius_km
"""
_IDENTITY = "select wrapped_key, sealed, forgotten_at from case_identity where case_id = $1"
_KEEP_IDENTITY = """
insert into case_identity (case_id, region_code, wrapped_key, sealed, changed_at) values ($1, $2, $3, $4, $5)
on conflict (case_id) do update
set wrapped_key = excluded.wrapped_key, sealed = excluded.sealed, changed_at = excluded.changed_at
where case_identity.forgotten_at is null
"""
_FORGET = """
insert into case_identity (case_id, region_code, changed_at, forgotten_at) values ($1, $2, $3, $3)
on conflict (case_id) do update
set wrapped_key = null, sealed = null, changed_at = excluded.changed_at, forgotten_at = excluded.forgotten_at
where case_identity.forgotten_at is null
"""
_BLANK_TEXTS = "update case_file set companion = '', note = '' where id = $1"
_BLANK_REPORT = """
update report set body = body || '{"companion": "", "note": ""}' where case_id = $1
"""


def _case(row: asyncpg.Record) -> Case:
    return Case.model_validate(dict(row))


async def next_case_code(conn: asyncpg.Connection, prefix: str) -> str:
    """The next short code for people, e.g. CY-0472; a rolled-back report leaves a gap."""
    number: int = await conn.fetchval("select nextval('case_number')")
    return f"{prefix}-{number:04d}"


async def insert_report(
    conn: asyncpg.Connection, report: ReportFiled, case_id: UUID, filed_by: str, now: datetime
) -> bool:
    """Keep a report; False if it is known already."""
    status = await conn.execute(
        _INSERT_REPORT,
        report.report_id,
        case_id,
        report.region_code,
        report.exercise,
        filed_by,
        now,
        report.model_dump(mode="json"),
    )
    return bool(status == "INSERT 0 1")


async def insert_case(conn: asyncpg.Connection, case: Case) -> None:
    """Keep a new case."""
    stored = case.model_dump(mode="json", include={"child", "last_seen_place", "ring"})
    await conn.execute(
        _INSERT_CASE,
        case.id,
        case.region_code,
        case.case_code,
        case.exercise,
        case.report_id,
        case.state,
        case.version,
        case.tier,
        stored["child"],
        stored["last_seen_place"],
        case.last_seen_at,
        case.circumstance,
        case.suspected_mode,
        case.vehicle,
        case.companion,
        case.note,
        stored["ring"],
        case.opened_at,
        case.closed_at,
        case.outcome,
        case.merged_into,
        case.close_reason,
    )


async def update_case(conn: asyncpg.Connection, case: Case) -> None:
    """Keep the next version of a locked case."""
    stored = case.model_dump(mode="json", include={"child", "last_seen_place", "ring"})
    status = await conn.execute(
        _UPDATE_CASE,
        case.id,
        case.state,
        case.version,
        case.tier,
        stored["child"],
        stored["last_seen_place"],
        case.last_seen_at,
        case.circumstance,
        case.suspected_mode,
        case.vehicle,
        case.companion,
        case.note,
        stored["ring"],
        case.closed_at,
        case.outcome,
        case.merged_into,
        case.close_reason,
    )
    assert status == "UPDATE 1", f"Case {case.id} was not locked while version {case.version} was made."


def insert_version(
    tx: Tx,
    case: Case,
    kind: str,
    fact: Fact,
    actor: str,
    changed: Sequence[str],
    reason: str,
) -> None:
    """Add a version to the alert's history."""
    which, body = (case.id, case.version, case.region_code), fact.model_dump(mode="json")
    tx.later(_INSERT_VERSION, *which, kind, list(changed), reason, actor, fact.occurred_at, body)


def insert_rings(tx: Tx, case: Case, schedule: Sequence[RingStep], now: datetime) -> None:
    """Keep the schedule as rows; the ring that is told now, and those inside it, count as told."""
    tx.later(
        _INSERT_RINGS,
        case.id,
        case.region_code,
        case.ring.step,
        now,
        [each.step for each in schedule],
        [each.radius_km for each in schedule],
        [due_at(each, case.last_seen_at) for each in schedule],
    )


async def shift_rings(conn: asyncpg.Connection, case_id: UUID, before: datetime, after: datetime) -> None:
    """The child was last seen at another time: move what is not told yet by the difference."""
    sql = "update ring set due_at = due_at + $2 where case_id = $1 and issued_at is null"
    await conn.execute(sql, case_id, after - before)


async def cancel_rings(conn: asyncpg.Connection, case_id: UUID, now: datetime) -> None:
    """Nobody is told a wider ring of a closed case."""
    sql = (
        "update ring set cancelled_at = $2 where case_id = $1 and issued_at is null and cancelled_at is null"
    )
    await conn.execute(sql, case_id, now)


async def rings_of(conn: asyncpg.Connection, case_id: UUID) -> list[asyncpg.Record]:
    """The schedule of a case."""
    sql = "select step, radius_km, due_at, issued_at, cancelled_at from ring where case_id = $1 order by step"
    return list(await conn.fetch(sql, case_id))


async def cases_with_due_rings(conn: asyncpg.Connection, now: datetime, limit: int) -> list[Case]:
    """Lock open cases whose next ring is due; another worker's cases are left out."""
    return [_case(row) for row in await conn.fetch(_DUE_CASES, now, limit)]


async def mark_due_rings(conn: asyncpg.Connection, case_id: UUID, now: datetime) -> list[tuple[int, float]]:
    """Mark what is due as told; gives (step, radius_km)."""
    return [(row["step"], row["radius_km"]) for row in await conn.fetch(_MARK_DUE, case_id, now)]


async def case(conn: asyncpg.Connection, case_id: UUID) -> Case | None:
    """A case as it stands."""
    row = await conn.fetchrow(f"select {_CASE_COLUMNS} from case_file where id = $1", case_id)
    return _case(row) if row else None


async def lock_case(conn: asyncpg.Connection, case_id: UUID) -> Case | None:
    """A case that nobody else changes until the transaction ends."""
    sql = f"select {_CASE_COLUMNS} from case_file where id = $1 for no key update"
    row = await conn.fetchrow(sql, case_id)
    return _case(row) if row else None


async def cases(conn: asyncpg.Connection, open_only: bool, limit: int) -> list[Case]:
    """The newest cases first."""
    sql = f"""
    select {_CASE_COLUMNS} from case_file where state = 'open' or not $1 order by opened_at desc limit $2
    """
    return [_case(row) for row in await conn.fetch(sql, open_only, limit)]


async def cases_alike(conn: asyncpg.Connection, region_code: str, new: Missing, limit: int) -> list[Missing]:
    """Open cases of a region that could be the same child's, the nearest in time first."""
    rows = await conn.fetch(
        _ALIKE,
        region_code,
        new.last_seen_at,
        WINDOW,
        new.exercise,
        new.age_years,
        AGE_DIFFERENCE_MAX,
        new.sex,
        limit,
    )
    return [_missing(row) for row in rows]


def _missing(row: asyncpg.Record) -> Missing:
    id_, code, exercise, sex, age_years, height_cm, lon, lat, last_seen_at = row
    position = Position.model_construct(lon=lon, lat=lat)
    return Missing(id_, code, exercise, sex, age_years, height_cm, position, last_seen_at)


async def merged_into(conn: asyncpg.Connection, case_id: UUID) -> list[asyncpg.Record]:
    """The cases that were merged into this one."""
    sql = (
        "select id as case_id, case_code, closed_at from case_file where merged_into = $1 order by closed_at"
    )
    return list(await conn.fetch(sql, case_id))


async def versions_of(conn: asyncpg.Connection, case_id: UUID) -> list[asyncpg.Record]:
    """The history of an alert."""
    sql = """
    select version, kind, changed, reason, actor, at, body from alert_version
    where case_id = $1 order by version
    """
    return list(await conn.fetch(sql, case_id))


async def identity(conn: asyncpg.Connection, case_id: UUID) -> asyncpg.Record | None:
    """The sealed identity with its wrapped key, or when it was forgotten."""
    return await conn.fetchrow(_IDENTITY, case_id)


async def keep_identity(
    conn: asyncpg.Connection, case_id: UUID, region_code: str, wrapped: bytes, sealed: bytes, now: datetime
) -> bool:
    """Keep a sealed identity in place of an older one; False if the case's identity was forgotten."""
    status = await conn.execute(_KEEP_IDENTITY, case_id, region_code, wrapped, sealed, now)
    return bool(status == "INSERT 0 1")


async def forget(conn: asyncpg.Connection, case_id: UUID, region_code: str, now: datetime) -> bool:
    """Destroy key and contents, and the free texts that may name somebody; False if that was done before."""
    status = await conn.execute(_FORGET, case_id, region_code, now)
    await conn.execute(_BLANK_TEXTS, case_id)
    await conn.execute(_BLANK_REPORT, case_id)
    return bool(status == "INSERT 0 1")


def timeline_entry(
    tx: Tx, case_id: UUID, region_code: str, at: datetime, type_: str, details: dict[str, Any]
) -> None:
    """Add a line to the timeline of a case of ours; of another case nothing is kept."""
    tx.later(_TIMELINE, case_id, region_code, at, type_, details)
