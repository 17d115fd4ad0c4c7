"""How long a search has run and may still run."""

from __future__ import annotations

import time


class Clock:
    """Started when made; `left_s` is never below 0."""

    def __init__(self, deadline_s: float) -> None:
        self._from_s = time.monotonic()
        self._deadline_s = deadline_s

    @property
    def after_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._from_s

    @property
    def left_s(self) -> float:
        """Seconds until the deadline."""
        return max(0.0, self._deadline_s - self.after_s)
