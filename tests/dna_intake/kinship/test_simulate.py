"""Drawn families follow the same model as the likelihood, which is computed in another way."""

from __future__ import annotations

from itertools import combinations_with_replacement, product

import numpy as np
import pytest

from dna_intake.kinship import (
    FrequencyTable,
    LinkedPair,
    Model,
    Mutation,
    Typing,
    compare,
    load_table,
    simulate,
)
from dna_intake.kinship.relations import duo, full_siblings, grandparent

P = {"9": 0.2, "9.3": 0.3, "10": 0.5}
TABLE = FrequencyTable("t", "invented", {"TH01": P})
GENOTYPES = [tuple(sorted(set(pair))) for pair in combinations_with_replacement(P, 2)]


def test_drawn_genotypes_come_as_often_as_the_likelihood_says() -> None:
    """Chi-square over all genotypes of two full siblings, with theta, mutation and a silent allele."""
    model = Model(0.05, Mutation("stepwise", 0.1, 0.05, 0.01), silent=0.1, minimum_frequency=0)
    h1, _ = full_siblings()
    families = 40_000
    drawn = simulate.draw_many(h1, TABLE, model, np.random.default_rng(7), families)["TH01"]
    counted: dict[tuple[tuple[str, ...], ...], int] = {}
    for one, other in zip(drawn.people["one"], drawn.people["other"], strict=True):
        key = tuple(tuple(sorted({drawn.alleles[i] for i in g if i < 3})) for g in (one, other))
        counted[key] = counted.get(key, 0) + 1

    chi_square, cells = 0.0, 0
    for seen in product(GENOTYPES, repeat=2):
        result = compare(
            h1,
            h1,
            {p: Typing({"TH01": g}) for p, g in zip(("one", "other"), seen, strict=True)},
            TABLE,
            model,
        ).loci[0]
        expected = families * 10**result.log10_h1
        chi_square += (counted.get(tuple(tuple(sorted(g)) for g in seen), 0) - expected) ** 2 / expected
        cells += 1

    # Mean `cells`, standard deviation sqrt(2 cells); seeded, so that it holds always or never.
    assert chi_square < cells + 4 * (2 * cells) ** 0.5


def test_linked_loci_are_drawn_with_their_recombination() -> None:
    """Grandchildren carry both alleles of one grandparent's haplotype, or of both, as recombination says."""
    table = FrequencyTable(
        "t", "invented", {"A": {str(n): 0.01 for n in range(100)}, "B": {str(n): 0.01 for n in range(100)}}
    )
    model = Model(0, Mutation(), 0, 0, (LinkedPair("A", "B", 0.2),))
    h1, _ = grandparent()

    drawn = simulate.draw_many(h1, table, model, np.random.default_rng(3), 20_000)

    from_him = [
        (drawn[locus].people["child"][:, :1] == drawn[locus].people["grandparent"]).any(axis=1)
        for locus in "AB"
    ]
    apart = float((from_him[0] != from_him[1]).mean())
    # By chance an allele that is not his looks so with 0.02; that makes 0.2 a little less at both ends.
    assert 0.2 == pytest.approx(apart, abs=0.015)


def test_a_draw_is_the_same_for_the_same_seed_and_reads_as_typing() -> None:
    table = load_table("nist1036_asian")
    h1, h2 = duo()

    drawn = [simulate.draw(h1, table, Model(), np.random.default_rng(1)) for _ in range(2)]

    assert drawn[0] == drawn[1]
    typed_ = {p: Typing(drawn[0][p]) for p in h2.by_id}
    assert compare(h1, h2, typed_, table, Model()).log10_lr > 2
