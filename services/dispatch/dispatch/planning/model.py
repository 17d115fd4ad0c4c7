"""The question and the answer of interception planning, as arrays that know nothing of counties or services.

R timed routes somebody may take, each with a weight; P places where a unit can stop whoever passes; U units. Time is
gone from the question by then: a unit that stands at a place in time meets every route that passes it later.

Background: maximum coverage under a partition matroid (one place a unit, one unit a place). Greedy guarantees half
of the optimum here, not 1 - 1/e: that holds for interchangeable units (Fisher, Nemhauser and Wolsey, 1978).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]

NOWHERE = -1
"""In `Solution.place_of`: the unit stays free."""


@dataclass(frozen=True, eq=False)
class Coverage:
    """Which unit at which place meets which route.

    `weights` (R,) are shares of probability and sum to 1 at most. `last_pass_s` (R, P) is the last moment at which
    somebody on the route can be met at the place, -inf where the route does not pass it. `ready_s` (U, P) is when
    the unit works there (order read, turned out, driven, set up), +inf where it can't or may not. `detection` (P,)
    is the probability with which a unit there notices them, in (0, 1]. `pinned` units stand where they are named,
    whatever that costs. `bonus` (U, P) is what keeping a unit at a place is worth, in shares of probability:
    stability of orders.
    """

    weights: Floats
    last_pass_s: Floats
    ready_s: Floats
    detection: Floats
    margin_s: float = 0.0
    pinned: tuple[tuple[int, int], ...] = ()
    bonus: Floats | None = None

    @property
    def routes(self) -> int:
        """R."""
        return len(self.weights)

    @property
    def places(self) -> int:
        """P."""
        return len(self.detection)

    @property
    def units(self) -> int:
        """U."""
        return len(self.ready_s)

    def meets(self, unit: int, place: int) -> Flags:
        """(R,): the routes that this unit meets there."""
        met: Flags = self.ready_s[unit, place] + self.margin_s <= self.last_pass_s[:, place]
        return met


@dataclass(frozen=True)
class Stage:
    """What was known at a moment of the search: the best plan's objective, and what no plan can exceed."""

    name: str
    after_s: float
    objective: float
    bound: float


@dataclass(frozen=True)
class Solution:
    """A valid plan, always, with what no plan can exceed.

    `place_of` has one place a unit (`NOWHERE` if free). `value` is the intercepted weight with detection; `objective`
    adds the bonuses, and `bound` bounds the objective. `proven`: no plan is better by more than `GAP_PROVEN`.
    `trouble` says in a word why the search ended early ("hung", "died"), if it did.
    """

    place_of: tuple[int, ...]
    value: float
    objective: float
    bound: float
    proven: bool
    stages: tuple[Stage, ...] = ()
    trouble: str = ""

    @property
    def gap(self) -> float:
        """How much better a plan could still be, as a share of this plan's objective; 0 when proven."""
        if self.proven or self.bound <= self.objective:
            return 0.0
        return (self.bound - self.objective) / max(self.objective, 1e-12)


GAP_PROVEN = 1e-6
"""Objective differences below this are rounding: weights are shares of probability."""

OnBetter = Callable[[Solution], None]
"""Told each better plan as it is found."""

VerdictKind = Literal["guaranteed", "probabilistic", "impossible"]


@dataclass(frozen=True, eq=False)
class Movement:
    """One way of moving: arcs with the fewest seconds anybody needs, and where it may have begun and when.

    Arrays are one entry an arc. `sources` are (node, seconds).
    """

    tails: Indices
    heads: Indices
    seconds: Floats
    sources: tuple[tuple[int, float], ...]


@dataclass(frozen=True, eq=False)
class Escape:
    """May they get out? Nodes 0..nodes-1; `exits` are nodes; units can stand at `posts` (nodes).

    `ready_s` (U, len(posts)) is when a unit works there, +inf where it can't. A unit that works at a node
    `margin_s` before the earliest arrival of every movement stops all of them there, for good.
    """

    nodes: int
    movements: tuple[Movement, ...]
    exits: tuple[int, ...]
    posts: tuple[int, ...]
    ready_s: Floats
    margin_s: float = 0.0


@dataclass(frozen=True)
class Guard:
    """A unit at a node of the cut: it works there at `ready_s`, nobody can be there before `arrival_s`.

    `arrival_s` counts with the other guards: somebody whom they hold up on the short way comes by a longer one.
    """

    unit: int
    node: int
    ready_s: float
    arrival_s: float


@dataclass(frozen=True)
class Certificate:
    """Why no units, however placed, can close every way out: ways out that carry more flow than all of them can stop.

    `paths` are (nodes from a source to an exit, flow), each at the seconds of the movement named in `movements`, one a
    path. `stops` (U,) is the most flow that the unit meets at any one node, on paths that come there when it works
    there. If the flows sum to more than the stops, some way stays open: each unit stops what passes one node at most.
    `branches` splits the question where one certificate is not enough: (unit, node) stands there, and does not.
    """

    paths: tuple[tuple[tuple[int, ...], float], ...] = ()
    stops: tuple[float, ...] = ()
    branches: tuple[Certificate, ...] = ()
    branch_on: tuple[int, int] | None = None
    movements: tuple[int, ...] = ()


@dataclass(frozen=True)
class Containment:
    """Whether all ways out can be closed for sure, with the proof.

    guaranteed: `guards` close every way out; `closed_at_s` is when the last of them works; `flow_value` is the
    number of `ways` (nodes, movement), the most that share no node that a unit could hold: fewer guards can't do.
    impossible: `certificate`. probabilistic: neither was found in the time given. `sooner` says why nothing closes with
    units that work before `closed_at_s` only, where that was asked.
    """

    kind: VerdictKind
    guards: tuple[Guard, ...] = ()
    flow_value: int = 0
    closed_at_s: float | None = None
    certificate: Certificate | None = None
    stages: tuple[Stage, ...] = field(default=())
    ways: tuple[tuple[tuple[int, ...], int], ...] = ()
    sooner: Certificate | None = None
