"""The live board of one case as frozen values: what the page, the map and each patch of the stream are drawn from.

Everything comes from one snapshot of the projection (`store_board`); names of units and sites come from the
`directory`. `badness` is how much a line wants to be looked at: higher comes first. It depends on facts alone, never on
the clock; a page that knows the time adds LATE to a line whose `due_at` has passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

Json = dict[str, Any]
Part = Literal["case", "plan", "order", "site", "sighting", "dna", "aid", "timeline"]
"""What a board consists of; rows of all but case and plan are keyed by `key_of`."""
LATE = 1000
"""What a page adds to `badness` of a line whose `due_at` has passed."""
ORDER_BADNESS = {
    "intercepted": 95,
    "overdue": 80,
    "issued": 60,
    "accepted": 40,
    "in_position": 20,
    "stood_down": 15,
    "nothing_seen": 10,
    "stand_down_acknowledged": 0,
}
SITE_BADNESS = {
    "failed": 85,
    "queued": 60,
    "accepted": 50,
    "delivered": 45,
    "opened": 40,
    "acknowledged": 10,
    "cancelled": 5,
}
SIGHTED, NEEDS_PERSON, ASKED_AGAIN, SEEN_NOTHING = 95, 90, 70, 5


@dataclass(frozen=True)
class CaseHead:
    """The case: what is known of the child and of the ring now; `ended_at` is None while it is open."""

    case_id: UUID
    region_code: str
    exercise: bool
    case_code: str
    version: int
    state: Literal["open", "stood_down"]
    tier: str
    sex: str
    age_years: int
    height_cm: int | None
    appearance: str
    circumstance: str
    suspected_mode: str
    vehicle: str
    place_name: str
    township_code: str | None
    lon: float
    lat: float
    last_seen_at: datetime
    raised_at: datetime
    changed_at: datetime
    ended_at: datetime | None
    outcome: str | None
    merged_into: UUID | None
    end_reason: str
    ring_step: int
    ring_lon: float
    ring_lat: float
    ring_radius_km: float
    ring_near_km: float | None


@dataclass(frozen=True)
class OpenExit:
    """A way out of the county that nobody closes in time."""

    exit_id: UUID
    name_zh: str
    name_en: str
    earliest_arrival_at: datetime | None
    reason: str


@dataclass(frozen=True)
class PlanLine:
    """The newest plan. `figures` are PlanFigures as JSON, None until the second look."""

    plan_id: UUID
    plan_number: int
    published_at: datetime
    trigger: str
    cause: str
    alert_version: int
    network_version: str
    orders: int
    closed_exits: int
    open_exits: tuple[OpenExit, ...]
    units_free: int
    figures: Json | None


@dataclass(frozen=True)
class OrderLine:
    """One order. `sms` is how far the text to the unit came; `due_at` what it owes next: an answer, or its arrival."""

    order_id: UUID
    unit_id: UUID
    unit_code: str
    unit_zh: str
    unit_en: str
    place_id: UUID | None
    place_zh: str
    place_en: str
    lon: float | None
    lat: float | None
    state: str
    changed_at: datetime
    issued_at: datetime | None
    accepted_at: datetime | None
    in_position_at: datetime | None
    reported_at: datetime | None
    outcome: str | None
    overdue_at: datetime | None
    reassigned_to: UUID | None
    stood_down_at: datetime | None
    stood_down_reason: str | None
    acknowledged_at: datetime | None
    arrive_by: datetime | None
    respond_by: datetime | None
    unit_ready_at: datetime | None
    earliest_arrival_at: datetime | None
    margin_s: float | None
    closes: tuple[UUID, ...]
    reason: str
    cause: str
    sms: str | None
    sms_at: datetime | None
    sms_delivery_id: UUID | None
    due_at: datetime | None
    badness: int


@dataclass(frozen=True)
class SiteLine:
    """One site in the acknowledgement matrix: its newest round of notices, whoever of its contacts answered.

    `acknowledged_before` is an answer to an earlier version. `sighting_at` is its own newest sighting.
    """

    site_id: UUID
    name_zh: str
    name_en: str
    category: str
    township_code: str
    lon: float | None
    lat: float | None
    kind: str
    alert_version: int
    attempts: int
    delivery_id: UUID
    state: str
    changed_at: datetime
    queued_at: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None
    opened_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_before: datetime | None
    channel: str | None
    seen_nothing_until: datetime | None
    failed_code: str | None
    failed_reason: str | None
    escalated_at: datetime | None
    escalated_to: str | None
    sighting_at: datetime | None
    badness: int


@dataclass(frozen=True)
class SightingLine:
    """What somebody saw, and what a person thinks of it; `verdict` is None until somebody judged it."""

    sighting_id: UUID
    reported_at: datetime
    seen_at: datetime
    place_name: str
    lon: float
    lat: float
    mode: str
    note: str
    channel: str
    site_id: UUID | None
    unit_id: UUID | None
    who_zh: str
    who_en: str
    verdict: str | None
    verdict_reason: str
    assessed_at: datetime | None
    badness: int


@dataclass(frozen=True)
class DnaLine:
    """The newest fact of one type that the laboratory told of this case, and how often it did.

    `lapsed`: the case is over, and with it what was not done yet of what this asks for.
    """

    type: str
    at: datetime
    times: int
    details: Json
    lapsed: bool


@dataclass(frozen=True)
class AidLine:
    """A neighbouring county that was asked to man an exit."""

    request_id: UUID
    neighbour: str
    exit_id: UUID
    exit_zh: str
    exit_en: str
    lon: float | None
    lat: float | None
    earliest_arrival_at: datetime | None
    requested_at: datetime | None
    withdrawn_at: datetime | None
    withdrawn_reason: str | None
    badness: int


@dataclass(frozen=True)
class TimelineLine:
    """One thing that happened: `type` is the fact's, `kind` its part for filters; who did it has a name if known."""

    event_id: UUID
    at: datetime
    type: str
    kind: str
    details: Json
    who_zh: str
    who_en: str


