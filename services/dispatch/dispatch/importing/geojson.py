"""A network from GeoJSON: lines are edges, points are nodes, places, exits or units, properties are the columns.

What a map can say needs no property: a point's position, a line's length and ends, the nearest node of a place.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from dispatch.importing.assembling import About, NetworkFiles, Tables, assemble
from dispatch.importing.classes import FERRY_KMH, HIGHWAYS
from dispatch.importing.graph import haversine_m
from dispatch.importing.nearest import Nearest
from dispatch.importing.osm_tags import way_of
from dispatch.importing.places import PLACES, place_names
from dispatch.importing.problems import NetworkFileError, Where, problem
from dispatch.network_files import OnRows, read_rows

NAMESPACE = UUID("c1b7c8f4-0a55-5d3b-8d0e-1f1c6de3b0a2")
"""Ids of places and exits that have none follow from region and node, so that the next import keeps them."""
JOIN_M = 2.0
"""Ends of lines closer than this are the same junction: drawn maps snap to centimetres, GPS tracks to nothing."""
PLACE_NEAR_M = 100.0
_TABLES = {
    "node": "nodes.csv",
    "edge": "edges.csv",
    "place": "places.csv",
    "exit": "exits.csv",
    "unit": "units.csv",
}
_DEFAULTS: dict[str, dict[str, str]] = {
    "nodes.csv": {
        **{"kind": "junction", "name_zh": "", "name_en": "", "bus_stop": "0", "pier": "0", "outside": "0"},
        "position_source": "GeoJSON",
    },
    "edges.csv": {"oneway": "0", "ferry": "0", "ferry_speed_kmh": "0"},
    "places.csv": {"capacity": "1", "setup_s": "180", "needs": "road"},
    "exits.csv": {"kind": "road", "neighbour": "outside"},
    "units.csv": {"base_node": "", "post_place_id": ""},
}
Row = dict[str, str]
Point = tuple[float, float]


def read_geojson(
    path: Path, region: str, tables: Tables | None = None, on_rows: OnRows | None = None
) -> NetworkFiles:
    """Read a FeatureCollection; `tables` may already hold units and a timetable.

    A member `network` may hold `schematic`, `source` and `note`.
    Raises: NetworkFileError, with every feature that is wrong.
    """
    tables = tables or Tables()
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
        features = list(document["features"])
        about = dict(document.get("network", {}))
    except (ValueError, KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise NetworkFileError([problem("not_json", Where(path.name), why=error)]) from error
    rows = _Features(path.name, region, tables)
    rows.sort_out(features)
    for table in _TABLES.values():
        if rows.of(table) or table != "units.csv":
            read_rows(table, rows.complete(table), tables, on_rows)
    schematic = about.get("schematic") is True
    told = About("geojson", str(about.get("source", path.name)), schematic, str(about.get("note", "")))
    return assemble(tables, told)


class _Features:
    """The features by table, then row by row with what the map says."""

    def __init__(self, file: str, region: str, tables: Tables) -> None:
        self._file, self._region, self._tables = file, region, tables
        self._found: dict[str, list[tuple[Where, Row, list[Point]]]] = {name: [] for name in _TABLES.values()}
        self._made: dict[str, Point] = {}
        self._nodes: Nearest[str] = Nearest({})

    def of(self, table: str) -> list[tuple[Where, Row, list[Point]]]:
        """What was found for a table."""
        return self._found[table]

    def sort_out(self, features: list[Any]) -> None:
        """Put every feature to its table; nodes are made where lines end without one."""
        for number, feature in enumerate(features, start=1):
            where = Where(self._file, number, "feature")
            try:
                said = {name: _text(value) for name, value in (feature["properties"] or {}).items()}
                points = _points(feature["geometry"])
                self._found[_table(said, points)].append((where, said, points))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                self._tables.problems.append(
                    problem(
                        "feature", where, why=f"is no usable feature: {error}", why_zh=f"要素不可用:{error}"
                    )
                )
        at = {said["node_id"]: points[0] for _, said, points in self.of("nodes.csv") if said.get("node_id")}
        given = Nearest(at)
        for _, said, points in self.of("edges.csv"):
            for name, end in (("from_node", points[0]), ("to_node", points[-1])):
                if not said.get(name):
                    said[name] = given.within(end, JOIN_M) or self._made_at(end)
        on_water = {said[name] for _, said, _ in self.of("edges.csv") if _is_ferry(said) for name in _ENDS}
        for node_id, end in self._made.items():
            more = {"node_id": node_id, "pier": str(int(node_id in on_water))}
            self.of("nodes.csv").append((Where(self._file), more, [end]))
        self._nodes = Nearest(at | self._made)

    def _made_at(self, end: Point) -> str:
        """The junction at the end of a line; lines that end at the same five digits (a metre) meet."""
        node_id = f"j{end[0]:.5f},{end[1]:.5f}"
        self._made.setdefault(node_id, end)
        return node_id

    def complete(self, table: str) -> Iterator[tuple[Where, Row]]:
        """The rows of a table as a CSV file would have them."""
        for where, said, points in self.of(table):
            row = dict(_DEFAULTS[table])
            if table in ("nodes.csv", "units.csv"):
                row |= {"lon": repr(points[0][0]), "lat": repr(points[0][1])}
            elif table == "edges.csv":
                row |= _edge(said, points, where)
            elif not self._stand(table, row, said, points[0], where):
                continue
            yield where, row | said

    def _stand(self, table: str, row: Row, said: Row, at: Point, where: Where) -> bool:
        """Put a place or an exit on its node; False if there is none near."""
        found = self._nodes.nearest(at)
        if not said.get("node_id"):
            said.pop("node_id", None)
            if found is None or found[1] > PLACE_NEAR_M:
                away = "no node" if found is None else f"{found[1]:.0f} m from the nearest node"
                away_zh = "附近没有节点" if found is None else f"距最近节点 {found[1]:.0f} 米"
                why = {"why": f"is {away}, more than {PLACE_NEAR_M:.0f} m", "why_zh": away_zh}
                self._tables.problems.append(problem("feature", where, **why))
                return False
            row["node_id"] = found[0]
        node_id = said.get("node_id") or row["node_id"]
        what = table.removesuffix("s.csv")
        row[f"{what}_id"] = str(uuid5(NAMESPACE, f"{self._region}/{what}/{node_id}"))
        kind = PLACES.get(said.get("kind", "")) if what == "place" else None
        if kind is not None:
            zh, en = place_names(kind, (said.get("name_zh", ""), said.get("name_en", "")), node_id)
            row |= {
                "name_zh": zh,
                "name_en": en,
                "capacity": str(kind.capacity),
                "setup_s": str(kind.setup_s),
            }
            row |= {"needs": kind.needs, "staffed": str(int(kind.staffed))}
        return True


_ENDS = ("from_node", "to_node")


def _is_ferry(said: Mapping[str, str]) -> bool:
    return said.get("ferry") == "1" or said.get("road_class") == "ferry"


def _edge(said: Row, points: list[Point], where: Where) -> Row:
    """Length, uses and speeds of a line that has none of its own, by its class."""
    road_class = said.get("road_class") or said.get("highway", "")
    length_m = sum(haversine_m(a, b) for a, b in itertools.pairwise(points))
    row = {"edge_id": f"f{where.number}", "road_class": road_class, "length_m": f"{length_m:.1f}"}
    names = {road.name: name for name, road in reversed(HIGHWAYS.items())}
    highway = road_class if road_class in HIGHWAYS else names.get(road_class, "")
    way = way_of({"route": "ferry"} if _is_ferry(said) else {"highway": highway})
    if way is None:
        return row | {f"{mode}_speed_kmh": "0" for mode in ("car", "bus")}
    use = way.use
    flags = {"walk": use.walk, "car": use.car, "bus": use.bus, "ferry": use.ferry, "oneway": use.oneway}
    row |= {name: str(int(flag)) for name, flag in flags.items()}
    ferry_kmh = FERRY_KMH if use.ferry else 0
    row |= {
        "car_speed_kmh": str(use.car_kmh),
        "bus_speed_kmh": str(use.bus_kmh),
        "ferry_speed_kmh": str(ferry_kmh),
    }
    # A mode that the line forbids has no speed.
    row |= {f"{mode}_speed_kmh": "0" for mode in ("car", "bus", "ferry") if said.get(mode) == "0"}
    return row


def _table(said: Row, points: list[Point]) -> str:
    named = said.pop("table", "")
    if named:
        return _TABLES[named]
    if len(points) > 1:
        return "edges.csv"
    for what in ("place", "exit", "unit", "node"):
        if said.get(f"{what}_id"):
            return _TABLES[what]
    return "places.csv" if said.get("kind") in PLACES else "nodes.csv"


def _points(geometry: Mapping[str, Any]) -> list[Point]:
    kind, coordinates = geometry["type"], geometry["coordinates"]
    if kind not in ("Point", "LineString"):
        raise ValueError(f"{kind} is neither Point nor LineString")
    points = [(float(one[0]), float(one[1])) for one in ([coordinates] if kind == "Point" else coordinates)]
    if kind == "LineString" and len(points) < 2:
        raise ValueError("a line of fewer than two points")
    return points


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return "" if value is None else str(value)
