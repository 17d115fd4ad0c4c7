"""The rows of dna-intake as frozen values, and what goes in and out over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from contracts.base import RegionCode
from contracts.dna import CustodyState, SpecimenCategory
from dna_intake.domain.custody import LOSSES, WITHDRAWAL, LossReason, State
from dna_intake.domain.requests import CrossMatchState, Need, SampleState
from guitu.problem import ApiModel


class Row(BaseModel):
    """A row as the database holds it."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class SampleRow(Row):
    """The request for a sample of the parents; `due_at` is its clock."""

    id: UUID
    case_id: UUID
    region_code: str
    exercise: bool
    category: SpecimenCategory
    state: SampleState
    requested_at: datetime
    due_at: datetime
    overdue_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancelled_because: str | None = None
    tries: int = 1


class CrossMatchRow(Row):
    """The request to compare the case's parents, with what it waits for."""

    id: UUID
    case_id: UUID
    region_code: str
    exercise: bool
    state: CrossMatchState
    waits_for: tuple[Need, ...]
    requested_at: datetime
    changed_at: datetime


class CrossMatchAnswer(CrossMatchRow):
    """The same, with sentences for people."""

    says_en: str
    says_zh: str


class RequestsAnswer(BaseModel):
    """The open work of a case, or of the laboratory."""

    sample_requests: list[SampleRow]
    cross_match_requests: list[CrossMatchAnswer]


Relation = Literal[
    "father",
    "mother",
    "full_sibling",
    "paternal_grandfather",
    "paternal_grandmother",
    "maternal_grandfather",
    "maternal_grandmother",
    "uncle_aunt",
]
"""What the giver of a family's specimen is to the missing child."""
RegisteredSex = Literal["male", "female"]
"""The sex in the register, to compare amelogenin with."""


class SpecimenRow(Row):
    """A specimen: pseudonymous, known by its id and barcode; `moves` counts the links of its chain.

    Whose case it belongs to stands behind the identity wall (`identity`); its text form hides both halves.
    """

    id: UUID
    barcode: str
    category: SpecimenCategory
    case_link: bytes | None = Field(default=None, repr=False)
    case_sealed: bytes | None = Field(default=None, repr=False)
    relation: Relation | None = None
    registered_sex: RegisteredSex | None = None
    region_code: str
    exercise: bool
    state: State
    moves: int
    registered_at: datetime
    resample_of: UUID | None = None
    tries: int = 1
    due_at: datetime | None = None
    overdue_at: datetime | None = None
    consent_at: datetime | None = None

    @property
    def of_a_family(self) -> bool:
        """Does a case's sample request wait for it?"""
        return self.case_link is not None and self.category == "parent_of_missing_child"


class ProfileRow(Row):
    """A profile under lock; without key and genotype it was expunged. Its text form hides both."""

    specimen_id: UUID
    region_code: str
    kit: str
    loci_typed: int
    partial: bool
    wrapped_key: bytes | None = Field(repr=False)
    genotype_sealed: bytes | None = Field(repr=False)
    accepted_at: datetime
    accepted_by: str
    expunged_at: datetime | None = None


Seal = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9-]{2,31}$")]
"""The number printed on the seal of the bag or tube."""

