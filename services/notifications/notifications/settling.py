"""Writes what became of attempts: state and facts in one transaction, each fact once for each delivery."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from contracts.base import DeliveryId, NoticeId, SiteId, UnitId
from contracts.notice import NoticeAccepted, NoticeDelivered, NoticeFailed, kind_fields
from guitu.tx import Tx
from notifications import handlers, metrics, store_sending
from notifications.domain.delivery import ALERT_KINDS, Limits, Outcome, Settled, settle
from notifications.domain.senders import others
from notifications.settings import NotificationSettings
from notifications.store import Row

JITTER = random.Random(20260301)  # noqa: S311 - spreads retries; nobody must be unable to guess it.


async def record(tx: Tx, outcomes: Mapping[UUID, Outcome], settings: NotificationSettings) -> int:
    """Settle these attempts (by id) together; returns how many changed something."""
    rows = await store_sending.lock(tx.conn, list(outcomes))
    limits = Limits(settings.sms_attempts_max, timedelta(seconds=settings.answer_within_s))
    specs = settings.sender_specs
    settled = []
    for attempt_id, row in rows.items():
        refused = {*row["refused_by"], row["sender"]}
        more = bool(others(specs, row["channel"], row["phone"] or "", refused))
        after = settle(row, outcomes[attempt_id], tx.now, limits, JITTER.random(), others=more)
        if after is not None:
            settled.append((row, outcomes[attempt_id], after))
    if settled:
        await _write(tx, settled)
        await _stand_down_late(tx, settled)
    return len(settled)


async def _write(tx: Tx, settled: list[tuple[Row, Outcome, Settled]]) -> None:
    await store_sending.settle_attempts(
        tx.conn,
        tx.now,
        [
            (
                row["attempt_id"],
                after.attempt_state,
                outcome.provider_id,
                after.rank,
                outcome.segments,
                outcome.code,
            )
            for row, outcome, after in settled
        ],
    )
    await store_sending.settle_deliveries(
        tx.conn,
        [
            (
                row["id"],
                after.state,
                after.next_at,
                after.attempted_at,
                after.accepted_at,
                after.delivered_at,
                after.failed_at,
                after.answer_due_at,
                after.expired_at,
                after.refused_by,
                after.resent_blind,
            )
            for row, _, after in settled
        ],
    )
    for row, outcome, after in settled:
        _publish(tx, row, outcome, after)
        _count(outcome, after)


def _count(outcome: Outcome, after: Settled) -> None:
    if outcome.kind == "given_up":
        metrics.GIVEN_UP.inc()
    if after.resent_blind:
        metrics.RESENT_BLIND.inc()


def _publish(tx: Tx, row: Row, outcome: Outcome, after: Settled) -> None:
    """Say what is new for this delivery; what was said before stays unsaid."""
    common = fact_fields(row, tx)
    if after.accepted_at and not row["accepted_at"]:
        segments = max(outcome.segments, row["segments"])
        tx.publish(NoticeAccepted(**common, provider=row["provider"], segments=segments))
    if after.delivered_at and not row["delivered_at"]:
        tx.publish(NoticeDelivered(**common))
    if after.failed_at and not row["failed_at"]:
        code = outcome.code or "not_sent"
        tx.publish(NoticeFailed(**common, code=code, reason=(outcome.reason or outcome.status)[:200]))
    if after.expired_at:
        tx.publish(
            NoticeFailed(**common, code="expired", reason=outcome.code or "nobody could take it in time")
        )


def fact_fields(row: Row, tx: Tx) -> dict[str, Any]:
    """The fields that every fact of a delivery has."""
    return {
        "region_code": row["region_code"],
        "exercise": row["exercise"],
        "occurred_at": tx.now,
        "case_id": row["case_id"],
        "delivery_id": DeliveryId(row["id"]),
        "notice_id": NoticeId(row["notice_id"]),
        **kind_fields(row["kind"]),
        "alert_version": row["version"],
        "site_id": SiteId(row["site_id"]) if row["site_id"] else None,
        "unit_id": UnitId(row["unit_id"]) if row["unit_id"] else None,
    }


async def _stand_down_late(tx: Tx, settled: list[tuple[Row, Outcome, Settled]]) -> None:
    """A sending that was under way when its case was stood down may have reached somebody: tell them too."""
    cases = {
        row["case_id"]
        for row, _, after in settled
        if row["stood_down_at"] is not None and after.attempted_at and row["kind"] in ALERT_KINDS
    }
    if cases:
        await handlers.stand_down_told(tx, sorted(cases))
