"""The nearest of many positions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import numpy as np
from scipy.spatial import cKDTree

DEGREE_M = 111_195.0  # Of a great circle of the mean radius.
Key = TypeVar("Key", bound=Any)


class Nearest(Generic[Key]):
    """Finds the nearest of some positions; on a plane, good enough for hundreds of metres within a province."""

    def __init__(self, positions: Mapping[Key, tuple[float, float]]) -> None:
        self._keys = sorted(positions)
        self._members = set(self._keys)
        at = np.array([positions[key] for key in self._keys]).reshape(-1, 2)
        self._scale = np.array([np.cos(np.radians(at[:, 1].mean())) if len(at) else 1.0, 1.0]) * DEGREE_M
        self._tree = cKDTree(at * self._scale) if len(at) else None

    def has(self, key: Key) -> bool:
        """It is one of them."""
        return key in self._members

    def nearest(self, at: tuple[float, float]) -> tuple[Key, float] | None:
        """The nearest of all and its distance in metres; None if there is none."""
        if self._tree is None:
            return None
        away_m, place = self._tree.query(np.asarray(at) * self._scale)
        return self._keys[int(place)], float(away_m)

    def within(self, at: tuple[float, float], limit_m: float) -> Key | None:
        """The nearest, if it is near enough."""
        found = self.nearest(at)
        return found[0] if found and found[1] <= limit_m else None
