"""The auditor: every 30 s it asks whether anybody is forgotten, says so, and is missed when it is silent itself.

The heartbeat goes out only after an audit that found nothing. So whoever waits for it also notices what nothing
in here could tell: a process that is dead, a database that is away, a network that is cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from time import perf_counter
from typing import Any

import aiohttp

from guitu.service import Runtime
from guitu.tx import Tx
from notifications import alarms, metrics, paging, store_auditing
from notifications.domain.auditing import Fault, alert_fault, stand_down_fault
from notifications.settings import NotificationSettings
from notifications.store import Row

ACTOR = "guitu.auditor"
SHOWN_MAX = 50
HEARTBEAT_TIMEOUT_S = 5.0
FAILED_IN_A_ROW = "auditor_failed_in_a_row"
Violation = dict[str, str | None]


async def audit(runtime: Runtime) -> int:
    """Sweep: audit, then heartbeat if nothing was found; a page when it stays wrong, or can't be done twice."""
    settings: NotificationSettings = runtime.state["settings"]
    try:
        found = await _audit(runtime, settings)
    except Exception:
        await _failed(runtime, settings)
        raise
    runtime.state[FAILED_IN_A_ROW] = 0
    metrics.AUDITOR_VIOLATIONS.set(found)
    if found == 0:
        metrics.AUDITOR_OK.set(runtime.clock.now().timestamp())
        await heartbeat(runtime, settings)
    return 0


async def _audit(runtime: Runtime, settings: NotificationSettings) -> int:
    """Look, write down what was found, open or close the alarm; returns how many are forgotten."""
    began = perf_counter()
    async with runtime.read() as conn:
        before = await store_auditing.last_run(conn)
    async with runtime.tx(actor=ACTOR) as tx:
        checked, violations = await look(tx)
        took_ms = round((perf_counter() - began) * 1000)
        await store_auditing.add_run(
            tx.conn, tx.ids.new(), tx.now, took_ms, checked, len(violations), violations[:SHOWN_MAX]
        )
        await _alarm(tx, violations)
        if violations and before is not None and before["found"]:
            await paging.ask(tx, settings, f"{len(violations)}")
    if violations:
        runtime.log.error("auditor.violations", found=len(violations), checked=checked)
    return len(violations)


async def look(tx: Tx) -> tuple[int, list[Violation]]:
    """How many recipients were looked at, and each that nobody holds."""
    conn, now = tx.conn, tx.now
    told = await store_auditing.stood_down(conn, now)
    checked = await store_auditing.count_open(conn) + len(told)
    found = [
        *_found((alert_fault(row, now), row) for row in await store_auditing.open_deliveries(conn)),
        *_found(("deliveries_missing", row) for row in await store_auditing.missing(conn, now)),
        *_found((stand_down_fault(row, now), row) for row in told),
    ]
    return checked, found


def _found(judged: Iterable[tuple[Fault | None, Row]]) -> list[Violation]:
    return [_violation(fault, row) for fault, row in judged if fault is not None]


def _violation(fault: Fault, row: Mapping[str, Any]) -> Violation:
    delivery_id = row.get("over_id") or row.get("delivery_id")
    return {
        "fault": fault,
        "delivery_id": str(delivery_id) if delivery_id else None,
        "notice_id": str(row["notice_id"]),
        "case_id": str(row["case_id"]),
        "region_code": row["region_code"],
    }


async def _alarm(tx: Tx, violations: list[Violation]) -> None:
    if not violations:
        await alarms.close_alarm(tx, "auditor_violation", "")
        return
    detail = {
        "found": len(violations),
        "faults": sorted({str(each["fault"]) for each in violations}),
        "delivery_ids": [each["delivery_id"] for each in violations[:SHOWN_MAX] if each["delivery_id"]],
        "notice_ids": sorted({str(each["notice_id"]) for each in violations[:SHOWN_MAX]}),
    }
    await alarms.open_alarm(tx, "auditor_violation", "", detail, "critical")


async def _failed(runtime: Runtime, settings: NotificationSettings) -> None:
    """An audit that can't be done is no audit: page at the second in a row, if the database takes it."""
    failed = runtime.state.get(FAILED_IN_A_ROW, 0) + 1
    runtime.state[FAILED_IN_A_ROW] = failed
    if failed < 2:
        return
    try:
        async with runtime.tx(actor=ACTOR) as tx:
            await paging.ask(tx, settings, paging.AUDIT_FAILS)
    except Exception as error:
        # Then the missing heartbeat is what is heard; the sweep itself logs and counts the audit's own error.
        runtime.log.error("auditor.page_not_asked", error=type(error).__name__)


async def heartbeat(runtime: Runtime, settings: NotificationSettings) -> bool:
    """Tell the dead man's switch that all is well; False if it is off or could not be told."""
    url = settings.heartbeat_url.get_secret_value()
    if not url:
        return False
    try:
        timeout = aiohttp.ClientTimeout(total=HEARTBEAT_TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
            told = answer.status < 300
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        # The address is a secret of its own and may be in the error's words.
        runtime.log.warning("auditor.heartbeat_failed", error=type(error).__name__)
        told = False
    metrics.HEARTBEATS.labels("told" if told else "failed").inc()
    return told
