"""Bus and ferry lines as the sorted list of their connections: a vehicle goes from one stop to its next.

Background: Connection Scan (Dibbelt, Pajor, Strasser and Wagner, 2013): one pass over connections in order of departure
gives the earliest arrival everywhere, without building a graph.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from contracts.base import TravelMode
from dispatch.domain.tables import Indices

DAY_S = 24 * 3600


@dataclass(frozen=True, eq=False)
class Timetable:
    """One entry a connection, by departure; times are seconds after midnight in Beijing, past 86,400 after midnight.

    `tail` and `head` are places in the node table; `trip` numbers the vehicle's run, `mode_of` says by trip what it is.
    `days_of` says by trip on which days it begins (digits, 1 Monday to 7 Sunday); empty: every trip runs daily.
    """

    trip: Indices
    tail: Indices
    head: Indices
    depart_s: Indices
    arrive_s: Indices
    mode_of: tuple[TravelMode, ...]
    line_of: tuple[str, ...]
    days_of: tuple[str, ...] = ()

    def on(self, weekday: int) -> Timetable:
        """What begins on this day, 1 for Monday to 7 for Sunday; the numbers of the trips stay."""
        if not self.days_of:
            return self
        runs = np.array([str(weekday) in days for days in self.days_of], dtype=np.bool_)[self.trip]
        return replace(
            self,
            trip=self.trip[runs],
            tail=self.tail[runs],
            head=self.head[runs],
            depart_s=self.depart_s[runs],
            arrive_s=self.arrive_s[runs],
        )


def no_timetable() -> Timetable:
    """A network whose lines run at unknown times."""
    none = np.zeros(0, dtype=np.int64)
    return Timetable(none, none, none, none, none, (), ())
