"""What changes while a case runs, as frozen values; and what its HTTP routes take and give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.base import LongText, Moment, ShortText
from dispatch.domain.conditions import TRAFFIC_MIN, Condition, Kind, RoadState
from dispatch.domain.orders import OrderState
from dispatch.domain.positions import StartsFrom, UnitState, UnitStatus
from guitu.problem import ApiModel

CommandKind = Literal["pin", "forbid"]
AidState = Literal["requested", "accepted", "refused", "withdrawn"]
COMMANDS_ASKED_MAX = 50


@dataclass(frozen=True)
class SetCondition:
    """A condition with who said so, and when."""

    region_code: str
    condition: Condition
    set_by: str
    set_at: datetime


@dataclass(frozen=True)
class Command:
    """The commander's hand in one case. A pin with `by_hand_node` sets up a place of its own at that node."""

    command_id: UUID
    case_id: UUID
    region_code: str
    kind: CommandKind
    unit_id: UUID | None
    place_id: UUID | None
    by_hand_node: str | None
    by_hand_name: str
    by_hand_needs: str
    note: str
    set_by: str
    set_at: datetime

    def commands_the_same(self, other: Command) -> bool:
        """Whether the other one asks for nothing else."""
        return (self.kind, self.unit_id, self.place_id) == (other.kind, other.unit_id, other.place_id)


@dataclass(frozen=True)
class AidRow:
    """One request to a neighbouring county about one exit of a case."""

    request_id: UUID
    case_id: UUID
    region_code: str
    exercise: bool
    case_code: str
    neighbour: str
    exit_id: UUID
    exit_name_zh: str
    exit_name_en: str
    earliest_arrival_at: datetime
    asked_at: datetime
    state: AidState
    manned_from: datetime | None = None
    answered_by: str = ""
    answered_at: datetime | None = None
    note: str = ""
    withdrawn_at: datetime | None = None
    withdrawn_reason: str | None = None


@dataclass(frozen=True)
class Live:
    """Everything that planning a case must know beyond alert, sightings, units and orders."""

    roads: RoadState = field(default_factory=RoadState)
    states: Mapping[UUID, UnitState] = field(default_factory=dict)
    commands: tuple[Command, ...] = ()
    manned_from: Mapping[UUID, datetime] = field(default_factory=dict)
    position_fresh_for: timedelta = timedelta(minutes=15)
    snap_max_m: float = 5000.0

    def state_of(self, unit_id: UUID) -> UnitState:
        """What was last heard of a unit; available at its base if nothing was."""
        return self.states.get(unit_id, UnitState())


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class PutCondition(ApiModel):
    """How a road is now."""

    closed: bool = Field(
        default=False,
        description="Nobody can pass, not even on foot. Where people can still walk, give a traffic_factor.",
    )
    traffic_factor: Annotated[float, Field(ge=TRAFFIC_MIN, le=1, allow_inf_nan=False)] = Field(
        default=1.0, description="Share of design speed that is really driven."
    )
    until: Moment | None = Field(
        default=None, description="When it ends by itself; None: when somebody says so."
    )
    note: ShortText = ""


class ConditionAnswer(_Answer):
    """A condition with where, who and when; `edge_ids` are what it means on today's network, maybe nothing."""

    kind: Kind
    subject: str
    name_zh: str
    name_en: str
    edge_ids: list[str]
    closed: bool
    traffic_factor: float
    until: datetime | None
    note: str
    set_by: str
    set_at: datetime


class ConditionsAnswer(_Answer):
    """The roads of a region that are not as usual."""

    conditions: list[ConditionAnswer]


class ChangedAnswer(_Answer):
    """What a change did: whether it was news, and how many open cases are planned again because of it."""

    changed: bool
    cases_replanned: int


class PutPosition(ApiModel):
    """Where a unit was, and when."""

    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)
    lat: float = Field(ge=-90, le=90, allow_inf_nan=False)
    at: Moment


class PositionAnswer(_Answer):
    """Where its travel is counted from: the node, and how far away that is."""

    stored: bool = Field(description="False: a position as new was known.")
    node_id: str
    distance_m: float
    access_s: float


class PutStatus(ApiModel):
    """Whether a unit can be sent."""

    status: UnitStatus
    note: ShortText = ""


class PutCapabilities(ApiModel):
    """What a unit can do now, in the words of `needs` of places."""

    capabilities: Annotated[list[Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]], Field(max_length=20)]


