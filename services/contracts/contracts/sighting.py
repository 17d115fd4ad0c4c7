"""Sightings: what somebody saw, where and when, and what a person thinks of it."""

from __future__ import annotations

from typing import ClassVar, Literal

from contracts.base import (
    CaseFact,
    LongText,
    Moment,
    Place,
    ShortText,
    SightingId,
    SiteId,
    TravelMode,
    UnitId,
)


class SightingReported(CaseFact):
    """Somebody saw the child, perhaps; the plan is made again at once, before anybody assessed it."""

    type_: ClassVar[str] = "guitu.sighting.reported.v1"

    sighting_id: SightingId
    seen_at: Moment
    place: Place
    mode: TravelMode = TravelMode.unknown
    note: LongText = ""
    channel: Literal["sms", "page", "checkpoint", "operator", "webhook"]
    site_id: SiteId | None = None
    unit_id: UnitId | None = None


class SightingAssessed(CaseFact):
    """A person judged the sighting; a refuted one no longer moves the plan."""

    type_: ClassVar[str] = "guitu.sighting.assessed.v1"

    sighting_id: SightingId
    verdict: Literal["credible", "uncertain", "refuted"]
    reason: ShortText = ""
