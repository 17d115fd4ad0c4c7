"""Searches find what a comparison of every pair finds, and say what they could have missed."""

from __future__ import annotations

import numpy as np
import pytest

from dna_intake.kinship import Model, Typing, compare, relations
from dna_intake.search import (
    FULL_SIBLING,
    PARENT,
    RELATIONS,
    Index,
    Kinship,
    Query,
    SearchRefused,
    children_of,
    parents_of,
    relatives_of,
    siblings_of,
)
from dna_intake.search.search import MISMATCHES_MAX, beyond_log10
from harness.search_families import LOCI, STRANGE, Profile, child_of, kinship, people, person, table

SEXES = ("male", "female", "unknown")


def sex_of(place: int) -> str:
    return SEXES[place % 3]


def mixed(rng: np.random.Generator, count: int) -> list[Profile]:
    """Some miss a locus, some have an allele that no table knows."""
    found = people(rng, count)
    for place, profile in enumerate(found):
        if place % 7 == 0:
            del profile[LOCI[place % len(LOCI)]]
        if place % 5 == 0:
            profile[LOCI[(place + 3) % len(LOCI)]] = (STRANGE, "12")
    return found


def index_of(search: Kinship, profiles: list[Profile]) -> Index:
    index = Index(search.panel)
    index.append(
        search.panel.encode(profiles), range(len(profiles)), [sex_of(i) for i in range(len(profiles))]
    )
    return index


def by_comparing(query: Profile, profiles: list[Profile], relation: str, dropout: float = 0.0) -> list[float]:
    found = []
    for place, profile in enumerate(profiles):
        sex = "female" if sex_of(place) == "female" else "male"
        asked = {
            "parent": lambda sex=sex: relations.duo("q", "c", sex),
            "child": lambda: relations.duo("c", "q", "male"),
            "full_sibling": lambda: relations.full_siblings("q", "c"),
        }[relation]()
        typed = {"q": Typing(query, dropout), "c": Typing(profile)}
        found.append(compare(*asked, typed, table(), Model()).log10_lr)
    return found


@pytest.mark.parametrize("relation", ["parent", "child", "full_sibling"])
def test_a_full_scan_equals_comparing_every_pair(relation: str) -> None:
    rng = np.random.default_rng(1)
    profiles = mixed(rng, 60)
    query = child_of(rng, profiles[0], profiles[1])
    query[LOCI[5]] = (STRANGE, query[LOCI[5]][1])
    index = index_of(kinship(), profiles)

    found = relatives_of(
        index, kinship(), Query(query, "male"), RELATIONS[relation], None, lr_min=1e-300, leads_max=60
    )

    expected = by_comparing(query, profiles, relation)
    assert 60 == found.over == len(found.leads)
    for lead in found.leads:
        assert lead.log10_lr == pytest.approx(expected[lead.row_id], abs=1e-9)


def test_a_query_with_dropout_is_weighed_as_such() -> None:
    rng = np.random.default_rng(2)
    profiles = mixed(rng, 30)
    query = child_of(rng, profiles[1], profiles[2])
    index = index_of(kinship(), profiles)

    found = parents_of(
        index, kinship(), Query(query, dropout=0.1), mismatches=None, lr_min=1e-300, leads_max=30
    )

    expected = by_comparing(query, profiles, "parent", dropout=0.1)
    for lead in found.leads:
        assert lead.log10_lr == pytest.approx(expected[lead.row_id], abs=1e-9)


def test_a_candidate_with_dropout_is_weighed_as_such() -> None:
    rng = np.random.default_rng(3)
    parent, other = person(rng), person(rng)
    parent[LOCI[0]], child = (parent[LOCI[0]][0],) * 2, child_of(rng, parent, other)
    index = Index(kinship().panel)
    index.append(kinship().panel.encode([parent], [0.1]), [7], ["male"])

    found = parents_of(index, kinship(), Query(child))

    typed = {"q": Typing(child), "c": Typing(parent, 0.1)}
    expected = compare(*relations.duo("q", "c"), typed, table(), Model()).log10_lr
    assert [7] == [lead.row_id for lead in found.leads]
    assert found.leads[0].log10_lr == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("mutated", [0, 1, 2, 3])
