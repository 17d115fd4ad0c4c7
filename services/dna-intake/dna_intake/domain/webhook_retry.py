"""When a webhook is tried again, and what an answer means for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal
from uuid import UUID

Verdict = Literal["delivered", "again", "gone"]
GONE = 410
"""The receiver's word for: never again (RFC 9110, 15.5.11). It ends the subscription."""
FIRST, FACTOR, LONGEST = timedelta(seconds=10), 3, timedelta(hours=6)
"""Pauses of 10 s, 30 s, 90 s ... 6 h: twenty tries span about three days (our own choice: a weekend)."""


def verdict_on(status: int) -> Verdict:
    """What an answer means: 2xx is taken, 410 is never again, everything else, a redirect too, is tried again."""
    if 200 <= status < 300:
        return "delivered"
    return "gone" if status == GONE else "again"


def pause_after(tries: int, delivery: UUID) -> timedelta:
    """How long to wait after so many tries; up to a tenth longer by the delivery, so that not all come at once."""
    factor: int = FACTOR ** min(tries - 1, 20)
    pause = min(LONGEST, FIRST * factor)
    return pause * (1 + delivery.int % 1000 / 10_000)
