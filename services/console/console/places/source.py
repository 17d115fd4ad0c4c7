"""Where places come from: the county's own file, and the sites and checkpoints that their owners list now.

An owner that does not answer leaves its places out; the others are found all the same. Kept for a minute a region.
"""

from __future__ import annotations

import asyncio
import csv
import time
from collections.abc import Awaitable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from console.door.sessions import Visitor
from console.places.find import Place
from console.places.pinyin import spelled, spelling
from console.upstream import Upstream
from guitu.problem import Problem

YUNYANG = Path(__file__).parent.parent / "data" / "yunyang" / "places.csv"
KEPT_S = 60.0
AGAIN_S = 5.0
"""How soon an owner is asked again after it did not answer."""
SITES_MAX = 10_000
REGIONS_MAX = 64

_Kept = dict[tuple[str, str], tuple[float, tuple[Place, ...]]]
_KEPT: WeakKeyDictionary[Upstream, _Kept] = WeakKeyDictionary()


async def places_of(
    upstream: Upstream, who: Visitor, region: str, file: Path | None = None
) -> tuple[Place, ...]:
    """Every place of a region that has a name."""
    shelf, key = _KEPT.setdefault(upstream, {}), (region, who.principal.region_code)
    good_until, kept = shelf.get(key, (0.0, ()))
    if time.monotonic() < good_until:
        return kept
    own = [place for place in own_places(file or YUNYANG) if place.township_code.startswith(region)]
    towns = {place.township_code: place for place in own if place.kind == "township"}
    sites, points = await asyncio.gather(
        _or_none(_sites(upstream, who, region, towns)), _or_none(_checkpoints(upstream, who, region))
    )
    all_of_them = (*own, *(sites or ()), *_not_twice(points or (), sites or ()))
    if len(shelf) >= REGIONS_MAX:
        shelf.clear()
    is_whole = sites is not None and points is not None
    shelf[key] = (time.monotonic() + (KEPT_S if is_whole else AGAIN_S), all_of_them)
    return all_of_them


@lru_cache(maxsize=4)
def own_places(file: Path) -> tuple[Place, ...]:
    """The places of a file that `deploy/data/make_places.py` has written, or one like it."""
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    towns = {row["code"]: row for row in rows if row["kind"] == "township"}
    return tuple(_of_file(row, towns) for row in rows)


def _of_file(row: dict[str, str], towns: dict[str, dict[str, str]]) -> Place:
    town = towns.get(row["township_code"], {})
    return Place(
        key=row["code"],
        kind="township" if row["kind"] == "township" else "village",
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        town_zh=town.get("name_zh", ""),
        town_en=town.get("name_en", ""),
        township_code=row["township_code"],
        lon=float(row["lon"]),
        lat=float(row["lat"]),
        near=row["position"] == "township",
        spelling=spelling(row["pinyin"]),
    )


async def _sites(upstream: Upstream, who: Visitor, region: str, towns: dict[str, Place]) -> list[Place]:
    said = await upstream.get(who, "notifications", "/sites", limit=SITES_MAX)
    return [
        _site(row, towns.get(row["township_code"])) for row in said["sites"] if row["region_code"] == region
    ]


def _site(row: dict[str, Any], town: Place | None) -> Place:
    return Place(
        key=f"site-{row['site_id']}",
        kind="site",
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        town_zh=town.name_zh if town else "",
        town_en=town.name_en if town else "",
        township_code=row["township_code"] or "",
        lon=row["lon"],
        lat=row["lat"],
        near=False,
        spelling=spelled(row["name_zh"]),
        category=row["category"],
    )


async def _checkpoints(upstream: Upstream, who: Visitor, region: str) -> list[Place]:
    drawn = await upstream.get(who, "dispatch", f"/networks/{region}/map")
    return [_checkpoint(one) for one in drawn["features"] if one["properties"]["layer"] == "place"]


def _checkpoint(feature: dict[str, Any]) -> Place:
    said, (lon, lat) = feature["properties"], feature["geometry"]["coordinates"]
    return Place(
        key=f"checkpoint-{said['place_id']}",
        kind="checkpoint",
        name_zh=said["name_zh"],
        name_en=said["name_en"],
        town_zh="",
        town_en="",
        township_code="",
        lon=lon,
        lat=lat,
        near=False,
        spelling=spelled(said["name_zh"]),
        category=said["kind"],
    )


def _not_twice(points: Iterable[Place], sites: Iterable[Place]) -> list[Place]:
    """A bus station is both: a site that is told, and a place where a unit stands."""
    names = {site.name_zh for site in sites}
    return [point for point in points if point.name_zh not in names]


async def _or_none(asked: Awaitable[list[Place]]) -> list[Place] | None:
    try:
        return await asked
    except Problem:
        return None
