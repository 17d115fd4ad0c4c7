"""Who is told: sites in the ring that were not told yet, nearest first, the near ones more urgently."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import asin, cos, degrees, radians, sin, sqrt
from typing import NamedTuple
from uuid import UUID

from contracts.alert import Ring
from contracts.base import Position

EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the Earth, IUGG."""
STAND_DOWN_PRIORITY = 0
ORDER_PRIORITY = 0
NEAR_PRIORITY = 1
ESCALATION_PRIORITY = 2
FAR_PRIORITY = 3
UPDATE_PRIORITY = 4
EXERCISE_PRIORITY = 6


class Candidate(NamedTuple):
    """A site's first contact, who could be told."""

    contact_id: UUID
    site_id: UUID
    position: Position
    open_codes: tuple[str, ...] = ()


class Recipient(NamedTuple):
    """Somebody who will be told, with how far the site is and how urgent that makes it (0 is most)."""

    contact_id: UUID
    site_id: UUID
    distance_km: float
    priority: int
    open_codes: tuple[str, ...]


def urgency(priority: int, *, exercise: bool) -> int:
    """The priority that a delivery gets: whatever it is about, an exercise goes after all that is real."""
    return min(9, EXERCISE_PRIORITY + priority) if exercise else priority


def in_ring(candidates: Iterable[Candidate], ring: Ring) -> Iterator[Recipient]:
    """Those inside the ring, in the order given; what can be reached by now is more urgent than the rest.

    Who is told first is the queue's matter: it takes the most urgent and nearest that wait.
    """
    for candidate in candidates:
        km = distance_km(candidate.position, ring.center)
        if km <= ring.radius_km:
            near = ring.near_radius_km is not None and km <= ring.near_radius_km
            priority = NEAR_PRIORITY if near else FAR_PRIORITY
            yield Recipient(candidate.contact_id, candidate.site_id, km, priority, candidate.open_codes)


def distance_km(a: Position, b: Position) -> float:
    """Great-circle distance by the haversine formula."""
    lat_a, lat_b = radians(a.lat), radians(b.lat)
    lat_part = sin((lat_b - lat_a) / 2) ** 2
    lon_part = sin(radians(b.lon - a.lon) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(lat_part + cos(lat_a) * cos(lat_b) * lon_part)))


def latitudes_of(ring: Ring) -> tuple[float, float]:
    """The band of latitudes that contains the ring, so that an index can leave out the rest of the country."""
    span = degrees(ring.radius_km / EARTH_RADIUS_KM) + 1e-6
    return ring.center.lat - span, ring.center.lat + span


MATTERS_TO_SITES = frozenset(
    {
        "tier",
        "child",
        "appearance",
        "last_seen_place",
        "last_seen_at",
        "place",
        "vehicle",
        "suspected_mode",
        "description",
    }
)


def update_matters(changed: Iterable[str]) -> bool:
    """Is this change worth an SMS to those who were told? A change of the ring alone is not."""
    return any(name.split(".")[0] in MATTERS_TO_SITES for name in changed)
