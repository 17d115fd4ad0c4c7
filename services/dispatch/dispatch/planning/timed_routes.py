"""Timed routes as flat arrays: where somebody is when, by which means, with a weight.

A stop of a route is a node with the moment they come and the last moment at which they can be met there: who waits
for a bus is at the station until it leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from contracts.base import TravelMode
from dispatch.domain.tables import Nodes
from dispatch.planning.hypotheses import Hypothesis
from dispatch.planning.model import Flags, Floats, Indices

MEANS = (TravelMode.walking, TravelMode.car, TravelMode.bus, TravelMode.ferry)
"""What `Paths.means` counts."""


@dataclass(frozen=True, eq=False)
class Paths:
    """Stops of many routes one after the other: route r has those from first[r] to first[r + 1].

    `means` is how they came to the stop (a place in MEANS), `line` the timetable's trip they came by or -1.
    """

    first: Indices
    node: Indices
    arrive_s: Floats
    leave_s: Floats
    means: Indices
    line: Indices

    @property
    def count(self) -> int:
        """Number of routes."""
        return len(self.first) - 1

    def owner(self) -> Indices:
        """(stops,): the route of each stop."""
        return np.repeat(np.arange(self.count), np.diff(self.first))

    def take(self, chosen: Indices) -> Paths:
        """The paths of these routes, in this order."""
        counts = np.diff(self.first)[chosen]
        first = np.concatenate(([0], np.cumsum(counts)))
        stops = np.repeat(self.first[chosen] - first[:-1], counts) + np.arange(first[-1])
        moments = self.arrive_s[stops], self.leave_s[stops]
        return Paths(first, self.node[stops], *moments, self.means[stops], self.line[stops])


def no_paths() -> Paths:
    """Of no route."""
    none = np.zeros(0, dtype=np.int64)
    return Paths(np.zeros(1, dtype=np.int64), none, np.zeros(0), np.zeros(0), none, none)


def joined_paths(parts: Sequence[Paths]) -> Paths:
    """One after the other."""
    if not parts:
        return no_paths()
    counts = np.concatenate([np.diff(part.first) for part in parts])
    names = ("node", "arrive_s", "leave_s", "means", "line")
    columns = (np.concatenate([getattr(part, name) for part in parts]) for name in names)
    return Paths(np.concatenate(([0], np.cumsum(counts))), *columns)


@dataclass(frozen=True)
class Leg:
    """A stretch by one means, for explaining a route; `trip` is the timetable's, None without one."""

    means: TravelMode
    from_node: int
    to_node: int
    depart_s: float
    arrive_s: float
    trip: int | None


@dataclass(frozen=True, eq=False)
class Routes:
    """R routes with weights that sum to 1.

    `hypothesis` (R,) is the place in `hypotheses` that each was drawn from. `cluster` (R,) numbers the drawn world:
    routes of one cluster share a draw of travel times, so they are no independent evidence of each other. `away`
    (R,) is true where the route ends beyond an exit, out of sight. `unreachable_weight` is the weight of hypotheses
    that the network does not allow (a boat where there is none); it went to the others.
    """

    weights: Floats
    paths: Paths
    hypothesis: Indices
    hypotheses: tuple[Hypothesis, ...]
    cluster: Indices
    away: Flags
    nodes: Nodes
    unreachable_weight: float = 0.0

    @property
    def count(self) -> int:
        """R."""
        return len(self.weights)

    def last_pass_s(self, nodes: Sequence[int] | NDArray[np.int64]) -> Floats:
        """(R, P): the last moment at which each route can be met at each node, -inf where it never passes.

        A node may be named more than once.
        """
        column = np.full(len(self.nodes.ids), -1, dtype=np.int64)
        unique, place = np.unique(np.asarray(nodes, dtype=np.int64), return_inverse=True)
        column[unique] = np.arange(len(unique))
        of_stop = column[self.paths.node]
        hit = of_stop >= 0
        last = np.full((self.count, len(unique)), -np.inf)
        np.maximum.at(last, (self.paths.owner()[hit], of_stop[hit]), self.paths.leave_s[hit])
        return last[:, place.reshape(-1)]

    def reweighted(self, weights: Floats) -> Routes:
        """The same routes with other weights."""
        return replace(self, weights=weights)

    def only(self, chosen: Indices) -> Routes:
        """These routes alone, in this order; a route named twice is there twice. Their weights sum to 1."""
        weights = self.weights[chosen]
        return replace(
            self,
            weights=weights / weights.sum(),
            paths=self.paths.take(chosen),
            hypothesis=self.hypothesis[chosen],
            cluster=self.cluster[chosen],
            away=self.away[chosen],
        )

    def share_of_modes(self) -> dict[TravelMode, float]:
        """How likely each way of travelling is by now; a lost child walks."""
        mode = np.array([MEANS.index(hypothesis.mode) for hypothesis in self.hypotheses], dtype=np.int64)
        shares = np.bincount(mode[self.hypothesis], weights=self.weights, minlength=len(MEANS))
        return {means: float(share) for means, share in zip(MEANS, shares, strict=True)}

    def lost_share(self) -> float:
        """How likely it is by now that nobody took the child."""
        lost = np.array([hypothesis.lost is not None for hypothesis in self.hypotheses], dtype=np.bool_)
        return float(self.weights[lost[self.hypothesis]].sum())

    def legs(self, route: int) -> tuple[Leg, ...]:
        """The route in words: a leg for each change of means or vehicle."""
        paths, stop, end = self.paths, int(self.paths.first[route]), int(self.paths.first[route + 1])
        legs: list[Leg] = []
        begin = stop
        for now in range(stop + 1, end):
            last = now + 1 == end
            if last or (paths.means[now + 1], paths.line[now + 1]) != (paths.means[now], paths.line[now]):
                legs.append(_leg(paths, begin, now))
                begin = now
        return tuple(legs)


def joined_routes(first: Routes, second: Routes, second_share: float) -> Routes:
    """Both sets as one: the second has this share of the weight. Clusters and hypotheses stay apart."""
    clusters = int(first.cluster.max(initial=-1)) + 1
    return Routes(
        weights=np.concatenate((first.weights * (1 - second_share), second.weights * second_share)),
        paths=joined_paths((first.paths, second.paths)),
        hypothesis=np.concatenate((first.hypothesis, second.hypothesis + len(first.hypotheses))),
        hypotheses=(*first.hypotheses, *second.hypotheses),
        cluster=np.concatenate((first.cluster, second.cluster + clusters)),
        away=np.concatenate((first.away, second.away)),
        nodes=first.nodes,
        unreachable_weight=first.unreachable_weight,
    )


def _leg(paths: Paths, begin: int, end: int) -> Leg:
    trip = int(paths.line[end])
    return Leg(
        MEANS[int(paths.means[end])],
        int(paths.node[begin]),
        int(paths.node[end]),
        float(paths.leave_s[begin]),
        float(paths.arrive_s[end]),
        trip if trip >= 0 else None,
    )
