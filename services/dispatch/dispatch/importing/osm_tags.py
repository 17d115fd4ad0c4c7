"""What the tags of one OpenStreetMap way say: who may use it, which way, how fast.

Source: https://wiki.openstreetmap.org/wiki/Key:oneway, Key:maxspeed, Key:access and Tag:route=ferry.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from dispatch.importing.classes import ACCESS_KMH, FERRY_KMH, HIGHWAYS, MAXSPEED_MIN_KMH, MILE_KM, RoadClass

Tags = Mapping[str, str]
_ALONG, _AGAINST = ("yes", "1", "true"), ("-1", "reverse")
_CAR_KEYS = ("motorcar", "motor_vehicle", "vehicle", "access")
_WALK_KEYS = ("foot", "access")
_BUS_KEYS = ("bus", "psv", *_CAR_KEYS)
_CLOSED = ("no",)
"""A private road or a gate is passable for whoever flees; only a plain `no` closes."""
_LINKS = ("motorway_link", "trunk_link")


@dataclass(frozen=True)
class Use:
    """Who may use a way, at what design speed (km/h, 0 where the mode may not go); equal stretches can be merged."""

    road_class: str
    oneway: bool
    walk: bool
    car: bool
    bus: bool
    ferry: bool
    car_kmh: float
    bus_kmh: float
    ferry_kmh: float


@dataclass(frozen=True)
class WayTags:
    """A way's use and what else matters of it; `is_reversed`: a one-way from its last node to its first."""

    use: Use
    is_reversed: bool = False
    bridge: bool = False
    tunnel: bool = False
    link: bool = False
    fast: bool = False
    speed_ignored: bool = False
    duration_s: float | None = None


ACCESS = Use("access", False, True, True, True, False, ACCESS_KMH, ACCESS_KMH, 0.0)
"""The spur from a road to a station or landing."""


def way_of(tags: Tags) -> WayTags | None:
    """What a way is to us; None if nobody travels on it."""
    if tags.get("route") == "ferry" or tags.get("ferry") in ("yes", "trunk", "primary", "secondary"):
        return _ferry(tags)
    road = HIGHWAYS.get(tags.get("highway", ""))
    if road is None or tags.get("area") == "yes":
        return None
    walk = road.walk and tags.get("motorroad") != "yes"
    use_walk = _allowed(tags, _WALK_KEYS, walk)
    is_busway = road.name == "busway"
    car = road.car_kmh > 0 and not is_busway and _allowed(tags, _CAR_KEYS, True)
    bus = road.car_kmh > 0 and _allowed(tags, _BUS_KEYS, True)
    if not (use_walk or car or bus):
        return None
    kmh, ignored = speed_of(tags, road)
    oneway, is_reversed = _direction(tags)
    use = Use(
        road.name,
        oneway,
        use_walk,
        car,
        bus,
        False,
        kmh if car else 0.0,
        min(kmh, road.bus_kmh) if bus else 0.0,
        0.0,
    )
    return WayTags(
        use,
        is_reversed,
        bridge=tags.get("bridge", "no") != "no",
        tunnel=tags.get("tunnel", "no") not in ("no", "building_passage"),
        link=tags["highway"] in _LINKS,
        fast=tags["highway"] in ("motorway", "trunk"),
        speed_ignored=ignored,
    )


def speed_of(tags: Tags, road: RoadClass) -> tuple[float, bool]:
    """Design speed in km/h, and whether a sign was ignored: it must be above a walk and fit the class."""
    said = [
        kmh for key in ("maxspeed", "maxspeed:forward", "maxspeed:backward") if (kmh := _kmh(tags.get(key)))
    ]
    if not said or not road.car_kmh:
        return road.car_kmh, False
    if MAXSPEED_MIN_KMH <= max(said) <= road.ceiling_kmh:
        return round(max(said), 1), False
    return road.car_kmh, True


def duration_s(text: str | None) -> float | None:
    """Seconds of a `duration`: minutes, HH:MM, HH:MM:SS or ISO 8601 (PT1H30M); None if it is none."""
    if text is None:
        return None
    if match := re.fullmatch(r"\s*(\d{1,3})\s*(?:min)?\s*", text, re.ASCII):
        seconds = 60 * int(match[1])
    elif match := re.fullmatch(r"\s*(\d{1,2}):([0-5]\d)(?::([0-5]\d))?\s*", text, re.ASCII):
        seconds = 3600 * int(match[1]) + 60 * int(match[2]) + int(match[3] or 0)
    elif match := re.fullmatch(r"\s*PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?\s*", text, re.ASCII):
        hours, minutes, rest = (int(part or 0) for part in match.groups())
        seconds = 3600 * hours + 60 * minutes + rest
    else:
        return None
    return float(seconds) or None


def names_of(tags: Tags) -> tuple[str, str]:
    """Chinese and English name, each the local one where it is missing; empty if there is none."""
    local = tags.get("name", tags.get("ref", "").replace(";", "/"))
    return tags.get("name:zh", local), tags.get("name:en", local)


def _ferry(tags: Tags) -> WayTags | None:
    if tags.get("access") in _CLOSED:
        return None
    car = any(tags.get(key) in ("yes", "designated", "permissive") for key in ("motor_vehicle", "motorcar"))
    use = Use("ferry", False, False, car, False, True, FERRY_KMH if car else 0.0, 0.0, FERRY_KMH)
    return WayTags(use, duration_s=duration_s(tags.get("duration")))


def _allowed(tags: Tags, keys: tuple[str, ...], by_default: bool) -> bool:
    """The most specific tag decides."""
    said = next((tags[key] for key in keys if key in tags), None)
    if said is None:
        return by_default
    if said in _CLOSED:
        return False
    return by_default or (keys[0] in tags and tags[keys[0]] in ("yes", "designated", "permissive"))


def _direction(tags: Tags) -> tuple[bool, bool]:
    """Whether a way is one-way for vehicles, and whether against its nodes."""
    said = tags.get("oneway")
    if said in _AGAINST:
        return True, True
    if said in _ALONG:
        return True, False
    implied = tags.get("highway") == "motorway" or tags.get("junction") in ("roundabout", "circular")
    return implied and said != "no", False


def _kmh(text: str | None) -> float | None:
    """km/h of a `maxspeed`; of several the highest. `none`, `signals`, `CN:urban` say no number."""
    if text is None:
        return None
    found = []
    for part in text.split(";"):
        match = re.fullmatch(r"\s*(\d{1,3}(?:\.\d+)?)\s*(km/h|kmh|kph|mph|)\s*", part, re.ASCII)
        if match:
            found.append(float(match[1]) * (MILE_KM if match[2] == "mph" else 1.0))
    return max(found, default=None)
