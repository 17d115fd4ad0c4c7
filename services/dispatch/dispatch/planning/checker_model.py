"""What the checker is told: an instance and a result in plain Python values.

Nothing here knows the planner: no arrays, no solver, no shared type, so that a mistake of the planner's can't hide in
a type that both use. Nodes, units and places go by their names (text or whole numbers); seconds count from the same
moment everywhere; `math.inf` is never.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Name = str | int
"""Of a node, a unit or a place."""


@dataclass(frozen=True)
class Road:
    """One way from node to node, and the fewest seconds it takes; a two-way road is two of these."""

    tail: Name
    head: Name
    seconds: float


@dataclass(frozen=True)
class CheckMovement:
    """One way of moving: its roads, and (node, seconds) where and when it may have begun."""

    roads: Sequence[Road]
    sources: Sequence[tuple[Name, float]]


@dataclass(frozen=True)
class CheckUnit:
    """Where a unit starts and what it needs before it drives.

    It drives from `node` at `free_s` + delay + `turnout_s`; `slower` multiplies the seconds of every road. `places`
    are the places that it may be sent to (None: all). `ready_at`, if given, is node -> seconds and stands instead of
    the drive: the question itself then says when the unit works where, and not at all at nodes that are not in it.
    """

    name: Name
    node: Name | None = None
    free_s: float = 0.0
    turnout_s: float = 0.0
    slower: float = 1.0
    places: frozenset[Name] | None = None
    ready_at: Mapping[Name, float] | None = None


@dataclass(frozen=True)
class CheckPlace:
    """Where a unit can stand: set-up time after the drive, and the probability with which it notices somebody."""

    name: Name
    node: Name
    setup_s: float = 0.0
    detection: float = 1.0


@dataclass(frozen=True)
class TimedRoute:
    """A way that somebody may take, with its share of probability; a node may come twice (arrival and departure)."""

    weight: float
    stops: Sequence[tuple[Name, float]]


@dataclass(frozen=True)
class CheckInstance:
    """The question. `roads` are what units drive on; `delay_s` passes before any unit hears of its order.

    `bonus` is (unit, place) -> share of probability that the objective adds; `pinned` are (unit, place) that must be.
    """

    units: Sequence[CheckUnit] = ()
    places: Sequence[CheckPlace] = ()
    roads: Sequence[Road] = ()
    movements: Sequence[CheckMovement] = ()
    exits: Sequence[Name] = ()
    routes: Sequence[TimedRoute] = ()
    delay_s: float = 0.0
    margin_s: float = 0.0
    bonus: Mapping[tuple[Name, Name], float] = field(default_factory=dict)
    pinned: Sequence[tuple[Name, Name]] = ()


@dataclass(frozen=True)
class CheckOrder:
    """A unit sent to a place, when it is said to work there, and the routes (counted from 0) it is said to meet.

    `meets` is (route, passage in seconds); None if the result does not say.
    """

    unit: Name
    place: Name
    ready_s: float | None = None
    meets: Sequence[tuple[int, float]] | None = None


@dataclass(frozen=True)
class CheckGuard:
    """A unit at a node of the cut, when it works there, and before which moment nobody is said to be there."""

    unit: Name
    node: Name
    ready_s: float | None = None
    arrival_s: float | None = None


@dataclass(frozen=True)
class CheckWay:
    """Nodes from a source to an exit in one movement (counted from 0), and the flow it carries."""

    nodes: Sequence[Name]
    movement: int = 0
    flow: float = 1.0


@dataclass(frozen=True)
class CheckCertificate:
    """Ways that carry more than all units can stop; or a split on (unit, node): stands there, does not."""

    ways: Sequence[CheckWay] = ()
    branch_on: tuple[Name, Name] | None = None
    branches: Sequence[CheckCertificate] = ()


@dataclass(frozen=True)
class CheckBound:
    """Prices that show what no plan can exceed: one a route, a unit (by name) and a place (by name), all >= 0."""

    routes: Sequence[float]
    units: Mapping[Name, float]
    places: Mapping[Name, float]


@dataclass(frozen=True)
class CheckResult:
    """The answer, as far as it is claimed: what is None or empty was not claimed and is not checked.

    `kind` is guaranteed, probabilistic or impossible. `ways` share no node that a unit could hold in time
    (with `sooner`: a unit that works by `closed_at_s`). `sooner`
    says why units that work before `closed_at_s` only can't close all ways out.
    """

    orders: Sequence[CheckOrder] = ()
    value: float | None = None
    objective: float | None = None
    bound: float | None = None
    proven: bool = False
    bound_certificate: CheckBound | None = None
    kind: str | None = None
    guards: Sequence[CheckGuard] = ()
    flow_value: int | None = None
    ways: Sequence[CheckWay] = ()
    closed_at_s: float | None = None
    certificate: CheckCertificate | None = None
    sooner: CheckCertificate | None = None


@dataclass
class Findings:
    """What the checker found, in sentences: what is wrong, what it recomputed, and what it takes on trust."""

    wrong: list[str] = field(default_factory=list)
    verified: list[str] = field(default_factory=list)
    trusted: list[str] = field(default_factory=list)


TOLERANCE_S = 1e-6
"""A microsecond: sums of the same seconds in another order differ by less."""

TOLERANCE = 1e-6
"""Of shares of probability and of flows."""

NEVER = math.inf
