"""Draw the schematic road network of Yunyang County: nodes, edges, places, exits, units, times.

    python deploy/data/make_yunyang.py [--root REPOSITORY]

Reads the gazetteer in `services/alerts/alerts/data/yunyang` and the hand-placed tables beside this file,
and writes the CSV files of dispatch and notifications. Nothing is random and nothing is read from outside
the repository, so the same inputs give the same bytes; a test compares them with the committed files.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

import yunyang_sites
import yunyang_timetable
import yunyang_units
from yunyang_geography import DEPARTURES, NEIGHBOURS, POINTS, ROAD_EXITS, VILLAGES, WAYS, Exit, Point, Way

REGION_CODE = "500235"
NAMESPACE = uuid5(NAMESPACE_URL, "urn:guitu:yunyang")
EARTH_RADIUS_M = 6_371_008.8  # Mean radius, IUGG.
PIECE_MAX_M = 7_000.0  # Longer stretches get nodes in between, so that a position is never far from a node.


class RoadClass(NamedTuple):
    """Length over haversine, and design speeds in km/h; see the README for where the numbers come from."""

    detour: float
    car_kmh: float
    bus_kmh: float
    ferry_kmh: float = 0.0


ROAD_CLASSES = {
    "expressway": RoadClass(1.10, 80, 80),
    "ramp": RoadClass(1.20, 40, 40),
    "national": RoadClass(1.30, 60, 50),
    "county": RoadClass(1.45, 40, 35),
    "township": RoadClass(1.60, 30, 25),
    "urban": RoadClass(1.25, 40, 30),
    "access": RoadClass(1.20, 20, 20),
    "ferry": RoadClass(1.05, 12, 0, 30),
    "bus_line": RoadClass(1.15, 0, 80),
    "rail_line": RoadClass(1.10, 0, 200),
    "ferry_line": RoadClass(1.15, 0, 0, 35),
}

STAFFED = ("toll_gate", "bus_station", "rail_station", "pier")

# Kind of node -> kind of place, units that fit, seconds to set up, what a unit must be able to do there.
PLACE_KINDS = {
    "toll_gate": ("toll_gate", 2, 90, "road"),
    "bridge": ("bridge", 2, 180, "road"),
    "road_checkpoint": ("road_checkpoint", 1, 180, "road"),
    "border": ("border_checkpoint", 2, 180, "road"),
    "bus_station": ("bus_station", 1, 60, "passengers"),
    "rail_station": ("rail_station", 1, 60, "passengers"),
    "pier": ("ferry_terminal", 1, 60, "passengers"),
}


class Node(NamedTuple):
    """One row of nodes.csv."""

    node_id: str
    lon: float
    lat: float
    kind: str
    name_zh: str
    name_en: str
    bus_stop: int
    pier: int
    outside: int
    position_source: str


def main() -> None:
    """Write every file of the Yunyang data set below the repository root."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--out", type=Path, default=None, help="Write below this folder instead of the root.")
    arguments = parser.parse_args()
    write_all(arguments.root, arguments.out or arguments.root)


def write_all(root: Path, out: Path) -> None:
    """Read the gazetteer below `root` and write all files below `out`, replacing what is there."""
    gazetteer = root / "services/alerts/alerts/data/yunyang"
    townships, codes = read_townships(gazetteer)
    nodes, edges = draw_network(townships, read_outline(gazetteer))
    dispatch = out / "services/dispatch/dispatch/data/yunyang"
    places = place_rows(nodes)
    units = yunyang_units.unit_rows(nodes, places, identify)
    write_csv(dispatch / "nodes.csv", [node._asdict() for node in nodes.values()])
    write_csv(dispatch / "edges.csv", edges)
    write_csv(dispatch / "places.csv", places)
    write_csv(dispatch / "exits.csv", exit_rows())
    write_csv(dispatch / "units.csv", units)
    write_csv(dispatch / "timetable.csv", yunyang_timetable.timetable_rows(edges, _straight_m_of(nodes)))
    sites = yunyang_sites.site_rows(nodes, codes, identify)
    notifications = out / "services/notifications/notifications/data/yunyang"
    write_csv(notifications / "sites.csv", sites)
    write_csv(notifications / "contacts.csv", yunyang_sites.contact_rows(sites, units, identify))


def _straight_m_of(nodes: dict[str, Node]) -> Callable[[str, str], float]:
    """Great-circle metres between two nodes by their ids."""
    return lambda a, b: haversine_m(nodes[a].lon, nodes[a].lat, nodes[b].lon, nodes[b].lat)


def identify(kind: str, slug: str) -> UUID:
    """The id of a thing: the same for ever, from its kind and slug."""
    return uuid5(NAMESPACE, f"{kind}/{slug}")


