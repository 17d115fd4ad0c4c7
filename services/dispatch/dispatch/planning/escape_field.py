"""The question of containment as sparse graphs: who can be where how early, with nodes that close at some moment.

People move as fast as a movement allows, and being early never hurts them: so a node that closes at a moment stops
somebody exactly if the earliest arrival there comes later. Who is held up on the short way may come by a longer one,
which gives other units time; both are in `Field.runs`.

Background: Dijkstra with closing nodes (first in, first out holds: nobody gains by waiting).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, dijkstra

from dispatch.planning.model import Escape, Flags, Floats, Indices, Movement

SLACK_S = 5e-7
"""Half a microsecond: sums of seconds that differ by less are rounding. The checker allows twice that."""


@dataclass(frozen=True, eq=False)
class Way:
    """Somebody's way: its nodes, when they are there at the earliest, and in which movement."""

    nodes: tuple[int, ...]
    at_s: Floats
    movement: int


@dataclass(frozen=True, eq=False)
class Walk:
    """One movement as a graph; node `nodes` is where all begin, `from_s` the earliest beginning."""

    nodes: int
    graph: csr_array
    tails: Indices
    from_s: float

    def arrivals(self, closed: Flags) -> tuple[Floats, Indices]:
        """(N,) earliest seconds, +inf where nobody comes, and the node before; nobody leaves a closed node."""
        graph: csr_array = self.graph
        if closed.any():
            seconds = np.where(self._left(closed), graph.data, np.inf)
            graph = csr_array((seconds, graph.indices, graph.indptr), shape=graph.shape)
        times, before = dijkstra(graph, directed=True, indices=[self.nodes], return_predecessors=True)
        return times[0, : self.nodes] + self.from_s, before[0, : self.nodes].astype(np.int64)

    @cached_property
    def free(self) -> tuple[Floats, Indices]:
        """Arrivals and nodes before with nothing closed; asked for again and again."""
        return self.arrivals(np.zeros(self.nodes, dtype=np.bool_))

    def reached(self, closed: Flags | None = None) -> Flags:
        """(N,) where this movement comes at all; nobody leaves a closed node."""
        keep = np.ones(self.graph.nnz, dtype=np.bool_) if closed is None else self._left(closed)
        indptr = np.concatenate(([0], np.cumsum(keep)))[self.graph.indptr].astype(np.int32)
        indices = self.graph.indices[keep]
        graph = csr_array((np.ones(len(indices), np.int8), indices, indptr), shape=self.graph.shape)
        reached = np.zeros(self.nodes + 1, dtype=np.bool_)
        reached[breadth_first_order(graph, self.nodes, return_predecessors=False)] = True
        return reached[: self.nodes]

    def _left(self, closed: Flags) -> Flags:
        """Which arcs leave an open node."""
        left: Flags = np.append(~closed, True)[self.tails]
        return left

    def begins(self) -> Indices:
        """Where somebody may have begun."""
        first, last = (int(self.graph.indptr[self.nodes + end]) for end in (0, 1))
        return self.graph.indices[first:last].astype(np.int64)

    def arcs(self) -> tuple[Indices, Indices]:
        """Tail and head of every arc between nodes."""
        real = self.tails < self.nodes
        return self.tails[real], self.graph.indices[real].astype(np.int64)


@dataclass(frozen=True, eq=False)
class Run:
    """What one movement does against closing nodes: (N,) arrivals, nodes before, and which nodes stop everybody."""

    movement: int
    at_s: Floats
    before: Indices
    closed: Flags

    def way_to(self, node: int) -> Way:
        """The fastest way to a node that is reached."""
        nodes = [node]
        while 0 <= (node := int(self.before[node])) < len(self.at_s):
            nodes.append(node)
        nodes.reverse()
        return Way(tuple(nodes), self.at_s[nodes], self.movement)


