"""How fast a sender may send: never more than its limit in any second, and all of it when there is much to send.

What went out within the last second is remembered, so that a pause of ours costs nothing: a token bucket small
enough to keep the limit in every second loses whatever it can't hold while the process does something else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor

Sent = tuple[datetime, int]
"""When, and how many segments."""


@dataclass(frozen=True)
class Pace:
    """So many segments within a window; a limit below one a second has a longer window of one segment."""

    segments: int
    window: timedelta

    def recent(self, sent: Sequence[Sent], now: datetime) -> list[Sent]:
        """What still counts `now`; what a clock that was set back left in the future counts from now on."""
        return [(min(at, now), segments) for at, segments in sent if at > now - self.window]

    def free(self, recent: Sequence[Sent]) -> int:
        """How many segments may go; none if more went than should have."""
        return max(0, self.segments - sum(segments for _, segments in recent))

    def wait_s(self, recent: Sequence[Sent], now: datetime) -> float:
        """How long until the oldest that counts no longer does."""
        return max(0.0, (min(at for at, _ in recent) + self.window - now).total_seconds()) if recent else 0.0


def pace_of(per_s: float) -> Pace | None:
    """The pace of a sender that may send so many segments a second; None where 0 means no limit."""
    if per_s <= 0:
        return None
    return Pace(max(1, floor(per_s)), timedelta(seconds=max(1.0, 1.0 / per_s)))


class Spacing:
    """Spreads what was claimed together evenly over time, and never begins more within a second than the limit.

    Turns come by the generic cell rate algorithm: a message may take its turn up to `TOLERANCE_S` early, so that a
    pause of ours is caught up with. A busy machine wakes several of them late and at once; so the last look is at what
    really began within the last second, and a little more: the way to the provider takes some calls longer than others.
    """

    TOLERANCE_S = 0.03
    MARGIN = 0.035

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._turn_s = 0.0
        self._most = max(1, floor(per_s))
        self._window_s = max(1.0, 1.0 / per_s) * (1 + self.MARGIN) if per_s > 0 else 0.0
        self._began: deque[tuple[float, int]] = deque()

    def wait_s(self, now_s: float, segments: int) -> float:
        """How long this message has to wait for its turn, by a steady clock in seconds; it takes its turn."""
        if self._per_s <= 0:
            return 0.0
        self._turn_s = max(self._turn_s, now_s - self.TOLERANCE_S)
        wait = max(0.0, self._turn_s - now_s)
        self._turn_s += segments / self._per_s
        return wait

    def hold_s(self, now_s: float, segments: int) -> float:
        """How long it must wait although it is its turn; 0: it begins now, and counts."""
        if self._per_s <= 0:
            return 0.0
        while self._began and self._began[0][0] + self._window_s <= now_s:
            self._began.popleft()
        if self._began and sum(count for _, count in self._began) + segments > self._most:
            # Never 0: that would say that it begins.
            return max(1e-6, self._began[0][0] + self._window_s - now_s)
        self._began.append((now_s, segments))
        return 0.0
