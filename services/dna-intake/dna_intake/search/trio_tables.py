"""Likelihood ratios of trios at one locus: father and mother are both the child's parents, against three strangers.

Exact as `kinship.compare` of `relations.couple` is, for any observed genotypes, silent alleles and dropout included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dna_intake.search.couple_loops import trio_values
from dna_intake.search.locus_model import LocusModel
from dna_intake.search.pair_tables import Kinship, true_pairs

Pair = tuple[str, str]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Seen:
    """An observed genotype, and the dropout of whoever shows it."""

    alleles: Pair
    dropout: float = 0.0


def trio_ratios(
    kinship: Kinship,
    locus: int,
    fathers: Sequence[Seen],
    mothers: Sequence[Seen],
    children: Sequence[Seen],
    *,
    close: bool = False,
) -> Floats:
    """log10 LR [father, mother, child] of all combinations of these genotypes.

    An allele without a frequency must be one of everybody's fathers, mothers or children, or the combinations would
    not agree on the alleles of the locus. With `close`, a mutation matrix that depends on frequencies is that of the
    whole table instead of each combination's own.
    """
    everybody = [*fathers, *mothers, *children]
    model = kinship.locus_model(locus, tuple(allele for each in everybody for allele in each.alleles))
    places = np.arange(len(everybody))
    f = places[: len(fathers)]
    m = places[len(fathers) : len(fathers) + len(mothers)]
    c = places[len(fathers) + len(mothers) :]
    if close or not kinship.assumed.by_frequency:
        return _values(kinship, model, everybody, f, m, c, None)
    out = np.empty((len(f), len(m), len(c)))
    for i, father in enumerate(f):
        for j, mother in enumerate(m):
            for k, child in enumerate(c):
                carried = {a for at in (father, mother, child) for a in everybody[at].alleles}
                flags = np.array([[allele in carried for allele in model.alleles]])
                own = model.frequencies(flags)
                out[i, j, k] = _values(
                    kinship,
                    model,
                    everybody,
                    places[father : father + 1],
                    places[mother : mother + 1],
                    places[child : child + 1],
                    own,
                )[0, 0, 0]
    return out


def _values(
    kinship: Kinship,
    model: LocusModel,
    everybody: Sequence[Seen],
    f: NDArray[np.int64],
    m: NDArray[np.int64],
    c: NDArray[np.int64],
    frequencies: Floats | None,
) -> Floats:
    if frequencies is None:
        # Those of the table; an allele that it lacks has the minimum.
        frequencies = model.frequencies(model.base[None, :] == 0)
    # [path, transmitted, parent's], and the loop reads parent's first.
    male, female = model.matrices(("m", "f"), frequencies[0]).transpose(0, 2, 1)
    rank = {allele: place for place, allele in enumerate(model.alleles)}
    truths = [true_pairs(model, each.alleles, each.dropout) for each in everybody]
    flat = [truth for each in truths for truth in each]
    out = np.empty((len(f), len(m), len(c)))
    trio_values(
        model.base,
        kinship.assumed.minimum,
        kinship.assumed.silent,
        kinship.assumed.theta,
        np.ascontiguousarray(male),
        np.ascontiguousarray(female),
        np.array([[rank[allele] for allele in each.alleles] for each in everybody]),
        np.array([(one, other) for one, other, _ in flat]),
        np.array([weight for _, _, weight in flat]),
        np.cumsum([0, *(len(each) for each in truths)]),
        f,
        m,
        c,
        out,
    )
    return out
