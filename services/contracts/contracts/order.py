"""Interception: where the units go, what they answer, which exits are still open."""

from __future__ import annotations

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.base import (
    CaseFact,
    LongText,
    Moment,
    MutualAidId,
    OrderId,
    PlanId,
    Position,
    ShortText,
    SightingId,
    UnitId,
    Value,
)


class Stop(Value):
    """The place a unit is sent to."""

    place_id: UUID
    name_zh: ShortText
    name_en: ShortText
    position: Position


class OpenExit(Value):
    """A way out of the county that no manned checkpoint closes in time."""

    exit_id: UUID
    name_zh: ShortText
    name_en: ShortText
    earliest_arrival_at: Moment | None = Field(description="None: cannot be reached on the known network.")
    reason: ShortText = ""


class PlanAhead(Value):
    """By a moment: the share of probability that the plan has met, and the share that has left the county."""

    at: Moment
    met: float = Field(ge=0, le=1)
    away: float = Field(ge=0, le=1)


class PlanFigures(Value):
    """How good a plan is, from its second look; the proof is on the API of dispatch.

    `intercepted` is estimated on routes that the plan was not chosen on, with a 95 % interval that covers the draw of
    routes and not wrong hypotheses. `bound` is what no plan of these units can exceed, `gap` how much better one could
    still be as a share of this one; `proven`: none is better.
    """

    verdict: Literal["guaranteed", "probabilistic", "impossible"] = Field(
        description="guaranteed: all ways out are closed for sure; impossible: no units could close them all."
    )
    intercepted: float = Field(ge=0, le=1)
    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)
    bound: float = Field(ge=0, le=1)
    gap: float = Field(ge=0)
    proven: bool
    ahead: tuple[PlanAhead, ...] = ()
    trouble: ShortText = Field(
        default="", description="Why the search ended early; the plan is valid all the same."
    )


class PlanPublished(CaseFact):
    """A valid plan: which orders stand and which exits stay open; a later plan of the case replaces it."""

    type_: ClassVar[str] = "guitu.plan.published.v1"

    plan_id: PlanId
    plan_number: int = Field(ge=1)
    alert_version: int = Field(ge=1)
    network_version: ShortText
    trigger: Literal["alert", "update", "sighting", "answer", "overdue", "assessment"]
    order_ids: tuple[OrderId, ...]
    closed_exits: int = Field(ge=0)
    open_exits: tuple[OpenExit, ...]
    units_free: int = Field(ge=0)
    cause: ShortText = Field(
        default="",
        description="What changed outside the alert: a road, a unit, a command, a neighbour's answer.",
    )
    figures: PlanFigures | None = Field(
        default=None, description="None until the second look, seconds later."
    )


class OrderFact(CaseFact):
    """A fact of one order."""

    order_id: OrderId
    unit_id: UnitId


class InterceptionOrdered(OrderFact):
    """A unit is ordered to a place; the margin is how long before the earliest arrival it stands there."""

    type_: ClassVar[str] = "guitu.order.issued.v1"

    plan_id: PlanId
    case_code: str
    stop: Stop
    arrive_by: Moment
    unit_ready_at: Moment
    earliest_arrival_at: Moment
    margin_s: float
    respond_by: Moment
    closes: tuple[UUID, ...] = Field(default=(), description="Ids of the exits this order closes.")
    reason: ShortText
    child_summary: LongText
    page_path: ShortText = Field(description="Path of the signed, expiring order page, /o/{token}.")


class OrderAccepted(OrderFact):
    """The unit accepted (接令)."""

    type_: ClassVar[str] = "guitu.order.accepted.v1"


class UnitInPosition(OrderFact):
    """The unit stands at its place (到位)."""

    type_: ClassVar[str] = "guitu.order.in_position.v1"


class CheckpointReported(OrderFact):
    """The checkpoint's answer: nothing seen (无异常), or intercepted (拦截到)."""

    type_: ClassVar[str] = "guitu.order.reported.v1"

    outcome: Literal["nothing_seen", "intercepted"]
    stop: Stop


class OrderOverdue(OrderFact):
    """No answer by the deadline; the order went to the next unit, if there is one."""

    type_: ClassVar[str] = "guitu.order.overdue.v1"

    respond_by: Moment
    reassigned_to: UnitId | None = None


class OrderStoodDown(OrderFact):
    """The order is over; the unit was told and must acknowledge it."""

    type_: ClassVar[str] = "guitu.order.stood_down.v1"

    reason: Literal["found", "false_alarm", "merged", "exercise_over", "replanned", "overdue"]
    case_code: str
    page_path: ShortText
    sighting_id: SightingId | None = None
    cause: ShortText = Field(default="", description="Why it was replanned, if not by the plan itself alone.")


class StandDownAcknowledged(OrderFact):
    """The unit knows that it may leave."""

    type_: ClassVar[str] = "guitu.order.stand_down_acknowledged.v1"


class MutualAidFact(CaseFact):
    """A fact of one request to a neighbouring county about one exit that leads there."""

    request_id: MutualAidId
    neighbour: ShortText
    exit_id: UUID


class MutualAidRequested(MutualAidFact):
    """A neighbouring county is asked (not ordered) to man an exit that no own unit closes in time."""

    type_: ClassVar[str] = "guitu.mutual_aid.requested.v1"

    plan_id: PlanId
    case_code: str
    exit_name_zh: ShortText
    exit_name_en: ShortText
    position: Position
    earliest_arrival_at: Moment
    reason: ShortText
    child_summary: LongText


class MutualAidWithdrawn(MutualAidFact):
    """The request is over: the case is, or the exit no longer needs the neighbour."""

    type_: ClassVar[str] = "guitu.mutual_aid.withdrawn.v1"

    case_code: str
    reason: Literal["exit_closed", "found", "false_alarm", "merged", "exercise_over"]
