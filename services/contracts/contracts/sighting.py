"""Sightings: what somebody saw, where and when, and what a person thinks of it."""

from __future__ import annotations

from typing import ClassVar, Literal
from uuid import UUID

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


def spoken_number(sighting_id: UUID) -> str:
    """The number that people say on the phone for a sighting: the last six characters of its id, which are random."""
    return sighting_id.hex[-6:].upper()


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
