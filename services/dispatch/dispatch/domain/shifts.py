"""Who is on duty: shifts as minutes of the local day, over midnight too."""

from __future__ import annotations

from dataclasses import dataclass

MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True)
class Shift:
    """From `start_min` up to, not including, `end_min`, in minutes of the local day (0-1440)."""

    start_min: int = 0
    end_min: int = MINUTES_A_DAY

    def covers(self, minute_of_day: int) -> bool:
        """Whether somebody of this shift is on duty at this minute; equal ends are the whole day."""
        if self.start_min < self.end_min:
            return self.start_min <= minute_of_day < self.end_min
        return self.start_min == self.end_min or not self.end_min <= minute_of_day < self.start_min
