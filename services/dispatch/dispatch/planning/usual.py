"""How fast people usually are, as sparse graphs: the sampled world, beside the sure bound of `domain.graphs`.

Closed edges are closed to everybody; a traffic factor is the share of the design speed that cars and buses still
make.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contracts.base import TravelMode
from dispatch.domain.network import Network
from dispatch.domain.tables import Edges
from dispatch.planning import assumptions
from dispatch.planning.model import Flags, Floats, Indices

_Arcs = tuple[Indices, Indices, Floats]


@dataclass(frozen=True, eq=False)
class UsualGraph:
    """Seconds at speed factor 1, in compressed rows.

    With two layers, node i aboard a vehicle is i + `nodes`; `boarding` marks the arcs that are a wait for it. `keys`
    (tail * size + head, ascending) find an arc.
    """

    nodes: int
    layers: int
    indptr: NDArray[np.int32]
    heads: NDArray[np.int32]
    seconds: Floats
    boarding: Flags

    @property
    def size(self) -> int:
        """Vertices: nodes times layers."""
        return self.nodes * self.layers

    def keys(self) -> Indices:
        """One an arc, ascending."""
        tails = np.repeat(np.arange(self.size, dtype=np.int64), np.diff(self.indptr))
        return tails * self.size + self.heads


def usual_graph(
    network: Network,
    mode: TravelMode,
    traffic: Floats | None = None,
    closed_edges: frozenset[int] = frozenset(),
) -> UsualGraph:
    """Feet or cars; for bus and boat, feet and the vehicle in a layer of its own, boarded where it calls.

    `traffic` (edges,) is the share of design speed, 1 = free; above 1 counts as 1, so nobody beats the sure bound.
    """
    edges = network.edges
    is_open = np.ones(len(edges.ids), dtype=np.bool_)
    is_open[sorted(closed_edges)] = False
    share = np.ones(len(edges.ids)) if traffic is None else np.clip(traffic, 1e-3, 1.0)
    if mode is TravelMode.car:
        return _graph(
            network.size, 1, [_vehicle(edges, is_open & edges.car, edges.car_speed_kmh * share)], ()
        )
    feet = _feet(edges, is_open)
    if mode is TravelMode.walking:
        return _graph(network.size, 1, [feet], ())
    calls = network.nodes.bus_stop if mode is TravelMode.bus else network.nodes.pier
    stops = np.flatnonzero(calls)
    wait = np.full(len(stops), sum(assumptions.WAIT_S) / 2)
    size = network.size
    tails, heads, seconds = vehicle_arcs(network, mode, traffic, closed_edges)
    aboard = (tails + size, heads + size, seconds)
    return _graph(size, 2, [feet, aboard, (stops + size, stops, np.zeros(len(stops)))], (stops, wait))


def vehicle_arcs(
    network: Network, mode: TravelMode, traffic: Floats | None, closed_edges: frozenset[int]
) -> _Arcs:
    """Tails, heads and seconds of what buses or boats use, at design speed."""
    edges = network.edges
    is_open = np.ones(len(edges.ids), dtype=np.bool_)
    is_open[sorted(closed_edges)] = False
    share = np.ones(len(edges.ids)) if traffic is None else np.clip(traffic, 1e-3, 1.0)
    if mode is TravelMode.ferry:
        return _vehicle(edges, is_open & edges.ferry, edges.ferry_speed_kmh)
    return _vehicle(edges, is_open & edges.bus, edges.bus_speed_kmh * share)


def vehicle_graph(
    network: Network, mode: TravelMode, traffic: Floats | None, closed_edges: frozenset[int]
) -> UsualGraph:
    """Only the vehicles' own ways, for the course of a timetable's connection."""
    return _graph(network.size, 1, [vehicle_arcs(network, mode, traffic, closed_edges)], ())


def _feet(edges: Edges, is_open: Flags) -> _Arcs:
    """Both ways everywhere: feet ignore one-way signs."""
    used = is_open & edges.walk
    seconds = edges.length_m[used] * 3.6 / assumptions.WALK_KMH
    tails = np.concatenate((edges.tail[used], edges.head[used]))
    heads = np.concatenate((edges.head[used], edges.tail[used]))
    return tails, heads, np.concatenate((seconds, seconds))


def _vehicle(edges: Edges, used: Flags, speed_kmh: Floats) -> _Arcs:
    """Along, and against where it is not one-way."""
    back = used & ~edges.oneway
    tails = np.concatenate((edges.tail[used], edges.head[back]))
    heads = np.concatenate((edges.head[used], edges.tail[back]))
    length_m = np.concatenate((edges.length_m[used], edges.length_m[back]))
    kmh = np.concatenate((speed_kmh[used], speed_kmh[back]))
    return tails, heads, length_m * 3.6 / kmh


def _graph(
    nodes: int, layers: int, parts: Sequence[_Arcs], boarding: tuple[()] | tuple[Indices, Floats]
) -> UsualGraph:
    """Compressed rows; of parallel arcs the fastest stays, for the sparse form would add them up."""
    marks = [np.zeros(len(part[0]), dtype=np.bool_) for part in parts]
    if boarding:
        parts = [*parts, (boarding[0], boarding[0] + nodes, boarding[1])]
        marks.append(np.ones(len(boarding[0]), dtype=np.bool_))
    tails, heads, seconds = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    size = nodes * layers
    keys = tails * size + heads
    order = np.argsort(keys)
    keys = keys[order]
    new = np.ones(len(keys), dtype=np.bool_)
    new[1:] = keys[1:] != keys[:-1]
    begin = np.flatnonzero(new)
    mark = np.concatenate(marks)[order]
    least, boards = seconds[order], mark
    if len(begin) < len(keys):
        least, boards = np.minimum.reduceat(least, begin), np.logical_or.reduceat(mark, begin)
    kept = keys[begin]
    indptr = np.searchsorted(kept, np.arange(size + 1, dtype=np.int64) * size).astype(np.int32)
    return UsualGraph(nodes, layers, indptr, (kept % size).astype(np.int32), least, boards)
