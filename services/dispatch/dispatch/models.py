"""Rows of the database as frozen values, and what the HTTP API takes and gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.alert import AlertBody
from contracts.base import CaseId, OrderId, PlanId, TravelMode, UnitId
from contracts.order import Stop
from dispatch.domain.network import Network
from dispatch.domain.orders import Order, OrderState
from dispatch.domain.problem import Exit, Place, PlaceId
from dispatch.domain.replan import Verdict
from dispatch.domain.rows import UnitRow
from dispatch.domain.timetables import Timetable, no_timetable
from guitu.problem import ApiModel

Trigger = Literal["alert", "update", "sighting", "answer", "overdue", "assessment"]
StandDownReason = Literal["found", "false_alarm", "merged", "exercise_over", "replanned", "overdue"]
Move = Literal["accepted", "in_position", "nothing_seen", "intercepted", "stand_down_acknowledged"]


@dataclass(frozen=True, eq=False)
class County:
    """The newest network version of a region, ready to plan on; `schematic`: it is a drawing, and answers say so."""

    version: str
    network: Network
    places: tuple[Place, ...]
    exits: tuple[Exit, ...]
    timetable: Timetable = field(default_factory=no_timetable)
    schematic: bool = False


@dataclass(frozen=True)
class NetworkVersion:
    """A network version of a region: where it comes from, who brought it in, how large it is."""

    version: str
    region_code: str
    loaded_at: datetime
    source_kind: str
    source: str
    schematic: bool
    imported_by: str
    note: str
    in_use: bool
    nodes: int
    edges: int
    places: int
    exits: int
    trips: int


@dataclass(frozen=True)
class Case:
    """What dispatch knows of a case; without `alert` it was stood down before it was seen."""

    case_id: CaseId
    region_code: str
    exercise: bool
    case_code: str
    version: int
    alert: AlertBody | None
    plan_number: int
    stood_down_as: str | None


@dataclass(frozen=True)
class Seen:
    """A sighting with a place."""

    sighting_id: UUID
    seen_at: datetime
    lon: float
    lat: float
    mode: TravelMode
    verdict: Verdict


@dataclass(frozen=True)
class UnitNow:
    """A unit and the case it is busy with, if any."""

    row: UnitRow
    busy_case_id: UUID | None
    busy_order_id: UUID | None


@dataclass(frozen=True)
class OrderRow:
    """An order with everything its page and its facts say."""

    order: Order
    case_id: CaseId
    plan_id: PlanId
    region_code: str
    exercise: bool
    case_code: str
    issued_at: datetime
    unit_ready_at: datetime
    arrive_by: datetime
    earliest_arrival_at: datetime
    margin_s: float
    stop: Stop
    closes: tuple[UUID, ...]
    reason_zh: str
    reason_en: str
    child_summary: str
    stand_down_reason: StandDownReason | None = None
    stand_down_cause: str = ""

    @property
    def order_id(self) -> OrderId:
        """The order's id."""
        return self.order.order_id

    @property
    def unit_id(self) -> UnitId:
        """Who is ordered."""
        return self.order.unit_id

    @property
    def place_id(self) -> PlaceId:
        """Where to."""
        return self.order.place_id

    @property
    def state(self) -> OrderState:
        """Where the order stands."""
        return self.order.state


@dataclass
class Changes:
    """What a new plan changes in the orders of its case."""

    stays: list[OrderRow] = field(default_factory=list)
    replaced: list[OrderRow] = field(default_factory=list)
    passed_on: list[OrderRow] = field(default_factory=list)


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class OrderAnswer(_Answer):
    """An order as staff see it."""

    order_id: UUID
    case_id: UUID
    case_code: str
    exercise: bool
    unit_id: UUID
    plan_id: UUID
    state: OrderState
    stop: Stop
    issued_at: datetime
    respond_by: datetime
    unit_ready_at: datetime
    arrive_by: datetime
    earliest_arrival_at: datetime
    margin_s: float
    closes: tuple[UUID, ...]
    reason_zh: str
    reason_en: str
    stand_down_reason: str | None
    stand_down_cause: str
    history: list[tuple[OrderState, datetime]]


class OrdersAnswer(_Answer):
    """Orders of a case, or all open ones; and stand-downs that nobody has acknowledged yet."""

    orders: list[OrderAnswer]
    stand_downs_unacknowledged: list[UUID]


class PlanAnswer(_Answer):
    """The newest plan of a case: its fact, with the assignments and their reasons."""

    made_at: datetime
    plan: dict[str, Any]
    assignments: list[dict[str, Any]]


class MoveOrder(ApiModel):
    """What staff enter for a unit that answered by radio."""

    move: Move


def order_answer(row: OrderRow) -> OrderAnswer:
    """The row as staff see it."""
    return OrderAnswer(
        order_id=row.order_id,
        case_id=row.case_id,
        case_code=row.case_code,
        exercise=row.exercise,
        unit_id=row.unit_id,
        plan_id=row.plan_id,
        state=row.state,
        stop=row.stop,
        issued_at=row.issued_at,
        respond_by=row.order.respond_by,
        unit_ready_at=row.unit_ready_at,
        arrive_by=row.arrive_by,
        earliest_arrival_at=row.earliest_arrival_at,
        margin_s=row.margin_s,
        closes=row.closes,
        reason_zh=row.reason_zh,
        reason_en=row.reason_en,
        stand_down_reason=row.stand_down_reason,
        stand_down_cause=row.stand_down_cause,
        history=list(row.order.history),
    )
