"""An answer as its JSON says it: the numbers, locus by locus, and everything they rest on; no verdict.

Only report mode `gbt37223` carries an opinion, since that scale belongs to its rules. Infinity has no JSON: where
the first hypothesis is impossible, `log10_lr` is null and `impossible` says at which loci.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dna_intake.kinship_files.case import ModelChoice
from dna_intake.kinship_files.fields import LocusName, Mode, PersonId, Sha256, Strict

RESULT_FORMAT: Literal["guitu.lr.result.v1"] = "guitu.lr.result.v1"


class TableUsed(Strict):
    """Which frequencies; the hash is over the normalised table, so that two laboratories can compare."""

    name: str
    source: str
    sha256: Sha256


class LocusResult(Strict):
    """One locus, or a linked pair of loci jointly."""

    locus: str
    log10_lr: float | None = Field(description="Null: impossible under the first hypothesis.")
    lr: float | None = Field(description="Null: impossible, or beyond what a double holds.")
    log10_h1: float | None = Field(
        description="Likelihood under the first hypothesis; null: zero, or mode gbt37223."
    )
    log10_h2: float | None = Field(
        description="Likelihood under the second hypothesis; null in mode gbt37223."
    )
    formula: Literal["likelihood", "plain", "step"]
    inconsistent: bool | None = Field(
        description="Mode gbt37223: the questioned parent can't have passed it on."
    )


class LeftOut(Strict):
    """What was typed and not used."""

    locus: str
    reason: str


class Opinion(Strict):
    """What the parentage-index rules say of the number; they are known from secondary sources only."""

    code: Literal["support", "exclusion", "undecided"]
    en: str
    zh: str
    inconsistent_loci: list[LocusName]
    other_parent_inconsistent_loci: list[LocusName] = Field(
        description="Loci that the known parent can't explain; many of them: check that one."
    )
    basis: str


class LrResult(Strict):
    """The whole answer."""

    format: Literal["guitu.lr.result.v1"] = RESULT_FORMAT
    mode: Mode
    formula: str = Field(description="Which formula gave the numbers, in words.")
    h1: str
    h2: str
    log10_lr: float | None = Field(
        description="Sum over the loci; null: impossible under the first hypothesis."
    )
    lr: float | None = Field(description="Null: impossible, or beyond what a double holds; use log10_lr.")
    impossible: list[str] = Field(description="Loci that can't be under the first hypothesis.")
    loci: list[LocusResult]
    left_out: list[LeftOut]
    people_typed: list[PersonId]
    table: TableUsed
    model: ModelChoice | None = Field(description="Null in mode gbt37223, which has rates of its own.")
    locus_models: dict[LocusName, ModelChoice] = Field(default_factory=dict)
    opinion: Annotated[Opinion | None, Field(description="Mode gbt37223 only.")] = None
    notices: list[str] = Field(default_factory=list)