_PLAIN = r"^[^\x00-\x1f\x7f]+$"
Location = Annotated[str, StringConstraints(strip_whitespace=True, max_length=80, pattern=_PLAIN)]
"""The room or station, never a person."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=20)]
Allele = Annotated[str, StringConstraints(max_length=8)]


# Moments outside these years are typing errors, and the edges of the calendar can't be put into UTC.
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
Moment = Annotated[AwareDatetime, Field(ge=_EARLIEST, le=_LATEST)]
"""When something happened, with its time zone."""


class RegisterSpecimen(ApiModel):
    """A label for a specimen; one for a case takes `exercise` from the case.

    With `resample_of` it takes the place of a lost one, and inherits its case, relation and sex. `consent` says that
    the giver's signed form was seen: it stays at the station with the second label on it; nothing of it is kept here.
    """

    category: SpecimenCategory
    region_code: RegionCode
    case_id: UUID | None = None
    relation: Relation | None = None
    registered_sex: RegisteredSex | None = None
    exercise: bool = False
    resample_of: UUID | None = None
    consent: bool = False

    @model_validator(mode="after")
    def _relation_of_a_family(self) -> RegisterSpecimen:
        if self.relation is not None and self.category != "parent_of_missing_child":
            raise ValueError("relation is for category parent_of_missing_child only; leave it out")
        return self


class MoveSpecimen(ApiModel):
    """One step of custody; without `at` it happened now.

    `seal` is what was read on the tube, `new_seal` what replaced it if the step broke it. A label that never
    saw a tube is rejected or withdrawn without one.
    """

    to_state: CustodyState
    seal: Seal | None = None
    new_seal: Seal | None = None
    location: Location
    at: Moment | None = None
    reason: LossReason | None = None

    @model_validator(mode="after")
    def _reason_of_a_loss(self) -> MoveSpecimen:
        if self.reason is None:
            return self
        if self.to_state not in LOSSES:
            raise ValueError("reason is for moves to rejected or withdrawn; leave it out")
        if (self.reason in WITHDRAWAL) != (self.to_state == "withdrawn"):
            raise ValueError(f"reason is not one of those for a move to {self.to_state}")
        return self


class EnterProfile(ApiModel):
    """A profile as one person read it: locus -> one or two alleles as text.

    Only a locus that was typed a second time, with the same result, may stand in the two lists of confirmed ones.
    """

    kit: Annotated[str, StringConstraints(strip_whitespace=True, max_length=120, pattern=_PLAIN)]
    loci: Annotated[
        dict[Name, Annotated[list[Allele], Field(max_length=8)]], Field(min_length=1, max_length=60)
    ]
    off_ladder_confirmed: Annotated[tuple[Name, ...], Field(max_length=60)] = ()
    tri_allelic_confirmed: Annotated[tuple[Name, ...], Field(max_length=60)] = ()


class MoveAnswer(BaseModel):
    """One link of the chain, as people read it."""

    seq: int
    from_state: State | None
    to_state: State
    moved_at: datetime
    recorded_at: datetime
    actor: str
    seal: str
    seal_found: str
    reason: str
    location: str
    hash: str


class SpecimenShown(BaseModel):
    """A specimen as people see it: that it belongs to a case, never to which."""

    id: UUID
    barcode: str
    category: SpecimenCategory
    linked_to_case: bool
    relation: Relation | None
    registered_sex: RegisteredSex | None
    region_code: str
    exercise: bool
    state: State
    moves: int
    registered_at: datetime
    resample_of: UUID | None
    tries: int
    due_at: datetime | None
    overdue_at: datetime | None
    consent_at: datetime | None


class SpecimenAnswer(SpecimenShown):
    """A specimen with where it may go, and its chain."""

    legal_moves: list[State]
    chain: list[MoveAnswer]


class SpecimenList(BaseModel):
    """Specimens of a case, or the one under a label."""

    specimens: list[SpecimenShown]


class SealChangeAnswer(BaseModel):
    """After move `seq` another seal was on the tube; `declared` if the move said that one was broken."""

    seq: int
    before: str
    after: str
    declared: bool


class CustodyAnswer(BaseModel):
    """Does the chain hold, and where did the seal change?"""

    specimen_id: UUID
    intact: bool
    moves: int
    broken_at: int | None = None
    says: str = ""
    seal_changes: list[SealChangeAnswer]
    resample_of: UUID | None
    resampled_as: UUID | None


class ProfileAnswer(BaseModel):
    """What may be said of a profile: how much of it there is, never what."""

    specimen_id: UUID
    state: State
    kit: str
    loci_typed: int
    partial: bool
    accepted_at: datetime
