"""How far they can have come after 15, 30, 45 and 60 minutes, as areas on the map.

The areas hold every stretch of road and line that `domain.reach` says can be reached, parts of edges too, and a
margin beside it. Cells of a grid that the stretches touch are grown, joined and simplified, so the cost does not
depend on how many roads there are; each area holds the earlier ones, up to the rounding of positions to a decimetre.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import shapely
import shapely.geometry
from shapely.geometry.base import BaseGeometry

from contracts.base import TravelMode
from dispatch.domain.graphs import Graph
from dispatch.domain.network import Network
from dispatch.domain.reach import REACH_MINUTES, Origin
from dispatch.planning.model import Floats, Indices
from dispatch.planning.plane import degrees_at, metres_at, metres_of

# Finer cells than this show nothing on a phone; more of them than this a side only cost time.
CELL_M_MIN = 60.0
CELLS_A_SIDE = 200
VERTICES_MAX = 2000
VERTICES_MIN = 200  # What the hull may need.
SIMPLER_TRIES = 8
# About a decimetre: positions are no better, and shorter numbers make smaller files.
GRID_DEGREES = 1e-6

Start = tuple[float, float, Origin]
"""Longitude and latitude of a position, and the origin made of it (`reach.origin_at`)."""
Stretches = tuple[Floats, Floats, Floats, Floats]
"""Metres east and north where each begins, and how far east and north it goes."""


def reach_polygons(
    network: Network,
    arrival_s: Floats,
    seen_s: float,
    mode: TravelMode = TravelMode.unknown,
    *,
    minutes: Iterable[int] = REACH_MINUTES,
    closed_edges: frozenset[int] = frozenset(),
    starts: Sequence[Start] = (),
    vertices_max: int = VERTICES_MAX,
) -> dict[str, Any]:
    """A GeoJSON FeatureCollection: one MultiPolygon a limit, WGS-84, valid, with `vertices_max` vertices at most.

    `arrival_s` (nodes,) are earliest arrivals in this mode (`reach.earliest_arrival_s`). `starts` add what lies
    between a position beside the nodes and its entries. Each area has the property `minutes`; where nobody is, it
    is empty. Raises: ValueError, if fewer vertices are allowed than a hull may need.
    """
    if vertices_max < VERTICES_MIN:
        raise ValueError(f"{vertices_max} vertices draw no area; allow {VERTICES_MIN} or more.")
    graph = network.graph(mode, closed_edges)
    east, north = metres_of(network.nodes)
    cell_m = max(CELL_M_MIN, max(float(np.ptp(east)), float(np.ptp(north))) / CELLS_A_SIDE)
    inner: BaseGeometry = shapely.MultiPolygon()
    features = []
    for limit in sorted(minutes):
        until_s = seen_s + 60.0 * limit
        parts = [
            *_from_nodes(graph, east, north, arrival_s, until_s),
            *_from_starts(network, starts, until_s),
        ]
        cells = _cells(parts, cell_m)
        inner = _area(cells, cell_m, inner, vertices_max)
        features.append(_feature(network, inner, limit))
    return {"type": "FeatureCollection", "features": features}


def _from_nodes(
    graph: Graph, east: Floats, north: Floats, arrival_s: Floats, until_s: float
) -> list[Stretches]:
    """What is reached of each arc, and each node itself, for a road may end there."""
    counts = np.diff(graph.indptr)
    tails = np.repeat(np.arange(len(counts)), counts) % graph.nodes
    heads = graph.indices.astype(np.int64) % graph.nodes
    begun = arrival_s[tails] <= until_s
    tails, heads, seconds = tails[begun], heads[begun], graph.seconds[begun]
    share = np.clip((until_s - arrival_s[tails]) / np.maximum(seconds, 1e-9), 0.0, 1.0)
    x, y = east[tails], north[tails]
    at = np.flatnonzero(arrival_s <= until_s)
    still = np.zeros(len(at))
    return [
        (x, y, share * (east[heads] - x), share * (north[heads] - y)),
        (east[at], north[at], still, still),
    ]


def _from_starts(network: Network, starts: Sequence[Start], until_s: float) -> list[Stretches]:
    """From where they were seen, beside the nodes, towards each entry."""
    parts: list[Stretches] = []
    east, north = metres_of(network.nodes)
    for lon, lat, origin in starts:
        if origin.seen_s > until_s:
            continue
        x, y = metres_at(network.nodes, np.array([lon]), np.array([lat]))
        nodes = [entry.node for entry in origin.entries]
        access_s = np.array([entry.access_s for entry in origin.entries])
        share = np.clip((until_s - origin.seen_s) / np.maximum(access_s, 1e-9), 0.0, 1.0)
        begin = np.ones(len(nodes))
        parts.append((x * begin, y * begin, share * (east[nodes] - x), share * (north[nodes] - y)))
    return parts


def _cells(parts: Sequence[Stretches], cell_m: float) -> Indices:
    """(cells, 2): columns and rows that a stretch touches, ascending.

    Points half a cell apart stand for a stretch; the margin of a cell makes up for what lies between them.
    """
    x, y, to_east, to_north = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    steps = np.ceil(np.hypot(to_east, to_north) / (cell_m / 2)).astype(np.int64) + 1
    of = np.repeat(np.arange(len(steps)), steps)
    step = np.arange(len(of)) - np.repeat(np.cumsum(steps) - steps, steps)
    along = step / np.maximum(steps[of] - 1, 1)
    column = np.floor((x[of] + along * to_east[of]) / cell_m).astype(np.int64)
    row = np.floor((y[of] + along * to_north[of]) / cell_m).astype(np.int64)
    if not len(row):
        return np.zeros((0, 2), dtype=np.int64)
    # One number a cell, for unique rows are slow to find.
    low, rows = row.min(), np.ptp(row) + 1
    numbers = np.unique(column * rows + (row - low))
    return np.column_stack((numbers // rows, numbers % rows + low))


def _area(cells: Indices, cell_m: float, inner: BaseGeometry, vertices_max: int) -> BaseGeometry:
    """The cells grown by one and joined with the earlier area, with corners taken off until few enough are left."""
    if not len(cells):
        return inner
    column, row = cells[:, 0], cells[:, 1]
    # Runs of a column are one box.
    new = np.ones(len(cells), dtype=np.bool_)
    new[1:] = (column[1:] != column[:-1]) | (row[1:] != row[:-1] + 1)
    begin = np.flatnonzero(new)
    end = np.append(begin[1:], len(cells)) - 1
    boxes = shapely.box(
        column[begin] * cell_m, row[begin] * cell_m, (column[begin] + 1) * cell_m, (row[end] + 1) * cell_m
    )
    grown = shapely.union_all(boxes).buffer(cell_m, quad_segs=2)
    tolerance_m = cell_m / 2  # Less than the margin, so what is reached stays inside.
    for _ in range(SIMPLER_TRIES):
        joined = shapely.union(grown.simplify(tolerance_m), inner, grid_size=0.1)
        if shapely.get_num_coordinates(joined) <= vertices_max:
            return joined
        grown, tolerance_m = grown.buffer(tolerance_m), 2 * tolerance_m
    # Then the hull: it holds everything, in few vertices.
    return shapely.union(grown, inner).convex_hull


def _feature(network: Network, area: BaseGeometry, limit: int) -> dict[str, Any]:
    """In degrees, on a grid of about a decimetre; the plane's map is linear, so nothing bends."""

    def degrees(points: Floats) -> Floats:
        return np.column_stack(degrees_at(network.nodes, points[:, 0], points[:, 1]))

    placed = shapely.set_precision(shapely.transform(area, degrees), GRID_DEGREES)
    parts = [part for part in shapely.get_parts(placed) if part.geom_type == "Polygon" and not part.is_empty]
    geometry = shapely.geometry.mapping(shapely.MultiPolygon(parts))
    return {"type": "Feature", "properties": {"minutes": limit}, "geometry": geometry}
