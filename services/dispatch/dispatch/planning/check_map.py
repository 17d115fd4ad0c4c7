"""The checker's own reading of a network: county folder, two CSV files or lists, into plain stretches of road.

Written a second time on purpose: what the planner reads wrong must not be read wrong here too.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from dispatch.planning.checker_model import Road

EARTH_RADIUS_M = 6_371_008.8
FLAT_KMH = 50.0
VEHICLES = ("car", "bus", "ferry")

Json = Mapping[str, Any]
Lonlat = tuple[float, float]


@dataclass(frozen=True)
class Stretch:
    """An edge of the network: metres, who may use it, and km/h of each vehicle (0: may not)."""

    tail: str
    head: str
    length_m: float
    both_ways: bool
    walk: bool
    kmh: Mapping[str, float]


@dataclass(frozen=True)
class Map:
    """Node positions (lon, lat), all stretches, those that are not closed, and the hash of what was read."""

    nodes: Mapping[str, Lonlat]
    stretches: Sequence[Stretch]
    usable: Sequence[Stretch]
    sha256: str


def map_of(instance: Json, beside: Path) -> Map:
    """The network as the files say it; paths are relative to `beside`."""
    source = instance["network"]
    if "folder" in source:
        raw = [(beside / source["folder"] / name).read_bytes() for name in ("nodes.csv", "edges.csv")]
        nodes = {row["node_id"].strip(): row for row in _rows(raw[0])}
        stretches = [_county_stretch(row) for row in _rows(raw[1])]
        places = {node: (float(row["lon"]), float(row["lat"])) for node, row in nodes.items()}
    elif "nodes_csv" in source:
        raw = [(beside / source[name]).read_bytes() for name in ("nodes_csv", "edges_csv")]
        places = {row["node"].strip(): (float(row["lon"]), float(row["lat"])) for row in _rows(raw[0])}
        stretches = [_stretch(row, places) for row in _rows(raw[1])]
    else:
        raw = [canonical(source[name]) for name in ("nodes", "edges")]
        places = {str(node): (float(lon), float(lat)) for node, lon, lat in source["nodes"]}
        stretches = [_stretch(row, places) for row in source["edges"]]
    digest = sha256(b"".join(sha256(part).digest() for part in raw)).hexdigest()
    shut = {(str(a), str(b)) for a, b in instance.get("closed", [])}
    return Map(places, stretches, [one for one in stretches if not _is_shut(one, shut)], digest)


def _is_shut(stretch: Stretch, shut: set[tuple[str, str]]) -> bool:
    back = (stretch.head, stretch.tail) in shut and stretch.both_ways
    return (stretch.tail, stretch.head) in shut or back


def _rows(raw: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True))


def _county_stretch(row: Mapping[str, str]) -> Stretch:
    speeds = {mode: float(row[f"{mode}_speed_kmh"]) if row[mode].strip() == "1" else 0.0 for mode in VEHICLES}
    return Stretch(
        tail=row["from_node"].strip(),
        head=row["to_node"].strip(),
        length_m=float(row["length_m"]),
        both_ways=row["oneway"].strip() != "1",
        walk=row["walk"].strip() == "1",
        kmh=speeds,
    )


def _stretch(row: Mapping[str, Any], nodes: Mapping[str, Lonlat]) -> Stretch:
    """The minimal form: what is left out of length, time and speed follows from the others."""
    tail, head = str(row["source"]).strip(), str(row["target"]).strip()
    length_m, time_s = _number(row.get("length_m")), _number(row.get("travel_time_s"))
    speed_kmh = _number(row.get("speed_kmh")) or _number(row.get("speed_kph"))
    if length_m is None:
        straight_m = great_circle_m(nodes[tail], nodes[head])
        length_m = time_s * speed_kmh / 3.6 if time_s is not None and speed_kmh is not None else straight_m
    if length_m <= 0 and time_s:
        length_m = time_s * FLAT_KMH / 3.6
    driven_kmh = length_m / time_s * 3.6 if time_s else speed_kmh or 0.0
    car_kmh = FLAT_KMH if length_m <= 0 else driven_kmh
    return Stretch(
        tail=tail,
        head=head,
        length_m=length_m,
        both_ways=_flag(row.get("both_ways"), False),
        walk=_flag(row.get("walk"), True),
        kmh={"car": car_kmh if _flag(row.get("car"), True) else 0.0, "bus": 0.0, "ferry": 0.0},
    )


def _number(value: Any) -> float | None:
    return None if value is None or value == "" else float(value)


def _flag(value: Any, default: bool) -> bool:
    if value is None or value == "":
        return default
    return (
        value
        if isinstance(value, bool)
        else str(value).strip().lower() in ("1", "true", "yes", "on", "t", "y")
    )


def great_circle_m(a: Lonlat, b: Lonlat) -> float:
    """Metres between two positions (lon, lat)."""
    phi, other = math.radians(a[1]), math.radians(b[1])
    half = math.sin((other - phi) / 2) ** 2
    half += math.cos(phi) * math.cos(other) * math.sin(math.radians(b[0] - a[0]) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(half))


def roads_of(ground: Map, kinds: Iterable[str], sure: Json) -> list[Road]:
    """One way each, in seconds at the fastest that `sure` allows; feet go both ways."""
    roads: list[Road] = []
    for kind in kinds:
        factor = 1.0 if kind == "walk" else float(sure[f"{kind}_factor"])
        for one in ground.usable:
            kmh = (float(sure["walk_kmh"]) if one.walk else 0.0) if kind == "walk" else one.kmh[kind] * factor
            if kmh <= 0:
                continue
            seconds = one.length_m * 3.6 / kmh
            roads.append(Road(one.tail, one.head, seconds))
            if kind == "walk" or one.both_ways:
                roads.append(Road(one.head, one.tail, seconds))
    return roads


def beside_m(here: Lonlat, a: Lonlat, b: Lonlat) -> float:
    """Metres from a position to the straight line between two others; flat enough within a county."""
    to_m = math.radians(1.0) * EARTH_RADIUS_M
    narrow = to_m * math.cos(math.radians(here[1]))
    ax, ay = (a[0] - here[0]) * narrow, (a[1] - here[1]) * to_m
    dx, dy = (b[0] - here[0]) * narrow - ax, (b[1] - here[1]) * to_m - ay
    along = -(ax * dx + ay * dy) / max(dx * dx + dy * dy, 1e-9)
    along = min(1.0, max(0.0, along))
    return math.hypot(ax + along * dx, ay + along * dy)


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no spaces, as UTF-8."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()
