"""Any permutation, loss and repetition of a message's callbacks ends where the furthest of them says."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from notifications.domain.delivery import RANK, Limits, Outcome, settle

NOW = datetime(2026, 3, 1, 6, 20, tzinfo=UTC)
LIMITS = Limits(6, timedelta(minutes=3))
LIVES = [
    ("queued", "sending", "sent", "delivered"),
    ("queued", "sending", "sent", "undelivered"),
    ("accepted", "queued", "failed"),
    ("queued", "canceled"),
    ("queued", "sending", "sent", "delivered", "read"),
]
"""What Twilio says of a message in the course of its life; a status never seen before may come between."""


def fresh() -> dict[str, Any]:
    """An attempt whose answer has not come yet, with its delivery."""
    return {
        "attempt_state": "posting",
        "status_rank": 0,
        "state": "sending",
        "kind": "raised",
        "next_at": NOW,
        "expires_at": NOW + timedelta(hours=6),
        "resent_blind": False,
        **dict.fromkeys(
            (
                "accepted_at",
                "attempted_at",
                "stood_down_at",
                "acknowledged_at",
                "escalated_at",
                "answer_due_at",
                "failed_at",
                "delivered_at",
            )
        ),
    }


def after(statuses: tuple[str, ...] | list[str]) -> dict[str, Any]:
    """The row after these callbacks, each an hour later than the one before."""
    row = fresh()
    for hours, status in enumerate(statuses):
        settled = settle(row, Outcome("accepted", "SM1", status), NOW + timedelta(hours=hours), LIMITS, 0.5)
        if settled is not None:
            now = asdict(settled)
            row |= {name: now[name] for name in ("state", "attempt_state", "next_at", "answer_due_at")}
            row["status_rank"] = max(row["status_rank"], settled.rank)
            for moment in ("accepted_at", "attempted_at", "failed_at", "delivered_at"):
                row[moment] = row[moment] or now[moment]
    return row


def where(row: dict[str, Any]) -> tuple[Any, ...]:
    """What people and machines are told of it."""
    return row["state"], row["attempt_state"], row["status_rank"], row["accepted_at"] is not None


def test_every_permutation_of_a_life_ends_alike() -> None:
    for life in LIVES:
        assert {where(after(order)) for order in permutations(life)} == {where(after(life))}, life


@given(st.sampled_from(LIVES), st.data())
def test_loss_and_repetition_end_where_the_furthest_that_came_says(
    life: tuple[str, ...], data: st.DataObject
) -> None:
    came = data.draw(st.lists(st.sampled_from([*life, "teleported"]), min_size=1, max_size=12))
    known = [status for status in came if status in RANK]

    row = after(came)

    furthest = max(known, key=RANK.__getitem__) if known else None
    assert row["status_rank"] == (RANK[furthest] if furthest else 1)
    assert where(row) == where(after([furthest])) if furthest else row["state"] == "accepted"
