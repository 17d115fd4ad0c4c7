"""How fast a sender may send: a token bucket that is never over its limit in any second.

A bucket of `burst` tokens that fills by `refill_per_s` lets through at most burst + refill_per_s in a second, less one
part of a token; so burst + refill_per_s is kept at the limit plus one. A limit of 1.5 a second allows 2 in some seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

BURST_SHARE = 0.03
"""Of a second's worth: small, so that nearly all of the limit goes into the steady rate."""


@dataclass(frozen=True)
class Pace:
    """Segments that may go at once, and how many more each second."""

    burst: float
    refill_per_s: float

    def after(self, tokens: float, since: datetime, now: datetime) -> float:
        """How many tokens there are `now`, if there were so many at `since`; a clock set back adds none."""
        return min(self.burst, tokens + max(0.0, (now - since).total_seconds()) * self.refill_per_s)

    def wait_s(self, tokens: float) -> float:
        """How long until the bucket is half full, or has one token, whichever is later."""
        return max(0.0, (max(1.0, self.burst / 2) - tokens) / self.refill_per_s)


def pace_of(per_s: float) -> Pace | None:
    """The pace of a sender that may send so many segments a second; None where 0 means no limit."""
    if per_s <= 0:
        return None
    burst = max(1.0, BURST_SHARE * per_s)
    return Pace(burst, min(per_s, per_s + 1.0 - burst))
