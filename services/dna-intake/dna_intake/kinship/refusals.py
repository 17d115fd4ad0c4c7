"""Why a kinship question can't be answered: always with locus and person where there is one, and with the mend."""

from __future__ import annotations


class KinshipRefused(ValueError):
    """The comparison can't be made; `locus` and `person` say where, the text says what to do."""

    def __init__(self, says: str, *, locus: str | None = None, person: str | None = None) -> None:
        where = ", ".join(
            part for part in (f"locus {locus}" if locus else "", f"person {person}" if person else "") if part
        )
        super().__init__(f"{where}: {says}" if where else says)
        self.says = says
        self.locus = locus
        self.person = person


class TableRefused(KinshipRefused):
    """The frequency table can't be used."""


class PedigreeRefused(KinshipRefused):
    """The family can't be as it is stated."""


class TypingRefused(KinshipRefused):
    """A genotype is not one or two alleles in a notation that we know."""


class ModelRefused(KinshipRefused):
    """A parameter is out of its range, or impossible with these frequencies."""


class ComparisonTooLarge(KinshipRefused):
    """The exact answer would need more memory or more terms than we allow ourselves."""


class Impossible(KinshipRefused):
    """The hypotheses can't explain the genotypes at a locus, so that there is no ratio."""
