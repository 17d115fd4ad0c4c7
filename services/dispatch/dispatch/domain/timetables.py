"""Bus and ferry lines as the sorted list of their connections: a vehicle goes from one stop to its next.

Background: Connection Scan (Dibbelt, Pajor, Strasser and Wagner, 2013): one pass over connections in order of departure gives
the earliest arrival everywhere, without building a graph.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from contracts.base import TravelMode
from dispatch.domain.tables import Indices

DAY_S = 24 * 3600


@dataclass(frozen=True, eq=False)
class Timetable:
    """One entry a connection, by departure; times are seconds after midnight in Beijing, past 86,400 after midnight.

    `tail` and `head` are places in the node table; `trip` numbers the vehicle's run, and `mode_of` says by trip what it is.
    The same every day: a day without service is left out of the files.
    """

    trip: Indices
    tail: Indices
    head: Indices
    depart_s: Indices
    arrive_s: Indices
    mode_of: tuple[TravelMode, ...]
    line_of: tuple[str, ...]


def no_timetable() -> Timetable:
    """A network whose lines run at unknown times."""
    none = np.zeros(0, dtype=np.int64)
    return Timetable(none, none, none, none, none, (), ())
