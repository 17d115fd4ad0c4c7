"""What every fact has in common: ids that cannot be swapped, places, times, and growth by optional fields.

A fact is something that happened and that nobody may refuse. Readers ignore fields they do not know, so a
fact may grow by optional fields; anything else is a new class with the next version in its `type`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, ClassVar, NewType
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

ReportId = NewType("ReportId", UUID)
CaseId = NewType("CaseId", UUID)
PlanId = NewType("PlanId", UUID)
OrderId = NewType("OrderId", UUID)
UnitId = NewType("UnitId", UUID)
NoticeId = NewType("NoticeId", UUID)
DeliveryId = NewType("DeliveryId", UUID)
SiteId = NewType("SiteId", UUID)
SightingId = NewType("SightingId", UUID)
MutualAidId = NewType("MutualAidId", UUID)
SpecimenId = NewType("SpecimenId", UUID)
EventId = NewType("EventId", UUID)


def _as_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be a time between the years 1 and 9999 in UTC") from None


Moment = Annotated[AwareDatetime, AfterValidator(_as_utc)]
"""An aware time, kept in UTC; a naive one is refused."""


def _ascii(text: str) -> str:
    # The pattern is read by pydantic's engine, too, whose \d means the digits of every script.
    if not text.isascii():
        raise ValueError("must be written with the digits 0 to 9")
    return text


RegionCode = Annotated[
    str, Field(pattern=r"^\d{6}$", description="GB/T 2260 code of a county."), AfterValidator(_ascii)
]
TownshipCode = Annotated[str, Field(pattern=r"^\d{9}$"), AfterValidator(_ascii)]


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain a NUL character (U+0000)")
    return text


ShortText = Annotated[str, Field(max_length=200), AfterValidator(_without_nul)]
LongText = Annotated[str, Field(max_length=2000), AfterValidator(_without_nul)]


class Value(BaseModel):
    """A frozen value inside a fact; unknown fields are ignored so that it can grow."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_timedelta="float")


class Position(Value):
    """A WGS-84 position in degrees."""

    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)


class Place(Value):
    """A position with the words people use for it."""

    position: Position
    name: ShortText = ""
    township_code: TownshipCode | None = None


class Sex(StrEnum):
    male = "male"
    female = "female"
    unknown = "unknown"


class Tier(StrEnum):
    """How far an alert reaches; raised or lowered by a person with a reason."""

    search = "search"
    interception = "interception"
    cross_region = "cross_region"


class TravelMode(StrEnum):
    unknown = "unknown"
    walking = "walking"
    car = "car"
    bus = "bus"
    ferry = "ferry"


class Child(Value):
    """What may be said of the child to those who look: no name, no family, no face."""

    sex: Sex
    age_years: int = Field(ge=0, le=17)
    height_cm: int | None = Field(default=None, ge=30, le=220)
    appearance: LongText = Field(min_length=1)


class Fact(BaseModel):
    """Something that happened, as it goes over the wire; `type_` and its topic never change once used."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    type_: ClassVar[str]

    region_code: RegionCode
    exercise: bool = Field(
        default=False, description="True in an exercise (演练); marked on every page and message."
    )
    occurred_at: Moment


class CaseFact(Fact):
    """A fact of one case; its topic's key is the case, so that a case's facts stay in order."""

    case_id: CaseId