def test_the_filter_loses_no_lead_of_the_full_scan(mutated: int) -> None:
    rng = np.random.default_rng(mutated)
    fathers = mixed(rng, 60)
    index = index_of(kinship(), [*fathers, *people(rng, 3000)])
    lost = 0

    for father in fathers:
        child = Query(child_of(rng, father, person(rng), mutated))
        filtered = parents_of(index, kinship(), child)
        everybody = parents_of(index, kinship(), child, mismatches=None)
        lost += len({lead.row_id for lead in everybody.leads} - {lead.row_id for lead in filtered.leads})
        assert filtered.complete

    assert 0 == lost


def test_an_answer_that_may_have_lost_somebody_says_so() -> None:
    rng = np.random.default_rng(8)
    father = person(rng)
    child = Query(child_of(rng, father, person(rng)))
    index = index_of(kinship(), [father])

    kept = parents_of(index, kinship(), child, mismatches=0, complete=False)

    assert 0 == kept.mismatches
    assert not kept.complete
    assert kept.beyond_log10 > 4
    assert parents_of(index, kinship(), child, mismatches=0).complete


def test_nobody_beyond_the_mismatches_exceeds_the_bound() -> None:
    rng = np.random.default_rng(9)
    profiles = [*mixed(rng, 400)]
    query = Query(child_of(rng, profiles[1], profiles[2]))
    index = index_of(kinship(), profiles)
    tables = kinship().tables(query, PARENT)

    everybody = parents_of(index, kinship(), query, mismatches=None, lr_min=1e-300, leads_max=400)

    for most in range(MISMATCHES_MAX):
        beyond = [lead.log10_lr for lead in everybody.leads if len(lead.inconsistent) > most]
        assert max(beyond) <= beyond_log10(kinship(), query, tables, most)


def test_children_are_found_from_either_parent() -> None:
    rng = np.random.default_rng(10)
    mother = person(rng)
    child = child_of(rng, person(rng), mother)
    index = index_of(kinship(), [*people(rng, 500), child])

    found = children_of(index, kinship(), Query(mother, "female"))

    assert 500 == found.leads[0].row_id
    assert () == found.leads[0].inconsistent
    assert len(LOCI) == found.leads[0].compared


def test_siblings_are_found_without_any_filter() -> None:
    rng = np.random.default_rng(11)
    father, mother = person(rng), person(rng)
    index = index_of(kinship(), [*people(rng, 500), child_of(rng, father, mother)])

    found = siblings_of(index, kinship(), Query(child_of(rng, father, mother)), lr_min=10)

    assert 500 == found.leads[0].row_id
    assert "full_sibling" == found.leads[0].relation


def test_what_does_not_fit_into_the_answer_is_counted() -> None:
    rng = np.random.default_rng(12)
    index = index_of(kinship(), people(rng, 50))

    found = siblings_of(index, kinship(), Query(person(rng)), lr_min=1e-300, leads_max=5)

    assert (5, 50, 45) == (len(found.leads), found.over, found.overflow)
    assert sorted((lead.log10_lr for lead in found.leads), reverse=True) == [
        lead.log10_lr for lead in found.leads
    ]


def test_without_mutation_an_exclusion_is_no_lead_and_no_trouble() -> None:
    rng = np.random.default_rng(13)
    search = kinship(rate=0.0)
    father = person(rng)
    index = index_of(search, [father, *people(rng, 200)])
    child = child_of(rng, father, person(rng))

    found = parents_of(index, search, Query(child), mismatches=None, lr_min=1e-300, leads_max=500)

    assert 0 in {lead.row_id for lead in found.leads}
    assert all(np.isfinite(lead.log10_lr) for lead in found.leads)
    assert all(() == lead.inconsistent for lead in found.leads)


def test_unusable_questions_are_refused_with_the_mend() -> None:
    rng = np.random.default_rng(14)
    index = index_of(kinship(), people(rng, 5))
    query = Query(person(rng))

    with pytest.raises(SearchRefused, match="mismatches is 9"):
        parents_of(index, kinship(), query, mismatches=9)
    with pytest.raises(SearchRefused, match="no locus of the panel"):
        parents_of(index, kinship(), Query({"DYS19": ("14",)}))
    with pytest.raises(SearchRefused, match="must be above 0"):
        siblings_of(index, kinship(), query, relation=FULL_SIBLING, lr_min=0)
    with pytest.raises(SearchRefused, match="3 alleles at TH01"):
        parents_of(index, kinship(), Query({"TH01": ("6", "7", "9")}))
