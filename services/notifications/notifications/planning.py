"""Capacity as a plan: when what waits will go, by when it must be answered, and what has run out of time.

A sender is scarce (a US long code sends one segment a second), so a notice that waits for its turn is not overdue:
its deadline counts from the time at which its turn comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.notice import NoticeFailed
from guitu.service import Runtime
from notifications import settling, store_senders
from notifications.domain.senders import SenderSpec
from notifications.settings import NotificationSettings
from notifications.store import ALERT_KINDS, Row

ACTOR = "guitu.notifications"
DEADLINES_AT_ONCE = 200
CHANNELS = ("sms", "voice", "webhook")


def seconds_each(specs: Sequence[SenderSpec], channel: str) -> float:
    """How long one message of a channel takes all its senders together; 0 where one of them has no limit."""
    rates = [spec.per_s for spec in specs if spec.channel == channel]
    return 0.0 if not rates or 0 in rates else 1 / sum(rates)


async def set_deadlines(runtime: Runtime) -> int:
    """Sweep: what waits gets the time by which somebody must have answered, after its planned turn."""
    settings: NotificationSettings = runtime.state["settings"]
    within = timedelta(seconds=settings.answer_within_s)
    for channel in sorted({spec.channel for spec in settings.sender_specs}):
        now, each_s = runtime.clock.now(), seconds_each(settings.sender_specs, channel)
        async with runtime.pool.acquire() as conn:
            rows = await store_senders.waiting(conn, channel, ALERT_KINDS, now)
        due = [
            (row["id"], within + (now + timedelta(seconds=place * each_s) if each_s else row["queued_at"]))
            for place, row in enumerate(rows, start=1)
            if row["needs_deadline"]
        ]
        # A few at a time: what is being sent must not wait for the locks of 10,000 others.
        for begin in range(0, len(due), DEADLINES_AT_ONCE):
            async with runtime.tx(actor=ACTOR) as tx:
                await store_senders.set_deadlines(tx.conn, due[begin : begin + DEADLINES_AT_ONCE])
    return 0


async def expire(runtime: Runtime) -> int:
    """Sweep: what nobody could take in time, or nobody can ever take, is not sent, and said to have failed."""
    settings: NotificationSettings = runtime.state["settings"]
    channels = sorted({spec.channel for spec in settings.sender_specs})
    kinds = [*ALERT_KINDS, "order"]
    async with runtime.tx(actor=ACTOR) as tx:
        rows = await store_senders.expired(tx.conn, tx.now, settings.sms_batch, kinds, channels)
        for row in rows:
            code, why = _why_not_sent(row, tx.now)
            tx.publish(NoticeFailed(**settling.fact_fields(row, tx), code=code, reason=why))
    return len(rows)


def _why_not_sent(row: Row, now: datetime) -> tuple[str, str]:
    if row["expires_at"] <= now:
        return "expired", "nobody could take it in time"
    return "no_sender", f"none for {row['channel']}"


async def plan_of(runtime: Runtime, case_id: UUID, region_code: str) -> dict[str, Any]:
    """The plan for a case: each notice (a ring, an update) with how far it is and when its last one goes."""
    settings: NotificationSettings = runtime.state["settings"]
    async with runtime.read(region=region_code) as conn:
        rows = await store_senders.plan_of(conn, case_id)
    now = runtime.clock.now()
    specs = settings.sender_specs
    return {
        "case_id": case_id,
        "as_of": now,
        "segments_per_s": {
            channel: sum(spec.per_s for spec in specs if spec.channel == channel)
            for channel in CHANNELS
            if seconds_each(specs, channel)
        },
        "notices": [_notice(row, now, seconds_each(specs, row["channel"])) for row in rows],
    }


def _notice(row: Row, now: datetime, each_s: float) -> dict[str, Any]:
    fields = dict(row)
    first, last = fields.pop("first_place"), fields.pop("last_place")
    radius = fields.pop("ring_radius_km")
    return fields | {
        "ring_radius_km": float(radius) if radius is not None else None,
        "first_goes_at": _turn(now, first, each_s),
        "all_sent_at": _turn(now, last, each_s),
    }


def _turn(now: datetime, place: int | None, each_s: float) -> datetime | None:
    """When the one with this place in the queue goes, if every text takes one segment; None if nothing waits."""
    return now + timedelta(seconds=(place - 1) * each_s) if place is not None else None
