"""From report to stand-down: load, decide, save state, audit and facts in the transaction that is given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from alerts import store
from alerts.areas import area_of
from alerts.domain import case as cases
from alerts.domain import duplicates
from alerts.domain.case import Case, CaseClosed, Outcome, OutcomeRefused
from alerts.refusals import (
    ReportRefused,
    case_closed,
    in_future,
    merge_refused,
    outcome_refused,
    outside_area,
    region_unknown,
    too_long_ago,
)
from alerts.settings import AlertSettings, alert_settings
from contracts.alert import AlertFact
from contracts.base import CaseId, EventId, Tier
from contracts.report import ReportFiled
from guitu.problem import Problem
from guitu.service import Runtime
from guitu.tx import Tx

COMPARED_MAX = 100
"""Cases a new one is compared to; in a county that many open ones within two days means an exercise."""

LONGEST_AGO = timedelta(days=36_525)


@dataclass(frozen=True)
class Opened:
    """A new case, the id of its AlertRaised, and who may be the same child."""

    case: Case
    event_id: EventId
    likely: list[duplicates.Likeness]


def check_report(report: ReportFiled, settings: AlertSettings, now: datetime) -> None:
    """Refuse what can't be true before anybody is sent out for it. Raises: Problem 422."""
    _check_time(report.last_seen_at, settings, now)
    box = area_of(settings, report.region_code)
    if box is None:
        raise region_unknown(report.region_code)
    if not box.holds(report.last_seen_place.position):
        raise outside_area(report.region_code, box)


def _check_time(last_seen_at: datetime, settings: AlertSettings, now: datetime) -> None:
    if last_seen_at > now + settings.future_tolerance:
        raise in_future("last_seen_at", last_seen_at, now)
    if last_seen_at < now - LONGEST_AGO:
        raise too_long_ago("last_seen_at", last_seen_at)


async def when_reported(tx: Tx, report: ReportFiled, settings: AlertSettings) -> None:
    """An outside system filed a report: it opens a case exactly once; our own reports are known already.

    Raises: ReportRefused, for a report that the API would refuse too; it becomes a dead letter with this text.
    """
    try:
        check_report(report, settings, tx.now)
    except Problem as refused:
        raise ReportRefused(f"{refused.detail_en} {refused.mend}") from None
    await open_case(tx, report, settings, None)


async def file_report(
    tx: Tx, report: ReportFiled, settings: AlertSettings, tier: Tier | None = None
) -> Opened:
    """A report over HTTP: publish it, open its case and raise its alert. Raises: Problem 422."""
    check_report(report, settings, tx.now)
    tx.publish(report)
    opened = await open_case(tx, report, settings, tier)
    assert opened is not None, "A report that was just made is new."
    case, event_id = opened
    return Opened(case, event_id, await likely_duplicates(tx.conn, case))


async def open_case(
    tx: Tx, report: ReportFiled, settings: AlertSettings, tier: Tier | None
) -> tuple[Case, EventId] | None:
    """Open the report's case and raise its alert with the ring that is due; None if the report is known."""
    case_id = cases.case_id_of(report.report_id)
    if not await store.insert_report(tx.conn, report, case_id, tx.actor, tx.now):
        return None
    code = await store.next_case_code(tx.conn, settings.case_prefix(report.region_code))
    case = cases.open_case(report, code, tx.now, tier, settings.ring_schedule)
    fact = cases.raised_fact(case, tx.now)
    await store.insert_case(tx.conn, case)
    store.insert_rings(tx, case, settings.ring_schedule, tx.now)
    _keep_version(tx, case, "raised", fact)
    tx.audit("case.opened", subject=case.id, report_id=str(report.report_id), tier=case.tier)
    return case, tx.publish(fact)


async def likely_duplicates(conn: asyncpg.Connection, case: Case) -> list[duplicates.Likeness]:
    """Other open cases that may be the same child's, for a person to judge; whoever reported them."""
    new = duplicates.missing_of(case)
    others = await store.cases_alike(conn, case.region_code, new, COMPARED_MAX)
    return duplicates.possible_duplicates(new, others)


async def change_tier(tx: Tx, case: Case, tier: Tier, reason: str) -> tuple[Case, tuple[str, ...]]:
    """Raise or lower the tier of a locked case. Raises: Problem 409 if it is closed."""
    try:
        after = cases.with_tier(case, tier)
    except CaseClosed:
        raise case_closed(case) from None
    changed = ("tier",) if after != case else ()
    await _update(tx, case, after, changed, reason)
    return after, changed


