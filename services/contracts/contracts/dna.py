"""DNA: samples with custody, profiles, cross-matching requests. Genotypes never appear here."""

from __future__ import annotations

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.base import CaseId, Fact, Moment, ShortText, SpecimenId

SpecimenCategory = Literal[
    "parent_of_missing_child", "suspected_trafficked", "unknown_origin", "adopted", "registry_applicant"
]
CustodyState = Literal[
    "registered",
    "collected",
    "received",
    "extracted",
    "quantified",
    "amplified",
    "typed",
    "quality_checked",
    "entered",
    "rejected",
    "withdrawn",
    "expunged",
]


class DnaFact(Fact):
    """A fact of the laboratory: of a case or of a specimen; none names both, and nobody can join them (ADR 0013)."""

    case_id: CaseId | None = None
    specimen_id: SpecimenId | None = None


class SampleRequested(DnaFact):
    """Blood of the parents is due (county plan: parents of missing children give blood)."""

    type_: ClassVar[str] = "guitu.dna.sample_requested.v1"

    category: SpecimenCategory
    due_at: Moment


class SampleRegistered(DnaFact):
    """A specimen got its pseudonymous id."""

    type_: ClassVar[str] = "guitu.dna.sample_registered.v1"

    category: SpecimenCategory


class CustodyMoved(DnaFact):
    """A specimen went one legal step on; the chain is append-only."""

    type_: ClassVar[str] = "guitu.dna.custody_moved.v1"

    from_state: CustodyState
    to_state: CustodyState


class ProfileAccepted(DnaFact):
    """A valid profile was entered; the genotype itself stays encrypted in dna-intake."""

    type_: ClassVar[str] = "guitu.dna.profile_accepted.v1"

    kit: ShortText
    loci_typed: int = Field(ge=1, le=60)


class CrossMatchRequested(DnaFact):
    """The case's parents are to be compared with every child of unknown origin; says what it waits for."""

    type_: ClassVar[str] = "guitu.dna.cross_match_requested.v1"

    request_id: UUID
    waits_for: tuple[Literal["parent_sample", "parent_profile", "kinship_search"], ...]


class CrossMatchCompleted(DnaFact):
    """A comparison ran over the whole index of the stated generation."""

    type_: ClassVar[str] = "guitu.dna.cross_match_completed.v1"

    request_id: UUID
    compared: int = Field(ge=0)
    candidates: int = Field(ge=0)
    index_generation: int = Field(ge=0)


class CandidateFound(DnaFact):
    """A lead, not an identification; two people review it."""

    type_: ClassVar[str] = "guitu.dna.candidate_found.v1"

    candidate_id: UUID
    request_id: UUID


class CandidateReviewed(DnaFact):
    """The reviewers' verdict."""

    type_: ClassVar[str] = "guitu.dna.candidate_reviewed.v1"

    candidate_id: UUID
    verdict: Literal["confirmed", "refuted", "more_markers"]


class GateDecided(DnaFact):
    """May this child be registered (落户关)? Valid until the stated time."""

    type_: ClassVar[str] = "guitu.dna.gate_decided.v1"

    request_id: UUID
    decision: Literal["clear", "hold", "blocked"]
    reason: ShortText
    valid_until: Moment | None = None
