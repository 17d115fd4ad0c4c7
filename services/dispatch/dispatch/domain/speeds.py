"""How fast anybody could be: the one place for speeds, so that a bound is either sure or wrong here.

Two kinds of number, never to be mixed. For the person we look for: the fastest that is plausible, so that
nobody real arrives before the computed time. For our own units: what they surely reach, so that nobody
promised is late.
"""

from __future__ import annotations

from dispatch.domain.tables import Floats

# An adult carrying or dragging a child at a jog: above the 5 km/h of a brisk walk, below the 8 km/h of a
# runner.
WALK_KMH = 7.2

# Over the design speed of the road. Article 99 of the Road Traffic Safety Law puts more than 50 % above
# the limit in its gravest class; mountain roads do not let a driver do that for long.
CAR_FACTOR = 1.5

# Coaches carry speed recorders and keep a timetable (Road Traffic Safety Law, implementing regulation,
# article 14); trains and boats are bounded by their engines. A fifth covers wind, current and an early
# departure.
BUS_FACTOR = 1.2
FERRY_FACTOR = 1.2

# Nobody waits: the bus or boat leaves at the moment they step aboard, and a car stands ready at every corner.
BOARDING_S = 0.0

# From a place beside the mapped roads: a lane that is not on the map is a township road (40 km/h) at most.
LANE_KMH = 40 * CAR_FACTOR

# Police drive at the design speed of the road: blue lights make up for everyday traffic, and no more is promised. A jam
# that somebody reported slows them too (`conditions`).
POLICE_FACTOR = 1.0


def metres_per_second(kmh: Floats) -> Floats:
    """Convert km/h."""
    return kmh / 3.6
