"""The compiled sum behind every table value: a programme of `relations` over one pair of ordered genotypes.

For a block of founder genes that are copies of one, S[mask] is the sum over its allele of p times the chances to
reach the slots of the mask (bit 0: q1, 1: q2, 2: c1, 3: c2). A configuration is the sum over partitions of products
of such blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dna_intake.search.native import native
from dna_intake.search.relations import Programme, partitions

SLOTS = ("q1", "q2", "c1", "c2")


@dataclass(frozen=True)
class Compiled:
    """A programme as arrays: per configuration a path a slot; per partition its weight and up to four masks."""

    paths: tuple[str, ...]
    slot_paths: NDArray[np.int64]
    first_partition: NDArray[np.int64]
    weights: NDArray[np.float64]
    masks: NDArray[np.int64]


@cache
def compiled(programme: Programme, theta: float) -> Compiled:
    """Compile once per programme and theta."""
    paths = tuple(sorted({path for _, genes in programme for gene in genes for _, path in gene}))
    slot_paths = np.zeros((len(programme), 4), np.int64)
    starts, weights, masks = [0], [], []
    for row, (weight, genes) in enumerate(programme):
        own = [sum(1 << SLOTS.index(slot) for slot, _ in gene) for gene in genes]
        for gene in genes:
            for slot, path in gene:
                slot_paths[row, SLOTS.index(slot)] = paths.index(path)
        for chance, blocks in partitions(len(genes), theta):
            weights.append(weight * chance)
            masks.append(_padded([sum(own[gene] for gene in block) for block in blocks]))
        starts.append(len(weights))
    return Compiled(
        paths, slot_paths, np.array(starts), np.array(weights), np.array(masks, np.int64).reshape(-1, 4)
    )


def _padded(masks: Sequence[int]) -> list[int]:
    """Mask 0 stands for a factor of 1."""
    return [*masks, 0, 0, 0, 0][:4]


@native
def evaluate(
    frequencies: NDArray[np.float64],
    own: NDArray[np.int64],
    pairs: NDArray[np.int64],
    matrices: NDArray[np.float64],
    slot_paths: NDArray[np.int64],
    starts: NDArray[np.int64],
    weights: NDArray[np.float64],
    masks: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:
    """Probability of ordered genotypes: `pairs` is [entry, (q1, q2, c1, c2)].

    `own[entry]` is the row of `frequencies` that holds; `matrices` is [path, to, from].
    """
    sums = np.empty(16)
    product = np.empty(16)
    for entry in range(pairs.shape[0]):
        p = frequencies[own[entry]]
        total = 0.0
        for c in range(slot_paths.shape[0]):
            one = matrices[slot_paths[c, 0], pairs[entry, 0]]
            two = matrices[slot_paths[c, 1], pairs[entry, 1]]
            three = matrices[slot_paths[c, 2], pairs[entry, 2]]
            four = matrices[slot_paths[c, 3], pairs[entry, 3]]
            sums[:] = 0.0
            for a in range(p.shape[0]):
                product[0] = p[a]
                product[1] = p[a] * one[a]
                for m in range(2):
                    product[2 + m] = product[m] * two[a]
                for m in range(4):
                    product[4 + m] = product[m] * three[a]
                for m in range(8):
                    product[8 + m] = product[m] * four[a]
                for m in range(16):
                    sums[m] += product[m]
            sums[0] = 1.0
            for part in range(starts[c], starts[c + 1]):
                total += (
                    weights[part]
                    * sums[masks[part, 0]]
                    * sums[masks[part, 1]]
                    * sums[masks[part, 2]]
                    * sums[masks[part, 3]]
                )
        out[entry] = total
