"""Mutation tables: rows are probabilities, rates are what they say, and the stabilised ones keep the frequencies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dna_intake.kinship import ModelRefused, Mutation, load_table, mutation_matrix

ALLELES = ("8", "9", "9.3", "10", "12", "12.3")
FREQUENCIES = np.array([0.1, 0.2, 0.3, 0.2, 0.15, 0.05])
MODELS = ["none", "equal", "proportional", "stepwise"]


def mutation(model: str, *, stabilised: bool = False) -> Mutation:
    if model == "none":
        return Mutation(stabilised=stabilised)
    micro = 0.001 if model == "stepwise" else 0.0
    return Mutation(model, 0.02, 0.005, micro, 0.1, stabilised)


@pytest.mark.parametrize("stabilised", [False, True])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("sex", ["male", "female"])
def test_rows_are_probabilities(model: str, stabilised: bool, sex: str) -> None:
    found = mutation_matrix(mutation(model, stabilised=stabilised), ALLELES, FREQUENCIES, sex)

    assert np.abs(found.sum(axis=1) - 1).max() <= 1e-15
    assert found.min() >= 0


@pytest.mark.parametrize("model", ["equal", "proportional"])
def test_expected_rate_is_the_stated_one_for_men_and_women_apart(model: str) -> None:
    rates = {"male": 0.02, "female": 0.005}

    found = {
        sex: 1 - FREQUENCIES @ np.diag(mutation_matrix(mutation(model), ALLELES, FREQUENCIES, sex))
        for sex in rates
    }

    assert rates == pytest.approx(found, rel=1e-12)


def test_each_further_step_is_rarer_by_the_range_and_microvariants_share_their_rate() -> None:
    row = mutation_matrix(mutation("stepwise"), ALLELES, FREQUENCIES, "male")[3]  # From "10".

    assert 0.02 == pytest.approx(row[[0, 1, 4]].sum(), rel=1e-12)
    assert (0.1, 0.1) == pytest.approx((row[0] / row[1], row[4] / row[1]), rel=1e-12)
    assert (0.0005, 0.0005) == pytest.approx((row[2], row[5]), rel=1e-12)


def test_allele_at_the_end_of_the_ladder_steps_inwards_at_the_full_rate() -> None:
    found = mutation_matrix(
        Mutation("stepwise", 0.02, 0.02), ("9", "10", "11"), np.array([0.2, 0.3, 0.5]), "male"
    )

    assert [0.98, 0.02 / 1.1, 0.002 / 1.1] == pytest.approx(list(found[0]), rel=1e-12)


def test_allele_without_another_of_its_kind_keeps_the_rate_for_itself() -> None:
    found = mutation_matrix(
        Mutation("stepwise", 0.02, 0.02), ("9", "9.3", "10"), np.array([0.2, 0.3, 0.5]), "male"
    )

    assert [0.0, 1.0, 0.0] == list(found[1])


@given(
    weights=st.lists(st.floats(0.02, 1), min_size=6, max_size=6),
    rate=st.floats(1e-5, 0.02),
    model=st.sampled_from(["equal", "proportional", "stepwise"]),
)
def test_stabilised_tables_keep_frequencies_and_rate(weights: list[float], rate: float, model: str) -> None:
    p = np.array(weights) / sum(weights)
    plain = mutation_matrix(Mutation(model, rate, rate), ALLELES, p, "male")

    found = mutation_matrix(Mutation(model, rate, rate, stabilised=True), ALLELES, p, "male")

    assert np.abs(p @ found - p).max() <= 1e-12
    assert found.min() >= 0
    assert 1 - p @ np.diag(plain) == pytest.approx(1 - p @ np.diag(found), rel=1e-9)
    assert np.abs(p[:, None] * found - (p[:, None] * found).T).max() <= 1e-15


@pytest.mark.parametrize("name", ["nist1036_asian", "norstr_east_asia"])
def test_usual_rates_can_be_stabilised_at_every_locus_that_ships(name: str) -> None:
    for alleles in load_table(name).loci.values():
        p = np.array(list(alleles.values()))
        usual = Mutation("stepwise", 0.002, 0.0005, 1e-6, 0.1, stabilised=True)

        found = mutation_matrix(usual, tuple(alleles), p, "male")

        assert np.abs(p @ found - p).max() <= 1e-12


def test_stabilising_is_refused_where_an_allele_is_too_rare_for_its_rate() -> None:
    p = np.array([1e-6, 1 - 1e-6])

    with pytest.raises(ModelRefused, match="lower the rate or raise minimum_frequency"):
        mutation_matrix(Mutation("equal", 0.01, 0.01, stabilised=True), ("9", "10"), p, "male")


def test_proportional_rate_that_no_allele_could_have_is_refused() -> None:
    p = np.array([0.001, 0.999])

    with pytest.raises(ModelRefused, match="rarest allele"):
        mutation_matrix(Mutation("proportional", 0.01, 0.01), ("9", "10"), p, "male")


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": "onestep"},
        {"model": "equal", "rate_male": 1.0},
        {"model": "equal", "rate_female": -0.1},
        {"model": "equal", "rate_male": float("nan")},
        {"model": "none", "rate_male": 0.1},
        {"model": "equal", "rate_microvariant": 0.1},
        {"model": "stepwise", "range": 0.0},
        {"model": "stepwise", "rate_male": 0.9, "rate_microvariant": 0.2},
    ],
)
def test_parameters_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    given_ = {"rate_male": 0.0, "rate_female": 0.0, **wrong}

    with pytest.raises(ModelRefused):
        Mutation(**given_)
