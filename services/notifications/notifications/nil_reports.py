"""An acknowledgement grows stale: after a while a site that has it is asked to report, nil if there is nothing.

The timers are rows, one for each contact who acknowledged a case, and are derived from the deliveries: nothing
that records an acknowledgement has to know of them. Source: the nil return of search operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from guitu.service import Runtime
from guitu.tx import Tx
from notifications import handlers, store, store_nil_reports, tasks
from notifications.domain import recipients
from notifications.settings import NotificationSettings
from notifications.store import Row

ACTOR = "guitu.notifications"
ASKED_A_RUN = 200


async def ask_stale(runtime: Runtime) -> int:
    """Sweep: ask those who were not heard of for too long; a person calls those who stay silent."""
    settings: NotificationSettings = runtime.state["settings"]
    if settings.ack_stale_after_s <= 0 or settings.nil_reports_max == 0:
        return 0
    async with runtime.tx(actor=ACTOR) as tx:
        await store_nil_reports.hear(tx.conn)
        await _call_silent(tx, settings)
        stale_since = tx.now - timedelta(seconds=settings.ack_stale_after_s)
        rows = await store_nil_reports.due(
            tx.conn, stale_since, settings.nil_reports_max, ASKED_A_RUN, tx.now - store.OPEN_FOR
        )
        if not rows:
            return 0
        cases = await store_nil_reports.open_cases(tx.conn, list({row["case_id"] for row in rows}))
        for (case_id, rounds), asked in groupby(sorted(rows, key=_round_of), key=_round_of):
            if case_id in cases:
                await _ask(tx, cases[case_id], rounds + 1, list(asked))
        return len(rows)


async def heard(tx: Tx, delivery_id: UUID) -> None:
    """A nil-report, or any other word, came for this delivery: its contact is not asked again for a while."""
    await store_nil_reports.heard(tx.conn, delivery_id, tx.now)
    tx.audit("nil_report.heard", subject=delivery_id)


def _round_of(row: Row) -> tuple[UUID, int]:
    return row["case_id"], row["rounds"]


async def _ask(tx: Tx, case: Row, number: int, rows: Sequence[Row]) -> None:
    """One notice a case, version and round; whoever is due later in the same round joins it."""
    notice_id, key = tx.ids.new(), str(number)
    version = case["version"]
    content: dict[str, Any] = case["picture"]
    if not await store.add_notice(tx.conn, notice_id, case, version, "nil_report", key, content, tx.now):
        known = await store_nil_reports.notice_of_round(tx.conn, case["case_id"], version, key)
        assert known is not None, "It conflicted a moment ago."
        notice_id = known
    planned = [
        handlers.delivery_row(
            tx,
            row["contact_id"],
            row["site_id"],
            None,
            recipients.UPDATE_PRIORITY,
            row["distance_km"],
            row["codes"],
            exercise=case["exercise"],
        )
        for row in rows
    ]
    asked = len(await handlers.queue(tx, notice_id, "nil_report", planned))
    contacts = [row["contact_id"] for row in rows]
    await store_nil_reports.asked(tx.conn, case["case_id"], contacts, tx.now)
    tx.audit("notices.nil_report", subject=case["case_id"], round=number, recipients=asked)


async def _call_silent(tx: Tx, settings: NotificationSettings) -> None:
    """Who had answered before and does not answer this may be in trouble, or off duty: a person calls."""
    before = tx.now - timedelta(seconds=settings.answer_within_s)
    await tasks.call_sites(tx, await store_nil_reports.silent(tx.conn, before, ASKED_A_RUN))
