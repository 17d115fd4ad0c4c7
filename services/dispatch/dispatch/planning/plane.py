"""Metres on a plane through the network's middle, and back: flat enough within a county (under 0.1 % at 100 km)."""

from __future__ import annotations

import numpy as np

from dispatch.domain.network import EARTH_RADIUS_M
from dispatch.domain.tables import Nodes
from dispatch.planning.model import Floats

_DEGREE_M = float(np.radians(1.0)) * EARTH_RADIUS_M


def metres_of(nodes: Nodes) -> tuple[Floats, Floats]:
    """Metres east and north of the network's middle, for each node."""
    return metres_at(nodes, nodes.lon, nodes.lat)


def metres_at(nodes: Nodes, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """The same for any WGS-84 positions."""
    lon_0, lat_0, east_m = _frame(nodes)
    return (lon - lon_0) * east_m, (lat - lat_0) * _DEGREE_M


def degrees_at(nodes: Nodes, east_m: Floats, north_m: Floats) -> tuple[Floats, Floats]:
    """Back to longitude and latitude. The map is linear, so straight lines and insides stay what they are."""
    lon_0, lat_0, degree_east_m = _frame(nodes)
    return east_m / degree_east_m + lon_0, north_m / _DEGREE_M + lat_0


def _frame(nodes: Nodes) -> tuple[float, float, float]:
    """Longitude and latitude of the middle, and metres per degree east there."""
    lon_0 = float(nodes.lon.min() + nodes.lon.max()) / 2
    lat_0 = float(nodes.lat.min() + nodes.lat.max()) / 2
    return lon_0, lat_0, _DEGREE_M * float(np.cos(np.radians(lat_0)))
