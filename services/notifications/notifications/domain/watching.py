"""When silence is too long: pure judgements over what the tables say. Thresholds are settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from notifications.domain.alarm_words import AlarmKind, Severity

URGENT_PRIORITY = 1
"""Priorities 0 and 1: stand-downs, orders, and sites that the child can have reached by now."""
LIMIT_MARGIN = 1.2
"""How much longer than its limit says a sender may take: retries and two-segment texts."""
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Cause:
    """Something wrong now; `detail` has ids and numbers only."""

    kind: AlarmKind
    subject: str
    detail: dict[str, Any]
    severity: Severity = "critical"


@dataclass(frozen=True)
class Thresholds:
    """What the operator allows; `per_s` is the limit of all senders together, 0 is none."""

    unsent_urgent: timedelta
    unsent_other: timedelta
    per_s: float
    blackhole_share: float
    blackhole_min: int
    forged_max: int
    silence_min: int


@dataclass(frozen=True)
class Seen:
    """What the tables say now."""

    now: datetime
    unsent: list[Row] = field(default_factory=list)
    senders: list[Row] = field(default_factory=list)
    forged: int = 0
    refusals: list[Row] = field(default_factory=list)
    unknown: list[Row] = field(default_factory=list)
    accepted_lately: int = 0
    called_back_lately: bool = True


def causes(seen: Seen, allowed: Thresholds) -> list[Cause]:
    """Everything that is wrong now and closes by itself when it is gone."""
    return [
        *_unsent(seen, allowed),
        *_blackholing(seen.senders, allowed),
        *_forged(seen, allowed),
        *_refusals(seen.refusals),
        *_unknown(seen.unknown),
        *_silence(seen, allowed),
    ]


def _unsent(seen: Seen, allowed: Thresholds) -> Iterable[Cause]:
    for row in seen.unsent:
        urgent = row["priority"] <= URGENT_PRIORITY
        waited = seen.now - row["oldest_at"]
        limit = allowed.unsent_urgent if urgent else allowed.unsent_other
        if waited > limit + planned(row["ahead"] + row["sent_since"], allowed.per_s):
            detail = {"waiting": row["waiting"], "oldest_s": round(waited.total_seconds())}
            yield Cause(
                "oldest_unsent", f"priority {row['priority']}", detail, "critical" if urgent else "warning"
            )


def planned(sms: int, per_s: float) -> timedelta:
    """How long the plan takes for so many: all that went since the oldest was queued, and all that is before it."""
    return timedelta(seconds=LIMIT_MARGIN * sms / per_s) if per_s > 0 else timedelta(0)


def _blackholing(senders: Iterable[Row], allowed: Thresholds) -> Iterable[Cause]:
    for row in senders:
        if row["accepted"] < allowed.blackhole_min:
            continue
        share = row["without_receipt"] / row["accepted"]
        if share > allowed.blackhole_share:
            detail = {"accepted": row["accepted"], "without_receipt": row["without_receipt"]}
            yield Cause("blackholing_sender", row["sender"], detail | {"share": round(share, 2)})


def _forged(seen: Seen, allowed: Thresholds) -> Iterable[Cause]:
    if seen.forged > allowed.forged_max:
        yield Cause("signature_failures", "", {"refused": seen.forged})


def _refusals(rows: Iterable[Row]) -> Iterable[Cause]:
    for row in rows:
        yield Cause("provider_refuses_us", f"{row['sender']} {row['code']}", {"refused": row["refused"]})


def _unknown(rows: Iterable[Row]) -> Iterable[Cause]:
    for row in rows:
        ids = [str(each) for each in row["deliveries"]]
        yield Cause("unknown_too_long", row["sender"], {"unknown": row["unknown"], "delivery_ids": ids})


def _silence(seen: Seen, allowed: Thresholds) -> Iterable[Cause]:
    if seen.accepted_lately > allowed.silence_min and not seen.called_back_lately:
        yield Cause("callback_silence", "", {"accepted": seen.accepted_lately})
