"""Every number about how people behave, each with its source or the word "assumed": the one table to replace.

Where no open source gives a figure, ours is a guess that a commander may overrule: all of these are defaults of
arguments. They shape the probabilities of a plan and nothing else; what is called sure (`domain.reach`) uses none
of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from contracts.base import TravelMode

# Assumed: a child that nobody was seen to take is lost or hiding nearby more often than abducted; most reports are.
LOST_SHARE = 0.3
# Assumed: when a witness says how they left, somebody took the child.
LOST_SHARE_SUSPECTED = 0.05
# Assumed: a witness names the right way of travelling three times of four.
SUSPECTED_SHARE = 0.75

# Assumed: by car most, for a car needs no wait and shows nobody; the rest as county travel by coach and boat goes.
MODE_SHARES = MappingProxyType(
    {TravelMode.walking: 0.2, TravelMode.car: 0.55, TravelMode.bus: 0.2, TravelMode.ferry: 0.05}
)

# Assumed: how long after they were last seen they leave: (from, until, share), in minutes. Known only: first
# contact lay within a quarter mile of home in 58 % of cases and reports came two hours late in 60 % (Hanfland,
# Keppel and Weis, Case Management for Missing Children Homicide Investigation, Attorney General of Washington, 1997).
DEPARTURES_MIN = ((0.0, 5.0, 0.5), (5.0, 20.0, 0.3), (20.0, 60.0, 0.2))

# Assumed: (share of the usual speed of the mode, share of travellers). The fastest stays below the sure bound.
SPEEDS = MappingProxyType(
    {
        TravelMode.walking: ((0.8, 0.3), (1.0, 0.5), (1.2, 0.2)),
        TravelMode.car: ((0.8, 0.3), (1.0, 0.5), (1.2, 0.2)),
        TravelMode.bus: ((0.9, 0.5), (1.1, 0.5)),
        TravelMode.ferry: ((0.9, 0.5), (1.1, 0.5)),
    }
)
# Assumed: besides, each traveller's pace differs from the usual one by this much (standard deviation of its
# logarithm).
PACE_NOISE = 0.1

# Assumed: one in five abductors goes to ground in the area instead of leaving it, within an hour of travel.
GROUND_SHARE = 0.2
GROUND_S = 3600.0

# Adults walk 1.27 to 1.46 m/s at their own pace, 4.9 km/h in the middle (Bohannon, Age and Ageing 26, 1997);
# assumed: a seventh slower with a child by the hand.
WALK_KMH = 4.2
# Assumed: a lost child's progress over an hour, with its halts.
LOST_KMH = 2.0

# Assumed: drivers see travel times with this error (standard deviation of the logarithm of each road's time), so they
# take the second-best way now and then: random utility, as in stochastic assignment (Sheffi, Urban Transportation
# Networks, 1985, chapter 11).
CHOICE_NOISE = 0.3

# Assumed: from the street to the vehicle (ticket, platform), in seconds, uniform; shares of vehicles that a traveller
# leaves alone (full, not noticed, too public).
BOARDING_S = (60.0, 600.0)
SKIPPED_SHARE = 0.15
# Assumed, for lines whose timetable nobody has loaded: the wait at a stop, uniform.
WAIT_S = (60.0, 1800.0)
# Assumed: nobody walks longer than this to a stop, or from stop to stop.
TO_STOP_S = 5400.0
TRANSFER_S = 900.0
# Ways are longer than the crow flies: 1.2 to 1.4 in street networks (Boeing, PLOS ONE 2020, "circuity"; rounded up).
DETOUR = 1.3

# Assumed: how far a report of a sighting is believed, by what a person thinks of it; nobody's word is certain.
RELIABILITY = MappingProxyType({"credible": 0.9, "unassessed": 0.4, "uncertain": 0.25})

# Assumed: routes are followed for this long; a search is another one by then.
HORIZON_S = 6 * 3600.0


@dataclass(frozen=True)
class LostProfile:
    """How far away lost children of an age are found: radius by quantile, as the crow flies."""

    ages_below: int
    quantiles: tuple[float, ...]
    radii_km: tuple[float, ...]
    water_first: bool


# Assumed. The known collection (International Search & Rescue Incident Database; Koester, Lost Person Behavior,
# 2008) is not open data, so none of its figures is copied: ours have its form (25, 50, 75 and 95 % of finds) and
# its ages.
LOST_PROFILES = (
    LostProfile(4, (0.25, 0.5, 0.75, 0.95), (0.1, 0.2, 0.5, 2.0), water_first=True),
    LostProfile(7, (0.25, 0.5, 0.75, 0.95), (0.2, 0.5, 1.0, 3.5), water_first=True),
    LostProfile(10, (0.25, 0.5, 0.75, 0.95), (0.4, 0.8, 1.8, 6.0), water_first=False),
    LostProfile(13, (0.25, 0.5, 0.75, 0.95), (0.6, 1.2, 2.8, 8.5), water_first=False),
    LostProfile(18, (0.25, 0.5, 0.75, 0.95), (0.8, 1.8, 4.0, 12.0), water_first=False),
)


def lost_profile(age_years: int) -> LostProfile:
    """The profile of an age; whoever is older than the last group counts as of it."""
    for profile in LOST_PROFILES:
        if age_years < profile.ages_below:
            return profile
    return LOST_PROFILES[-1]


# Search on foot. Assumed, all of them: how a find is shared between ways, water and open ground within a ring; the
# attraction of a bank for a small child, as a multiple of any other stretch's; how wide a searcher sees (effective
# sweep width), how fast a team walks while searching, and how wide a strip along a way is meant.
GROUND_FINDS = 0.3
WATER_PULL = 4.0
WATER_NEAR_M = 75.0
SWEEP_WIDTH_M = 30.0
SEARCH_KMH = 2.0
STRIP_M = 60.0
STRETCH_M = 400.0
"""A segment is at most this long: what a pair searches in a quarter of an hour, there and back."""
