"""One locus of one comparison, ready to compute: alleles, frequencies, mutation, and what was seen of whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dna_intake.kinship.frequencies import FrequencyTable, with_minimum
from dna_intake.kinship.model import Model
from dna_intake.kinship.mutation import Sex, mutation_matrix
from dna_intake.kinship.observation import Observed, observed
from dna_intake.kinship.refusals import ModelRefused

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Site:
    """A locus: index i of `frequencies` and of the matrices is `alleles[i]`; a silent one, if any, comes last."""

    locus: str
    alleles: tuple[str, ...]
    frequencies: Array
    paternal: Array
    maternal: Array
    seen: Mapping[str, Observed]

    @property
    def count(self) -> int:
        """How many alleles there are, a silent one included."""
        return len(self.frequencies)


def site_of(
    locus: str,
    genotypes: Mapping[str, tuple[tuple[str, ...], float]],
    table: FrequencyTable,
    model: Model,
) -> Site:
    """The locus under a model; `genotypes` are the seen alleles and the dropout of each person typed there.

    A silent allele takes its share of all frequencies, and mutates neither to nor from another.
    Raises: TableRefused, ModelRefused, naming the locus.
    """
    minimum = table.minimum_frequency if model.minimum_frequency is None else model.minimum_frequency
    carried = {allele for seen, _ in genotypes.values() for allele in seen}
    visible = with_minimum(table.loci[locus], carried, minimum, locus=locus)
    alleles, shares = tuple(visible), np.array(list(visible.values()))
    silent = len(alleles) if model.silent else None
    count = len(alleles) + (silent is not None)
    index = {allele: i for i, allele in enumerate(alleles)}
    return Site(
        locus,
        alleles,
        shares if silent is None else np.append(shares * (1 - model.silent), model.silent),
        _matrix(locus, alleles, shares, model, "male"),
        _matrix(locus, alleles, shares, model, "female"),
        {
            person: observed([index[allele] for allele in seen], count, dropout, silent)
            for person, (seen, dropout) in genotypes.items()
        },
    )


def _matrix(locus: str, alleles: tuple[str, ...], shares: Array, model: Model, sex: Sex) -> Array:
    try:
        matrix = mutation_matrix(model.mutation, alleles, shares, sex)
    except ModelRefused as refused:
        raise ModelRefused(refused.says, locus=locus) from refused
    if not model.silent:
        return matrix
    whole = np.eye(len(alleles) + 1)
    whole[:-1, :-1] = matrix
    return whole
