"""Where could they be by now: the earliest time anybody real can stand at each node.

Times are seconds on one axis that the caller chooses, usually "after last seen". Every number is a sure
bound: it is computed with the fastest plausible speeds and no waiting, so nobody real is earlier. An
unknown way of travelling is the fastest of all of them, changes between them included.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from contracts.base import TravelMode
from dispatch.domain import speeds
from dispatch.domain.graphs import Graph
from dispatch.domain.network import EARTH_RADIUS_M, Network, distances_m, nearest_node
from dispatch.domain.tables import Flags, Floats, Indices

AT_NODE_M = 50.0  # Nearer than this counts as standing at the node: about the error of a phone's position.
BESIDE_ROAD_M = 500.0  # A road this much farther than the nearest one may still be the one that is meant.
REACH_MINUTES = (15, 30, 45, 60)

# On which edges somebody of a mode may be between two nodes; unknown leaves out lines that never stop there.
_ON_EDGES = {
    TravelMode.walking: ("walk",),
    TravelMode.car: ("car",),
    TravelMode.bus: ("walk", "bus"),
    TravelMode.ferry: ("walk", "ferry"),
    TravelMode.unknown: ("walk", "car"),
}


@dataclass(frozen=True)
class Entry:
    """Where an origin meets the network, and the fewest seconds it takes to get there."""

    node: int
    access_s: float


@dataclass(frozen=True)
class Origin:
    """A hypothesis: somebody was seen at `seen_s`, and goes on from there in this mode."""

    entries: tuple[Entry, ...]
    seen_s: float
    mode: TravelMode = TravelMode.unknown


def origin_at(
    network: Network, lon: float, lat: float, seen_s: float, mode: TravelMode = TravelMode.unknown
) -> Origin:
    """The hypothesis for a position: at the node within 50 m, or else on the roads that pass nearest.

    Both ends of every road up to 500 m farther than the nearest one are entries, each at straight-line
    distance over the fastest speed there, so the bound stays sure whichever of those roads is taken.
    """
    node, away_m = nearest_node(network, lon, lat)
    if away_m <= AT_NODE_M:
        return Origin((Entry(node, 0.0),), seen_s, mode)
    near = _edges_near(network, lon, lat, mode)
    if not len(near):
        return Origin((Entry(node, 0.0),), seen_s, mode)
    away = distances_m(network, lon, lat)
    access: dict[int, float] = {}
    for edge in near.tolist():
        fastest_kmh = _fastest_kmh(network, edge, mode)
        for end in (int(network.edges.tail[edge]), int(network.edges.head[edge])):
            seconds = float(away[end]) * 3.6 / fastest_kmh
            access[end] = min(seconds, access.get(end, np.inf))
    return Origin(tuple(Entry(end, access[end]) for end in sorted(access)), seen_s, mode)


def earliest_arrival_s(
    network: Network, origins: Sequence[Origin], closed_edges: frozenset[int] = frozenset()
) -> Floats:
    """The earliest time at each node over all hypotheses; infinite where nobody can be."""
    return arrival_past_posts_s(network, origins, np.full(network.size, np.inf), closed_edges)


def arrival_past_posts_s(
    network: Network,
    origins: Sequence[Origin],
    manned_from_s: Floats,
    closed_edges: frozenset[int] = frozenset(),
    ends: Collection[int] = (),
) -> Floats:
    """The earliest time at each node if nobody passes a node from the time it is manned on.

    `manned_from_s` has a time for every node, infinite where nobody stands. Whoever comes to a manned
    node in time is stopped there, so the node itself counts as not reached. A sighting at a manned node
    is past it: they were seen and not stopped. Nobody is followed beyond a node of `ends` (an exit, say),
    unless they were seen there.
    """
    best = np.full(network.size, np.inf)
    for origin in origins:
        graph = network.graph(origin.mode, closed_edges)
        best = np.minimum(best, _past_posts(graph, origin, manned_from_s, ends))
    return best


def within_minutes(
    arrival_s: Floats, seen_s: float, minutes: Iterable[int] = REACH_MINUTES
) -> dict[int, Indices]:
    """The nodes that can be reached within so many minutes of `seen_s`, per limit."""
    return {limit: np.flatnonzero(arrival_s <= seen_s + 60.0 * limit) for limit in minutes}


def _past_posts(graph: Graph, origin: Origin, manned_from_s: Floats, ends: Collection[int]) -> Floats:
    """Close the posts that stand before anybody can be there, look again, until none is added.

    Each layer is stopped by itself: a bus may have passed a post that stands before anybody comes on foot.
    Arrivals only grow as posts close, so a post once found in time is in time for good, and each round closes
    one at least: the bound is the number of posts times the layers.
    """
    seen_past = [entry.node for entry in origin.entries if entry.access_s == 0.0]
    post_s = manned_from_s.copy()
    post_s[seen_past] = np.inf
    dead_end = np.zeros(graph.nodes, dtype=np.bool_)
    dead_end[list(ends)] = True
    dead_end[seen_past] = False
    stopped = np.zeros((graph.layers, graph.nodes), dtype=np.bool_)
    for _ in range(graph.layers * int(np.isfinite(post_s).sum()) + 1):
        arrival_s = _from_origin(graph, origin, stopped | dead_end)
        more = np.isfinite(post_s) & ~stopped & np.isfinite(arrival_s) & (arrival_s >= post_s)
        if not more.any():
            break
        stopped |= more
    arrival_s[stopped] = np.inf
    earliest: Floats = arrival_s.min(axis=0)
    return earliest


def _from_origin(graph: Graph, origin: Origin, dead_end: Flags) -> Floats:
    """One shortest-path search from a source outside the graph that leads to every entry: a row a layer."""
    size, arcs = graph.nodes * graph.layers, len(graph.seconds)
    places = [layer * graph.nodes + entry.node for layer in range(graph.layers) for entry in origin.entries]
    access = [entry.access_s for _ in range(graph.layers) for entry in origin.entries]
    indptr = np.concatenate((graph.indptr, [arcs + len(places)])).astype(np.int32)
    indices = np.concatenate((graph.indices, places)).astype(np.int32)
    seconds = np.concatenate((graph.seconds, access))
    if dead_end.any():
        seconds[:arcs][np.repeat(dead_end.ravel(), np.diff(graph.indptr))] = np.inf
    matrix = csr_array((seconds, indices, indptr), shape=(size + 1, size + 1))
    after_s = dijkstra(matrix, directed=True, indices=[size])[0, :size]
    arrival: Floats = origin.seen_s + after_s.reshape(graph.layers, graph.nodes)
    return arrival


def _edges_near(network: Network, lon: float, lat: float, mode: TravelMode) -> Indices:
    """Edges of this mode whose straight line passes nearest, or 500 m farther at most."""
    edges, nodes = network.edges, network.nodes
    chosen = np.flatnonzero(np.logical_or.reduce([getattr(edges, kind) for kind in _ON_EDGES[mode]]))
    if not len(chosen):
        return chosen
    # Metres east and north of the position; flat enough within a county.
    to_m = np.radians(1.0) * EARTH_RADIUS_M
    east = (nodes.lon - lon) * to_m * np.cos(np.radians(lat))
    north = (nodes.lat - lat) * to_m
    ax, ay = east[edges.tail[chosen]], north[edges.tail[chosen]]
    dx, dy = east[edges.head[chosen]] - ax, north[edges.head[chosen]] - ay
    square = np.maximum(dx * dx + dy * dy, 1e-9)
    share = np.clip(-(ax * dx + ay * dy) / square, 0.0, 1.0)
    away_m = np.hypot(ax + share * dx, ay + share * dy)
    near: Indices = chosen[away_m <= away_m.min() + BESIDE_ROAD_M]
    return near


def _fastest_kmh(network: Network, edge: int, mode: TravelMode) -> float:
    """The fastest anybody of this mode goes along an edge or on lanes beside it."""
    if mode == TravelMode.walking:
        return speeds.WALK_KMH
    edges = network.edges
    by_car = float(edges.car_speed_kmh[edge]) * speeds.CAR_FACTOR
    by_bus = float(edges.bus_speed_kmh[edge]) * speeds.BUS_FACTOR
    by_ferry = float(edges.ferry_speed_kmh[edge]) * speeds.FERRY_FACTOR
    return max(speeds.LANE_KMH, by_car, by_bus, by_ferry)