@dataclass(frozen=True, eq=False)
class Field:
    """An escape with its posts made distinct: `ready_s` (U, K) at the nodes `posts` (K,), sorted."""

    nodes: int
    exits: Indices
    posts: Indices
    ready_s: Floats
    margin_s: float
    walks: tuple[Walk, ...]

    @property
    def units(self) -> int:
        """U."""
        return len(self.ready_s)

    def before(self, moment_s: float, *, included: bool) -> Field:
        """The same with only those who work before the moment (or just then, if `included`)."""
        keep = self.ready_s <= moment_s if included else self.ready_s < moment_s
        return replace(self, ready_s=np.where(keep, self.ready_s, np.inf))

    def first_s(self) -> Floats:
        """(N,) when the first of all units could work at each node; +inf where none can."""
        first = np.full(self.nodes, np.inf)
        if self.units and len(self.posts):
            first[self.posts] = self.ready_s.min(axis=0)
        return first

    def earliest_s(self) -> Floats:
        """(N,) before which moment nobody can be at a node, with no unit anywhere."""
        times = [walk.free[0] for walk in self.walks]
        return np.minimum.reduce(times) if times else np.full(self.nodes, np.inf)

    def runs(self, ready_s: Floats) -> Iterator[Run]:
        """What each movement does if nodes are held from `ready_s` (N,) on.

        A node that closes in time makes later arrivals later, so that more may close: at most one round a node held.
        """
        closes_s = ready_s + self.margin_s
        for number, walk in enumerate(self.walks):
            closed = np.zeros(self.nodes, dtype=np.bool_)
            at_s, before = walk.free
            for _ in range(int(np.isfinite(closes_s).sum())):
                more = ~closed & (closes_s <= at_s + SLACK_S) & np.isfinite(at_s)
                if not more.any():
                    break
                closed |= more
                at_s, before = walk.arrivals(closed)
            yield Run(number, at_s, before, closed)

    def ways_out(self, ready_s: Floats, ways_max: int = 1) -> list[Way]:
        """Fastest ways out that stay open, one an exit and movement, the soonest first; none if all is closed.

        Movements are asked in their order until there are enough ways.
        """
        ways: list[Way] = []
        for run in self.runs(ready_s):
            is_open = self.exits[np.isfinite(run.at_s[self.exits]) & ~run.closed[self.exits]]
            soonest = is_open[np.argsort(run.at_s[is_open], kind="stable")][:ways_max]
            ways += [run.way_to(int(node)) for node in soonest]
            if len(ways) >= ways_max:
                break
        ways.sort(key=lambda way: (float(way.at_s[-1]), way.movement, way.nodes))
        return ways[:ways_max]

    def stops(self, way: Way) -> Flags:
        """(U, K): the unit that stands at the post stops whoever takes this way."""
        at_s = np.full(self.nodes, -np.inf)
        at_s[list(way.nodes)] = way.at_s
        stopped: Flags = self.ready_s + self.margin_s <= at_s[self.posts] + SLACK_S
        return stopped


def field_of(escape: Escape) -> Field:
    """Lay out an escape. Posts named twice are one node with the earlier of their times.

    Raises: ValueError, for nodes that are not there, times that are not numbers, or negative seconds.
    """
    _check(escape)
    posts, first = np.unique(np.array(escape.posts, dtype=np.int64), return_inverse=True)
    ready_s = np.full((len(escape.ready_s), len(posts)), np.inf)
    for column, post in enumerate(first.tolist()):
        ready_s[:, post] = np.minimum(ready_s[:, post], escape.ready_s[:, column])
    walks = tuple(_walk(escape.nodes, movement) for movement in escape.movements if movement.sources)
    if len(walks) < len(escape.movements):
        raise ValueError("A movement has no source; leave it out or say where it may have begun.")
    exits = np.unique(np.array(escape.exits, dtype=np.int64))
    return Field(escape.nodes, exits, posts, ready_s, escape.margin_s, walks)


def _check(escape: Escape) -> None:
    sources = [node for movement in escape.movements for node, _ in movement.sources]
    ends = [
        int(end) for m in escape.movements for part in (m.tails, m.heads) if len(part) for end in _range(part)
    ]
    for name, nodes in (
        ("exit", escape.exits),
        ("post", escape.posts),
        ("source", sources),
        ("arc end", ends),
    ):
        wrong = [node for node in nodes if not 0 <= node < escape.nodes]
        if wrong:
            raise ValueError(f"The {name} {wrong[0]} is no node; there are 0 to {escape.nodes - 1}.")
    if escape.ready_s.shape[1:] != (len(escape.posts),):
        raise ValueError(f"`ready_s` has {escape.ready_s.shape} times for {len(escape.posts)} posts.")
    begun = np.array([seconds for movement in escape.movements for _, seconds in movement.sources])
    seconds = [movement.seconds for movement in escape.movements]
    if np.isnan(escape.ready_s).any() or not np.isfinite(begun).all() or not np.isfinite(escape.margin_s):
        raise ValueError("Times must be numbers; +inf is only for a unit that can't be at a post.")
    if any(not (part >= 0).all() for part in seconds):
        raise ValueError("The seconds of an arc must be 0 or more.")


def _range(part: Indices) -> tuple[int, int]:
    return int(part.min()), int(part.max())


def _walk(nodes: int, movement: Movement) -> Walk:
    """Compressed rows with one node more, where all begin; of parallel arcs the fastest stays."""
    begins = np.array([node for node, _ in movement.sources], dtype=np.int64)
    begun_s = np.array([seconds for _, seconds in movement.sources], dtype=np.float64)
    from_s = float(begun_s.min())
    tails = np.concatenate((movement.tails, np.full(len(begins), nodes)))
    heads = np.concatenate((movement.heads, begins))
    seconds = np.concatenate((movement.seconds, begun_s - from_s))
    usable = np.isfinite(seconds) & (tails != heads)
    tails, heads, seconds = tails[usable], heads[usable], seconds[usable]
    order = np.lexsort((seconds, heads, tails))
    tails, heads, seconds = tails[order], heads[order], seconds[order]
    first = np.ones(len(tails), dtype=np.bool_)
    first[1:] = (tails[1:] != tails[:-1]) | (heads[1:] != heads[:-1])
    tails, heads, seconds = tails[first], heads[first], seconds[first]
    indptr = np.searchsorted(tails, np.arange(nodes + 2)).astype(np.int32)
    graph = csr_array((seconds, heads.astype(np.int32), indptr), shape=(nodes + 1, nodes + 1))
    return Walk(nodes, graph, tails, from_s)
