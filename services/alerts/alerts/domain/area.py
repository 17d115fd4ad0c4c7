"""Where a report may lie: the region's outline as a box with a margin, and distances on the globe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

from contracts.base import Position

EARTH_RADIUS_KM = 6371.0088
"""Mean radius (IUGG)."""
KM_PER_DEGREE = EARTH_RADIUS_KM * radians(1)


@dataclass(frozen=True)
class Box:
    """A box of WGS-84 degrees, borders included."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, position: Position) -> bool:
        """Is the position inside?"""
        return self.west <= position.lon <= self.east and self.south <= position.lat <= self.north


def box_around(points: Iterable[tuple[float, float]], margin_km: float) -> Box:
    """The box around (lon, lat) points, wider by `margin_km` on every side. Raises: ValueError without points."""
    lons, lats = zip(*points, strict=True)
    south, north = min(lats) - margin_km / KM_PER_DEGREE, max(lats) + margin_km / KM_PER_DEGREE
    narrowest = max(cos(radians(max(abs(south), abs(north)))), 0.01)
    margin_lon = margin_km / (KM_PER_DEGREE * narrowest)
    return Box(min(lons) - margin_lon, south, max(lons) + margin_lon, north)


def distance_km(a: Position, b: Position) -> float:
    """Great-circle distance (haversine)."""
    lat = sin(radians(b.lat - a.lat) / 2) ** 2
    lon = sin(radians(b.lon - a.lon) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(lat + cos(radians(a.lat)) * cos(radians(b.lat)) * lon)))
