"""How a delivery moves: a provider's status only ever raises its rank, however late or often it comes.

Ranks follow the order in which Twilio's statuses can follow each other; callbacks arrive shuffled and doubled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

RANK = {
    "accepted": 1,
    "scheduled": 1,
    "queued": 2,
    "sending": 3,
    "sent": 4,
    "delivered": 5,
    "undelivered": 5,
    "failed": 5,
    "canceled": 5,
    "read": 6,
}
FINAL_RANK = 5
FURTHER = ("accepted", "sent", "failed", "delivered")
"""Of two SMS of one delivery that were both accepted, the one that came further counts."""
State = Literal[
    "queued", "sending", "unknown", "accepted", "sent", "delivered", "failed", "expired", "cancelled"
]


@dataclass(frozen=True)
class Step:
    """What a status changes: the new rank and state, and whether it proves that the SMS was accepted."""

    rank: int
    state: State


def step_for(status: str, rank_before: int) -> Step | None:
    """What `status` changes after `rank_before`; None if it is unknown, late, or a repetition."""
    rank = RANK.get(status, 0)
    if rank <= rank_before:
        return None
    return Step(rank, _state_of(status))


def _state_of(status: str) -> State:
    if status in ("delivered", "read"):
        return "delivered"
    if status in ("undelivered", "failed", "canceled"):
        return "failed"
    return "sent" if status == "sent" else "accepted"


def stage_of(row: Mapping[str, Any]) -> str:
    """Where a delivery is, in the words that people read: only an acknowledgement or the case's end ends it."""
    if row["acknowledged_at"]:
        return "acknowledged"
    if row["escalated_at"]:
        return "escalated"
    if row["state"] == "queued" and row["attempts"] == 0:
        return "planned"
    return "queued" if row["state"] == "sending" else str(row["state"])


def backoff_s(attempts: int, jitter: float) -> float:
    """Wait before attempt number `attempts` + 1: 1, 2, 4, ... 30 s, times 0.5 to 1 by `jitter` in 0..1.

    Only for what was certainly not accepted; an unknown outcome is looked up, never repeated on silence.
    """
    longest: float = min(30.0, 2.0 ** max(0, attempts - 1))
    return longest * (0.5 + jitter / 2)


