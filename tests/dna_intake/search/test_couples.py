"""Couples: trio ratios are the exact engine's, with missing parents, rare alleles, silent alleles and dropout."""

from __future__ import annotations

import numpy as np
import pytest

from dna_intake.kinship import Model, Mutation, Typing, compare, relations
from dna_intake.search import Couples, Index, Query, SearchRefused, children_of_couple, couples_of, kinship_of
from harness.search_families import LOCI, STRANGE, Profile, child_of, kinship, people, person, table

SILENT = Model(theta=0.02, silent=0.003, mutation=Mutation("equal", 0.002, 0.0005))
STABILISED = Model(mutation=Mutation("stepwise", 0.002, 0.0005, 1e-6, stabilised=True))
MODELS = {"usual": Model(), "silent": SILENT, "stabilised": STABILISED}


def exactly(father: Profile, mother: Profile, child: Profile, model: Model, dropout: float = 0.0) -> float:
    typed = {"father": Typing(father), "mother": Typing(mother), "child": Typing(child, dropout)}
    return compare(*relations.couple(), typed, table(), model).log10_lr


def families(rng: np.random.Generator, count: int) -> tuple[list[Profile], list[Profile], list[Profile]]:
    """Fathers, mothers and a child each; here and there a locus is missing, or an allele unknown to the table."""
    fathers, mothers = people(rng, count), people(rng, count)
    children = [child_of(rng, f, m) for f, m in zip(fathers, mothers, strict=True)]
    for place in range(0, count, 3):
        del fathers[place][LOCI[place % 23]], mothers[place][LOCI[(place + 1) % 23]]
        fathers[place][LOCI[(place + 2) % 23]] = (STRANGE, "12")
    children[0][LOCI[7]] = (STRANGE, children[0][LOCI[7]][0])
    return fathers, mothers, children


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_every_couple_has_the_exact_ratio(model: Model) -> None:
    fathers, mothers, children = families(np.random.default_rng(1), 9)
    search = kinship_of(table(), model, LOCI)
    couples = Couples(search.panel)
    couples.append(search.panel.encode(fathers), search.panel.encode(mothers), range(100, 109))

    for place, child in enumerate(children[:3]):
        found = couples_of(couples, search, Query(child), lr_min=1e-20)

        expected = exactly(fathers[place], mothers[place], child, model)
        assert 100 + place == found.leads[0].row_id
        assert found.leads[0].log10_lr == pytest.approx(expected, abs=1e-9)


def test_a_child_with_dropout_and_a_stranger_couple_are_weighed_exactly() -> None:
    rng = np.random.default_rng(2)
    fathers, mothers, children = families(rng, 12)
    search = kinship()
    couples = Couples(search.panel)
    couples.append(search.panel.encode(fathers), search.panel.encode(mothers), range(12))

    found = couples_of(couples, search, Query(children[1], dropout=0.1), lr_min=1e-300)

    assert 12 == found.over
    for lead in found.leads:
        expected = exactly(fathers[lead.row_id], mothers[lead.row_id], children[1], Model(), 0.1)
        assert lead.log10_lr == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("model", [Model(), SILENT], ids=["usual", "silent"])
def test_a_new_couple_finds_its_child_with_the_exact_ratio(model: Model) -> None:
    rng = np.random.default_rng(3)
    fathers, mothers, children = families(rng, 6)
    search = kinship_of(table(), model, LOCI)
    index = Index(search.panel, "children")
    index.append(search.panel.encode([*children, *people(rng, 300)]), range(306))

    for place in range(3):
        found = children_of_couple(index, search, Query(fathers[place]), Query(mothers[place]))

        expected = exactly(fathers[place], mothers[place], children[place], model)
        assert place == found.leads[0].row_id
        assert found.leads[0].log10_lr == pytest.approx(expected, abs=1e-9)


def test_a_mutation_is_told_as_an_inconsistent_locus() -> None:
    rng = np.random.default_rng(4)
    father, mother = person(rng), person(rng)
    child = child_of(rng, father, mother)
    child["TH01"] = ("13.3", child["TH01"][1])
    couples = Couples(kinship().panel)
    couples.append(kinship().panel.encode([father]), kinship().panel.encode([mother]), [1])

    found = couples_of(couples, kinship(), Query(child), lr_min=1e-300)

    assert ("TH01",) == found.leads[0].inconsistent
    assert 23 == found.leads[0].compared


def test_couples_come_and_go() -> None:
    rng = np.random.default_rng(5)
    search = kinship()
    fathers, mothers, children = families(rng, 200)
    couples = Couples(search.panel)
    for start in (0, 100):
        chosen = slice(start, start + 100)
        couples.append(
            search.panel.encode(fathers[chosen]),
            search.panel.encode(mothers[chosen]),
            range(start, start + 100),
        )
    couples.append(
        search.panel.encode(fathers * 25), search.panel.encode(mothers * 25), range(1000, 6000), generation=9
    )

    assert 1 == couples.remove([7])

    assert 5199 == couples.couples
    rows = {lead.row_id for lead in couples_of(couples, search, Query(children[7])).leads}
    assert {*range(1007, 6000, 200)} <= rows
    assert 7 not in rows
    with pytest.raises(SearchRefused, match="give one each"):
        couples.append(search.panel.encode(fathers[:2]), search.panel.encode(mothers[:1]), [1, 2])
    with pytest.raises(SearchRefused, match="there already"):
        couples.append(search.panel.encode(fathers[:1]), search.panel.encode(mothers[:1]), [8])
