"""Is anybody forgotten? Judged anew from what is stored, by a thought that is not the one of sending or escalating.

It asks of each recipient only: who holds them now? Somebody who answered, a deadline that still runs, a later
recipient, a newer notice, or a person. Nobody means forgotten, whichever part of the service made the mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

Fault = Literal[
    "no_deadline",
    "deadline_missed",
    "never_sent",
    "claim_lost",
    "failed_and_left",
    "cancelled_and_left",
    "escalated_to_nobody",
    "escalated_without_task",
    "deliveries_missing",
    "told_and_not_stood_down",
    "stand_down_left",
]
FAULTS: dict[Fault, dict[str, str]] = {
    "no_deadline": {
        "en": "It was sent and not answered, and no deadline asks after it.",
        "zh": "已发送未签收,且没有时限跟进。",
    },
    "deadline_missed": {
        "en": "Its deadline has passed and it was not escalated.",
        "zh": "签收时限已过,却未升级。",
    },
    "never_sent": {
        "en": "It waits although its time is over.",
        "zh": "已过有效期,仍在排队。",
    },
    "claim_lost": {
        "en": "It counts as being sent, but no attempt holds it.",
        "zh": "状态为发送中,却没有对应的发送。",
    },
    "failed_and_left": {
        "en": "It failed and nobody else was asked.",
        "zh": "发送失败后无人跟进。",
    },
    "cancelled_and_left": {
        "en": "It was cancelled and nothing newer went to this contact.",
        "zh": "通知已取消,却没有更新的通知。",
    },
    "escalated_to_nobody": {
        "en": "It was escalated, but there is no next delivery.",
        "zh": "已升级,却没有下一位联系人的通知。",
    },
    "escalated_without_task": {
        "en": "It was escalated to the command centre, but no task tells anybody.",
        "zh": "已升级到指挥中心,却没有任务。",
    },
    "deliveries_missing": {
        "en": "The notice has fewer deliveries than were planned.",
        "zh": "通知的发送记录少于计划数。",
    },
    "told_and_not_stood_down": {
        "en": "This contact was told to search and nobody tells them that it is over.",
        "zh": "该联系人收到过协查通知,却没有解除通知。",
    },
    "stand_down_left": {
        "en": "The stand-down to this contact failed or waits too long, and no task tells anybody.",
        "zh": "解除通知未送达,且没有任务跟进。",
    },
}
MARGIN = timedelta(seconds=60)
"""How late the timers of this service may be: they run each second, so a minute means that one is broken."""
ON_ITS_WAY = frozenset({"queued", "sending", "unknown"})
HANDED_OVER = frozenset({"accepted", "sent", "delivered"})
ENDED_BADLY = frozenset({"failed", "expired"})
Evidence = Mapping[str, Any]


def alert_fault(row: Evidence, now: datetime) -> Fault | None:
    """What is wrong with one delivery of an open case; None if somebody or some timer holds its recipient."""
    if row["acknowledged"] or row["has_newer"]:
        return None
    if row["escalated_at"] is not None:
        return _escalated_fault(row)
    if row["state"] == "cancelled":
        return None if row["order_is_over"] else "cancelled_and_left"
    return _waiting_fault(row, now)


def _waiting_fault(row: Evidence, now: datetime) -> Fault | None:
    due_at = row["answer_due_at"]
    if due_at is not None and due_at <= now - MARGIN:
        return "deadline_missed"
    if row["state"] == "queued":
        return "never_sent" if row["expires_at"] <= now - MARGIN else None
    if row["state"] == "sending":
        held = row["lease_until"] is not None and row["lease_until"] > now - MARGIN
        return None if held else "claim_lost"
    return None if due_at is not None else _without_deadline_fault(row)


def _without_deadline_fault(row: Evidence) -> Fault | None:
    if row["state"] in ENDED_BADLY:
        return None if row["has_task"] else "failed_and_left"
    # An order's answer is awaited by dispatch, which calls the unit; here it only has to arrive.
    return None if row["is_order"] else "no_deadline"


def _escalated_fault(row: Evidence) -> Fault | None:
    if row["escalated_to"] == "command_centre":
        return None if row["has_task"] else "escalated_without_task"
    # The next delivery is a row of its own and is judged like this one, so a chain can't end in the air.
    return None if row["has_next"] else "escalated_to_nobody"


def stand_down_fault(row: Evidence, now: datetime) -> Fault | None:
    """What is wrong with the stand-down of one contact who was told of a case that is over."""
    if row["state"] is None:
        return "told_and_not_stood_down"
    if row["state"] in HANDED_OVER or row["has_task"]:
        return None
    if row["state"] in ON_ITS_WAY:
        late = row["expires_at"] <= now - MARGIN
        return "stand_down_left" if late else None
    ended_at = row["failed_at"] or row["expired_at"]
    return None if ended_at is not None and ended_at > now - MARGIN else "stand_down_left"
