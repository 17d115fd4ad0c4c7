"""The assumptions that a likelihood rests on, in one frozen object that goes with every result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dna_intake.kinship.mutation import DEFAULT_MUTATION, Mutation
from dna_intake.kinship.refusals import ModelRefused


@dataclass(frozen=True)
class LinkedPair:
    """Two loci on one chromosome that recombine in a share of meioses, the same for men and women."""

    first: str
    second: str
    recombination: float

    def __post_init__(self) -> None:
        """Raises: ModelRefused, if it is no pair or no recombination fraction."""
        if self.first == self.second:
            raise ModelRefused("A locus can't be linked with itself; name two.", locus=self.first)
        if not 0 <= self.recombination <= 0.5:
            raise ModelRefused(
                f"The recombination fraction with {self.second} is {self.recombination!r}; give one from 0 to 0.5.",
                locus=self.first,
            )


# 0.089, 95 % confidence interval 0.044 to 0.158: O'Connor & Tillmar, Effect of linkage between vWA and D12S391 in
# kinship analysis, Forensic Sci Int Genet 6, 2012. They are 6.3 Mb apart, without known linkage disequilibrium.
VWA_D12S391 = LinkedPair("vWA", "D12S391", 0.089)


@dataclass(frozen=True)
class Model:
    """What is assumed of population and laboratory.

    `theta`: coancestry within the subpopulation, of all founders of a hypothesis (Balding & Nichols 1994).
    `silent`: frequency of an allele that no primer binds to. `minimum_frequency`: of any allele that somebody here
    carries; None is 5/(2N) of the table, 0.001 if N is not known; 0 changes nothing and refuses unseen alleles.
    """

    theta: float = 0.01
    mutation: Mutation = DEFAULT_MUTATION
    silent: float = 0.0
    minimum_frequency: float | None = None
    linked: Sequence[LinkedPair] = ()

    def __post_init__(self) -> None:
        """Raises: ModelRefused naming the parameter."""
        object.__setattr__(self, "linked", tuple(self.linked))
        if not 0 <= self.theta < 1:
            raise ModelRefused(
                f"theta is {self.theta!r}; give at least 0 and less than 1, 0.01 to 0.03 is usual."
            )
        if not 0 <= self.silent < 1:
            raise ModelRefused(f"silent is {self.silent!r}; give a frequency of at least 0 and less than 1.")
        if self.minimum_frequency is not None and not 0 <= self.minimum_frequency < 1:
            raise ModelRefused(
                f"minimum_frequency is {self.minimum_frequency!r}; give at least 0 and less than 1, or None."
            )
        loci = [locus for pair in self.linked for locus in (pair.first, pair.second)]
        for locus in loci:
            if loci.count(locus) > 1:
                raise ModelRefused("It is in two linked pairs; a locus may be in one.", locus=locus)
