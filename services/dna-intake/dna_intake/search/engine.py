"""From the exact engine's table and model to a search: the one place that joins both libraries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dna_intake.kinship import FrequencyTable, Model, mutation_matrix
from dna_intake.search.model import Assumptions
from dna_intake.search.pair_tables import Kinship
from dna_intake.search.panel import Panel

_USUAL = Model()


def kinship_of(table: FrequencyTable, model: Model = _USUAL, loci: Sequence[str] = ()) -> Kinship:
    """What a search needs of a table and a model, over the table's loci or these of them.

    Linked pairs of the model are not used: one meiosis does not see them, and for siblings and further relatives the
    service weighs each lead again (`matching.comparing.with_linkage`).
    Raises: SearchRefused, if the table lacks a locus.
    """
    frequencies: Mapping[str, Mapping[str, float]] = table.loci
    panel = Panel.of(frequencies, loci)
    minimum = table.minimum_frequency if model.minimum_frequency is None else model.minimum_frequency
    mutation = model.mutation
    assumed = Assumptions(
        theta=model.theta,
        silent=model.silent,
        minimum=minimum,
        by_frequency=mutation.stabilised or mutation.model == "proportional",
    )

    def transmit(alleles: Sequence[str], shares: NDArray[np.float64], sex: str, /) -> NDArray[np.float64]:
        return mutation_matrix(mutation, alleles, shares, "female" if sex == "female" else "male")

    return Kinship(panel, frequencies, assumed, transmit, table.sha256)
