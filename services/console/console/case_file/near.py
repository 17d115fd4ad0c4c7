"""Places to choose from where somebody says where a child was seen: those that a case knows already, nearest first."""

from __future__ import annotations

import asyncio
from math import cos, hypot, radians
from typing import Any

from console.door.sessions import Visitor
from console.upstream import Upstream
from guitu.problem import Problem

SHOWN_MAX = 200
_KM_PER_DEGREE = 111.2
Place = tuple[str, str]
"""Value of the option (`lon|lat|name`) and what it is called."""


async def places_of_case(upstream: Upstream, who: Visitor, case: dict[str, Any]) -> list[Place]:
    """Where the child was last seen, the case's checkpoints, then sites; without those whose owner is away."""
    last_seen = case["last_seen_place"]
    stops = [order["stop"] for order in case.get("order_list", ()) if order.get("stop")]
    sites = await _sites(upstream, who)
    known = [_place(each) for each in [last_seen, *stops, *sites]]
    named = {name: (lon, lat) for lon, lat, name in reversed([each for each in known if each])}
    centre = last_seen["position"]
    nearest = sorted(named.items(), key=lambda each: _km(each[1], (centre["lon"], centre["lat"])))
    return [(f"{lon}|{lat}|{name}", name) for name, (lon, lat) in nearest[:SHOWN_MAX]]


async def _sites(upstream: Upstream, who: Visitor) -> list[dict[str, Any]]:
    try:
        async with asyncio.timeout(3):
            found = await upstream.get(who, "notifications", "/sites")
    except (Problem, TimeoutError):
        return []
    return list(found if isinstance(found, list) else found.get("sites", ()))


def _place(said: dict[str, Any]) -> tuple[float, float, str] | None:
    """(lon, lat, name) of whatever an owner calls a place; None without a name or a position."""
    position = said.get("position") or said
    name = said.get("name") or said.get("name_zh") or said.get("place_name") or ""
    if not name or position.get("lon") is None or position.get("lat") is None:
        return None
    return float(position["lon"]), float(position["lat"]), str(name)


def _km(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Flat is good enough to sort a county's places."""
    return hypot((a[0] - b[0]) * cos(radians(a[1])), a[1] - b[1]) * _KM_PER_DEGREE
