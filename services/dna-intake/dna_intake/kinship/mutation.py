"""How an allele changes from parent to child: none, equal, proportional or stepwise, for men and women apart.

Rows are the parent's allele, columns the transmitted one. Sources: Dawid, Mortera & Pascali, Forensic Sci Int 124,
2001 (proportional, stepwise); Egeland, Kling & Mostad, Relationship Inference with Familias and R, 2015, chapter 5
(`range`, and a second rate to microvariants).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from dna_intake.kinship.alleles import steps_between
from dna_intake.kinship.refusals import ModelRefused
from dna_intake.kinship.stabilised import stabilised

Array = NDArray[np.float64]
MutationModel = Literal["none", "equal", "proportional", "stepwise"]
Sex = Literal["male", "female"]


@dataclass(frozen=True)
class Mutation:
    """Rates are per meiosis and locus.

    `rate_male`, `rate_female`: of any mutation; with "stepwise", of those by whole repeats.
    `rate_microvariant`: stepwise only, of mutations to alleles that are not a whole number of repeats away.
    `range`: stepwise only, how much rarer each further step is. `stabilised`: frequencies stay what they are.
    """

    model: MutationModel = "none"
    rate_male: float = 0.0
    rate_female: float = 0.0
    rate_microvariant: float = 0.0
    range: float = 0.1
    stabilised: bool = False

    def __post_init__(self) -> None:
        """Raises: ModelRefused, if a rate is not a probability, or is there though nothing mutates."""
        if self.model not in get_args(MutationModel):
            raise ModelRefused(
                f"Mutation model {self.model!r} is not known; use one of {', '.join(get_args(MutationModel))}."
            )
        for name in ("rate_male", "rate_female", "rate_microvariant"):
            if not 0 <= getattr(self, name) < 1:
                raise ModelRefused(
                    f"{name} is {getattr(self, name)!r}; give a rate of at least 0 and below 1."
                )
        if max(self.rate_male, self.rate_female) + self.rate_microvariant > 1:
            raise ModelRefused("The rates of an allele add up to more than 1; lower rate_microvariant.")
        if not 0 < self.range <= 1:
            raise ModelRefused(f"range is {self.range!r}; give more than 0 and at most 1, 0.1 is usual.")
        if self.model == "none" and (self.rate_male or self.rate_female or self.rate_microvariant):
            raise ModelRefused("Model 'none' has no rates; leave them 0, or name another model.")
        if self.model != "stepwise" and self.rate_microvariant:
            raise ModelRefused("Only model 'stepwise' has rate_microvariant; leave it 0.")


# Per meiosis, over the usual loci: 0.002 in men and 0.0005 in women, as implementations of GB/T 37223-2018 have them
# (secondary sources; we did not read the standard). Microvariants: small, so that such a change is possible
# (general knowledge).
DEFAULT_MUTATION = Mutation(
    "stepwise", rate_male=0.002, rate_female=0.0005, rate_microvariant=1e-6, range=0.1
)


def mutation_matrix(mutation: Mutation, alleles: Sequence[str], frequencies: Array, sex: Sex) -> Array:
    """Probability of each transmitted allele (columns) given the parent's (rows); rows sum to 1.

    Where an allele has no other one to go to, its rate stays with it. `frequencies` sum to 1.
    Raises: ModelRefused, if a rate is too high for these frequencies.
    """
    shares = tuple(float(p) for p in frequencies)
    return _matrix(
        mutation, tuple(alleles), shares, mutation.rate_male if sex == "male" else mutation.rate_female
    )


@lru_cache(maxsize=1024)
def _matrix(mutation: Mutation, alleles: tuple[str, ...], shares: tuple[float, ...], rate: float) -> Array:
    """A comparison asks for the same few again and again; nobody may write into the answer."""
    frequencies = np.array(shares)
    if mutation.model == "none" or len(alleles) == 1:
        matrix = np.eye(len(alleles))
    elif mutation.model == "equal":
        matrix = _equal(rate, len(alleles))
    elif mutation.model == "proportional":
        matrix = _proportional(rate, frequencies)
    else:
        matrix = _stepwise(mutation, rate, alleles)
    if mutation.stabilised:
        matrix = stabilised(matrix, frequencies)
    matrix.setflags(write=False)
    return matrix


def _equal(rate: float, count: int) -> Array:
    matrix = np.full((count, count), rate / (count - 1))
    np.fill_diagonal(matrix, 1 - rate)
    return matrix


def _proportional(rate: float, frequencies: Array) -> Array:
    """Off the diagonal k·p_j, with k such that a random allele mutates at `rate`."""
    factor = rate / float(frequencies @ (1 - frequencies))
    if factor * float((1 - frequencies).max()) > 1:
        raise ModelRefused(
            f"A proportional rate of {rate:g} is more than 1 for the rarest allele; lower it, or use another model."
        )
    matrix = np.tile(factor * frequencies, (len(frequencies), 1))
    np.fill_diagonal(matrix, 0)
    np.fill_diagonal(matrix, 1 - matrix.sum(axis=1))
    return matrix


def _stepwise(mutation: Mutation, rate: float, alleles: Sequence[str]) -> Array:
    count = len(alleles)
    matrix = np.zeros((count, count))
    for row, allele in enumerate(alleles):
        steps = [steps_between(allele, other) for other in alleles]
        weights = np.array([mutation.range ** (step - 1) if step else 0.0 for step in steps])
        other_kind = np.array([float(step is None) for step in steps])
        if weights.any():
            matrix[row] += rate * weights / weights.sum()
        if other_kind.any():
            matrix[row] += mutation.rate_microvariant * other_kind / other_kind.sum()
        matrix[row, row] = 1 - matrix[row].sum()
    return matrix
