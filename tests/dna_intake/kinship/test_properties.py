"""What must hold of any likelihood: it sums to one, forgets names and order, and goes on where mutation ends."""

from __future__ import annotations

from itertools import combinations_with_replacement, product
from math import inf
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dna_intake.kinship import FrequencyTable, Impossible, Model, Mutation, Pedigree, Person, Typing, compare
from dna_intake.kinship.founders import groupings, log_known
from dna_intake.kinship.relations import RELATIONS, full_siblings

P = {"9": 0.2, "9.3": 0.3, "10": 0.5}
TABLE = FrequencyTable("t", "invented", {"TH01": P})
STEPWISE = Mutation("stepwise", 0.02, 0.005, 0.001)
GENOTYPES = [tuple(sorted(set(pair))) for pair in combinations_with_replacement(P, 2)]
PEOPLE = {
    name: [p for p in relation()[1].by_id if not p.startswith("untyped:")]
    for name, relation in RELATIONS.items()
}
SEEN = st.lists(st.sampled_from(GENOTYPES), min_size=3, max_size=3)
MODELS = st.builds(
    Model,
    st.sampled_from([0.0, 0.02]),
    st.sampled_from(
        [STEPWISE, Mutation("equal", 0.01, 0.02), Mutation("stepwise", 0.02, 0.005, 0.001, 0.1, True)]
    ),
    st.sampled_from([0.0, 0.03]),
    st.just(0.0),
)


def typed(relation: str, seen: list[tuple[str, ...]], *, dropout: float = 0.0) -> dict[str, Typing]:
    return {p: Typing({"TH01": g}, dropout) for p, g in zip(PEOPLE[relation], seen, strict=False)}


@pytest.mark.parametrize("theta", [0.0, 0.05])
@pytest.mark.parametrize("relation", ["duo", "full_siblings", "trio", "uncle_or_aunt"])
def test_probabilities_of_all_genotypes_sum_to_one(relation: str, theta: float) -> None:
    model = Model(theta, STEPWISE, silent=0, minimum_frequency=0)
    h1, h2 = RELATIONS[relation]()
    all_of_them = product(GENOTYPES, repeat=len(PEOPLE[relation]))

    results = [compare(h1, h2, typed(relation, list(seen)), TABLE, model).loci[0] for seen in all_of_them]

    assert 1 == pytest.approx(sum(10**each.log10_h1 for each in results), rel=1e-12)
    assert 1 == pytest.approx(sum(10**each.log10_h2 for each in results), rel=1e-12)


def test_silent_alleles_and_dropout_leave_only_what_is_not_seen() -> None:
    """All visible outcomes and the invisible one: two silent alleles, or every visible copy lost."""
    silent, d = 0.1, 0.3
    model = Model(0, Mutation(), silent, 0)
    alone = Pedigree("one", [Person("a")])

    seen = [
        compare(alone, alone, {"a": Typing({"TH01": g}, d)}, TABLE, model).loci[0].log10_h1 for g in GENOTYPES
    ]

    nothing = silent**2 + 2 * silent * (1 - silent) * d + (1 - silent) ** 2 * d**2
    assert 1 - nothing == pytest.approx(sum(10**each for each in seen), rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    relation=st.sampled_from(sorted(RELATIONS)), seen=SEEN, model=MODELS, dropout=st.sampled_from([0.0, 0.1])
)
def test_a_hypothesis_against_itself_is_exactly_even(
    relation: str, seen: list[tuple[str, ...]], model: Model, dropout: float
) -> None:
    h1, _ = RELATIONS[relation]()

    assert 0 == compare(h1, h1, typed(relation, seen, dropout=dropout), TABLE, model).log10_lr


@settings(max_examples=60, deadline=None)
@given(relation=st.sampled_from(sorted(RELATIONS)), seen=SEEN, model=MODELS, seed=st.integers(0, 1000))
def test_names_and_order_of_people_and_alleles_do_not_matter(
    relation: str, seen: list[tuple[str, ...]], model: Model, seed: int
) -> None:
    pair = RELATIONS[relation]()
    given_ = typed(relation, seen)
    plain = compare(*pair, given_, TABLE, model).log10_lr

    turned = [shuffled(h, Random(seed)) for h in pair]
    renamed = {f"p{p}": Typing({"TH01": t.genotypes["TH01"][::-1]}) for p, t in reversed(given_.items())}
    found = compare(turned[0], turned[1], renamed, TABLE, model).log10_lr

    assert plain == pytest.approx(found, abs=1e-12)


def shuffled(pedigree: Pedigree, random: Random) -> Pedigree:
    """The same family with other names, in another order."""
    people = [
        Person(f"p{p.id}", p.sex, p.father and f"p{p.father}", p.mother and f"p{p.mother}")
        for p in pedigree.people
    ]
    random.shuffle(people)
    return Pedigree(pedigree.name, people)


@settings(max_examples=40, deadline=None)
@given(relation=st.sampled_from(sorted(RELATIONS)), seen=SEEN, theta=st.sampled_from([0.0, 0.02]))
def test_rates_that_go_to_nothing_go_to_the_model_without_mutation(
    relation: str, seen: list[tuple[str, ...]], theta: float
) -> None:
    pair, given_ = RELATIONS[relation](), typed(relation, seen)
    tiny = Mutation("stepwise", 1e-13, 1e-13, 1e-13)

    almost = compare(*pair, given_, TABLE, Model(theta, tiny, 0, 0)).loci[0]
    try:
        none = compare(*pair, given_, TABLE, Model(theta, Mutation(), 0, 0)).loci[0]
    except Impossible:
        without = (almost.log10_h1, -inf)  # H2 can't be; H1 may.
    else:
        without = (none.log10_h1, none.log10_h2)

    for limit, found in zip(without, (almost.log10_h1, almost.log10_h2), strict=True):
        assert found < -10 if limit == -inf else found == pytest.approx(limit, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(seen=SEEN, theta=st.sampled_from([1e-12, 1e-9]))
def test_theta_that_goes_to_nothing_goes_to_independent_founders(
    seen: list[tuple[str, ...]], theta: float
) -> None:
    pair, given_ = full_siblings(), typed("full_siblings", seen)

    found = [compare(*pair, given_, TABLE, Model(t, STEPWISE, 0, 0)).log10_lr for t in (0.0, theta)]

    assert found[0] == pytest.approx(found[1], abs=1e-6)


@pytest.mark.parametrize("known", [0, 2, 5])
@pytest.mark.parametrize("pairs", [(1,), (2, 2), (2, 1, 2), (2, 2, 2, 1)])
def test_groupings_of_unknown_alleles_sum_to_one(pairs: tuple[int, ...], known: int) -> None:
    for swaps in (True, False):
        found = groupings(pairs, known, 0.03, name="x", swaps=swaps)

        assert 1 == pytest.approx(sum(each.probability for each in found), rel=1e-12)


def test_groupings_give_the_sampling_formula() -> None:
    """Three unknown alleles, all the same: by groups and by drawing one after another."""
    p, theta = np.array([0.2, 0.3, 0.5]), 0.05

    by_groups = sum(
        each.probability * 0.2 ** len(set(each.groups)) for each in groupings((2, 1), 0, theta, name="x")
    )

    assert np.exp(log_known([0, 0, 0], p, theta)[0]) == pytest.approx(by_groups, rel=1e-12)
