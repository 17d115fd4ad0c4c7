"""Where nothing mutated, the parentage index is the likelihood ratio without mutation and theta; else it is not."""

from __future__ import annotations

import numpy as np
import pytest

from dna_intake.kinship import Model, Mutation, Typing, compare, load_table, relations, simulate
from dna_intake.kinship.parentage_index import ParentageIndex, duo, trio

PLAIN = Model(theta=0.0, mutation=Mutation("none"), minimum_frequency=0.0)
TABLE = load_table("norstr_east_asia").restricted(["CSF1PO", "D12S391", "D3S1358", "FGA", "Penta E", "TH01"])
Family = dict[str, dict[str, tuple[str, ...]]]


def index_of(kind: str, family: Family) -> ParentageIndex:
    if kind == "duo":
        return duo(family["child"], family["parent"], TABLE.loci, 0.0)
    return trio(family["child"], family["father"], family["mother"], TABLE.loci, 0.0)


@pytest.mark.parametrize("kind", ["duo", "trio"])
def test_both_modes_agree_on_families_without_mutation(kind: str) -> None:
    h1, h2 = relations.RELATIONS[kind]()
    people = {"duo": ("child", "parent"), "trio": ("child", "father", "mother")}[kind]
    rng = np.random.default_rng(20_261_130)
    for _ in range(25):
        family = simulate.draw(h1, TABLE, PLAIN, rng)
        typed = {person: Typing(family[person]) for person in people}

        index, likelihood = index_of(kind, family), compare(h1, h2, typed, TABLE, PLAIN)

        expected = {one.locus: one.log10_lr for one in likelihood.loci}
        assert {one.locus: one.log10_pi for one in index.loci} == pytest.approx(expected, abs=1e-12)
        assert {one.formula for one in index.loci} == {"plain"}


def test_the_step_formula_is_near_the_likelihood_for_one_step_and_not_the_same() -> None:
    """Half up, half down is the same; how the rest of the rate is shared out over the alleles is not."""
    h1, h2 = relations.duo()
    model = Model(theta=0.0, mutation=Mutation("stepwise", 0.002, 0.002), minimum_frequency=0.0)
    typed = {"parent": Typing({"D3S1358": ("15", "15")}), "child": Typing({"D3S1358": ("16", "16")})}

    index = duo({"D3S1358": ("16",)}, {"D3S1358": ("15",)}, TABLE.loci, 0.0).log10_cpi
    likelihood = compare(h1, h2, typed, TABLE, model).log10_lr

    assert index == pytest.approx(likelihood, abs=0.1)
    assert index != pytest.approx(likelihood, abs=1e-6)
