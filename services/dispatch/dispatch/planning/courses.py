"""Which way a bus or boat goes between two stops: a timetable names the stops only, a road check stands in
between."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from contracts.base import TravelMode
from dispatch.domain.network import Network
from dispatch.domain.reach import Entry
from dispatch.domain.timetables import Timetable
from dispatch.planning.model import Floats, Indices
from dispatch.planning.trees import grow_trees, walk_back
from dispatch.planning.usual import UsualGraph, vehicle_graph
from dispatch.planning.world import World

Pair = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Course:
    """Nodes after the first stop up to the next one, each with the share of the riding time until there."""

    nodes: Indices
    shares: Floats


def courses(world: World, mode: TravelMode, pairs: Iterable[Pair]) -> dict[Pair, Course]:
    """The fastest way of the vehicle between each pair of stops; straight there where the network draws none."""
    graph = vehicle_graph(world.network, mode, world.traffic, world.closed_edges)
    by_tail: dict[int, list[int]] = {}
    for tail, head in sorted(set(pairs)):
        by_tail.setdefault(tail, []).append(head)
    found: dict[Pair, Course] = {}
    for tail, heads in by_tail.items():
        for head, course in zip(heads, _from_stop(graph, tail, heads), strict=True):
            found[tail, head] = course
    return found


def cut_pairs(network: Network, timetable: Timetable, closed_edges: frozenset[int]) -> frozenset[Pair]:
    """Stops between which no vehicle comes through any more because edges are closed.

    One-way streets are not looked at: whoever can go round by any road is taken to do so, on time.
    """
    if not closed_edges or not len(timetable.trip):
        return frozenset()
    cut: set[Pair] = set()
    for mode in (TravelMode.bus, TravelMode.ferry):
        of_mode = np.array([one is mode for one in timetable.mode_of], dtype=np.bool_)[timetable.trip]
        before = _parts(vehicle_graph(network, mode, None, frozenset()))
        after = _parts(vehicle_graph(network, mode, None, closed_edges))
        tail, head = timetable.tail[of_mode], timetable.head[of_mode]
        gone = (before[tail] == before[head]) & (after[tail] != after[head])
        cut |= set(zip(tail[gone].tolist(), head[gone].tolist(), strict=True))
    return frozenset(cut)


def _from_stop(graph: UsualGraph, tail: int, heads: list[int]) -> list[Course]:
    trees = grow_trees(graph, (Entry(tail, 0.0),), 1, np.random.default_rng(0), noise=0.0)
    drawn = [head for head in heads if head != tail and np.isfinite(trees.perceived_s[0, head])]
    ends = np.array(drawn, dtype=np.int64)
    first, vertex, after_s = walk_back(trees, np.zeros(len(ends), dtype=np.int64), ends)
    found: dict[int, Course] = {}
    for place, head in enumerate(drawn):
        # Without the stop itself, which is the first.
        part = slice(int(first[place]) + 1, int(first[place + 1]))
        found[head] = Course(vertex[part], after_s[part] / max(float(after_s[part][-1]), 1e-9))
    return [found.get(head) or Course(np.array([head], dtype=np.int64), np.ones(1)) for head in heads]


def _parts(graph: UsualGraph) -> Indices:
    size = graph.size
    links = csr_array((np.ones(len(graph.heads)), graph.heads, graph.indptr), shape=(size, size))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)
