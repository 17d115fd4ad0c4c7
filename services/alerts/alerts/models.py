"""HTTP bodies of alerts; a field we do not know is refused, since a typing error must not lose a fact."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import phonenumbers
from pydantic import AfterValidator, Field, model_validator

from alerts.domain.case import Circumstance
from alerts.domain.names import without_names
from contracts.base import (
    Child,
    LongText,
    Moment,
    Place,
    Position,
    RegionCode,
    ReportId,
    Sex,
    ShortText,
    Tier,
    TownshipCode,
    TravelMode,
)
from contracts.report import ReportFiled
from guitu.problem import ApiModel

PHOTO_BASE64_MAX = 3 * 1024 * 1024
"""A phone's photo after its own compression, 2.2 MB."""
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF")
DESCRIPTIONS = ("appearance", "vehicle", "companion", "note")
"""Free words of a report that go out to others, besides the place's."""
SHORT_MAX = 200
"""Characters of a short text (`contracts.base`); a name that grows to `child` must not break that bound."""
Reason = Annotated[LongText, Field(min_length=1)]
Age = Annotated[int, Field(ge=0, le=17)]
Height = Annotated[int, Field(ge=30, le=220)]


def _as_e164(number: str) -> str:
    """A number as +86...; the text of the error leaves the number out, it is personal."""
    try:
        parsed = phonenumbers.parse(number, "CN")
    except phonenumbers.NumberParseException:
        raise ValueError(
            "is not a phone number; write it like +8623xxxxxxxx or as dialled in China"
        ) from None
    verdict = phonenumbers.is_possible_number_with_reason(parsed)
    if verdict != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise ValueError("has too few or too many digits for a phone number of its country")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _is_photo(text: str) -> str:
    try:
        start = base64.b64decode(text, validate=True)[:16]
    except (binascii.Error, ValueError):
        raise ValueError("is not base64") from None
    if not start.startswith(_PICTURES):
        raise ValueError("is not a JPEG, PNG or WebP picture")
    return text


Phone = Annotated[str, Field(max_length=40), AfterValidator(_as_e164)]


class PositionIn(ApiModel):
    """WGS-84 degrees."""

    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)


class PlaceIn(ApiModel):
    """A position with the words people use for it; `lon` and `lat` may also stand beside `name`."""

    position: PositionIn
    name: ShortText = ""
    township_code: TownshipCode | None = None

    @model_validator(mode="before")
    @classmethod
    def _flat_or_nested(cls, given: Any) -> Any:
        """Maps and phones give a bare lon and lat; both in one place contradict each other and are refused."""
        if not isinstance(given, dict) or "position" in given or not {"lon", "lat"} & set(given):
            return given
        rest = {name: value for name, value in given.items() if name not in ("lon", "lat")}
        return rest | {"position": {name: given[name] for name in ("lon", "lat") if name in given}}

    def as_place(self) -> Place:
        """The contract's place."""
        position = Position(lon=self.position.lon, lat=self.position.lat)
        return Place(position=position, name=self.name, township_code=self.township_code)


class IdentityIn(ApiModel):
    """Who the child and the family are: kept in the vault, and nowhere else."""

    child_name: ShortText = Field(default="", repr=False)
    parent_names: list[ShortText] = Field(default_factory=list, max_length=4, repr=False)
    phones: list[Phone] = Field(default_factory=list, max_length=6, repr=False)
    photo_base64: Annotated[str, Field(max_length=PHOTO_BASE64_MAX), AfterValidator(_is_photo)] | None = (
        Field(default=None, repr=False)
    )
    as_said: dict[str, LongText] = Field(
        default_factory=dict,
        repr=False,
        max_length=len(DESCRIPTIONS) + 1,
        description="Descriptions as they were reported, where a name in them was replaced.",
    )

    def to_seal(self) -> dict[str, Any]:
        """What the vault keeps."""
        return self.model_dump(exclude=None if self.as_said else {"as_said"})


def nameless_text(words: str, child: Sequence[str], parents: Sequence[str]) -> str:
    """The words without the child's and the parents' names, as long as they may be."""
    told = without_names(words, child, parents)
    return words if told == words else told[: max(len(words), SHORT_MAX)]


