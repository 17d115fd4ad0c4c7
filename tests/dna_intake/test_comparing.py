"""Comparisons with an index in this process: rows that were removed, and couples beyond what is weighed."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

import numpy as np
import pytest

from dna_intake.domain.kin import Kind, SearchRelation
from dna_intake.kinship import Model
from dna_intake.matching import engine
from dna_intake.matching.comparing import Person, child_leads, person_in
from dna_intake.matching.index import Held
from dna_intake.matching.loading import Piece
from dna_intake.matching.terms import Thresholds
from dna_intake.models_search import NewRatio
from dna_intake.search import kinship_of
from harness.kin_stories import LOCI, TABLE, Alleles, family, stranger


def held_of(people: list[Alleles], kinds: list[Kind], links: list[int]) -> tuple[Held, list[UUID]]:
    """An index in this process, without a database."""
    kinship, ids, count = kinship_of(TABLE, Model(), LOCI), [uuid4() for _ in people], len(people)
    held = Held(kinship.panel, 1, frozenset({0}))
    raw = np.array([one.bytes for one in ids], "V16")
    sexes, keys = np.zeros(count, np.uint8), np.zeros(count, np.int32)
    coded = kinship.panel.encode(people)
    held.add([Piece(raw, np.array(kinds, np.uint8), keys, sexes, np.array(links, np.uint64), coded)])
    return held, ids


def test_the_first_row_is_not_taken_for_one_that_was_removed() -> None:
    """A removed row is overwritten by 0, which is also the number of whoever was loaded first."""
    rng = np.random.default_rng(8)
    people = [stranger(rng) for _ in range(150)]
    held, ids = held_of(people, [Kind.father, *[Kind.child] * 149], [0] * 150)
    kinship = kinship_of(TABLE, Model(), LOCI)

    held.remove([ids[7]])

    assert held.groups["children"].profiles == 148
    assert {locus: sorted(pair) for locus, pair in people[0].items()} == {
        locus: sorted(pair) for locus, pair in person_in(held, kinship, 0).genotypes.items()
    }
    with pytest.raises(LookupError):
        person_in(held, kinship, 7)


def test_of_more_couples_than_are_weighed_the_likeliest_are() -> None:
    """Two couples are possible, one is weighed: the one that fits better, not the one of the smaller case link."""
    kin, kinship = family(5), kinship_of(TABLE, Model(), LOCI)
    few = [{locus: one[locus] for locus in LOCI[:12]} for one in (kin.father, kin.mother)]
    held, ids = held_of([*few, kin.father, kin.mother], [Kind.father, Kind.mother] * 2, [1, 1, 2, 2])
    child = Person(uuid4(), Kind.child, "unknown", kin.child)

    def exact(one: Person, others: Sequence[Person], relation: SearchRelation) -> NewRatio:
        return engine.exact_ratio(one, others, relation, TABLE, Model())

    found = list(child_leads(held, kinship, child, ("couple",), Thresholds(leads_max=1), exact))

    assert [(ids[2], ids[3])] == [each.relatives for each in found]
