"""What a typed genotype says about the true one: silent alleles, and dropout of low-template profiles.

A silent allele is never seen: one band is two equal alleles, or one and a silent one. Dropout is flagged for a person
with a probability d for each allele copy, independently: a heterozygote shows both with (1-d)^2 and one of them with
d(1-d); a homozygote shows its allele with 1-d^2. Source: Gill et al., DNA commission of the ISFG: recommendations on
the evaluation of STR typing results that may include drop-out and/or drop-in, Forensic Sci Int Genet 6, 2012. A locus
where nothing is seen counts as not typed, and drop-in is not modelled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dna_intake.kinship.alleles import allele_named, in_order
from dna_intake.kinship.refusals import TypingRefused


@dataclass(frozen=True)
class Typing:
    """What was typed of one person: one or two alleles a locus; one means that both are the same.

    `dropout` is the probability that a copy is not seen, for low-template profiles; 0 for all others.
    """

    genotypes: Mapping[str, tuple[str, ...]] = field(repr=False)
    dropout: float = 0.0


@dataclass(frozen=True)
class Observed:
    """P(seen | true genotype): `pairs` are the ordered true genotypes that are possible, with their `weights`.

    With dropout, `pairs` is None and `weights` a square over all alleles.
    """

    pairs: tuple[tuple[int, int], ...] | None
    weights: NDArray[np.float64]


def checked(person: str, typing: Typing) -> dict[str, tuple[str, ...]]:
    """The genotypes in one spelling, loci where nothing was seen left out.

    Raises: TypingRefused naming locus and person.
    """
    if not 0 <= typing.dropout < 1:
        raise TypingRefused(f"dropout is {typing.dropout!r}; give at least 0 and less than 1.", person=person)
    found: dict[str, tuple[str, ...]] = {}
    for locus, alleles in typing.genotypes.items():
        if isinstance(alleles, str) or len(alleles) > 2:
            raise TypingRefused(
                f"It has {len(alleles)} alleles, not one or two in a list; type it again, or leave the locus out.",
                locus=locus,
                person=person,
            )
        if alleles:
            found[locus] = in_order(allele_named(a, locus=locus, person=person) for a in alleles)
    return found


def observed(seen: Sequence[int], count: int, dropout: float, silent: int | None) -> Observed:
    """What the seen alleles (indices, one or two) say, among `count` alleles of which one may be silent."""
    if dropout > 0 and len(seen) == 1:
        return Observed(None, _with_dropout(seen[0], count, dropout, silent))
    keeps = (1 - dropout) ** 2
    if len(seen) == 2:
        a, b = seen
        return Observed(((a, b), (b, a)), np.array([keeps, keeps]))
    (a,) = seen
    if silent is None:
        return Observed(((a, a),), np.ones(1))
    return Observed(((a, a), (a, silent), (silent, a)), np.ones(3))


def _with_dropout(a: int, count: int, dropout: float, silent: int | None) -> NDArray[np.float64]:
    weights = np.zeros((count, count))
    weights[a, :] = weights[:, a] = dropout * (1 - dropout)
    weights[a, a] = 1 - dropout**2
    if silent is not None:
        weights[a, silent] = weights[silent, a] = 1 - dropout
    return weights
