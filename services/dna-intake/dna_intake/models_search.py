"""The rows of the search as frozen values, and what goes in and out over HTTP about searches and candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints, model_validator

from dna_intake.domain.kin import Kind, SearchRelation
from dna_intake.domain.lineage import Marker, Outcome
from dna_intake.domain.reviews import CandidateState, Verdict
from dna_intake.models import Row
from guitu.problem import ApiModel

Cause = Literal["profile_entered", "retyped", "manual", "all_against_all"]
SearchState = Literal["waiting", "completed", "cancelled"]
Purpose = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=4, max_length=200, pattern=r"^[^\x00-\x1f]+$")
]
"""Why somebody looks; it stands in the log for ever, so it names a file number and never a person."""


class SearchRow(Row):
    """One search; `missing` are the partitions that have not answered."""

    id: UUID
    specimen_id: UUID
    region_code: str
    exercise: bool
    kind: Kind
    relations: tuple[SearchRelation, ...]
    generation: int
    state: SearchState
    missing: tuple[int, ...]
    compared: int
    leads: int
    compared_generation: int | None
    attempts: int
    due_at: datetime
    requested_at: datetime
    completed_at: datetime | None


class CandidateRow(Row):
    """A lead: a child and one member of a family, or a declared couple."""

    id: UUID
    child_id: UUID
    family_id: UUID
    spouse_id: UUID | None
    relation: SearchRelation
    child_region: str
    family_region: str
    exercise: bool
    state: CandidateState
    search_id: UUID
    log10_lr: float
    inconsistent: int
    loci: int
    compared: int
    posterior: float
    strangers_by_mismatch: float | None
    strangers_by_lr: float
    index_generation: int
    table_name: str
    table_sha256: str
    model: dict[str, Any]
    markers: tuple[Marker, ...]
    review_round: int
    found_at: datetime
    changed_at: datetime


class ResultRow(Row):
    """What a second-tier marker said; the haplotypes themselves are sealed."""

    id: UUID
    candidate_id: UUID
    marker: Marker
    outcome: Outcome
    compared: int
    mismatches: int
    log10_lr: float | None
    recorded_at: datetime
    recorded_by: str


class RunRow(Row):
    """One comparison of all children with all families; `missing` are the steps not done."""

    id: UUID
    state: Literal["running", "completed", "cancelled"]
    generation: int
    steps: int
    missing: tuple[int, ...]
    compared: int
    leads: int
    missed: int
    attempts: int
    due_at: datetime
    started_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True)
class SealedProfile:
    """A profile as the matcher reads it: still sealed, with what it needs to know beside it."""

    specimen_id: UUID
    kind: Kind
    key_hash: int
    case_link: bytes | None = field(repr=False)
    wrapped_key: bytes = field(repr=False)
    genotype_sealed: bytes = field(repr=False)


@dataclass(frozen=True)
class Change:
    """One step of the index; without a profile the specimen leaves it."""

    generation: int
    specimen_id: UUID
    profile: SealedProfile | None


@dataclass(frozen=True)
class Found:
    """One lead as a matcher found it; `relatives` has one specimen, or the two of a couple, the father first.

    `chance` is the probability that a stranger of the searched person is as consistent: at most as many loci differ;
    None for relations that no locus can exclude.
    """

    child_id: UUID
    relatives: tuple[UUID, ...]
    relation: SearchRelation
    log10_lr: float
    inconsistent: int
    loci: int
    chance: float | None


@dataclass(frozen=True)
class Terms:
    """With what a matcher compares: every result states it."""

    table_name: str
    table_sha256: str
    model: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What a matcher says to a search: how many it compared in each of its partitions, and the leads."""

    generation: int
    compared: dict[int, int]
    found: Sequence[Found]
    took_ms: float
    population: int = 0


@dataclass(frozen=True)
class NewRatio:
    """The exact ratio of a candidate over all loci known by now; `refused_at` names the locus that can't be used."""

    log10_lr: float = 0.0
    loci: int = 0
    inconsistent: int = 0
    refused_at: str | None = None


class AskSearch(ApiModel):
    """Search for a specimen again, by hand; without `relations` for all that apply."""

    specimen_id: UUID
    purpose: Purpose
    relations: Annotated[tuple[SearchRelation, ...], Field(max_length=5)] = ()


