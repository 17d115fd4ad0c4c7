"""Reads an OpenStreetMap extract in streaming passes: relations, ways, the nodes they need, nodes that stand alone.

Only roads, lines and what stands beside them are kept in memory, so an extract of a whole province can be cut.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import osmium
from osmium.filter import IdFilter, KeyFilter

from dispatch.importing.osm_tags import WayTags, names_of, way_of
from dispatch.importing.problems import NetworkFileError, Where, problem

OnCount = Callable[[str, int], None]
COUNT_STEP = 20_000
_WAY_KEYS = ("highway", "route", "ferry", "waterway", "natural", "amenity", "man_made", "railway")
_NODE_KEYS = ("highway", "public_transport", "amenity", "man_made", "railway", "barrier")
_LINE_ROUTES = {"bus": "bus", "trolleybus": "bus", "coach": "bus", "minibus": "bus", "ferry": "ferry"}


@dataclass(frozen=True)
class Way:
    """A road or ferry: its nodes in order and its tags."""

    way_id: int
    refs: array[int]
    tags: WayTags
    names: tuple[str, str]


@dataclass(frozen=True)
class Spot:
    """A thing at a point: its kind, its id (`n1`, `w2`), where, its names; `node` if it is a node of the extract."""

    kind: str
    spot_id: str
    lon: float
    lat: float
    names: tuple[str, str]
    node: int | None


@dataclass
class Extract:
    """What an extract holds for us. `box` is (west, south, east, north) as its header says."""

    ways: list[Way] = field(default_factory=list)
    positions: dict[int, tuple[float, float]] = field(default_factory=dict)
    spots: list[Spot] = field(default_factory=list)
    waters: list[array[int]] = field(default_factory=list)
    lines: list[tuple[str, str, tuple[int, ...]]] = field(default_factory=list)
    box: tuple[float, float, float, float] | None = None


def read_extract(path: Path, on_count: OnCount | None = None) -> Extract:
    """Read .osm.pbf, .osm or what else libosmium knows by name. Raises: NetworkFileError, if it can't be read."""
    extract = Extract()
    try:
        box = osmium.FileProcessor(str(path)).header.box()
        if box.valid():
            low, high = box.bottom_left, box.top_right
            extract.box = (low.lon, low.lat, high.lon, high.lat)
        ferry_ways = _read_relations(path, extract)
        areas = _read_ways(path, extract, ferry_ways, on_count)
        _read_needed_nodes(path, extract, areas, on_count)
        _read_lone_nodes(path, extract)
    except (RuntimeError, OSError) as error:
        raise NetworkFileError([problem("not_osm", Where(path.name), why=error)]) from error
    _place_areas(extract, areas)
    return extract


def kind_of(tags: Any) -> str | None:
    """The kind of a thing beside the road; None if it is none that matters."""
    highway, amenity, barrier = tags.get("highway"), tags.get("amenity"), tags.get("barrier")
    if barrier == "toll_booth" or highway == "toll_gantry":
        return "toll_gate" if barrier == "toll_booth" else "toll_gantry"
    if amenity in ("bus_station", "ferry_terminal"):
        return str(amenity)
    if tags.get("railway") in ("station", "halt") and tags.get("station") not in ("subway", "light_rail"):
        return "rail_station"
    if tags.get("man_made") == "pier":
        return "pier"
    is_for_bus = tags.get("bus") == "yes" or "highway" in tags
    stops = ("stop_position", "platform")
    if highway == "bus_stop" or (tags.get("public_transport") in stops and is_for_bus):
        return "bus_stop"
    return None


def _stream(path: Path, entity: Any, wanted: Any) -> Iterator[Any]:
    """Objects of one kind that pass a filter in C++; each is valid until the next only."""
    return iter(osmium.FileProcessor(str(path), entity).with_filter(wanted))


def _read_relations(path: Path, extract: Extract) -> set[int]:
    """Lines with their stops; returns the ways that a ferry line is made of."""
    ferry_ways: set[int] = set()
    for relation in _stream(path, osmium.osm.RELATION, KeyFilter("route")):
        mode = _LINE_ROUTES.get(relation.tags.get("route"))
        if relation.tags.get("type") != "route" or mode is None:
            continue
        members = [(member.type, member.ref, member.role) for member in relation.members]
        if mode == "ferry":
            ferry_ways.update(ref for kind, ref, _ in members if kind == "w")
        stops = tuple(
            ref for kind, ref, role in members if kind == "n" and role.startswith(("stop", "platform"))
        )
        extract.lines.append((f"r{relation.id}", mode, stops))
    return ferry_ways


def _read_ways(
    path: Path, extract: Extract, ferry_ways: set[int], on_count: OnCount | None
) -> list[tuple[str, int, array[int], tuple[str, str]]]:
    """Roads, ferries and water; returns stations and piers that are drawn as ways."""
    areas = []
    for count, way in enumerate(_stream(path, osmium.osm.WAY, KeyFilter(*_WAY_KEYS)), start=1):
        tags = dict(way.tags)
        if way.id in ferry_ways and "highway" not in tags:
            tags["route"] = "ferry"
        found, kind = way_of(tags), kind_of(tags)
        refs = array("q", (node.ref for node in way.nodes))
        if found is not None and len(refs) > 1:
            extract.ways.append(Way(way.id, refs, found, names_of(tags)))
        elif kind is not None and kind != "bus_stop":
            areas.append((kind, way.id, refs, names_of(tags)))
        elif _is_water(tags):
            extract.waters.append(refs)
        if on_count and count % COUNT_STEP == 0:
            on_count("ways", count)
    return areas


def _is_water(tags: dict[str, str]) -> bool:
    """A river, a canal, a lake or the shore; a ditch needs no bridge worth closing."""
    by_natural = tags.get("natural") in ("water", "coastline", "strait")
    return by_natural or tags.get("waterway") in ("river", "canal", "riverbank", "fairway")


def _read_needed_nodes(path: Path, extract: Extract, areas: list[Any], on_count: OnCount | None) -> None:
    needed: set[int] = set()
    for refs in _all_refs(extract, areas):
        needed.update(refs)
    for count, node in enumerate(_stream(path, osmium.osm.NODE, IdFilter(sorted(needed))), start=1):
        if node.location.valid():
            extract.positions[node.id] = (node.location.lon, node.location.lat)
        if on_count and count % COUNT_STEP == 0:
            on_count("nodes", count)


def _all_refs(extract: Extract, areas: list[Any]) -> Iterator[array[int]]:
    for way in extract.ways:
        yield way.refs
    yield from extract.waters
    for area in areas:
        yield area[2]


def _read_lone_nodes(path: Path, extract: Extract) -> None:
    for node in _stream(path, osmium.osm.NODE, KeyFilter(*_NODE_KEYS)):
        kind = kind_of(node.tags)
        if kind is not None and node.location.valid():
            at = (node.location.lon, node.location.lat)
            extract.spots.append(Spot(kind, f"n{node.id}", *at, names_of(dict(node.tags)), node.id))


def _place_areas(extract: Extract, areas: list[Any]) -> None:
    """A station drawn as an area stands in its middle."""
    for kind, way_id, refs, names in areas:
        points = [extract.positions[ref] for ref in refs if ref in extract.positions]
        if points:
            lon, lat = (sum(axis) / len(points) for axis in zip(*points, strict=True))
            extract.spots.append(Spot(kind, f"w{way_id}", lon, lat, names, None))
