"""Every value of a query's tables is what the exact engine says of that pair."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import pytest

from dna_intake.kinship import FrequencyTable, Model, Mutation, Pedigree, Typing, compare, relations
from dna_intake.search import RELATIONS, Query, Relation, SearchRefused, kinship_of
from dna_intake.search.panel import RARE, Rare
from harness.search_families import LOCI, STRANGE, kinship, table

MODELS = {
    "plain": Model(theta=0, mutation=Mutation()),
    "usual": Model(),
    "theta and silent": Model(theta=0.03, silent=0.004, mutation=Mutation("equal", 0.002, 0.0005)),
    "proportional": Model(mutation=Mutation("proportional", 0.002, 0.0005)),
    "stabilised": Model(mutation=Mutation("stepwise", 0.002, 0.0005, 1e-6, stabilised=True)),
}
SMALL = FrequencyTable(
    "small",
    "invented",
    {"A": {"8": 0.02, "9": 0.28, "9.3": 0.3, "10": 0.4}, "B": {"15": 0.5, "16": 0.5}},
    100,
)


def hypotheses(relation: Relation, sex: str, query_sex: str) -> tuple[Pedigree, Pedigree]:
    via = "female" if relation.via == "female" else "male"
    asked = {
        "parent": lambda: relations.duo("q", "c", sex),
        "child": lambda: relations.duo("c", "q", query_sex),
        "full_sibling": lambda: relations.full_siblings("q", "c"),
        "half_sibling": lambda: relations.half_siblings("q", "c", via),
        "grandparent": lambda: relations.grandparent("q", "c", sex, via),
        "grandchild": lambda: relations.grandparent("c", "q", query_sex, via),
        "uncle_aunt": lambda: relations.uncle_or_aunt("q", "c", via),
        "nephew_niece": lambda: relations.uncle_or_aunt("c", "q", via),
    }
    return asked[relation.name]()


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("name", ["parent", "child", "full_sibling"])
def test_every_pair_of_genotypes_of_a_small_locus_is_exact(name: str, model: Model) -> None:
    search = kinship_of(SMALL, model)
    genotypes = list(combinations_with_replacement(SMALL.loci["A"], 2))
    asked = hypotheses(RELATIONS[name], "female", "male")
    expected, actual = [], []

    for mine in genotypes:
        row = search.row(0, mine, Query({"A": mine}, "male"), RELATIONS[name], "female")
        for theirs in genotypes:
            typed = {"q": Typing({"A": mine}), "c": Typing({"A": theirs})}
            expected.append(compare(*asked, typed, SMALL, model).log10_lr)
            actual.append(row[search.panel.code(0, theirs)])

    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", RELATIONS)
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_pairs_of_real_loci_are_exact_in_every_relation(name: str, model: Model) -> None:
    rng = np.random.default_rng(5)
    search = kinship_of(table(), model, LOCI)
    for sex, query_sex, dropout in (("male", "female", 0.0), ("female", "male", 0.1)):
        locus = int(rng.integers(len(LOCI)))
        alleles = list(table().loci[LOCI[locus]])
        mine, theirs = tuple(rng.choice(alleles, 2)), tuple(rng.choice(alleles, 2))
        if dropout:
            mine = (mine[0], mine[0])
        query = Query({LOCI[locus]: mine}, query_sex, dropout)

        row = search.row(locus, mine, query, RELATIONS[name], sex)

        asked = hypotheses(RELATIONS[name], sex, query_sex)
        typed = {"q": Typing({LOCI[locus]: mine}, dropout), "c": Typing({LOCI[locus]: theirs})}
        expected = compare(*asked, typed, table(), model).log10_lr
        assert row[search.panel.code(locus, theirs)] == pytest.approx(expected, rel=1e-9, abs=1e-11)


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_a_rare_locus_is_exact_and_under_its_bound(dropout: float) -> None:
    search = kinship()
    mine, theirs = (STRANGE, "12"), (STRANGE, STRANGE)
    query = Query({"CSF1PO": mine}, "female")

    value = search.rare_value(Rare(0, 0, theirs, dropout), query, RELATIONS["parent"], "male")

    typed = {"q": Typing({"CSF1PO": mine}), "c": Typing({"CSF1PO": theirs}, dropout)}
    expected = compare(*relations.duo("q", "c", "male"), typed, table(), Model()).log10_lr
    assert value == pytest.approx(expected, rel=1e-9)
    assert value <= search.tables(query, RELATIONS["parent"]).upper[0, RARE]


def test_a_candidate_of_unknown_sex_counts_as_a_father() -> None:
    mine = ("10", "12")

    tables = kinship().tables(Query({"CSF1PO": mine}), RELATIONS["parent"]).exact

    assert (tables[0] == tables[1]).all()
    assert (tables[0] != tables[2]).any()


def test_an_unknown_relation_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SearchRefused, match="full_sibling"):
        kinship().tables(Query({"CSF1PO": ("10", "12")}), Relation("cousin"))
