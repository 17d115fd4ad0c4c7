"""A mutation matrix that leaves the frequencies as they are, made from one that does not.

With a stationary matrix the age of a person in the pedigree does not matter: an untyped ancestor more or less
changes nothing. The transformation makes the flow between each two alleles the mean of the flows both ways:
r_ij = (p_i m_ij + p_j m_ji) / (2 p_i) for i != j. It is reversible (p_i r_ij = p_j r_ji), hence stationary, and keeps
the expected mutation rate. Sources: Simonsson & Mostad, Stationary mutation models, Forensic Sci Int Genet 23, 2016,
on why; the "PR" (preserved rate) transformation of Vigeland & Egeland's pedmut, on how (written anew from the formula).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dna_intake.kinship.refusals import ModelRefused

STATIONARY_WITHIN = 1e-12


def stabilised(matrix: NDArray[np.float64], frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
    """The reversible matrix with the same expected rate; p·M = p to 1e-12.

    Raises: ModelRefused, if an allele is so rare that it would have to mutate more than surely.
    """
    if not (frequencies > 0).all():
        raise ModelRefused(
            "A stabilised mutation model needs every frequency above 0; leave out what is never seen."
        )
    flow = frequencies[:, None] * matrix
    found = (flow + flow.T) / 2 / frequencies[:, None]
    np.fill_diagonal(found, 0)
    leaves = found.sum(axis=1)
    if leaves.max() > 1:
        raise ModelRefused(
            f"No stabilised matrix: an allele of frequency {frequencies[leaves.argmax()]:.2g} would have to mutate"
            " with probability above 1; lower the rate or raise minimum_frequency."
        )
    np.fill_diagonal(found, 1 - leaves)
    assert np.abs(frequencies @ found - frequencies).max() <= STATIONARY_WITHIN, "p·M is not p."
    return found
