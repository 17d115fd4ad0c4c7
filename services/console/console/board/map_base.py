"""The county under a case: roads, towns, places and ways out as dispatch has them, outlines as the console draws them.

Dispatch decides who may see its map: it is asked each time with the person's own token, and what it says is drawn
again when its tag is another.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from console.door.sessions import Visitor
from console.upstream import Upstream
from guitu.problem import Problem

Json = dict[str, Any]
At = list[float]
BASES_KEPT = 4
DIGITS = 4
"""Of a degree, about 10 m: less than a pixel at every zoom of the board's map but the nearest."""


@dataclass(frozen=True)
class BaseMap:
    """A county's map: `body` is what the page's script reads; nodes and towns are for answers about units and reach."""

    tag: str
    body: bytes
    nodes: Mapping[str, At]
    towns: Sequence[Json]


@dataclass
class Bases:
    """The maps that were drawn last, a few of them."""

    outlines: Path
    kept: dict[str, BaseMap] = field(default_factory=dict)

    async def of(self, upstream: Upstream, who: Visitor, region: str) -> BaseMap:
        """A county's map for this person. Raises: Problem, as dispatch refused; 404 for what is no region."""
        if not (region.isascii() and region.isdigit() and len(region) == 6):
            raise Problem(
                404,
                "no_such_map",
                "A region is six digits.",
                "辖区代码应为六位数字。",
                "Go back to the board.",
            )
        answer = await upstream.ask(who, "dispatch", "GET", f"/networks/{region}/map")
        tag = answer.headers.get("etag", "")
        known = self.kept.get(region)
        if known and tag and known.tag == tag:
            return known
        found = await asyncio.to_thread(drawn, answer.content, outlines_of(self.outlines), region, tag)
        while len(self.kept) >= BASES_KEPT:
            self.kept.pop(next(iter(self.kept)))
        self.kept[region] = found
        return found


def drawn(network: bytes, outlines: Sequence[Json], region: str, tag: str) -> BaseMap:
    """The map in few bytes: roads and outlines as trails, points as short lists."""
    said = json.loads(network)
    layers: dict[str, list[Json]] = {"road": [], "place": [], "exit": [], "town": []}
    for feature in said["features"]:
        layers.setdefault(feature["properties"]["layer"], []).append(feature)
    towns = [_point(one) for one in layers["town"]]
    body = {
        "schematic": said["schematic"],
        "roads": [_road(one) for one in layers["road"]],
        "towns": towns,
        "places": [_point(one) for one in layers["place"]],
        "exits": [_point(one, "exit_id") for one in layers["exit"]],
        "outlines": [_outline(one, region) for one in outlines],
    }
    named = (one for layer in ("town", "place", "exit") for one in layers[layer])
    nodes = {one["properties"]["node_id"]: _at(one) for one in named}
    return BaseMap(tag, packed(body), nodes, towns)


def packed(value: Any) -> bytes:
    """JSON without a space that nobody reads."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@lru_cache(maxsize=4)
def outlines_of(file: Path) -> tuple[Json, ...]:
    """Outlines from a file; none if there is no file: a map without them is still a map."""
    try:
        return tuple(json.loads(file.read_text(encoding="utf-8"))["features"])
    except FileNotFoundError:
        return ()


def _road(feature: Json) -> list[Any]:
    return [feature["properties"]["road_class"], *trail(shape(feature["geometry"]))]


def _point(feature: Json, *more: str) -> Json:
    said = feature["properties"]
    names = {"zh": said["name_zh"], "en": said["name_en"]}
    return {"at": _at(feature)} | names | {name: said[name] for name in more}


def _at(feature: Json) -> At:
    return [round(number, DIGITS) for number in feature["geometry"]["coordinates"]]


def _outline(feature: Json, region: str) -> Json:
    return {
        "ours": feature["properties"]["region_code"] == region,
        "rings": rings_of(shape(feature["geometry"])),
    }


def rings_of(area: BaseGeometry) -> list[list[list[int]]]:
    """Polygons as rings as trails: a third of the bytes of GeoJSON, and drawn a hundred times an hour."""
    parts = [one for one in shapely.get_parts(area) if one.geom_type == "Polygon" and not one.is_empty]
    return [[trail(one.exterior), *map(trail, one.interiors)] for one in parts]


def trail(line: Any) -> list[int]:
    """Longitude and latitude in units of 10^-DIGITS degrees: the first point, then the step to each next one."""
    points = [(round(lon * 10**DIGITS), round(lat * 10**DIGITS)) for lon, lat in line.coords]
    steps = [number for (a, b), (c, d) in itertools.pairwise(points) for number in (c - a, d - b)]
    return [*points[0], *steps]
