"""Shortest-path trees under perturbed travel times, and the paths of many routes read off them at once.

A traveller chooses by the times as they see them (perturbed) and travels by the usual ones. One tree serves every
destination, departure and pace, so few searches make many routes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from dispatch.domain.reach import Entry
from dispatch.planning import assumptions
from dispatch.planning.model import Flags, Floats, Indices
from dispatch.planning.usual import UsualGraph

_NONE = -1


@dataclass(frozen=True, eq=False)
class Trees:
    """T trees over the same graph and entries; the source is the vertex `size`, one past the graph's.

    `before` (T, size + 1) is the vertex before, negative where there is none. `seconds` (T, arcs) are the usual
    seconds of each arc in the tree's world: the same in all of them, but for waits. `keys` find an arc, ascending.
    """

    size: int
    nodes: int
    before: NDArray[np.int32]
    perceived_s: Floats
    keys: Indices
    seconds: tuple[Floats, ...]

    @property
    def count(self) -> int:
        """T."""
        return len(self.before)

    def reached(self) -> Flags:
        """(nodes,): reached on the ground in every tree."""
        whole: Flags = np.all(np.isfinite(self.perceived_s[:, : self.nodes]), axis=0)
        return whole


def grow_trees(
    graph: UsualGraph,
    entries: Sequence[Entry],
    count: int,
    rng: np.random.Generator,
    *,
    noise: float = assumptions.CHOICE_NOISE,
    limit_s: float = np.inf,
) -> Trees:
    """`count` trees from all entries; none goes beyond `limit_s` of perceived travel."""
    size, arcs = graph.size, len(graph.seconds)
    access: dict[int, float] = {}
    for entry in entries:
        access[entry.node] = min(entry.access_s, access.get(entry.node, np.inf))
    nodes = sorted(access)
    indptr = np.concatenate((graph.indptr, [arcs + len(nodes)])).astype(np.int32)
    heads = np.concatenate((graph.heads, nodes)).astype(np.int32)
    usual = np.concatenate((graph.seconds, [access[node] for node in nodes]))
    boarding = np.flatnonzero(graph.boarding)
    before = np.empty((count, size + 1), dtype=np.int32)
    perceived = np.empty((count, size + 1))
    worlds: list[Floats] = []
    for tree in range(count):
        world = usual
        if len(boarding):
            world = usual.copy()
            world[boarding] = rng.uniform(*assumptions.WAIT_S, len(boarding))
        seen = world * np.exp(noise * rng.standard_normal(len(world), dtype=np.float32)) if noise else world
        matrix = csr_array((seen, heads, indptr), shape=(size + 1, size + 1))
        there_s, came_by = dijkstra(
            matrix, directed=True, indices=[size], return_predecessors=True, limit=limit_s
        )
        perceived[tree], before[tree] = there_s[0], came_by[0]
        worlds.append(world)
    tails = np.repeat(np.arange(size + 1, dtype=np.int64), np.diff(indptr))
    return Trees(size, graph.nodes, before, perceived, tails * (size + 1) + heads, tuple(worlds))


def walk_back(trees: Trees, tree: Indices, ends: Indices) -> tuple[Indices, Indices, Floats]:
    """The paths from the source to `ends` (R,) in each one's `tree` (R,), all at once.

    Returns first (R + 1,), vertex (K,) without the source, and seconds (K,) after leaving the source at usual
    times. Every end must be reached in its tree.
    """
    trail = _trail(trees, tree, ends)
    there = trail != _NONE
    counts = there.sum(axis=0)
    first = np.concatenate(([0], np.cumsum(counts)))
    # Route by route, from the source on: the trail holds steps from the end back.
    vertex = trail[::-1].T[there[::-1].T].astype(np.int64)
    owner = np.repeat(np.arange(len(ends)), counts)
    tail = np.concatenate(([trees.size], vertex[:-1])) if len(vertex) else vertex
    tail[first[:-1][counts > 0]] = trees.size
    arc = np.searchsorted(trees.keys, tail * (trees.size + 1) + vertex)
    if trees.count == 1 or all(world is trees.seconds[0] for world in trees.seconds):
        step_s = trees.seconds[0][arc]
    else:
        step_s = np.stack(trees.seconds)[tree[owner], arc]
    total = np.cumsum(step_s)
    offset = np.concatenate(([0.0], total))[first[:-1]]
    return first, vertex, total - offset[owner]


def _trail(trees: Trees, tree: Indices, ends: Indices) -> NDArray[np.int32]:
    """(steps, R): the end, the vertex before it, and so on; -1 once the source is reached.

    A tree has no cycle, so no path has more steps than vertices.
    """
    before = trees.before.reshape(-1)
    row = tree * (trees.size + 1)
    at = ends.astype(np.int64)
    steps: list[NDArray[np.int32]] = []
    for _ in range(trees.size + 1):
        done = at == trees.size
        if done.all():
            break
        steps.append(np.where(done, _NONE, at).astype(np.int32))
        at = np.where(done, at, before[row + at])
        assert (at >= 0).all(), "an end that its tree does not reach"
    return np.stack(steps) if steps else np.zeros((0, len(ends)), dtype=np.int32)
