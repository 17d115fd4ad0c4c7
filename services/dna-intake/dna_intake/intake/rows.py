"""The rows of profiles in, as frozen values, and what its routes answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from dna_intake.models import Allele, Location, Name, Row
from guitu.problem import ApiModel

ReadingState = Literal["open", "entered", "void"]
ReasonCode = Literal["sex_differs", "three_alleles", "staff", "duplicate", "family"]
Because = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=5, max_length=300, pattern=r"^[^\x00-\x1f\x7f]+$"),
]
StaffCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,31}$")]


class ReadingRow(Row):
    """One person's reading under lock; without key and content it has ended. Its text form hides both."""

    id: UUID
    specimen_id: UUID
    region_code: str
    kit: str
    loci_typed: int
    partial: bool
    state: ReadingState
    import_id: UUID | None
    wrapped_key: bytes | None = Field(repr=False)
    reading_sealed: bytes | None = Field(repr=False)
    read_at: datetime
    read_by: str
    ended_at: datetime | None = None


class Reason(Row):
    """Why a profile waits for a second person: the loci it is about, and who it may be confused with."""

    code: ReasonCode
    loci: tuple[str, ...] = ()
    others: tuple[UUID, ...] = ()
    """Specimens, or for `staff` entries of the elimination list."""
    relation: str | None = None


class HoldRow(Row):
    """A profile that is held, or was."""

    id: UUID
    specimen_id: UUID
    region_code: str
    reasons: tuple[Reason, ...]
    held_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None
    ended_as: Literal["released", "void"] | None = None
    because: str | None = None


class StaffRow(Row):
    """A staff member's profile under lock."""

    id: UUID
    region_code: str
    staff_code: str
    kit: str
    loci_typed: int
    wrapped_key: bytes | None = Field(repr=False)
    genotype_sealed: bytes | None = Field(repr=False)
    registered_at: datetime
    registered_by: str
    retired_at: datetime | None = None


class ReadingAnswer(BaseModel):
    """What became of a reading that did not enter the profile: how much of it there is, never what."""

    specimen_id: UUID
    outcome: Literal["waiting", "held"]
    kit: str
    loci_typed: int
    partial: bool
    left_out: list[str]
    hold_id: UUID | None = None
    reasons: list[ReasonCode] = []
    says_en: str
    says_zh: str


class ReadingShown(BaseModel):
    """A reading as the worklist shows it."""

    read_by: str
    read_at: datetime
    kit: str
    loci_typed: int
    partial: bool
    state: ReadingState


class ReadingList(BaseModel):
    """Who has read a specimen's profile."""

    readings: list[ReadingShown]


class ReasonShown(Reason):
    """A reason with words for people, and what to do about it."""

    says_en: str
    says_zh: str
    mend: str


class HoldAnswer(BaseModel):
    """A held profile as the second person sees it."""

    id: UUID
    specimen_id: UUID
    barcode: str
    region_code: str
    held_at: datetime
    read_by: list[str]
    reasons: list[ReasonShown]


class HoldList(BaseModel):
    """The worklist, the oldest first."""

    holds: list[HoldAnswer]


class EndHold(ApiModel):
    """Why a second person lets a held profile in, or voids it."""

    because: Because


class HoldEnded(BaseModel):
    """What became of a hold."""

    hold_id: UUID
    specimen_id: UUID
    ended_as: Literal["released", "void"]


class RegisterStaff(ApiModel):
    """A staff member's elimination profile, under a code that the laboratory keeps."""

    staff_code: StaffCode
    region_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
    kit: Location
    loci: Annotated[
        dict[Name, Annotated[list[Allele], Field(max_length=8)]], Field(min_length=1, max_length=60)
    ]


class StaffAnswer(BaseModel):
    """An entry of the elimination list."""

    id: UUID
    staff_code: str
    kit: str
    loci_typed: int
    registered_at: datetime


class StaffList(BaseModel):
    """The elimination list of a region."""

    staff: list[StaffAnswer]


class KitAnswer(BaseModel):
    """A kit that profiles may be typed with."""

    name: str
    loci: list[str]
    left_out: list[str]
    control: str | None
    sources: list[str]


class KitList(BaseModel):
    """Every kit; join two by " + "."""

    kits: list[KitAnswer]


class ImportedSample(BaseModel):
    """What became of one sample of a file."""

    line: int
    specimen_id: UUID
    outcome: Literal["waiting", "entered", "held", "differs", "void"]
    loci_typed: int
    partial: bool
    left_out: list[str] = []
    loci: list[str] = []


class ImportAnswer(BaseModel):
    """What became of a file: all of it was taken."""

    import_id: UUID | None
    dry_run: bool
    repeated: bool = False
    format: str
    kit: str
    controls: int
    samples: list[ImportedSample]
