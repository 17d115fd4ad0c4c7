"""Nodes and edges as columns, the form in which files are read and graphs are built."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Nodes:
    """One entry a node; positions are WGS-84 degrees."""

    ids: tuple[str, ...]
    lon: Floats
    lat: Floats
    bus_stop: Flags
    pier: Flags
    outside: Flags

    def arrays(self) -> tuple[NDArray[np.generic], ...]:
        """All columns but the ids."""
        return self.lon, self.lat, self.bus_stop, self.pier, self.outside


@dataclass(frozen=True, eq=False)
class Edges:
    """One entry an edge; `tail` and `head` are places in the node table; speeds are design speeds."""

    ids: tuple[str, ...]
    road_class: tuple[str, ...]
    tail: Indices
    head: Indices
    length_m: Floats
    oneway: Flags
    walk: Flags
    car: Flags
    bus: Flags
    ferry: Flags
    car_speed_kmh: Floats
    bus_speed_kmh: Floats
    ferry_speed_kmh: Floats

    def arrays(self) -> tuple[NDArray[np.generic], ...]:
        """All columns but the ids and classes."""
        flags = (self.oneway, self.walk, self.car, self.bus, self.ferry)
        speeds = (self.car_speed_kmh, self.bus_speed_kmh, self.ferry_speed_kmh)
        return self.tail, self.head, self.length_m, *flags, *speeds

    def vehicles(self) -> tuple[tuple[str, Flags, Floats], ...]:
        """Per vehicle: its name, where it is allowed, its design speed in km/h."""
        return (
            ("car", self.car, self.car_speed_kmh),
            ("bus", self.bus, self.bus_speed_kmh),
            ("ferry", self.ferry, self.ferry_speed_kmh),
        )
