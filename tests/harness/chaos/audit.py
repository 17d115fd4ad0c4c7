"""The auditor: waits until nothing is under way, then holds tables, topics and the provider's books to the promises.

Everything is read in one snapshot (repeatable read), so that what still moves, such as an escalation, can't look
like a loss. It reads as the owner and writes nothing but temporary tables.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from guitu import audit as chain
from harness.chaos import checks, checks_console, checks_sms
from harness.chaos.checks import Check, Sort
from harness.chaos.ledger import Sms
from harness.chaos.promises import Promises

ALERTS_READ = ("report", "plan", "order", "mutual_aid", "notice", "sighting", "dna")
CONSOLE_READ = ("alert", "case", "plan", "order", "mutual_aid", "notice", "sighting", "dna")
SCHEMAS = ("alerts", "dispatch", "dna_intake", "notifications", "console")
READS = (
    *(("alerts", f"guitu.{noun}.%") for noun in ALERTS_READ),
    *(("dispatch", f"guitu.{noun}.%") for noun in ("alert", "sighting")),
    ("dna_intake", "guitu.alert.%"),
    ("notifications", "guitu.alert.%"),
    ("notifications", "guitu.order.issued.v1"),
    ("notifications", "guitu.order.stood_down.v1"),
    *(("console", f"guitu.{noun}.%") for noun in CONSOLE_READ),
)
"""Who must take in what, said a second time on purpose."""
SHOWN_MAX = 5
EARTH_KM = 6371.0088

_FACT = """
select '{0}' as writer, id, type, occurred_at, published_at, (body ->> 'case_id')::uuid as case_id,
    coalesce(body ->> 'request_id', body ->> 'order_id', body ->> 'delivery_id', body ->> 'sighting_id',
        body ->> 'case_id', body ->> 'report_id')::uuid as subject,
    coalesce(body ->> 'version', body ->> 'plan_number')::int as n
from (select id, type, occurred_at, published_at, convert_from(payload, 'UTF8')::jsonb as body from {0}.outbox
    where type like 'guitu.%') x
"""
_BESIDE = f"""
create temp table fact on commit drop as {" union all ".join(_FACT.format(schema) for schema in SCHEMAS)};
create temp table took_in on commit drop as
    {" union all ".join(f"select '{s}' as reader, event_id from {s}.inbox" for s in SCHEMAS)};
create temp table evidence (read_at timestamptz) on commit drop;
create temp table reads (reader text, pattern text) on commit drop;
create temp table promise (report_id uuid, case_id uuid, lon float8, lat float8, seen_at timestamptz) on commit drop;
create temp table promised_end (case_id uuid) on commit drop;
create temp table promised_update (case_id uuid) on commit drop;
create temp table promised_sighting (sighting_id uuid, case_id uuid) on commit drop;
create temp table promised_answer (sid text, code text) on commit drop;
create temp table fed (event_id uuid) on commit drop;
create temp table carried (event_id uuid, times int) on commit drop;
create temp table sms (sid text, phone text, body text, case_code text, sort text, version int, link text)
    on commit drop;
"""
_AFTERWARDS = f"""
update promise p set case_id = r.case_id from alerts.report r where r.id = p.report_id and p.case_id is null;
create temp table near on commit drop as
    select c.id as case_id, s.site_id, 2 * {EARTH_KM} * asin(sqrt(
        sin(radians(s.lat - p.lat) / 2) ^ 2
        + cos(radians(p.lat)) * cos(radians(s.lat)) * sin(radians(s.lon - p.lon) / 2) ^ 2)) as km
    from alerts.case_file c join promise p on p.report_id = c.report_id, notifications.site s;
create index on fact (id);
create index on fact (case_id, type);
create index on fact (subject, type);
create index on took_in (event_id, reader);
create index on carried (event_id);
create index on sms (sid);
create index on sms (case_code, phone);
create index on near (case_id);
create temp table awaited on commit drop as
    select distinct f.subject from fact f join reads r on f.type like r.pattern
    where r.reader = 'console'
        and not exists (select from took_in t where t.reader = 'console' and t.event_id = f.id);