def slug_of(name_en: str) -> str:
    """`Yun'an` -> `yunan`."""
    return "".join(letter for letter in name_en.lower() if letter.isalnum())


def read_townships(folder: Path) -> tuple[dict[str, Node], dict[str, str]]:
    """Townships as nodes, a roadside bus stop each, and the nine-digit code of each."""
    with (folder / "townships.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    nodes, codes = {}, {}
    for row in rows:
        source = "schematic" if row["position_source"] == "schematic" else "GeoNames"
        slug = slug_of(row["name_en"])
        lon, lat = float(row["lon"]), float(row["lat"])
        nodes[slug] = Node(slug, lon, lat, "township", row["name_zh"], row["name_en"], 1, 0, 0, source)
        codes[slug] = row["code"]
    return nodes, codes


def read_outline(folder: Path) -> list[tuple[float, float]]:
    """The outer ring of the county."""
    features = json.loads((folder / "outline.geojson").read_text(encoding="utf-8"))["features"]
    county = next(f for f in features if f["properties"]["region_code"] == REGION_CODE)
    return [(lon, lat) for lon, lat in county["geometry"]["coordinates"][0][0]]


def draw_network(
    townships: dict[str, Node], outline: Sequence[tuple[float, float]]
) -> tuple[dict[str, Node], list[dict[str, object]]]:
    """All nodes by id and all edge rows, in the order of the tables."""
    nodes = dict(townships)
    for slug, point in (VILLAGES | POINTS).items():
        nodes[slug] = _node_of(slug, point)
    for slug, point in NEIGHBOURS.items():
        nodes[f"out-{slug}"] = _node_of(f"out-{slug}", point)
    ways = list(WAYS)
    for road_class, exits in ROAD_EXITS.items():
        for way_out in exits:
            ways += _road_exit(nodes, road_class, way_out, outline)
    for mode, exits in DEPARTURES.items():
        for way_out in exits:
            ways += _departure(nodes, mode, way_out)
    return nodes, _edge_rows(nodes, ways)


def _node_of(slug: str, point: Point) -> Node:
    stop = int(point.kind in ("village", "bus_station", "rail_station"))
    source = "GeoNames" if point.kind == "village" else "schematic"
    outside = int(point.kind == "neighbour")
    lon, lat, kind, name_zh, name_en = point
    return Node(slug, lon, lat, kind, name_zh, name_en, stop, int(kind == "pier"), outside, source)


def _road_exit(
    nodes: dict[str, Node], road_class: str, way_out: Exit, outline: Sequence[tuple[float, float]]
) -> list[Way]:
    """The road over the border: inner node - border node on the outline - outer node -> neighbour's town."""
    border, outer = f"border-{way_out.slug}", f"out-{way_out.slug}"
    inner = nodes[way_out.start]
    lon, lat = _last_crossing((inner.lon, inner.lat), (way_out.lon, way_out.lat), outline)
    name_zh, name_en = f"{way_out.name_zh}界卡点", f"{way_out.name_en} border checkpoint"
    nodes[border] = Node(border, lon, lat, "border", name_zh, name_en, 0, 0, 0, "schematic")
    nodes[outer] = _outer_node(outer, way_out)
    flags = "cb" if road_class == "expressway" else "wcb"
    stops = (way_out.start, border, outer)
    return [
        Way(road_class, stops, flags),
        Way(road_class, (outer, f"out-{way_out.neighbour}"), "cb", oneway=True),
    ]


def _departure(nodes: dict[str, Node], mode: str, way_out: Exit) -> list[Way]:
    """A long-distance line: no stop before the outer node, and no way back by it."""
    outer = f"out-{way_out.slug}"
    nodes[outer] = _outer_node(outer, way_out)
    flag = "f" if mode == "ferry" else "b"
    if mode == "ferry":
        nodes[outer] = nodes[outer]._replace(pier=1)
    return [Way(f"{mode}_line", (way_out.start, outer), flag, oneway=True)]


def _outer_node(slug: str, way_out: Exit) -> Node:
    name_en = way_out.name_en or yunyang_units.departure_name(way_out.start, way_out.neighbour)
    return Node(slug, way_out.lon, way_out.lat, "outside", way_out.name_zh, name_en, 0, 0, 1, "schematic")


def _last_crossing(
    inner: tuple[float, float], outer: tuple[float, float], outline: Sequence[tuple[float, float]]
) -> tuple[float, float]:
    """Where the straight line from inner to outer leaves the outline for the last time."""
    (x0, y0), (x1, y1) = inner, outer
    shares = []
    for (ax, ay), (bx, by) in zip(outline, [*outline[1:], outline[0]], strict=True):
        cross = (x1 - x0) * (by - ay) - (y1 - y0) * (bx - ax)
        if cross == 0:
            continue
        along = ((ax - x0) * (by - ay) - (ay - y0) * (bx - ax)) / cross
        across = ((ax - x0) * (y1 - y0) - (ay - y0) * (x1 - x0)) / cross
        if 0 <= along <= 1 and 0 <= across <= 1:
            shares.append(along)
    assert shares, f"The line from {inner} to {outer} does not cross the outline; move the outer point."
    share = max(shares)
    return round(x0 + share * (x1 - x0), 5), round(y0 + share * (y1 - y0), 5)


def _edge_rows(nodes: dict[str, Node], ways: Iterable[Way]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for way in ways:
        for start, end in itertools.pairwise(way.stops):
            for a, b in _pieces(nodes, way, start, end):
                rows.append(_edge_row(len(rows), nodes[a], nodes[b], way))
    return rows


def _pieces(nodes: dict[str, Node], way: Way, start: str, end: str) -> list[tuple[str, str]]:
    """Cut a long road into equal pieces with new nodes between; lines and roads outside stay whole."""
    a, b = nodes[start], nodes[end]
    length_m = ROAD_CLASSES[way.road_class].detour * haversine_m(a.lon, a.lat, b.lon, b.lat)
    count = 1 if way.oneway or "c" not in way.flags else math.ceil(length_m / PIECE_MAX_M)
    chain = [start]
    for step in range(1, count):
        share = step / count
        lon, lat = round(a.lon + share * (b.lon - a.lon), 5), round(a.lat + share * (b.lat - a.lat), 5)
        slug = f"{start}-{end}-{step}"
        outside = int(a.outside or b.outside)
        nodes[slug] = Node(slug, lon, lat, "road", "", "", 0, int("f" in way.flags), outside, "schematic")
        chain.append(slug)
    chain.append(end)
    return list(itertools.pairwise(chain))


def _edge_row(number: int, a: Node, b: Node, way: Way) -> dict[str, object]:
    road = ROAD_CLASSES[way.road_class]
    car, bus, ferry = ("c" in way.flags, "b" in way.flags, "f" in way.flags)
    return {
        "edge_id": f"e{number + 1:03d}",
        "from_node": a.node_id,
        "to_node": b.node_id,
        "length_m": round(road.detour * haversine_m(a.lon, a.lat, b.lon, b.lat)),
        "road_class": way.road_class,
        "oneway": int(way.oneway),
        "walk": int("w" in way.flags),
        "car": int(car),
        "bus": int(bus),
        "ferry": int(ferry),
        "car_speed_kmh": road.car_kmh if car else 0,
        "bus_speed_kmh": road.bus_kmh if bus else 0,
        "ferry_speed_kmh": road.ferry_kmh if ferry else 0,
    }


def haversine_m(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Great-circle distance in metres."""
    phi_a, phi_b = math.radians(lat_a), math.radians(lat_b)
    half = math.sin((phi_b - phi_a) / 2) ** 2
    half += math.cos(phi_a) * math.cos(phi_b) * math.sin(math.radians(lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(half))


def place_rows(nodes: dict[str, Node]) -> list[dict[str, object]]:
    """Every node where a unit can control all that passes it."""
    rows: list[dict[str, object]] = []
    for node in nodes.values():
        if node.kind not in PLACE_KINDS:
            continue
        kind, capacity, setup_s, needs = PLACE_KINDS[node.kind]
        rows.append({"place_id": identify("place", node.node_id), "node_id": node.node_id, "kind": kind})
        rows[-1] |= {"name_zh": node.name_zh, "name_en": node.name_en, "capacity": capacity}
        rows[-1] |= {"setup_s": setup_s, "needs": needs, "staffed": int(node.kind in STAFFED)}
    return rows


def exit_rows() -> list[dict[str, object]]:
    """Every way out of the county, at its outer node."""
    rows: list[dict[str, object]] = []
    by_kind = [("road", way_out) for exits in ROAD_EXITS.values() for way_out in exits]
    by_kind += [(f"{mode}_departure", way_out) for mode, exits in DEPARTURES.items() for way_out in exits]
    for kind, way_out in by_kind:
        name_en = way_out.name_en or yunyang_units.departure_name(way_out.start, way_out.neighbour)
        rows.append(
            {"exit_id": identify("exit", way_out.slug), "node_id": f"out-{way_out.slug}", "kind": kind}
        )
        rows[-1] |= {"name_zh": way_out.name_zh, "name_en": name_en, "neighbour": way_out.neighbour}
    return rows


def write_csv(path: Path, rows: Sequence[dict[str, object]]) -> None:
    """UTF-8 with LF line ends; the columns are the keys of the first row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
