"""An answer of the planner as its JSON says it: who goes where, what that is worth, and the proof of each claim.

Everything that `guitu plan check` needs is in it, or in the instance: routes that were sampled are written out, the
guarantee carries its guards or its certificate, the bound its multipliers. Times are seconds on the instance's axis.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dispatch.planning.fields import (
    EXITS_MAX,
    LIST_MAX,
    NODES_MAX,
    PLACES_MAX,
    ROUTES_MAX,
    UNITS_MAX,
    Id,
    Moment,
    Share,
    Strict,
)
from dispatch.planning.instance import Mode, RouteRecord

RESULT_FORMAT: Literal["guitu.plan.result.v1"] = "guitu.plan.result.v1"
DEPTH_MAX = 60

Sha256 = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
"""Empty for what was never a file."""
Multipliers = list[Annotated[float, Field(ge=0)]]
Basis = Literal["proof", "fresh_routes", "planned_routes", "none"]


class Words(Strict):
    """One sentence or more for people."""

    zh: str
    en: str


class Toward(Strict):
    """Where the routes that a unit meets were going."""

    destination: Id = Field(description="Id of an exit, or of a node.")
    weight: Share


class Order(Strict):
    """One unit at one place."""

    unit: Id
    place: Id
    node: Id
    ready_s: Moment | None = Field(description="When it works there; null: it can't get there (a pin).")
    guard: bool = Field(description="It is one of those that close every way out for sure.")
    closes: Annotated[list[Id], Field(max_length=EXITS_MAX)] = Field(
        description="Exits to which a way would lead without this guard, past all others."
    )
    met_weight: Share = Field(description="Weight of the routes it meets, times its detection.")
    only_here_weight: Share = Field(description="What the plan would lose without it.")
    meets: Annotated[list[int], Field(max_length=ROUTES_MAX)] = Field(
        description="Indices of routes it meets."
    )
    toward: list[Toward]
    why: Words


class GuardRecord(Strict):
    """A unit at a node of the cut: nobody can be there before `arrival_s` (null: nobody at all)."""

    unit: Id
    node: Id
    ready_s: Moment
    arrival_s: Moment | None


class Verdict(Strict):
    """Can they still get out? `guaranteed`: no. `impossible`: no placing of these units closes every way out, proven.

    `probabilistic`: no guarantee was asked for (no exits), or neither proof was found in time. Whatever the kind,
    `probability` is that of the plan to meet them, with its interval.
    """

    kind: Literal["guaranteed", "probabilistic", "impossible"]
    probability: Share
    low: Share
    high: Share
    confidence: Share = Field(description="Of the interval.")
    basis: Basis = Field(
        description="proof: certain; fresh_routes: routes drawn anew; planned_routes: the routes it was planned on."
    )
    effective_routes: Annotated[float, Field(ge=0)] = Field(description="Kish's effective sample size.")
    guards: Annotated[list[GuardRecord], Field(max_length=UNITS_MAX)]
    flow_value: int | None = Field(description="Ways out that share no node: fewer guards can't close them.")
    closed_at_s: Moment | None = Field(description="When the last guard works.")
    words: Words


class PathRecord(Strict):
    """A way from a source to an exit in one movement, and the flow it carries."""

    nodes: Annotated[list[Id], Field(max_length=NODES_MAX)]
    movement: Annotated[int, Field(ge=0, le=4)] = Field(0, description="Index into `modes`.")
    flow: Annotated[float, Field(ge=0)] = 1.0


class Branch(Strict):
    """The unit stands at the node in the first branch, and not in the second."""

    unit: Id
    node: Id


class CertificateRecord(Strict):
    """Why no placing of units closes every way out: see docs/planner.md, "Certificates"."""

    paths: Annotated[list[PathRecord], Field(max_length=LIST_MAX)] = Field(default=[])
    stops: Annotated[Multipliers, Field(max_length=UNITS_MAX)] = Field(default=[])
    branches: Annotated[list[CertificateRecord], Field(max_length=2)] = Field(default=[])
    branch_on: Branch | None = None


class BoundCertificate(Strict):
    """Multipliers of the linear programme's dual: the bound they prove is a sum anybody can add up."""

    routes: Annotated[Multipliers, Field(max_length=ROUTES_MAX)]
    units: Annotated[Multipliers, Field(max_length=UNITS_MAX)]
    places: Annotated[Multipliers, Field(max_length=PLACES_MAX)]


class Proof(Strict):
    """What backs the claims."""

    certificate: CertificateRecord | None = Field(description="Of `impossible`.")
    ways: Annotated[list[PathRecord], Field(max_length=LIST_MAX)] = Field(
        description="`flow_value` ways out that share no node a unit could hold in time."
    )
    sooner: CertificateRecord | None = Field(
        description="Why no units close everything before `closed_at_s`."
    )
    bound_certificate: BoundCertificate | None = Field(description="Proves `certified_bound`.")
    certified_bound: Annotated[float, Field(ge=0)] | None = Field(
        description="What the multipliers prove; `bound` may be smaller, by the solver's search, on trust."
    )
    bound_by: Literal["certificate", "search", "total_weight"]


class StageRecord(Strict):
    """What was known at a moment of the work; of the whole, in seconds since it began."""

    name: str
    after_s: Annotated[float, Field(ge=0)]
    objective: float
    bound: float


class Result(Strict):
    """The planner's whole answer to one instance."""

    format: Literal["guitu.plan.result.v1"] = RESULT_FORMAT
    version: str = Field(description="Of the program.")
    instance_sha256: Sha256 = Field(description="Of the instance's JSON with sorted keys and no spaces.")
    network_sha256: Sha256 = Field(description="Of the SHA-256 of the nodes and that of the edges, as read.")
    network_version: str = Field(description="As plans of the service name it.")
    seed: int
    modes: list[Mode] = Field(description="Movements that the guarantee covers.")
    plan: Annotated[list[Order], Field(max_length=UNITS_MAX)]
    free_units: Annotated[list[Id], Field(max_length=UNITS_MAX)]
    verdict: Verdict
    value: Annotated[float, Field(ge=0)] = Field(description="Intercepted weight over the routes planned on.")
    bound: Annotated[float, Field(ge=0)] = Field(description="No plan's value exceeds this.")
    gap: Annotated[float, Field(ge=0)] = Field(description="(bound - value) / value; 0 when proven.")
    proven: bool
    proof: Proof
    routes: Annotated[list[RouteRecord], Field(max_length=ROUTES_MAX)] | None = Field(
        description="The routes planned on, cut to the candidate places; null: those of the instance."
    )
    stages: list[StageRecord]
    trouble: str = Field(description="Empty, or why the search ended early: the plan is valid all the same.")
    notices: list[str]