ALERT_KINDS = frozenset({"raised", "updated", "widened"})
LIFE_CRITICAL = frozenset({"raised", "widened", "order"})
"""What may be sent a second time when nobody can say whether the first arrived: once, and marked."""
OPEN_ATTEMPT = frozenset({"posting", "unknown"})
NOT_THIS_SENDER = frozenset({"permanent_sender", "permanent_route", "permanent_config", "transient_sender"})
"""Classes of refusals that another sender need not share."""
Kind = Literal["accepted", "rejected", "not_sent", "unknown", "absent", "stopped", "given_up"]


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt; `retry` says that it was certainly not accepted and another may be made.

    `not_now` says that nothing is wrong with it: the provider is busy or away. Such tries are bounded by time, not
    by their number, else a limit or an outage of a minute would use them up. `given_up` is an unknown outcome that
    the provider could not clear up in time.
    """

    kind: Kind
    provider_id: str | None = None
    status: str = "accepted"
    segments: int = 0
    code: str = ""
    reason: str = ""
    retry: bool = False
    not_now: bool = False
    retry_after_s: float = 0.0


@dataclass(frozen=True)
class Limits:
    """What the operator allows."""

    attempts_max: int
    answer_within: timedelta


@dataclass(frozen=True)
class Settled:
    """How the attempt and its delivery stand afterwards; a time is None where nothing happened now."""

    attempt_state: str
    rank: int
    state: str
    next_at: datetime
    attempted_at: datetime | None = None
    accepted_at: datetime | None = None
    delivered_at: datetime | None = None
    failed_at: datetime | None = None
    answer_due_at: datetime | None = None
    expired_at: datetime | None = None
    refused_by: str | None = None
    resent_blind: bool = False


def settle(
    row: Mapping[str, Any],
    outcome: Outcome,
    now: datetime,
    limits: Limits,
    jitter: float,
    *,
    others: bool = False,
) -> Settled | None:
    """What an outcome makes of an attempt and its delivery (`row` as stored); None if it changes nothing.

    `others` says that another sender could take it. Only a definite refusal goes to it, never an unknown outcome.

    An acceptance is always believed, even after the attempt was given up: it is what really happened. Any other
    outcome counts only while the attempt is open, and not for the delivery if another attempt was accepted.
    """
    if outcome.kind == "accepted":
        return _accepted(row, outcome, now, limits)
    if row["attempt_state"] not in OPEN_ATTEMPT:
        return None
    if row["accepted_at"] is not None:
        state = "not_sent" if outcome.kind == "stopped" else outcome.kind
        return Settled(
            state, row["status_rank"], row["state"], row["next_at"], answer_due_at=row["answer_due_at"]
        )
    if outcome.kind == "unknown":
        return None if row["attempt_state"] == "unknown" else _unknown(row, now, limits)
    if outcome.kind == "given_up":
        return _given_up(row, now, limits)
    return _not_accepted(row, outcome, now, limits, jitter, others)


def _accepted(row: Mapping[str, Any], outcome: Outcome, now: datetime, limits: Limits) -> Settled | None:
    step = step_for(outcome.status, row["status_rank"]) or (
        Step(1, "accepted") if row["attempt_state"] != "accepted" and row["status_rank"] == 0 else None
    )
    if step is None:
        return Settled(
            "accepted", row["status_rank"], row["state"], row["next_at"], answer_due_at=row["answer_due_at"]
        )
    state = _furthest(row, step.state)
    failed = state == step.state == "failed"
    return Settled(
        "accepted",
        step.rank,
        state,
        row["next_at"],
        attempted_at=now,
        accepted_at=now,
        delivered_at=now if state == "delivered" else None,
        failed_at=now if failed else None,
        answer_due_at=_answer_due(row, now, limits, failed=failed),
    )


def _furthest(row: Mapping[str, Any], state: State) -> str:
    """What the delivery shows: an attempt that was given up, and accepted all the same, may have come further."""
    if row["accepted_at"] is None:
        return state
    return max(str(row["state"]), state, key=FURTHER.index)


def _unknown(row: Mapping[str, Any], now: datetime, limits: Limits) -> Settled:
    return Settled(
        "unknown",
        row["status_rank"],
        "unknown",
        row["next_at"],
        attempted_at=now,
        answer_due_at=_answer_due(row, now, limits, failed=False),
    )


def _given_up(row: Mapping[str, Any], now: datetime, limits: Limits) -> Settled:
    """Nobody can say whether it arrived: once more if a life may depend on it, else somebody else is asked."""
    if _is_over(row):
        return Settled("given_up", row["status_rank"], "cancelled", row["next_at"])
    if row["kind"] in LIFE_CRITICAL and not row["resent_blind"] and now < row["expires_at"]:
        due = row["answer_due_at"]
        return Settled("given_up", row["status_rank"], "queued", now, answer_due_at=due, resent_blind=True)
    due = _answer_due(row, now, limits, failed=True)
    return Settled("given_up", row["status_rank"], "failed", row["next_at"], failed_at=now, answer_due_at=due)


def _is_over(row: Mapping[str, Any]) -> bool:
    return row["stood_down_at"] is not None and row["kind"] in (*ALERT_KINDS, "order", "nil_report")


def _not_accepted(
    row: Mapping[str, Any], outcome: Outcome, now: datetime, limits: Limits, jitter: float, others: bool
) -> Settled:
    attempt_state = "not_sent" if outcome.kind == "stopped" else outcome.kind
    rank, due = row["status_rank"], row["answer_due_at"]
    if _is_over(row):
        return Settled(attempt_state, rank, "cancelled", row["next_at"])
    if others and outcome.kind == "rejected" and outcome.reason in NOT_THIS_SENDER:
        sender = row["sender"]
        return Settled(attempt_state, rank, "queued", now, answer_due_at=due, refused_by=sender)
    if _may_retry(row, outcome, now, limits):
        wait_s = (
            0.0
            if outcome.kind == "absent"
            else max(outcome.retry_after_s, backoff_s(row["attempts"], jitter))
        )
        return Settled(attempt_state, rank, "queued", now + timedelta(seconds=wait_s), answer_due_at=due)
    due = _answer_due(row, now, limits, failed=True)
    if now >= row["expires_at"]:
        return Settled(attempt_state, rank, "expired", row["next_at"], expired_at=now, answer_due_at=due)
    return Settled(attempt_state, rank, "failed", row["next_at"], failed_at=now, answer_due_at=due)


def _may_retry(row: Mapping[str, Any], outcome: Outcome, now: datetime, limits: Limits) -> bool:
    if now >= row["expires_at"]:
        return False
    if outcome.not_now or outcome.kind in ("not_sent", "stopped"):
        return True
    return (outcome.retry or outcome.kind == "absent") and bool(row["attempts"] < limits.attempts_max)


def _answer_due(row: Mapping[str, Any], now: datetime, limits: Limits, *, failed: bool) -> datetime | None:
    """When somebody else is asked: at once after a failure, else some time after the first acceptance."""
    if row["acknowledged_at"] or row["escalated_at"] or row["stood_down_at"]:
        return None
    if failed:
        return now if row["kind"] in (*ALERT_KINDS, "order") else None
    if row["kind"] not in ALERT_KINDS:
        return None
    due: datetime | None = row["answer_due_at"]
    if due and row["attempted_at"]:
        return due
    return now + limits.answer_within
