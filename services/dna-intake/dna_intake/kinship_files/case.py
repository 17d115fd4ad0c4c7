"""A question as its JSON says it: who was typed, which two pedigrees compete, and by which table and model.

These models hold what a file may say and how much of it; what it says together is checked in `resolve`.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dna_intake.kinship_files.fields import (
    ALLELES_MAX,
    ALLELES_OF_A_PERSON_MAX,
    LINKED_MAX,
    LOCI_MAX,
    PEOPLE_MAX,
    Allele,
    LocusName,
    Mode,
    PersonId,
    Rate,
    Sex,
    Share,
    Strict,
    Text,
)
from dna_intake.kinship_files.relations import Relation

CASE_FORMAT: Literal["guitu.lr.case.v1"] = "guitu.lr.case.v1"
DEFAULT_TABLE = "norstr_east_asia"

Genotypes = Annotated[
    dict[LocusName, Annotated[list[Allele], Field(max_length=ALLELES_OF_A_PERSON_MAX)]],
    Field(max_length=LOCI_MAX),
]


class CasePerson(Strict):
    """Somebody who was typed, or is named for both hypotheses."""

    id: PersonId
    sex: Sex = "unknown"
    genotypes: Genotypes = Field(
        default_factory=dict, description="Locus -> one or two alleles; one means both are the same."
    )
    dropout: Rate = Field(
        0.0, description="Probability that an allele did not show; only for flagged low-template profiles."
    )


class PedigreePerson(Strict):
    """A place in one pedigree; father and mother are given together, or neither (a founder)."""

    id: PersonId
    sex: Sex | None = Field(None, description="Left out, that of `people`.")
    father: PersonId | None = None
    mother: PersonId | None = None


class Hypothesis(Strict):
    """One pedigree; everybody who is typed must be in both, untyped people may be in one."""

    name: Annotated[str, Field(max_length=100)] = ""
    people: Annotated[list[PedigreePerson], Field(min_length=1, max_length=PEOPLE_MAX)]


class Frequencies(Strict):
    """The table: one that ships, a file (CSV, TSV or JSON, relative to the case's own), or written out."""

    table: Annotated[str, Field(max_length=60)] | None = Field(
        None, description="nist1036_asian or norstr_east_asia."
    )
    file: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    loci: (
        Annotated[
            dict[LocusName, Annotated[dict[Allele, Share], Field(max_length=ALLELES_MAX)]],
            Field(min_length=1, max_length=LOCI_MAX),
        ]
        | None
    ) = Field(None, description="Locus -> allele -> frequency; the frequencies of a locus sum to 1.")
    name: Annotated[str, Field(max_length=100)] = Field("", description="Of a table that is written out.")
    source: Text = Field("", description="Where a table that is written out comes from.")
    people: Annotated[int, Field(ge=1)] | None = Field(
        None, description="How many people a table that is written out comes from."
    )

    @model_validator(mode="after")
    def _is_one_of_three(self) -> Self:
        if sum(given is not None for given in (self.table, self.file, self.loci)) != 1:
            raise ValueError("give one of: table, file, loci")
        return self


class MutationChoice(Strict):
    """How alleles change between parent and child; a rate that is left out is the library's, 0 with model none."""

    model: Literal["none", "equal", "proportional", "stepwise"] = "stepwise"
    rate_male: Rate | None = Field(None, description="Per transmission; left out, 0.002.")
    rate_female: Rate | None = Field(None, description="Per transmission; left out, 0.0005.")
    rate_microvariant: Rate | None = Field(
        None, description="Of changes such as 9 to 9.3, stepwise only; left out, 0.000001."
    )
    range: Annotated[float, Field(gt=0, le=1)] = Field(
        0.1, description="How much rarer each further step is, stepwise only."
    )
    stabilised: bool = Field(False, description="Changed so that frequencies stay as they are.")


class LinkedLoci(Strict):
    """Two loci on one chromosome that are not inherited independently."""

    first: LocusName
    second: LocusName
    recombination: Annotated[float, Field(ge=0, le=0.5)]


class ModelChoice(Strict):
    """What the likelihood assumes; every result repeats it."""

    theta: Rate = Field(0.01, description="Subpopulation correction (FST).")
    mutation: MutationChoice = MutationChoice()
    silent: Rate = Field(0.0, description="Frequency of an allele that never shows.")
    minimum_frequency: Annotated[float, Field(ge=0, lt=0.5)] | None = Field(
        None,
        description="Least frequency of an allele that was typed, also of one never seen; left out, 5/(2N) of a "
        "table that says from how many people N it comes, 0.001 of one that does not.",
    )
    linked: Annotated[list[LinkedLoci], Field(max_length=LINKED_MAX)] = Field(default_factory=list)


class LrCase(Strict):
    """A whole question: a relation by name, or two pedigrees `h1` and `h2`."""

    format: Literal["guitu.lr.case.v1"] = CASE_FORMAT
    note: Text = Field("", description="For people; nothing is read from it.")
    people: Annotated[list[CasePerson], Field(min_length=1, max_length=PEOPLE_MAX)]
    relation: Relation | None = None
    h1: Hypothesis | None = None
    h2: Hypothesis | None = None
    frequencies: Frequencies = Frequencies(table=DEFAULT_TABLE)
    model: ModelChoice = ModelChoice()
    locus_models: Annotated[dict[LocusName, ModelChoice], Field(max_length=LOCI_MAX)] = Field(
        default_factory=dict, description="Loci with a model of their own, in place of `model`."
    )
    loci: Annotated[list[LocusName], Field(min_length=1, max_length=LOCI_MAX)] | None = Field(
        None, description="Only these; each must be typed in somebody and be in the table."
    )
    mode: Mode = Field("full", description="gbt37223: parentage index by the step formula, for duo and trio.")

    @model_validator(mode="after")
    def _asks_one_question(self) -> Self:
        pedigrees = (self.h1 is not None, self.h2 is not None)
        if (self.relation is not None) == any(pedigrees) or any(pedigrees) != all(pedigrees):
            raise ValueError("give relation, or both h1 and h2")
        if self.mode == "gbt37223" and (self.relation is None or self.relation.kind not in ("duo", "trio")):
            raise ValueError("mode gbt37223 takes relation duo or trio; use mode full for other questions")
        return self
