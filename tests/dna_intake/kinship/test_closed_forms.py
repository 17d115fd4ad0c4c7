"""Ratios that anybody can check with a pencil: formulas of textbooks, at one locus without mutation."""

from __future__ import annotations

from math import log10

import pytest

from dna_intake.kinship import (
    FrequencyTable,
    LikelihoodRatio,
    Model,
    Mutation,
    Pedigree,
    Person,
    Typing,
    compare,
)
from dna_intake.kinship.relations import (
    Pair,
    couple,
    cousins,
    duo,
    full_siblings,
    grandparent,
    grandparents,
    half_siblings,
    trio,
    uncle_or_aunt,
)

PLAIN = Model(theta=0, mutation=Mutation(), minimum_frequency=0)
WITHIN = 1e-12


def ratio(pair: Pair, table: dict[str, float], model: Model = PLAIN, **seen: str) -> float:
    """The ratio at one locus; genotypes are written "10 11"."""
    return 10 ** compared(pair, table, model, **seen).log10_lr


def compared(pair: Pair, table: dict[str, float], model: Model = PLAIN, **seen: str) -> LikelihoodRatio:
    """The whole result."""
    typed = {person: Typing({"L": tuple(alleles.split())}) for person, alleles in seen.items()}
    return compare(*pair, typed, FrequencyTable("t", "invented", {"L": table}), model)


def test_father_and_child_that_are_alike_homozygous_have_one_over_p() -> None:
    assert 20 == pytest.approx(ratio(duo(), {"10": 0.05, "11": 0.95}, parent="10", child="10"), rel=WITHIN)


def test_ratios_of_loci_multiply() -> None:
    table = FrequencyTable("t", "invented", {"L": {"10": 0.05, "11": 0.95}, "K": {"7": 0.1, "8": 0.9}})
    both = Typing({"L": ("10",), "K": ("7", "7")})

    found = compare(*duo(), {"child": both, "parent": both}, table, PLAIN)

    assert log10(200) == pytest.approx(found.log10_lr, rel=WITHIN)
    assert ["K", "L"] == [each.locus for each in found.loci]


def test_trio_with_half_a_chance_has_one_over_2p() -> None:
    """Father AB, mother AC, child AA; likelihoods .006 and .0024 at these frequencies."""
    found = compared(trio(), {"10": 0.2, "11": 0.3, "12": 0.5}, father="10 11", mother="10 12", child="10")

    assert 2.5 == pytest.approx(10**found.log10_lr, rel=WITHIN)
    assert (0.006, 0.0024) == pytest.approx(
        (10 ** found.loci[0].log10_h1, 10 ** found.loci[0].log10_h2), rel=WITHIN
    )


@pytest.mark.parametrize("p", [0.01, 0.05, 0.4])
def test_alike_homozygous_pairs_have_their_formula(p: float) -> None:
    """With kinship coefficients k0, k1, k2 of the pair the ratio is k0 + k1/p + k2/p^2."""
    table = {"10": p, "11": 1 - p}
    expected = {
        full_siblings: (1 + p) ** 2 / (4 * p**2),
        half_siblings: (1 + 1 / p) / 2,
        cousins: 3 / 4 + 1 / (4 * p),
    }

    found = {relation: ratio(relation(), table, one="10", other="10") for relation in expected}

    assert expected == pytest.approx(found, rel=WITHIN)


@pytest.mark.parametrize("p", [0.01, 0.05, 0.4])
def test_second_degree_relatives_are_all_half_way_to_a_parent(p: float) -> None:
    table = {"10": p, "11": 0.25, "12": 0.75 - p}

    grand = ratio(grandparent(), table, grandparent="10", child="10 11")
    uncle = ratio(uncle_or_aunt(through="female"), table, uncle="10", child="10 11")
    half = ratio(half_siblings(common="female"), table, one="10", other="10 11")

    assert (0.5 + 1 / (4 * p),) * 3 == pytest.approx((grand, uncle, half), rel=WITHIN)


def test_couple_has_mendel_over_both_frequencies() -> None:
    table = {"10": 0.1, "11": 0.2, "12": 0.7}

    found = ratio(couple(), table, father="10 12", mother="11 12", child="10 11")

    assert 0.25 / (2 * 0.1 * 0.2) == pytest.approx(found, rel=WITHIN)


def test_both_grandparents_pass_on_one_allele_in_four() -> None:
    table = {"10": 0.1, "11": 0.2, "12": 0.7}

    found = ratio(grandparents(), table, grandfather="10 12", grandmother="12", child="10 11")

    # The father's allele is 10 with 1/4, else 12 with 3/4; the mother's comes from the population.
    assert 0.25 * 0.2 / (2 * 0.1 * 0.2) == pytest.approx(found, rel=WITHIN)


def test_theta_makes_two_equal_alleles_of_one_person_likelier() -> None:
    alone = Pedigree("one", [Person("child")])

    found = compared((alone, alone), {"10": 0.3, "11": 0.7}, Model(0.01, Mutation(), 0, 0), child="10")

    assert 0.3 * (0.01 + 0.99 * 0.3) == pytest.approx(10 ** found.loci[0].log10_h1, rel=WITHIN)
    assert 0.0921 == pytest.approx(10 ** found.loci[0].log10_h1, rel=WITHIN)


def test_theta_counts_the_alleles_of_strangers_too() -> None:
    """Duo AA, AA after Balding and Nichols: the stranger's alleles are the third and the fourth of their kind."""
    theta, p = 0.03, 0.1

    found = ratio(duo(), {"10": p, "11": 1 - p}, Model(theta, Mutation(), 0, 0), parent="10", child="10")

    assert (1 + 2 * theta) / (3 * theta + (1 - theta) * p) == pytest.approx(found, rel=WITHIN)


def test_one_step_between_homozygotes_has_mu_over_2p_by_the_stepwise_model() -> None:
    """Father 15,15, child 16,16: the step up is half of the rate if only one step each way is possible."""
    table = {"14": 0.3, "15": 0.3, "16": 0.4}
    model = Model(0, Mutation("stepwise", 0.002, 0.0), 0, 0)

    found = ratio(duo(), table, model, parent="15", child="16")

    assert 0.002 / 2 / 0.4 == pytest.approx(found, rel=1e-9)


def test_silent_allele_lets_a_homozygous_father_have_a_differently_homozygous_child() -> None:
    """Father A or A-silent, child B or B-silent: only the silent allele can have come from him."""
    p, q, s = 0.4 * 0.98, 0.6 * 0.98, 0.02
    model = Model(0, Mutation(), silent=0.02, minimum_frequency=0)

    found = ratio(duo(), {"10": 0.4, "11": 0.6}, model, parent="10", child="11")

    together = 2 * p * s * 0.5 * q
    apart = (p * p + 2 * p * s) * (q * q + 2 * q * s)
    assert together / apart == pytest.approx(found, rel=WITHIN)


def test_dropout_is_d_for_one_copy_and_d_squared_for_two() -> None:
    d, p, q = 0.2, 0.4, 0.6
    table = FrequencyTable("t", "invented", {"L": {"10": p, "11": q}})
    alone = Pedigree("one", [Person("child")])

    found = compare(alone, alone, {"child": Typing({"L": ("10",)}, dropout=d)}, table, PLAIN)

    assert p * p * (1 - d * d) + 2 * p * q * d * (1 - d) == pytest.approx(
        10 ** found.loci[0].log10_h1, rel=WITHIN
    )