analyze fact; analyze took_in; analyze carried; analyze sms; analyze near; analyze promise;
"""
_UNSEALED = """
select count(*) from audit a
where a.at < (select read_at from evidence) and not exists (select from audit_seal s where s.audit_id = a.id)
"""
_PENDING: dict[str, str] = {
    **{
        f"facts of {s} unpublished": f"select count(*) from {s}.outbox where published_at is null"
        for s in SCHEMAS
    },
    **{
        f"audit rows of {s} unsealed": f"""
        select (select count(*) from {s}.audit) - (select count(*) from {s}.audit_seal)"""
        for s in SCHEMAS
    },
    **{
        f"{pattern} unread by {reader}": f"""
        select count(*) from ({" union all ".join(f"select id, type from {s}.outbox" for s in SCHEMAS)}) o
        where o.type like '{pattern}' and not exists (select from {reader}.inbox where event_id = o.id)"""
        for reader, pattern in READS
    },
    "SMS under way": "select count(*) from notifications.delivery where state in ('queued', 'sending', 'unknown')",
    # Also those that will be due during the audit; the next after them is half an hour away.
    "rings due": """
        select count(*) from alerts.ring
        where due_at < now() + interval '2 minutes' and issued_at is null and cancelled_at is null""",
    "plans not looked at again": """
        select count(*) from dispatch.alert_case c left join dispatch.look_wish w on w.case_id = c.case_id
        where c.stood_down_as is null and (c.plan_number > c.looked_number or w.case_id is not null)""",
    "cases without a plan": "select count(*) from dispatch.alert_case where plan_number = 0",
}


@dataclass(frozen=True)
class Finding:
    """A check that does not hold: how often, and some of the breaches."""

    sort: Sort
    says: str
    count: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.sort}: {self.says}: {self.count}, such as {'; '.join(self.examples)}"


@dataclass(frozen=True)
class Evidence:
    """What is held against the tables.

    Nothing was under way at `read_at`, before topics and books were read; the snapshot is taken after them. What
    happened in between, such as an escalation after three minutes of silence, may still be on its way.
    """

    read_at: datetime
    promises: Promises
    fed: frozenset[UUID]
    carried: Counter[UUID]
    sms: Sequence[Sms]


async def settle(database_url: str, within_s: float) -> str:
    """Wait until nothing is under way; returns what still is when the time is over, or nothing."""
    conn = await asyncpg.connect(database_url)
    try:
        end, left = time.monotonic() + within_s, "?"
        while left and time.monotonic() < end:
            counts = {what: await conn.fetchval(sql) for what, sql in _PENDING.items()}
            left = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
            if left:
                await asyncio.sleep(0.5)
        return left
    finally:
        await conn.close()


async def examine(
    database_url: str, evidence: Evidence, planted: str = "", only: Collection[str] = ()
) -> list[Finding]:
    """Everything that does not hold, in one snapshot that is thrown away.

    For the tests, `planted` changes it first, and `only` names the checks to make, as `sort: what it says`.
    """
    wanted = [check for check in _all() if not only or f"{check.sort}: {check.says}" in only]
    conn = await asyncpg.connect(database_url, command_timeout=300)
    try:
        snapshot = conn.transaction(isolation="repeatable_read")
        await snapshot.start()
        try:
            await _lay_beside(conn, evidence)
            if planted:
                await conn.execute(planted)
            found = [each for check in wanted if (each := await _breach(conn, check))]
            # What is asked for and is no query is said by the chains.
            if not only or len(wanted) < len(only):
                found += await _broken_chains(conn)
        finally:
            await snapshot.rollback()
    finally:
        await conn.close()
    if evidence.promises.contradictions:
        said = tuple(evidence.promises.contradictions)
        found.append(Finding("doubled", "one report was answered in two ways", len(said), said[:SHOWN_MAX]))
    return found


def _all() -> Sequence[Check]:
    return (*checks.CHECKS, *checks_sms.CHECKS, *checks_console.CHECKS)


async def _lay_beside(conn: asyncpg.Connection, evidence: Evidence) -> None:
    promises = evidence.promises
    await conn.execute(_BESIDE)
    rows: dict[str, list[tuple[Any, ...]]] = {
        "evidence": [(evidence.read_at,)],
        "reads": list(READS),
        "promise": [(r.report_id, r.case_id, r.lon, r.lat, r.seen_at) for r in promises.reports.values()],
        "promised_end": [(case_id,) for case_id in promises.stand_downs],
        "promised_update": [(case_id,) for case_id in promises.updates],
        "promised_sighting": list(promises.sightings.items()),
        "promised_answer": list(promises.answers.items()),
        "fed": [(event_id,) for event_id in evidence.fed],
        "carried": list(evidence.carried.items()),
        "sms": [(s.sid, s.phone, s.body, s.case_code, s.sort, s.version, s.link) for s in evidence.sms],
    }
    for table, records in rows.items():
        await conn.copy_records_to_table(table, records=records)
    await conn.execute(_AFTERWARDS)


async def _breach(conn: asyncpg.Connection, check: Check) -> Finding | None:
    found = [row[0] for row in await conn.fetch(check.sql)]
    return Finding(check.sort, check.says, len(found), tuple(found[:SHOWN_MAX])) if found else None


async def _broken_chains(conn: asyncpg.Connection) -> list[Finding]:
    """Every service's audit log: each row sealed, and the chain holds."""
    await conn.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)
    found: list[Finding] = []
    for schema in SCHEMAS:
        await conn.execute(f"set local search_path to {schema}")
        try:
            await chain.verify(conn)
        except chain.AuditBroken as broken:
            found.append(Finding("wrong", f"the audit log of {schema} is broken", 1, (str(broken),)))
        if left := await conn.fetchval(_UNSEALED):
            found.append(Finding("lost", f"audit rows of {schema} are not sealed", left, ()))
    return found