class ReportIn(ApiModel):
    """A missing-child report: place, time, sex, age and appearance suffice; nothing else blocks."""

    last_seen_place: PlaceIn
    last_seen_at: Moment
    sex: Sex
    age_years: Age
    appearance: Annotated[LongText, Field(min_length=1)]
    height_cm: Height | None = None
    circumstance: Circumstance = "unknown"
    suspected_mode: TravelMode = TravelMode.unknown
    vehicle: ShortText = ""
    companion: LongText = ""
    note: LongText = ""
    source: ShortText = ""
    region_code: RegionCode | None = None
    tier: Tier | None = None
    exercise: bool = False
    identity: IdentityIn | None = None

    def nameless(self) -> ReportIn:
        """The report as others may read it: the family's names are replaced in it, and kept in the identity."""
        if self.identity is None:
            return self
        names = self.identity
        said = {name: getattr(self, name) for name in DESCRIPTIONS} | {"place": self.last_seen_place.name}
        told = {n: nameless_text(words, [names.child_name], names.parent_names) for n, words in said.items()}
        as_said = names.as_said | {name: words for name, words in said.items() if told[name] != words}
        place = self.last_seen_place.model_copy(update={"name": told.pop("place")})
        kept = names.model_copy(update={"as_said": as_said})
        return self.model_copy(update=told | {"last_seen_place": place, "identity": kept})

    def filed(self, report_id: ReportId, region_code: str, source: str, now: datetime) -> ReportFiled:
        """The fact that goes to the topic: nothing of the identity is in it."""
        same = ("exercise", "last_seen_at", "circumstance", "suspected_mode", "vehicle", "companion", "note")
        return ReportFiled(
            region_code=region_code,
            occurred_at=now,
            report_id=report_id,
            child=self.child(),
            last_seen_place=self.last_seen_place.as_place(),
            source=self.source or source,
            **{name: getattr(self, name) for name in same},
        )

    def child(self) -> Child:
        """What may be said of the child."""
        return Child(
            sex=self.sex, age_years=self.age_years, height_cm=self.height_cm, appearance=self.appearance
        )


class DuplicateOut(ApiModel):
    """An open case that may be the same child's; a person decides."""

    case_id: UUID
    case_code: str
    score: float
    why: tuple[str, ...]


class ReportOut(ApiModel):
    """What a report became. `event_id` is the id of the AlertRaised fact."""

    case_id: UUID
    case_code: str
    report_id: UUID
    event_id: UUID
    alert_version: int
    tier: Tier
    ring: dict[str, Any]
    exercise: bool
    possible_duplicates: list[DuplicateOut]


class TierIn(ApiModel):
    """Raise or lower the tier."""

    tier: Tier
    reason: Reason


class FieldsIn(ApiModel):
    """What may change in an alert; only what is sent changes."""

    last_seen_place: PlaceIn | None = None
    last_seen_at: Moment | None = None
    sex: Sex | None = None
    age_years: Age | None = None
    appearance: Annotated[LongText, Field(min_length=1)] | None = None
    height_cm: Height | None = None
    circumstance: Circumstance | None = None
    suspected_mode: TravelMode | None = None
    vehicle: ShortText | None = None
    companion: LongText | None = None
    note: LongText | None = None

    @model_validator(mode="after")
    def _something(self) -> FieldsIn:
        """Only the height may become unknown again; an empty update is a mistake."""
        if not self.model_fields_set:
            raise ValueError("name at least one field to change")
        empty = [n for n in self.model_fields_set if n != "height_cm" and getattr(self, n) is None]
        if empty:
            raise ValueError(f"{', '.join(sorted(empty))} can't be null; leave it out to keep it")
        return self

    def nameless(self, child: Sequence[str], parents: Sequence[str]) -> FieldsIn:
        """The same fields without these names."""
        told: dict[str, Any] = {
            name: nameless_text(getattr(self, name), child, parents)
            for name in self.model_fields_set & {*DESCRIPTIONS}
        }
        if self.last_seen_place is not None:
            name = nameless_text(self.last_seen_place.name, child, parents)
            told["last_seen_place"] = self.last_seen_place.model_copy(update={"name": name})
        return self.model_copy(update=told)

    def sent(self) -> dict[str, Any]:
        """The fields that were sent, as the case holds them."""
        found: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        if self.last_seen_place is not None:
            found["last_seen_place"] = self.last_seen_place.as_place()
        return found


class UpdateIn(ApiModel):
    """A correction or news, with its reason."""

    fields: FieldsIn
    reason: Reason


class StandDownIn(ApiModel):
    """The end of an alert; a merge has its own address."""

    outcome: Literal["found", "false_alarm", "exercise_over"]
    reason: LongText = ""


class MergeIn(ApiModel):
    """This case is the same child's as `into`."""

    into: UUID
    reason: Reason


class VersionOut(ApiModel):
    """Where the alert stands after a change; `changed` is empty if there was nothing to change."""

    case_id: UUID
    case_code: str
    alert_version: int
    state: str
    tier: Tier
    changed: tuple[str, ...] = ()
    outcome: str | None = None
    merged_into: UUID | None = None


class SightingIn(ApiModel):
    """What somebody told the command centre."""

    seen_at: Moment
    place: PlaceIn
    mode: TravelMode = TravelMode.unknown
    note: LongText = ""


class SightingOut(ApiModel):
    """The sighting that was kept."""

    case_id: UUID
    sighting_id: UUID


class AssessmentIn(ApiModel):
    """A person's judgement of a sighting."""

    verdict: Literal["credible", "uncertain", "refuted"]
    reason: ShortText = ""


class AssessmentOut(ApiModel):
    """The judgement that stands."""

    case_id: UUID
    sighting_id: UUID
    verdict: str


class ForgetIn(ApiModel):
    """Why an identity is erased."""

    reason: Reason


class ForgetOut(ApiModel):
    """The identity is gone for good."""

    case_id: UUID
    forgotten: Literal[True] = True