@dataclass(frozen=True)
class Counts:
    """How many of each, by state; the head needs these and not the lines."""

    orders: Mapping[str, int] = field(default_factory=dict)
    sites: Mapping[str, int] = field(default_factory=dict)
    sightings: Mapping[str, int] = field(default_factory=dict)
    story: int = 0

    @property
    def orders_standing(self) -> int:
        """Orders that are not over."""
        over = ("stood_down", "stand_down_acknowledged")
        return sum(many for state, many in self.orders.items() if state not in over)

    @property
    def sites_told(self) -> int:
        """Sites in the matrix, without those that the end of the case came before."""
        return sum(many for state, many in self.sites.items() if state != "cancelled")

    @property
    def sites_acknowledged(self) -> int:
        """Sites that answered the newest round."""
        return self.sites.get("acknowledged", 0)


@dataclass(frozen=True)
class Board:
    """All of a case at one moment: the stream goes on after `seq`; `as_of` is the newest fact that is in it.

    In a patch of the head, `orders`, `sites` and `timeline` are empty: draw it from the other fields.
    """

    seq: int
    as_of: datetime | None
    case: CaseHead
    plan: PlanLine | None
    orders: tuple[OrderLine, ...]
    sites: tuple[SiteLine, ...]
    sightings: tuple[SightingLine, ...]
    dna: tuple[DnaLine, ...]
    aid: tuple[AidLine, ...]
    timeline: tuple[TimelineLine, ...]
    counts: Counts


Line = CaseHead | PlanLine | OrderLine | SiteLine | SightingLine | DnaLine | AidLine | TimelineLine
_KEYS: dict[type, str] = {
    OrderLine: "order_id",
    SiteLine: "site_id",
    SightingLine: "sighting_id",
    DnaLine: "type",
    AidLine: "request_id",
    TimelineLine: "event_id",
    CaseHead: "case_id",
}


def key_of(line: Line) -> str:
    """The key of a line within its part; `id="{part}-{key}"` in the page."""
    return str(getattr(line, _KEYS[type(line)]))


def sort_of(line: Line) -> int:
    """How much a line wants to be looked at; 0 for lines that are not sorted by it."""
    return int(getattr(line, "badness", 0))


def map_of(line: Line) -> Json | None:
    """What the map needs of a line: where, in which state; None for what is not on the map."""
    lon, lat = getattr(line, "lon", None), getattr(line, "lat", None)
    if lon is None or lat is None or isinstance(line, CaseHead):
        return None
    state = getattr(line, "state", None) or getattr(line, "verdict", None) or ""
    due_at = getattr(line, "due_at", None)
    due = {"due_at": due_at.isoformat()} if due_at else {}
    return {"lon": lon, "lat": lat, "state": state, "badness": sort_of(line)} | due