class LiveUnitAnswer(_Answer):
    """A unit: who, where from, what it can do, and what it is busy with; ages are seconds."""

    unit_id: UUID
    code: str
    name_zh: str
    name_en: str
    kind: str
    base_node: str
    capabilities: list[str]
    on_duty: bool
    shift_start: str = Field(description="HH:MM, Beijing time; the same as shift_end is the whole day.")
    shift_end: str
    busy_case_id: UUID | None
    busy_order_id: UUID | None
    status: UnitStatus
    status_note: str
    status_age_s: float | None
    lon: float | None
    lat: float | None
    position_age_s: float | None
    starts_from: StartsFrom | None = Field(description="None: its base is not on today's network.")
    start_node: str | None
    start_distance_m: float


class ByHand(ApiModel):
    """A place that is not in the county's list."""

    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)
    lat: float = Field(ge=-90, le=90, allow_inf_nan=False)
    name: ShortText = Field(min_length=1)


class PutPin(ApiModel):
    """A unit goes to a listed place, or to one that is set by hand."""

    unit_id: UUID
    place_id: UUID | None = None
    by_hand: ByHand | None = None
    note: ShortText = ""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.place_id is None) == (self.by_hand is None):
            raise ValueError("give place_id or by_hand, one of the two")
        return self


class PutForbid(ApiModel):
    """A unit never to a place; without unit_id nobody there; without place_id the unit not for this case."""

    unit_id: UUID | None = None
    place_id: UUID | None = None
    note: ShortText = ""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.unit_id is None and self.place_id is None:
            raise ValueError("give unit_id, place_id or both")
        return self


class WhatIf(ApiModel):
    """Commands to be tried: new pins and forbids, and standing ones to be taken back."""

    pins: Annotated[tuple[PutPin, ...], Field(max_length=COMMANDS_ASKED_MAX)] = ()
    forbids: Annotated[tuple[PutForbid, ...], Field(max_length=COMMANDS_ASKED_MAX)] = ()
    withdraw: Annotated[tuple[UUID, ...], Field(max_length=COMMANDS_ASKED_MAX)] = ()


class CommandAnswer(_Answer):
    """A command and what stands because of it: the open order at a pin's place, if there is one."""

    command_id: UUID
    kind: CommandKind
    unit_id: UUID | None
    place_id: UUID | None
    place_zh: str
    place_en: str
    by_hand: bool
    note: str
    set_by: str
    set_at: datetime
    order_id: UUID | None
    order_unit_id: UUID | None
    order_state: OrderState | None


class CommandsAnswer(_Answer):
    """The commands of a case that stand."""

    commands: list[CommandAnswer]


class ExitOutline(_Answer):
    """An exit that stays open, and why."""

    exit_id: UUID
    name_zh: str
    name_en: str
    earliest_arrival_at: datetime
    reason_zh: str
    reason_en: str


class AssignmentOutline(_Answer):
    """A unit at a place in a plan that was not published."""

    unit_id: UUID
    place_id: UUID
    place_zh: str
    place_en: str
    ready_at: datetime
    in_time: bool
    reason_zh: str
    reason_en: str


class PlanOutline(_Answer):
    """What a plan would be worth. `intercepted` is a probability, None if the planner knows none."""

    closed_exits: int
    open_exits: list[ExitOutline]
    assignments: list[AssignmentOutline]
    units_free: int
    intercepted: float | None


class UnmetPin(_Answer):
    """A pin that nobody can carry out."""

    unit_id: UUID
    place_id: UUID


class WhatIfAnswer(_Answer):
    """The price of commands: the plan of this moment without and with them. Nothing is changed.

    `opens` and `closes` are ids of exits; `orders_ended` are open orders that would be stood down.
    """

    before: PlanOutline
    after: PlanOutline
    opens: list[UUID]
    closes: list[UUID]
    intercepted_change: float | None
    orders_ended: list[UUID]
    units_newly_ordered: list[UUID]
    pins_unmet: list[UnmetPin]


class AidAnswer(_Answer):
    """A request to a neighbouring county."""

    request_id: UUID
    case_id: UUID
    case_code: str
    exercise: bool
    neighbour: str
    exit_id: UUID
    exit_name_zh: str
    exit_name_en: str
    earliest_arrival_at: datetime
    asked_at: datetime
    state: AidState
    manned_from: datetime | None
    answered_at: datetime | None
    note: str
    withdrawn_at: datetime | None
    withdrawn_reason: str | None


class AidListAnswer(_Answer):
    """Requests to neighbouring counties."""

    requests: list[AidAnswer]


class AnswerAid(ApiModel):
    """What the neighbour answered."""

    answer: Literal["accepted", "refused"]
    manned_from: Moment | None = Field(
        default=None, description="From when they man the exit; with accepted."
    )
    note: LongText = ""

    @model_validator(mode="after")
    def _time_with_yes(self) -> Self:
        if (self.answer == "accepted") != (self.manned_from is not None):
            raise ValueError("give manned_from with accepted, and only then")
        return self
