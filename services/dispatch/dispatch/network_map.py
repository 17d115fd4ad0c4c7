"""The road network as a map: GeoJSON with the names and kinds that people know, and no more roads than a page can draw.

What is planned on stays `domain.network`; this is for eyes, and for programs that draw.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from dispatch.domain.rows import EdgeRow, ExitRow, NodeRow, PlaceRow

EDGES_DRAWN_MAX = 5_000
"""About a megabyte; a county's main roads are some thousands of stretches, its lanes ten times as many."""

_GRANDEST_FIRST = (
    *("expressway", "motorway", "trunk", "rail_line", "ferry_line", "ferry", "national", "primary"),
    *("bridge", "ramp", "county", "secondary", "tertiary", "township", "urban", "bus_line"),
)
"""Road classes in the order in which they are kept when there are too many stretches; all others come last."""
# Junctions and stretches' inner points are no places to people; stations and gates are drawn as places.
_TOWNS = frozenset({"township", "village", "neighbour"})


@dataclass(frozen=True)
class NetworkRows:
    """What a map shows of a network version."""

    version: str
    schematic: bool
    source: str
    nodes: Sequence[NodeRow]
    edges: Sequence[EdgeRow]
    places: Sequence[PlaceRow]
    exits: Sequence[ExitRow]


@dataclass(frozen=True)
class DrawnMap:
    """The document as sent, and the tag that changes when it does."""

    body: bytes
    etag: str


def drawn(rows: NetworkRows, edges_max: int = EDGES_DRAWN_MAX) -> DrawnMap:
    """A GeoJSON FeatureCollection: `layer` is road, place, exit or town; WGS-84.

    Of more than `edges_max` stretches the grandest classes are drawn, and `edges_left_out` says how many are not.
    """
    kept = _grandest(rows.edges, edges_max)
    at = {node.node_id: (node.lon, node.lat) for node in rows.nodes}
    collection = {
        "type": "FeatureCollection",
        "version": rows.version,
        "schematic": rows.schematic,
        "source": rows.source,
        "edges_left_out": len(rows.edges) - len(kept),
        "features": [
            *(_road(edge, at) for edge in kept),
            *(_place(place, at) for place in rows.places),
            *(_exit(one, at) for one in rows.exits),
            *_towns(rows.nodes),
        ],
    }
    body = json.dumps(collection, ensure_ascii=False, separators=(",", ":")).encode()
    return DrawnMap(body, f'"{sha256(body).hexdigest()[:20]}"')


def _grandest(edges: Sequence[EdgeRow], edges_max: int) -> Sequence[EdgeRow]:
    if len(edges) <= edges_max:
        return edges
    rank = {name: place for place, name in enumerate(_GRANDEST_FIRST)}
    return sorted(edges, key=lambda edge: rank.get(edge.road_class, len(rank)))[:edges_max]


def _road(edge: EdgeRow, at: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
    modes = [mode for mode in ("walk", "car", "bus", "ferry") if getattr(edge, mode)]
    geometry = {"type": "LineString", "coordinates": [at[edge.from_node], at[edge.to_node]]}
    return _feature(geometry, layer="road", edge_id=edge.edge_id, road_class=edge.road_class, modes=modes)


def _place(place: PlaceRow, at: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
    return _feature(
        _point(at[place.node_id]),
        layer="place",
        place_id=str(place.place_id),
        node_id=place.node_id,
        kind=place.kind,
        name_zh=place.name_zh,
        name_en=place.name_en,
        needs=place.needs,
        staffed=place.staffed,
    )


def _exit(one: ExitRow, at: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
    return _feature(
        _point(at[one.node_id]),
        layer="exit",
        exit_id=str(one.exit_id),
        node_id=one.node_id,
        kind=one.kind,
        name_zh=one.name_zh,
        name_en=one.name_en,
        neighbour=one.neighbour,
    )


def _towns(nodes: Sequence[NodeRow]) -> Iterator[dict[str, Any]]:
    for node in nodes:
        if node.kind in _TOWNS and node.name_zh:
            names = {"name_zh": node.name_zh, "name_en": node.name_en}
            yield _feature(
                _point((node.lon, node.lat)), layer="town", node_id=node.node_id, kind=node.kind, **names
            )


def _point(at: tuple[float, float]) -> dict[str, Any]:
    return {"type": "Point", "coordinates": at}


def _feature(geometry: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}
