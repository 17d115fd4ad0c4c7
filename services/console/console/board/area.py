"""How far the child can have come by when, with the towns that lie inside: for the map and for who reads words."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import shapely
from shapely.geometry import shape

from console.board.map_base import DIGITS, rings_of
from console.door.sessions import Visitor
from console.upstream import Upstream

Json = dict[str, Any]
AHEAD_MAX = 120
SKETCH_DEG = 0.0012
"""About 120 m, a pixel of a map that shows a whole county."""
LOOKED_FOR_MIN = 24 * 60
"""Dispatch draws no later area: by then everybody can be anywhere."""


@dataclass(frozen=True)
class Town:
    """A town's two names."""

    zh: str
    en: str


@dataclass(frozen=True)
class Area:
    """Where they can be `minutes` after they were seen: an area, and the towns in it that no smaller area has."""

    minutes: int
    at: datetime
    geometry: Json
    towns: tuple[Town, ...]
    towns_in_all: int


@dataclass(frozen=True)
class Reach:
    """The four areas of every case, and the one at the asked time, None if that is too far off."""

    seen_at: datetime
    asked_at: datetime
    areas: tuple[Area, ...]
    then: Area | None
    schematic: bool

    def as_json(self) -> Json:
        """For the map's script."""
        return {
            "seen_at": self.seen_at.isoformat(),
            "asked_at": self.asked_at.isoformat(),
            "areas": [_as_json(area) for area in self.areas],
            "then": _as_json(self.then) if self.then else None,
        }


async def reach_of(
    upstream: Upstream, who: Visitor, case_id: UUID, ahead: int, towns: Sequence[Json], now: datetime
) -> Reach:
    """Ask dispatch, twice since only it knows when they were last seen. Raises: Problem, as dispatch refused."""
    path = f"/cases/{case_id}/reach"
    usual = await upstream.get(who, "dispatch", path)
    seen_at = datetime.fromisoformat(usual["seen_at"])
    asked_at = now + timedelta(minutes=ahead)
    minutes = max(1, round((asked_at - seen_at) / timedelta(minutes=1)))
    later = None
    if minutes <= LOOKED_FOR_MIN:
        later = await upstream.get(who, "dispatch", path, minutes=minutes)
    areas = await asyncio.to_thread(_areas, usual, seen_at, towns)
    then = (await asyncio.to_thread(_areas, later, seen_at, towns))[0] if later else None
    return Reach(seen_at, asked_at, areas, then, usual["schematic"])


def _areas(said: Json, seen_at: datetime, towns: Sequence[Json]) -> tuple[Area, ...]:
    known: set[int] = set()
    areas = []
    for feature in said["features"]:
        minutes = feature["properties"]["minutes"]
        inside = _inside(feature["geometry"], towns)
        fresh = tuple(Town(towns[place]["zh"], towns[place]["en"]) for place in sorted(inside - known))
        known |= inside
        at = seen_at + timedelta(minutes=minutes)
        areas.append(Area(minutes, at, feature["geometry"], fresh, len(known)))
    return tuple(areas)


def _inside(geometry: Json, towns: Sequence[Json]) -> set[int]:
    if not towns or not geometry["coordinates"]:
        return set()
    lon, lat = zip(*(town["at"] for town in towns), strict=True)
    return {place for place, within in enumerate(shapely.contains_xy(shape(geometry), lon, lat)) if within}


def _sketched(geometry: Json) -> list[list[list[int]]]:
    """The area as a map of the county shows it: corners of less than SKETCH_DEG taken off."""
    return rings_of(shapely.set_precision(shape(geometry).simplify(SKETCH_DEG), 10**-DIGITS))


def _as_json(area: Area) -> Json:
    return {
        "minutes": area.minutes,
        "at": area.at.isoformat(),
        "rings": _sketched(area.geometry),
        "towns": [[town.zh, town.en] for town in area.towns],
        "towns_in_all": area.towns_in_all,
    }
