"""Subpopulations are summed in two ways, by lines of descent and grouping by grouping; both say the same."""

from __future__ import annotations

import numpy as np
import pytest

from dna_intake.kinship import Model, Mutation, Pedigree, Person, Typing, compare, load_table, simulate
from dna_intake.kinship.likelihood import log10_likelihood
from dna_intake.kinship.relations import RELATIONS
from dna_intake.kinship.sites import Site, site_of
from harness.kinship_by_hand import FAMILIES
from harness.kinship_cases import pedigree

TABLE = load_table("nist1036_asian")
SIX_ALLELES_OR_FEWER = [name for name in FAMILIES if name not in ("cousins", "three generations")]


def sites_of(family: Pedigree, typed: list[str], model: Model, dropout: float, seed: int) -> list[Site]:
    """vWA and D12S391 of a family that was drawn; the last typed person has no genotype at the second."""
    drawn = simulate.draw(family, TABLE, Model(), np.random.default_rng(seed), ["vWA", "D12S391"])
    people = {"vWA": typed, "D12S391": typed[:-1] or typed}
    return [
        site_of(locus, {p: (drawn[p][locus], dropout if p == typed[0] else 0.0) for p in who}, TABLE, model)
        for locus, who in people.items()
    ]


@pytest.mark.parametrize(("silent", "dropout"), [(0.0, 0.0), (0.02, 0.0), (0.0, 0.1)])
@pytest.mark.parametrize("name", SIX_ALLELES_OR_FEWER)
def test_lines_of_descent_and_groupings_agree(name: str, silent: float, dropout: float) -> None:
    model = Model(0.03, Mutation("stepwise", 0.02, 0.005, 0.001), silent)
    family, typed = pedigree(name, 0), FAMILIES[name][2].split()
    sites = sites_of(family, typed, model, dropout, seed=4)

    found = [[log10_likelihood(family, [s], 0.03, work_max=work) for s in sites] for work in (0, 10**9)]

    assert found[0] == pytest.approx(found[1], abs=1e-12)


@pytest.mark.parametrize("silent", [0.0, 0.02])
@pytest.mark.parametrize(
    "name", ["mother", "full siblings", "half siblings", "grandparents", "child of siblings"]
)
def test_they_agree_on_linked_loci(name: str, silent: float) -> None:
    model = Model(0.03, Mutation("stepwise", 0.02, 0.005, 0.001), silent)
    family, typed = pedigree(name, 0), FAMILIES[name][2].split()
    sites = sites_of(family, typed, model, 0.0, seed=5)

    found = [log10_likelihood(family, sites, 0.03, 0.089, work_max=work) for work in (0, 10**9)]

    assert found[0] == pytest.approx(found[1], abs=1e-12)


def test_more_untyped_founders_than_groupings_can_hold_are_summed_by_lines_of_descent() -> None:
    """Ten alleles of untyped founders matter; with theta that goes to nothing it is the plain answer."""
    people = [Person(f"{who}{i}", sex) for i in range(4) for who, sex in (("f", "male"), ("m", "female"))]
    people += [Person(f"a{i}", "unknown", f"f{i}", f"m{i}") for i in range(4)]
    people += [Person(f"b{i}", "unknown", f"f{i}", f"m{i}") for i in range(2)]
    typed = {p: Typing({"TH01": ("6", "9")}) for p in ("a0", "a1", "a2", "a3", "b0", "b1", "f2", "f3")}
    family = Pedigree("siblings and children", people)
    strangers = Pedigree("strangers", [Person(person, family.by_id[person].sex) for person in typed])

    plain, tiny, usual = (
        compare(family, strangers, typed, TABLE, Model(theta)).log10_lr for theta in (0.0, 1e-9, 0.01)
    )

    assert plain == pytest.approx(tiny, abs=1e-6)
    assert usual < plain - 0.1


@pytest.mark.parametrize("relation", sorted(RELATIONS))
def test_a_subpopulation_makes_a_true_relation_of_rare_alleles_less_sure(relation: str) -> None:
    h1, h2 = RELATIONS[relation]()
    typed = {p: Typing({"TH01": ("6",)}) for p in h2.by_id if not p.startswith("untyped:")}

    found = [compare(h1, h2, typed, TABLE, Model(theta, Mutation())).log10_lr for theta in (0.0, 0.01, 0.03)]

    assert found == sorted(found, reverse=True)
    assert found[-1] > 0
