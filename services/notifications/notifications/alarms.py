"""Alarms: silence made loud. One open row for each cause; it closes by itself when the cause is gone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from guitu.service import Runtime
from guitu.tx import Tx
from notifications import metrics, planning, store_alarms
from notifications.domain.alarm_words import KINDS, AlarmKind, Severity
from notifications.domain.watching import Cause, Seen, Thresholds, causes
from notifications.providers.error_policy import ErrorClass, codes_of
from notifications.settings import NotificationSettings
from notifications.store import Row

ACTOR = "guitu.notifications"
SWEPT: tuple[AlarmKind, ...] = (
    "oldest_unsent",
    "blackholing_sender",
    "signature_failures",
    "provider_refuses_us",
    "unknown_too_long",
    "callback_silence",
)
"""Kinds that the watch opens and closes by looking; the others are opened where they happen."""
UNKNOWN_MARGIN = timedelta(seconds=60)


class Forgeries:
    """Callbacks refused for their signature, counted in memory until the watch writes them.

    A row for each would let anybody who can reach the port write to the database as fast as they like; a crash
    loses at most the count of one interval, and whoever forges goes on.
    """

    def __init__(self) -> None:
        self.waiting = 0

    def add(self) -> None:
        """One more was refused."""
        self.waiting += 1
        metrics.FORGED.inc()

    def written(self, count: int) -> None:
        """So many are in the database now."""
        self.waiting -= count


FORGERIES = Forgeries()
"""Of this process; the table adds up all processes."""


async def open_alarm(
    tx: Tx,
    kind: AlarmKind,
    subject: str,
    detail: dict[str, Any],
    severity: Severity,
    region_code: str | None = None,
) -> bool:
    """Open it, or note that its cause is still there; True if it is new. `detail` has ids and numbers only."""
    alarm_id = tx.ids.new()
    new = await store_alarms.open_alarm(
        tx.conn, alarm_id, kind, subject, region_code, severity, detail, tx.now
    )
    if new:
        tx.audit("alarm.opened", subject=alarm_id, kind=kind)
    return new


async def close_alarm(tx: Tx, kind: AlarmKind, subject: str) -> bool:
    """The cause is gone; False if nothing was open."""
    closed = await store_alarms.close_alarm(tx.conn, kind, subject, tx.now)
    if closed is not None:
        tx.audit("alarm.closed", subject=closed, kind=kind)
    return closed is not None


async def nobody_told(tx: Tx, case: Row) -> None:
    """A notice without any recipient is an error, unless others of the case were told before: a wider ring may
    hold no further site."""
    if await store_alarms.case_has_told(tx.conn, case["case_id"]):
        return
    detail = {"case_id": str(case["case_id"])}
    severity: Severity = "warning" if case["exercise"] else "critical"
    await open_alarm(tx, "no_recipients", detail["case_id"], detail, severity, case["region_code"])


async def unit_without_contact(tx: Tx, case: Row, unit_id: UUID) -> None:
    """An order that can't be texted to its unit."""
    detail = {"case_id": str(case["case_id"]), "unit_id": str(unit_id)}
    severity: Severity = "warning" if case["exercise"] else "critical"
    subject = f"{case['case_id']} {unit_id}"
    await open_alarm(tx, "no_recipients", subject, detail, severity, case["region_code"])


async def duty_number_opted_out(tx: Tx, contact_id: UUID) -> None:
    """A number that must be reached does not want to be."""
    region = await store_alarms.region_of_contact(tx.conn, contact_id)
    detail = {"contact_id": str(contact_id)}
    await open_alarm(tx, "duty_number_opted_out", str(contact_id), detail, "critical", region)


async def watch(runtime: Runtime) -> int:
    """Sweep: look at what is too late, too silent or refused; open, renew and close alarms."""
    settings: NotificationSettings = runtime.state["settings"]
    forged = FORGERIES.waiting
    async with runtime.tx(actor=ACTOR) as tx:
        if forged:
            await store_alarms.add_forged(tx.conn, tx.now, forged)
        now_wrong = causes(await _seen(tx, settings), thresholds(settings))
        await _reconcile(tx, now_wrong)
        for kind, closed in (
            ("no_recipients", await store_alarms.close_told(tx.conn, tx.now)),
            ("duty_number_opted_out", await store_alarms.close_opted_in(tx.conn, tx.now)),
        ):
            for alarm_id in closed:
                tx.audit("alarm.closed", subject=alarm_id, kind=kind)
        counts = await store_alarms.counts(tx.conn)
    # Only after the commit: what was not written is written by the next run.
    FORGERIES.written(forged)
    for kind in KINDS:
        metrics.ALARMS_OPEN.labels(kind).set(counts.get(kind, 0))
    return 0


async def _reconcile(tx: Tx, now_wrong: list[Cause]) -> None:
    before = await store_alarms.open_subjects(tx.conn, SWEPT)
    for cause in now_wrong:
        await open_alarm(tx, cause.kind, cause.subject, cause.detail, cause.severity)
    for kind, subject in sorted(before - {(cause.kind, cause.subject) for cause in now_wrong}):
        await close_alarm(tx, kind, subject)  # type: ignore[arg-type]


async def _seen(tx: Tx, settings: NotificationSettings) -> Seen:
    conn, now = tx.conn, tx.now
    shortest = timedelta(seconds=min(settings.unsent_urgent_s, settings.unsent_other_s))
    unknown_since = now - timedelta(seconds=settings.grace_s) - UNKNOWN_MARGIN
    return Seen(
        now,
        unsent=await store_alarms.unsent(conn, now, now - shortest),
        senders=await store_alarms.receipts_by_sender(conn, now),
        forged=await store_alarms.forged_lately(conn, now),
        refusals=await store_alarms.refusals(conn, now, *codes_of(ErrorClass.permanent_config)),
        unknown=await store_alarms.unknown(conn, unknown_since),
        accepted_lately=await store_alarms.accepted_lately(conn, now),
        called_back_lately=await store_alarms.called_back_lately(conn, now),
    )


def thresholds(settings: NotificationSettings) -> Thresholds:
    """What the operator allows."""
    each_s = planning.seconds_each(settings.sender_specs, "sms")
    return Thresholds(
        unsent_urgent=timedelta(seconds=settings.unsent_urgent_s),
        unsent_other=timedelta(seconds=settings.unsent_other_s),
        per_s=1 / each_s if each_s else 0.0,
        blackhole_share=settings.blackhole_share,
        blackhole_min=settings.blackhole_min,
        forged_max=settings.forged_callbacks_max,
        silence_min=settings.callback_silence_min,
    )