async def change_fields(
    tx: Tx, case: Case, fields: dict[str, Any], reason: str, settings: AlertSettings
) -> tuple[Case, tuple[str, ...]]:
    """Correct or complete a locked case. Raises: Problem 409 if it is closed, 422 for a time or place that can't be."""
    try:
        after, changed = cases.with_fields(case, fields, tx.now)
    except CaseClosed:
        raise case_closed(case) from None
    _check_time(after.last_seen_at, settings, tx.now)
    box = area_of(settings, case.region_code)
    if "last_seen_place" in changed and box and not box.holds(after.last_seen_place.position):
        raise outside_area(case.region_code, box)
    await _update(tx, case, after, changed, reason)
    if after.last_seen_at != case.last_seen_at:
        await store.shift_rings(tx.conn, case.id, case.last_seen_at, after.last_seen_at)
    return after, changed


async def _update(tx: Tx, before: Case, after: Case, changed: tuple[str, ...], reason: str) -> None:
    if after == before:
        return
    fact = cases.updated_fact(after, changed, reason, tx.now)
    await store.update_case(tx.conn, after)
    _keep_version(tx, after, "updated", fact, changed, reason)
    tx.publish(fact)
    tx.audit("alert.updated", subject=after.id, version=after.version, changed=list(changed))


async def stand_down(
    tx: Tx, case: Case, outcome: Outcome, reason: str, merged_into: CaseId | None = None
) -> Case:
    """End a locked case for everyone who was told; the same end again changes nothing.

    Raises: Problem 409 if it ended another way, or the outcome does not fit.
    """
    try:
        after = cases.stood_down(case, outcome, reason, tx.now, merged_into)
    except CaseClosed:
        raise case_closed(case) from None
    except OutcomeRefused as refused:
        raise outcome_refused(str(refused)) from None
    if after == case:
        return case
    fact = cases.stood_down_fact(after, tx.now)
    await store.update_case(tx.conn, after)
    await store.cancel_rings(tx.conn, case.id, tx.now)
    _keep_version(tx, after, "stood_down", fact, (), reason)
    tx.publish(fact)
    tx.audit("alert.stood_down", subject=case.id, version=after.version, outcome=outcome)
    return after


async def merge(tx: Tx, case: Case, into: Case, reason: str) -> Case:
    """By a person's decision, end `case` because `into` is the same child's. Both are locked.

    Raises: Problem 409, if they can't become one.
    """
    if case.id == into.id:
        raise merge_refused("A case can't be merged into itself.", "案件不能并入自身。")
    if case.exercise != into.exercise:
        raise merge_refused("An exercise can't be merged with a real case.", "演练案件不能与真实案件合并。")
    if into.state != "open" and case.merged_into != into.id:
        raise merge_refused(f"Case {into.case_code} is closed.", f"案件{into.case_code}已解除。")
    after = await stand_down(tx, case, "merged", reason, into.id)
    if after != case:
        details = {"case_id": str(case.id), "case_code": case.case_code}
        store.timeline_entry(tx, into.id, into.region_code, tx.now, "case.merged_here", details)
    return after


async def widen_rings(runtime: Runtime) -> int:
    """Tell the next ring of open cases whose time has come; returns how many cases were widened.

    After an outage a case may owe several rings: the widest contains the others, so one fact tells them all.
    """
    limit = alert_settings(runtime.settings).ring_batch
    async with runtime.tx(actor=f"guitu.{runtime.service}") as tx:
        due = await store.cases_with_due_rings(tx.conn, tx.now, limit)
        for case in due:
            await _widen(tx, case)
    return len(due)


async def _widen(tx: Tx, case: Case) -> None:
    step, radius_km = max(await store.mark_due_rings(tx.conn, case.id, tx.now), default=(0, 0.0))
    if step <= case.ring.step:
        return
    after = cases.widened(case, step, radius_km, tx.now)
    fact = cases.widened_fact(after, tx.now)
    await store.update_case(tx.conn, after)
    _keep_version(tx, after, "widened", fact)
    tx.publish(fact)
    tx.audit("alert.widened", subject=case.id, version=after.version, step=step)


def _keep_version(
    tx: Tx, case: Case, kind: str, fact: AlertFact, changed: tuple[str, ...] = (), reason: str = ""
) -> None:
    store.insert_version(tx, case, kind, fact, tx.actor, changed, reason)
    details: dict[str, Any] = {"version": case.version}
    if changed:
        details["changed"] = list(changed)
    if case.outcome:
        details["outcome"] = case.outcome
    store.timeline_entry(tx, case.id, case.region_code, tx.now, fact.type_, details)


async def lock_pair(tx: Tx, first: UUID, second: UUID) -> None:
    """Lock two cases in one order for everybody, so that two merges can't wait for each other."""
    for case_id in sorted({first, second}):
        await store.lock_case(tx.conn, case_id)
