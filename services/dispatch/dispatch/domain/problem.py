"""The question a planner answers and the form of its answer; any planner can take another's place.

`Planner` is the seam: the first valid plan (`dispatch.domain.plan.plan`) and a later optimiser both take a
`Problem` and give a `Plan`. All times are seconds on the axis of the problem's origins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NewType
from uuid import UUID

from contracts.base import UnitId
from dispatch.domain.network import Network
from dispatch.domain.reach import Origin

PlaceId = NewType("PlaceId", UUID)
ExitId = NewType("ExitId", UUID)

# A unit must stand this long before anybody can be there. Two minutes absorb a red light and a clock that
# is off.
MARGIN_S = 120.0
# From the decision to the order read on the unit's phone; the unit's own turnout comes on top.
ORDER_DELIVERY_S = 30.0

AssignmentReason = Literal[
    "closes_exits",
    "narrows_exits",
    "late",
    "meets_routes",
    "last_seen_here",
    "kept",
    "pinned",
    "pinned_late",
    "pinned_unreached",
]
OpenReason = Literal["no_place_on_the_way", "no_unit_in_time", "no_unit_left"]


@dataclass(frozen=True)
class Place:
    """Where a unit can stand and control everything that passes one node."""

    place_id: PlaceId
    node: int
    kind: str
    name_zh: str
    name_en: str
    setup_s: float
    needs: str
    capacity: int = 1


@dataclass(frozen=True)
class Exit:
    """A way out of the region, to a neighbour if one is named: whoever is at this node has left."""

    exit_id: ExitId
    node: int
    kind: str
    name_zh: str
    name_en: str
    neighbour: str = ""


@dataclass(frozen=True)
class Unit:
    """Who can be sent from a node; with a `post`, staff who stand there already and go nowhere else."""

    unit_id: UnitId
    node: int
    capabilities: frozenset[str]
    turnout_s: float
    post: PlaceId | None = None


@dataclass(frozen=True)
class Held:
    """A unit that accepted or is in position: it stays, and its place is manned from `manned_from_s` on."""

    unit_id: UnitId
    place_id: PlaceId
    manned_from_s: float


@dataclass(frozen=True, eq=False)
class Problem:
    """Who may be where, who can be sent, and what must not be touched.

    `units` are those on duty; `excluded` are units that refused or did not answer. `standing` are orders
    nobody has answered yet: the planner repeats them where that costs nothing, so that a new plan is not
    a new muddle. With `send_late`, units that no closing needs go to open exits even if they may come too
    late; the plan says so.

    `traffic` is the share of design speed that is really driven on an edge, in (0, 1]. It slows our own units
    only: the bound of whom we look for must hold for somebody who finds the one gap in the jam.
    `pins` are the commander's hand: the unit goes there even if late. A pin whose unit is excluded or not among
    `units` still wants its place manned, by whoever else is there soonest. `forbidden` are pairs never to be
    used; None stands for every unit, or every place. `manned_exits` are exits that a neighbour closes from then.
    """

    network: Network
    origins: tuple[Origin, ...]
    now_s: float
    places: tuple[Place, ...]
    exits: tuple[Exit, ...]
    units: tuple[Unit, ...]
    keep: tuple[Held, ...] = ()
    excluded: frozenset[UnitId] = frozenset()
    standing: Mapping[UnitId, PlaceId] = field(default_factory=dict)
    closed_edges: frozenset[int] = frozenset()
    margin_s: float = MARGIN_S
    order_delivery_s: float = ORDER_DELIVERY_S
    send_late: bool = True
    traffic: Mapping[int, float] = field(default_factory=dict)
    pins: Mapping[UnitId, PlaceId] = field(default_factory=dict)
    forbidden: frozenset[tuple[UnitId | None, PlaceId | None]] = frozenset()
    manned_exits: Mapping[ExitId, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Reason:
    """Why, as a code for machines and what its sentence needs (`dispatch.domain.sentences`)."""

    code: AssignmentReason | OpenReason
    parameters: tuple[tuple[str, str | int], ...] = ()


@dataclass(frozen=True)
class Assignment:
    """One unit at one place. `in_time`: it works there the margin or more before anybody can be there.

    `eta_s` is when the unit works there, set-up included. `earliest_arrival_s` ignores every post, so it
    holds whatever the other units do; None: nobody we look for can get there. `margin_s` is the
    difference, negative when late. `closes` are the exits to which roads would lead without this
    unit, past all others that are in time.
    """

    unit_id: UnitId
    place_id: PlaceId
    eta_s: float
    earliest_arrival_s: float | None
    margin_s: float | None
    in_time: bool
    reason: Reason
    closes: tuple[ExitId, ...] = ()


@dataclass(frozen=True)
class OpenExit:
    """An exit that somebody can still reach past all posts, at the earliest at `earliest_arrival_s`."""

    exit_id: ExitId
    earliest_arrival_s: float
    reason: Reason


@dataclass(frozen=True)
class Plan:
    """Who goes where, and the honest rest: which exits stay open, and who is free.

    Every reachable exit is in `closed_exits` or in `open_exits`; `unreachable_exits` nobody can reach anyway.
    `aided_exits` are those of the closed ones that would be open without the neighbour. `pins_unmet` are pins
    that nobody can carry out. `value` is the probability of interception, from planners that know it.
    """

    network_version: str
    assignments: tuple[Assignment, ...]
    closed_exits: tuple[ExitId, ...]
    open_exits: tuple[OpenExit, ...]
    unreachable_exits: tuple[ExitId, ...]
    free_units: tuple[UnitId, ...]
    aided_exits: tuple[ExitId, ...] = ()
    pins_unmet: tuple[tuple[UnitId, PlaceId], ...] = ()
    value: float | None = None


Planner = Callable[[Problem], Plan]


class ProblemError(ValueError):
    """The problem contradicts itself; the message says where."""
