"""The network folded to what matters for closing exits: posts, and the stretches of road between them.

Between posts everybody moves freely, so all nodes from which one can come back without passing a post are
one vertex. What remains is small (some posts and some stretches), and a minimum cut on it takes under a
millisecond. Time is not in here: a post given to a cut must be one that stands before anybody can be
there.

Background: Menger's theorem and maximum flow with vertex capacities (Ford and Fulkerson, 1956).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, maximum_flow

from dispatch.domain.tables import Flags, Indices

# More than any sum of real weights, and small enough that sums of it stay inside 32 bits.
UNCUTTABLE = 1_000_000


@dataclass(frozen=True, eq=False)
class Choke:
    """The folded network: vertices below `posts_from` are stretches, the others posts, in the order given."""

    vertex_of: Indices
    posts_from: int
    ahead: tuple[tuple[int, ...], ...]
    sources: tuple[int, ...]

    def open_from_sources(self, manned: Collection[int]) -> frozenset[int]:
        """Vertices that can be reached without passing one of the manned posts (counted from 0)."""
        return self._spread(self.sources, {self.posts_from + post for post in manned})

    def opened_by(self, post: int, manned: Collection[int], is_open: frozenset[int]) -> frozenset[int]:
        """What else could be reached if this one of the manned posts were not there."""
        vertex = self.posts_from + post
        at_hand = vertex in self.sources or any(vertex in self.ahead[before] for before in is_open)
        if not at_hand:
            return frozenset()
        others = {self.posts_from + other for other in manned if other != post}
        return self._spread((vertex,), others) - is_open

    def _spread(self, starts: Sequence[int], stopped: Collection[int]) -> frozenset[int]:
        seen = {start for start in starts if start not in stopped}
        waiting = sorted(seen)
        while waiting:
            for vertex in self.ahead[waiting.pop()]:
                if vertex not in seen and vertex not in stopped:
                    seen.add(vertex)
                    waiting.append(vertex)
        return frozenset(seen)


def fold(
    arcs: tuple[Indices, Indices], reached: Flags, posts: Sequence[int], entries: Collection[int]
) -> Choke:
    """Fold the reached part of a network around its posts; `posts` and `entries` are nodes.

    Nodes that nobody reaches get no vertex (-1 in `vertex_of`).
    """
    size = len(reached)
    is_post = np.zeros(size, dtype=np.bool_)
    is_post[list(posts)] = True
    tails, heads = arcs
    inside = reached[tails] & reached[heads]
    tails, heads = tails[inside], heads[inside]
    free = ~is_post[tails] & ~is_post[heads]
    roads = csr_array((np.ones(int(free.sum()), np.int8), (tails[free], heads[free])), shape=(size, size))
    _, labels = connected_components(roads, directed=True, connection="strong")
    vertex_of = np.full(size, -1, dtype=np.int64)
    stretch = reached & ~is_post
    names, vertex_of[stretch] = np.unique(labels[stretch], return_inverse=True)
    vertex_of[list(posts)] = len(names) + np.arange(len(posts))
    vertex_of[~reached] = -1
    ahead: list[set[int]] = [set() for _ in range(len(names) + len(posts))]
    for tail, head in zip(vertex_of[tails].tolist(), vertex_of[heads].tolist(), strict=True):
        if tail != head:
            ahead[tail].add(head)
    sources = sorted({int(vertex_of[entry]) for entry in entries if vertex_of[entry] >= 0})
    return Choke(vertex_of, len(names), tuple(tuple(sorted(after)) for after in ahead), tuple(sources))


@dataclass(frozen=True, eq=False)
class Flow:
    """A choke as a flow network with every vertex split in two; only capacities change between questions.

    Every arc has its opposite (of capacity 0, if there is none), so that a flow comes back laid out alike.
    """

    choke: Choke
    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    capacity: NDArray[np.int32]
    opposite: Indices
    through: Indices
    to_sink: Mapping[int, int]

    def cuts(
        self, exits: Collection[int], weights: Sequence[int]
    ) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        """The cheapest posts that part all sources from these exits (vertices), or None if no posts do.

        Weight 0 is a post that is manned anyway (never in the answer); UNCUTTABLE one that cannot be used.
        Of equally cheap cuts the one nearest the sources, then the one nearest the exits; often the same.
        """
        size = len(self.indptr) - 1
        capacity = self.capacity.copy()
        capacity[self.through[self.choke.posts_from :]] = weights
        capacity[[self.to_sink[vertex] for vertex in exits]] = UNCUTTABLE
        network = csr_array((capacity, self.indices, self.indptr), shape=(size, size))
        result = maximum_flow(network, size - 2, size - 1)
        if result.flow_value >= UNCUTTABLE:
            return None
        assert len(result.flow.data) == len(capacity), "The flow must come back in the layout it was given."
        rest = capacity - result.flow.data.astype(np.int32)
        behind = self._reached(rest, size - 2)
        ahead = self._reached(rest[self.opposite], size - 1)
        return self._parted(behind, weights), self._parted(~ahead, weights)

    def _reached(self, rest: NDArray[np.int32], start: int) -> Flags:
        """Which split vertices still get something through from the start."""
        usable = rest > 0
        indptr = np.concatenate(([0], np.cumsum(usable)))[self.indptr].astype(np.int32)
        indices = self.indices[usable]
        size = len(self.indptr) - 1
        network = csr_array((np.ones(len(indices), np.int8), indices, indptr), shape=(size, size))
        reached = np.zeros(size, dtype=np.bool_)
        reached[breadth_first_order(network, start, return_predecessors=False)] = True
        return reached

    def _parted(self, side: Flags, weights: Sequence[int]) -> tuple[int, ...]:
        """The posts whose way in is on this side and whose way out is not."""
        first, last = 2 * self.choke.posts_from, 2 * len(self.choke.ahead)
        parted = np.flatnonzero(side[first:last:2] & ~side[first + 1 : last : 2])
        return tuple(post for post in parted.tolist() if weights[post] > 0)


def flow_of(choke: Choke, exits: Collection[int]) -> Flow:
    """Lay out the flow network once, with a closed sink arc for every vertex that may be asked for."""
    count = len(choke.ahead)
    source, sink = 2 * count, 2 * count + 1
    arcs = {(2 * vertex, 2 * vertex + 1): UNCUTTABLE for vertex in range(count)}
    arcs |= {(2 * tail + 1, 2 * head): UNCUTTABLE for tail in range(count) for head in choke.ahead[tail]}
    arcs |= {(source, 2 * vertex): UNCUTTABLE for vertex in choke.sources}
    arcs |= {(2 * vertex + 1, sink): 0 for vertex in exits}
    for tail, head in list(arcs):
        arcs.setdefault((head, tail), 0)
    order = sorted(arcs)
    place = {arc: position for position, arc in enumerate(order)}
    tails = np.array([tail for tail, _ in order], dtype=np.int64)
    return Flow(
        choke=choke,
        indptr=np.searchsorted(tails, np.arange(sink + 2)).astype(np.int32),
        indices=np.array([head for _, head in order], dtype=np.int32),
        capacity=np.array([arcs[arc] for arc in order], dtype=np.int32),
        opposite=np.array([place[head, tail] for tail, head in order], dtype=np.int64),
        through=np.array([place[2 * vertex, 2 * vertex + 1] for vertex in range(count)], dtype=np.int64),
        to_sink={vertex: place[2 * vertex + 1, sink] for vertex in exits},
    )
