"""Design speeds and uses of road by OpenStreetMap's `highway`, for roads that carry no plausible `maxspeed`.

Speeds are those of China, because that is where the extracts come from:

- JTG B01-2014 (Technical Standard of Highway Engineering), design speeds: expressway 120, 100, 80; first class 100, 80,
  60; second class 80, 60; third class 40, 30; fourth class 30, 20 km/h.
- Regulation on the Implementation of the Road Traffic Safety Law, article 45: without a centre line 30 km/h in towns
  and 40 outside, one lane each way 50 in towns and 70 outside; article 78: at most 120 on expressways.

Where a class has several design speeds the mountain one is taken: police must surely reach it, and for the person
looked for `domain.speeds.CAR_FACTOR` comes on top. `ceiling_kmh` is what a sign of that class may plausibly say.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RoadClass:
    """A class of road: its design speed for cars (0: no cars), what a sign may say at most, whether one walks there."""

    name: str
    car_kmh: float
    ceiling_kmh: float
    walk: bool = True

    @property
    def bus_kmh(self) -> float:
        """Coaches are no faster than cars, nor than 100 km/h (implementing regulation, article 78)."""
        return min(self.car_kmh, 100.0)


HIGHWAYS: dict[str, RoadClass] = {
    "motorway": RoadClass("expressway", 80, 120, walk=False),
    "motorway_link": RoadClass("ramp", 40, 80, walk=False),
    "trunk": RoadClass("trunk", 60, 100),
    "trunk_link": RoadClass("ramp", 40, 80),
    "primary": RoadClass("primary", 60, 80),
    "primary_link": RoadClass("primary", 40, 60),
    "secondary": RoadClass("secondary", 40, 80),
    "secondary_link": RoadClass("secondary", 30, 60),
    "tertiary": RoadClass("tertiary", 40, 70),
    "tertiary_link": RoadClass("tertiary", 30, 60),
    "unclassified": RoadClass("unclassified", 30, 70),
    "residential": RoadClass("residential", 30, 50),
    "living_street": RoadClass("living_street", 20, 30),
    "service": RoadClass("service", 20, 40),
    "road": RoadClass("road", 30, 60),
    "track": RoadClass("track", 20, 30),
    "busway": RoadClass("busway", 40, 80),
    **{
        path: RoadClass("path", 0, 0)
        for path in ("footway", "path", "pedestrian", "steps", "cycleway", "bridleway", "corridor")
    },
}
"""By the value of `highway`. What is not here (proposed, construction, platform, raceway, ...) is no road."""

FERRY_KMH = 15.0
"""Crossing ferries of inland rivers make 10 to 20 km/h (8 to 11 knots); used where no `duration` is given."""
FERRY_PLAUSIBLE_KMH = (3.0, 70.0)
ACCESS_KMH = 20.0
"""The way from a road to the station, landing or gate beside it."""
MAXSPEED_MIN_KMH = 5.0
MILE_KM = 1.609344
SETUP_S = {"road": 180.0, "gate": 90.0, "passengers": 60.0}
"""Assumed, as in the Yunyang data: cones and a stop sign on a road, a gate that is there, a door that is there."""
