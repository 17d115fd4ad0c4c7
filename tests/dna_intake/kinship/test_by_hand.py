"""The engine against the sum over every genotype by hand, which shares no code with it (harness/kinship_by_hand)."""

from __future__ import annotations

import pytest

from harness.kinship_by_hand import FAMILIES
from harness.kinship_cases import MUTATIONS, Case, differences, every_case, linked_differences

WITHIN = 1e-12
SLOW = {"uncle", "cousins", "sibling and half sibling", "mixed: mother, uncle", "brother of the father"}
"""Families whose sum by hand takes long: here one case in each mutation model; all of them are in the bench."""


@pytest.mark.parametrize("family", [name for name in FAMILIES if name not in SLOW])
def test_every_relation_under_every_model_is_what_the_sum_by_hand_says(family: str) -> None:
    cases = list(every_case((family,)))

    worst = {case: max(differences(case, seed=1) or (0.0,)) for case in cases}

    assert {} == {case: apart for case, apart in worst.items() if apart > WITHIN}
    assert len(cases) >= 60


@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize("family", sorted(SLOW))
def test_large_families_are_what_the_sum_by_hand_says(family: str, mutation: str) -> None:
    theta = (0.0, 0.03)[sorted(MUTATIONS).index(mutation) % 2]
    found = differences(Case(family, mutation, theta, silent=0.0, dropout=0.2), seed=2)

    assert max(found or (0.0,)) <= WITHIN


@pytest.mark.parametrize("theta", [0.0, 0.03])
@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize("family", ["full siblings", "grandparents", "three generations"])
def test_two_linked_loci_are_what_the_sum_by_hand_says(family: str, mutation: str, theta: float) -> None:
    found = linked_differences(Case(family, mutation, theta, silent=0.0, dropout=0.0), 0.089, seed=1)

    assert max(found or (0.0,)) <= WITHIN


@pytest.mark.parametrize(("silent", "dropout"), [(0.02, 0.0), (0.0, 0.2)])
def test_two_linked_loci_with_unclear_genotypes_are_what_the_sum_by_hand_says(
    silent: float, dropout: float
) -> None:
    found = linked_differences(Case("duo", "stepwise", 0.01, silent, dropout), 0.3, seed=3)
    grand = linked_differences(Case("grandparents", "stepwise", 0.01, 0.0, dropout), 0.3, seed=3)

    assert max(found or (0.0,)) <= WITHIN
    assert max(grand or (0.0,)) <= WITHIN


def test_two_linked_loci_of_half_siblings_are_what_the_sum_by_hand_says() -> None:
    found = linked_differences(Case("half siblings", "equal", 0.03, silent=0.0, dropout=0.0), 0.089, seed=1)

    assert max(found or (0.0,)) <= WITHIN
