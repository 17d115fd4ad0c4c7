"""Sparse graphs of travel time, one a way of travelling.

Modes are layers of one graph. Feet, cars and boats share the base layer: somebody on foot may step into a
car at any node (the sure bound allows it), and a boat is boarded where its edge ends, which is a pier. A
bus takes and leaves people at stops only, so it has a layer of its own, tied to the base at bus stops.
When no bus edge is faster than the base, that layer can save nobody a second and is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from contracts.base import TravelMode
from dispatch.domain import speeds
from dispatch.domain.tables import Edges, Flags, Floats, Indices, Nodes

# Which layers a way of travelling uses: base (walk, car, ferry) and whether buses are added.
_BASE = {
    TravelMode.walking: ("walk",),
    TravelMode.car: ("car",),
    TravelMode.bus: ("walk",),
    TravelMode.ferry: ("walk", "ferry"),
    TravelMode.unknown: ("walk", "car", "ferry"),
}
_Arcs = tuple[Indices, Indices, Floats]
_BY_BUS = (TravelMode.bus, TravelMode.unknown)


@dataclass(frozen=True, eq=False)
class Graph:
    """Seconds from node to node; with two layers, node i is also i + `nodes` (aboard a bus)."""

    nodes: int
    layers: int
    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    seconds: Floats

    def arcs(self) -> tuple[Indices, Indices]:
        """Tail and head of every arc between different nodes, layers folded into one."""
        tails, heads, _ = self.timed_arcs()
        return tails, heads

    def timed_arcs(self) -> tuple[Indices, Indices, Floats]:
        """The same with seconds; of layers that were folded, an arc may come more than once."""
        counts = np.diff(self.indptr)
        tails = np.repeat(np.arange(len(counts)), counts) % self.nodes
        heads = self.indices.astype(np.int64) % self.nodes
        between = tails != heads
        return tails[between], heads[between], self.seconds[between]


def travel_graph(
    nodes: Nodes, edges: Edges, mode: TravelMode, closed_edges: frozenset[int] = frozenset()
) -> Graph:
    """The fastest plausible travel in one mode: no real traveller of that mode is faster on any arc."""
    count = len(nodes.ids)
    is_open = _open(edges, closed_edges)
    base = np.minimum.reduce([_fastest_s(edges, kind) for kind in _BASE[mode]])
    parts = [_along(edges, is_open, base)]
    if "walk" in _BASE[mode]:
        # Feet ignore one-way signs.
        parts.append(_against(edges, is_open & edges.oneway, _fastest_s(edges, "walk")))
    by_bus = _fastest_s(edges, "bus")
    if mode not in _BY_BUS or bool(np.all(by_bus >= base)):
        return _graph(count, 1, parts)
    tails, heads, seconds = _along(edges, is_open, by_bus)
    stops = np.flatnonzero(nodes.bus_stop)
    boarding = np.full(len(stops), speeds.BOARDING_S)
    parts += [(tails + count, heads + count, seconds)]
    parts += [(stops, stops + count, boarding), (stops + count, stops, boarding)]
    return _graph(count, 2, parts)


def police_graph(
    edges: Edges, count: int, closed_edges: frozenset[int] = frozenset(), driven_share: Floats | None = None
) -> Graph:
    """What a police car surely reaches: car edges at design speed, or at the share of it that is driven now."""
    speed_kmh = edges.car_speed_kmh * speeds.POLICE_FACTOR
    if driven_share is not None:
        speed_kmh = speed_kmh * driven_share
    seconds = _seconds(edges.length_m, edges.car, speed_kmh)
    return _graph(count, 1, [_along(edges, _open(edges, closed_edges), seconds)])


def _open(edges: Edges, closed_edges: frozenset[int]) -> Flags:
    is_open = np.ones(len(edges.ids), dtype=np.bool_)
    is_open[sorted(closed_edges)] = False
    return is_open


def _fastest_s(edges: Edges, kind: str) -> Floats:
    """Seconds per edge at the fastest plausible speed; infinite where this kind may not go."""
    match kind:
        case "walk":
            return _seconds(edges.length_m, edges.walk, np.full(len(edges.ids), speeds.WALK_KMH))
        case "car":
            return _seconds(edges.length_m, edges.car, edges.car_speed_kmh * speeds.CAR_FACTOR)
        case "bus":
            return _seconds(edges.length_m, edges.bus, edges.bus_speed_kmh * speeds.BUS_FACTOR)
        case _:
            return _seconds(edges.length_m, edges.ferry, edges.ferry_speed_kmh * speeds.FERRY_FACTOR)


def _seconds(length_m: Floats, allowed: Flags, speed_kmh: Floats) -> Floats:
    mps = np.where(allowed, speeds.metres_per_second(speed_kmh), 1.0)
    return np.where(allowed, length_m / mps, np.inf)


def _along(edges: Edges, chosen: Flags, seconds: Floats) -> _Arcs:
    """Arcs of the chosen edges, both ways where they are not one-way."""
    there = chosen & np.isfinite(seconds)
    back = there & ~edges.oneway
    tails = np.concatenate((edges.tail[there], edges.head[back]))
    heads = np.concatenate((edges.head[there], edges.tail[back]))
    return tails, heads, np.concatenate((seconds[there], seconds[back]))


def _against(edges: Edges, chosen: Flags, seconds: Floats) -> _Arcs:
    """Arcs of the chosen edges from head to tail."""
    usable = chosen & np.isfinite(seconds)
    return edges.head[usable], edges.tail[usable], seconds[usable]


def _graph(count: int, layers: int, parts: Sequence[_Arcs]) -> Graph:
    """Compressed rows; of parallel arcs the fastest stays (a sparse constructor would add them up)."""
    tails, heads, seconds = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.lexsort((seconds, heads, tails))
    tails, heads, seconds = tails[order], heads[order], seconds[order]
    first = np.ones(len(tails), dtype=np.bool_)
    first[1:] = (tails[1:] != tails[:-1]) | (heads[1:] != heads[:-1])
    tails, heads, seconds = tails[first], heads[first], seconds[first]
    indptr = np.searchsorted(tails, np.arange(count * layers + 1)).astype(np.int32)
    return Graph(count, layers, indptr, heads.astype(np.int32), seconds)


def matrix(graph: Graph) -> csr_array:
    """The graph as scipy wants it."""
    size = graph.nodes * graph.layers
    return csr_array((graph.seconds, graph.indices, graph.indptr), shape=(size, size))
