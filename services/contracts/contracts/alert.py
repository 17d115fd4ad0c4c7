"""The alert: raised at once, updated in versions, widened by the hour, stood down for everyone who was told."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from contracts.base import (
    CaseFact,
    CaseId,
    Child,
    LongText,
    Moment,
    Place,
    Position,
    ReportId,
    ShortText,
    Tier,
    TravelMode,
    Value,
)


class Ring(Value):
    """The area whose sites are told; `near_radius_km` is what can be reached by travel time now, told first."""

    step: int = Field(ge=0, le=20)
    center: Position
    radius_km: float = Field(gt=0, le=2000)
    near_radius_km: float | None = Field(default=None, gt=0, le=2000)


class AlertFact(CaseFact):
    """What every version of an alert says: the case, its short code for people, and the version."""

    case_code: str = Field(pattern=r"^[A-Z]{2}-\d{4,8}$", description="Short code for people, e.g. CY-0472.")
    version: int = Field(ge=1)


class AlertBody(AlertFact):
    """The whole picture; every version repeats it, so that a reader needs only the newest."""

    tier: Tier
    child: Child
    last_seen_place: Place
    last_seen_at: Moment
    circumstance: Literal["unknown", "lost", "runaway", "abduction"] = "unknown"
    suspected_mode: TravelMode = TravelMode.unknown
    vehicle: ShortText = ""
    ring: Ring


class AlertRaised(AlertBody):
    """Version 1: units, sites and the laboratory start to work from this."""

    type_: ClassVar[str] = "guitu.alert.raised.v1"

    report_id: ReportId | None = None


class AlertUpdated(AlertBody):
    """A later version: tier, description or place changed, with the reason."""

    type_: ClassVar[str] = "guitu.alert.updated.v1"

    changed: tuple[str, ...] = Field(description="Names of the fields that changed.")
    reason: LongText


class AreaWidened(AlertBody):
    """The next ring is due: only sites that are new in it are told."""

    type_: ClassVar[str] = "guitu.alert.widened.v1"


class AlertStoodDown(AlertFact):
    """The alert is over; it reaches everyone who was told, and nobody else."""

    type_: ClassVar[str] = "guitu.alert.stood_down.v1"

    outcome: Literal["found", "false_alarm", "merged", "exercise_over"]
    merged_into: CaseId | None = None
    reason: LongText = ""