class SearchAnswer(BaseModel):
    """How far a search is: `parts_done` of `parts` partitions have answered."""

    id: UUID
    specimen_id: UUID
    relations: tuple[SearchRelation, ...]
    generation: int
    state: SearchState
    parts: int
    parts_done: int
    compared: int
    leads: int
    compared_generation: int | None
    requested_at: datetime
    completed_at: datetime | None
    cause: Cause
    purpose: str
    asked_by: str


class SearchList(BaseModel):
    """Searches, the newest first."""

    searches: list[SearchAnswer]


class ResultAnswer(BaseModel):
    """A recorded second-tier result, without the haplotypes."""

    id: UUID
    marker: Marker
    outcome: Outcome
    compared: int
    mismatches: int
    log10_lr: float | None
    recorded_at: datetime
    recorded_by: str


class CandidateAnswer(CandidateRow):
    """A lead, with what it is and is not in both languages.

    `verdict` and `reviewers` are empty until a round of reviews is settled.
    """

    says_en: str
    says_zh: str
    second_tier: list[ResultAnswer]
    verdict: Verdict | None
    reviewers: list[str]


class CandidateList(BaseModel):
    """Leads, the most probable first."""

    candidates: list[CandidateAnswer]


class GiveReview(ApiModel):
    """A reviewer's verdict, from the candidate alone."""

    verdict: Verdict


class ReviewAnswer(BaseModel):
    """That the verdict is recorded; what others said is not told before the round is settled."""

    candidate_id: UUID
    recorded: bool
    settled: bool
    state: CandidateState
    verdict: Verdict | None


class AskReveal(ApiModel):
    """Why the identity wall is to be opened for this candidate."""

    purpose: Purpose


class RevealAnswer(BaseModel):
    """Whose case the confirmed family's specimen belongs to."""

    candidate_id: UUID
    child_specimen_id: UUID
    child_barcode: str
    case_id: UUID
    child_case_id: UUID | None


Haplotype = dict[
    Annotated[str, StringConstraints(min_length=1, max_length=20)],
    Annotated[list[Annotated[str, StringConstraints(max_length=8)]], Field(max_length=4)],
]
Variants = Annotated[list[Annotated[str, StringConstraints(max_length=12)]], Field(max_length=200)]


class RecordSecondTier(ApiModel):
    """One second-tier result: give the fields of its marker.

    `y_str`: haplotypes of both by locus. `mtdna`: both people's differences from the revised Cambridge reference
    within the sequenced range. `more_loci`: autosomal loci typed in addition, of child and relative (and spouse).
    """

    marker: Literal["y_str", "mtdna", "more_loci"]
    child: Annotated[Haplotype, Field(max_length=60)] | None = None
    relative: Annotated[Haplotype, Field(max_length=60)] | None = None
    spouse: Annotated[Haplotype, Field(max_length=60)] | None = None
    child_variants: Variants | None = None
    relative_variants: Variants | None = None
    sequenced_first: Annotated[int, Field(ge=1, le=16_569)] | None = None
    sequenced_last: Annotated[int, Field(ge=1, le=16_569)] | None = None

    @model_validator(mode="after")
    def _fields_of_the_marker(self) -> RecordSecondTier:
        names = ["child", "relative"]
        if self.marker == "mtdna":
            names = ["child_variants", "relative_variants", "sequenced_first", "sequenced_last"]
        if any(getattr(self, name) is None for name in names):
            raise ValueError(f"{self.marker} needs {', '.join(names)}")
        return self


class StartRun(ApiModel):
    """Compare all with all now."""

    purpose: Purpose


class RunAnswer(BaseModel):
    """How far a comparison of all with all is.

    `missed` counts leads that no search had found: it must be 0, and raises an alarm if not.
    """

    id: UUID
    state: Literal["running", "completed", "cancelled"]
    generation: int
    steps: int
    steps_done: int
    compared: int
    leads: int
    missed: int
    started_at: datetime
    completed_at: datetime | None


class RunList(BaseModel):
    """The latest comparisons of all with all."""

    runs: list[RunAnswer]
