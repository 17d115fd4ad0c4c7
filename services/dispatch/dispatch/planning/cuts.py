"""The fewest nodes that part sources from exits, and as many ways out that share none of them (Menger, 1927).

Nodes that can't be held are folded first: those that lead to each other without a node that can be held between are
one vertex, so that a county's network becomes a few hundred vertices. Time is not in here.

`domain.choke` folds for the plan of a whole case, with a price at every post; here every node that can be held counts
one, and the flow itself is asked for, because it is half of the proof.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, maximum_flow

from dispatch.planning.model import Flags, Indices


@dataclass(frozen=True, eq=False)
class Cut:
    """`near` and `far` are the minimum cuts nearest the sources and nearest the exits, often the same.

    `within` has, for each of as many ways out, the nodes (N,) it may use: no two share one that can be held.
    """

    near: tuple[int, ...]
    far: tuple[int, ...]
    within: tuple[Flags, ...]

    @property
    def value(self) -> int:
        """The largest number of ways out that share no node that can be held."""
        return len(self.near)


@dataclass(frozen=True, eq=False)
class CutNetwork:
    """What parts sources from exits, laid out once; only the prices of holding nodes change between questions.

    `held` are the nodes that can be held; `through` is where their capacities are in the data of `graph`.
    """

    held: Indices
    holdable: Flags
    into: Indices
    out_of: Indices
    graph: csr_array
    through: Indices

    def minimum_cut(self, prices: Indices | None = None, ways_max: int = 0) -> Cut | None:
        """The cheapest cut by the prices of `held` (whole, 1 or more; None: all 1); None if some way has no such node.

        At most `ways_max` ways are laid out, and only without prices.
        """
        held_at = np.ones(len(self.held), dtype=np.int64) if prices is None else prices
        endless = int(held_at.sum()) + 1
        assert endless < np.iinfo(np.int32).max, "Prices must add up to less than 2^31."
        capacity = np.full(self.graph.nnz, endless, dtype=np.int32)
        capacity[self.through] = held_at
        size = self.graph.shape[0]
        source, sink = size - 2, size - 1
        network = csr_array((capacity, self.graph.indices, self.graph.indptr), shape=self.graph.shape)
        result = maximum_flow(network, source, sink)
        if result.flow_value >= endless:
            return None
        rest = csr_array(network - result.flow)
        behind = _reached(rest, source)
        ahead = _reached(csr_array(rest.T), sink)
        into, out_of = self.into[self.held], self.out_of[self.held]
        near = self.held[behind[into] & ~behind[out_of]]
        far = self.held[~ahead[into] & ahead[out_of]]
        count = min(ways_max, int(result.flow_value)) if prices is None else 0
        walks = _walks(csr_array(result.flow), source, sink, count) if count else []
        within = tuple(_within(walk, self.into, self.out_of, self.holdable) for walk in walks)
        return Cut(tuple(near.tolist()), tuple(far.tolist()), within)


def cut_network(arcs: tuple[Indices, Indices], sources: Flags, exits: Flags, holdable: Flags) -> CutNetwork:
    """Lay out what is asked; `sources`, `exits` and `holdable` are (N,)."""
    vertex_of, folded = _fold(arcs, holdable)
    held = np.flatnonzero(holdable)
    count = folded + 2 * len(held)
    source, sink = count, count + 1
    into, out_of = vertex_of, np.where(holdable, vertex_of + 1, vertex_of)
    tails, heads = arcs
    between = out_of[tails] != into[heads]
    links = [
        np.stack((out_of[tails[between]], into[heads[between]])),
        np.stack((np.full(int(sources.sum()), source), into[sources])),
        np.stack((out_of[exits], np.full(int(exits.sum()), sink))),
        np.stack((into[held], out_of[held])),
    ]
    ends = np.concatenate(links, axis=1)
    rows, columns = np.divmod(np.unique(ends[0] * (count + 2) + ends[1]), count + 2)
    is_through = np.isin(rows, into[held]) & (columns == rows + 1)
    indptr = np.searchsorted(rows, np.arange(count + 3)).astype(np.int32)
    data = np.ones(len(rows), dtype=np.int32)
    graph = csr_array((data, columns.astype(np.int32), indptr), shape=(count + 2, count + 2))
    return CutNetwork(held, holdable, into, out_of, graph, np.flatnonzero(is_through))


def _fold(arcs: tuple[Indices, Indices], holdable: Flags) -> tuple[Indices, int]:
    """(N,) vertex of each node, and how many are folded ones; a node that can be held has two, in and out."""
    tails, heads = arcs
    size = len(holdable)
    free = ~holdable[tails] & ~holdable[heads]
    roads = csr_array((np.ones(int(free.sum()), np.int8), (tails[free], heads[free])), shape=(size, size))
    _, labels = connected_components(roads, directed=True, connection="strong")
    vertex_of = np.zeros(size, dtype=np.int64)
    names, folded = np.unique(labels[~holdable], return_inverse=True)
    vertex_of[~holdable] = folded
    vertex_of[holdable] = len(names) + 2 * np.arange(int(holdable.sum()))
    return vertex_of, len(names)


def _reached(rest: csr_array, start: int) -> Flags:
    """Which vertices still get something through from the start."""
    usable = csr_array(((rest.data > 0).astype(np.int32), rest.indices, rest.indptr), shape=rest.shape)
    usable.eliminate_zeros()
    reached = np.zeros(rest.shape[0], dtype=np.bool_)
    reached[breadth_first_order(usable, start, return_predecessors=False)] = True
    return reached


def _walks(flow: csr_array, source: int, sink: int, count: int) -> list[list[int]]:
    """Split a flow into walks of one unit each; what comes in goes out, so that every walk ends at the sink."""
    rest: dict[int, dict[int, int]] = {}
    for tail in range(flow.shape[0]):
        span = slice(int(flow.indptr[tail]), int(flow.indptr[tail + 1]))
        found = zip(flow.indices[span].tolist(), flow.data[span].tolist(), strict=True)
        rest[tail] = {head: amount for head, amount in found if amount > 0}
    walks = []
    for _ in range(count):
        walk = [source]
        while walk[-1] != sink:
            ahead = rest[walk[-1]]
            head = min(ahead)
            ahead[head] -= 1
            if not ahead[head]:
                del ahead[head]
            walk.append(head)
        walks.append(walk)
    return walks


def _within(walk: list[int], into: Indices, out_of: Indices, holdable: Flags) -> Flags:
    """(N,) nodes of the vertices of a walk."""
    on_walk = np.zeros(max(int(out_of.max(initial=0)), *walk) + 1, dtype=np.bool_)
    on_walk[walk] = True
    return np.where(holdable, on_walk[into] & on_walk[out_of], on_walk[into])
