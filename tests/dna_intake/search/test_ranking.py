"""What a lead is worth: posteriors, and how many strangers look like that."""

from __future__ import annotations

import numpy as np
import pytest

from dna_intake.search import PARENT, Couples, Index, Query, SearchRefused, couples_of, parents_of
from dna_intake.search.ranking import (
    poisson_binomial,
    posteriors,
    ranked,
    strangers_of,
    strangers_of_couples,
    strangers_of_panel,
    strangers_within,
)
from harness.search_families import LOCI, child_of, kinship, people, person, table

CODIS_20 = [name for name in LOCI if name not in ("D6S1043", "Penta D", "Penta E")]


def test_posteriors_start_from_one_in_n_for_everybody() -> None:
    million = 10**6

    assert posteriors([], million) == []
    assert posteriors([6.0], million) == [pytest.approx(0.5, abs=1e-5)]
    assert posteriors([10.0, 4.0], million)[0] == pytest.approx(1e10 / (1e10 + 1e4 + million - 2))
    assert posteriors([400.0, 6.0], million)[0] == pytest.approx(1.0)
    assert sum(posteriors([7.0, 7.0, 2.0], million)) < 1


def test_leads_that_did_not_fit_take_their_share_of_the_posterior() -> None:
    """Of 900 leads a hundred are told: the other eight hundred are no strangers with a ratio of 1."""
    told = [5.0] * 100

    [first, *_] = posteriors(told, 10**6, overflow=800)

    assert first == pytest.approx(posteriors([5.0] * 900, 10**6)[0])
    assert first < posteriors(told, 10**6)[0] / 5


def test_expected_strangers_agree_with_the_reference_by_size() -> None:
    """The reference has 153 (none), 19,400 (two) at 20 loci and 11, 2,290 at 23, by another Chinese table."""
    ten_million = 10_000_000

    none, two = (strangers_of_panel(table().loci, CODIS_20, ten_million, k) for k in (0, 2))
    none_23, two_23 = (strangers_of_panel(table().loci, LOCI, ten_million, k) for k in (0, 2))

    assert none == pytest.approx(153, rel=0.1)
    assert two == pytest.approx(19_400, rel=0.1)
    assert none_23 == pytest.approx(11, rel=0.1)
    assert two_23 == pytest.approx(2_290, rel=0.1)


def test_mismatches_are_counted_over_unequal_loci() -> None:
    assert poisson_binomial([0.5, 0.5], 0) == pytest.approx(0.25)
    assert poisson_binomial([0.2, 0.5, 0.9], 1) == pytest.approx(
        0.8 * 0.5 * 0.1 + 0.2 * 0.5 * 0.1 + 0.8 * 0.5 * 0.1 + 0.8 * 0.5 * 0.9
    )


def test_the_share_of_strangers_is_what_drawing_them_gives() -> None:
    rng = np.random.default_rng(1)
    search = kinship(theta=0.0)
    query = Query(child_of(rng, person(rng), person(rng)))
    tables = search.tables(query, PARENT)
    totals = _draw_totals(search, rng, tables.exact[1], 100_000)

    strangers = strangers_of(search, query, tables, least=-9.0)

    for least in (-9.0, -7.0, -5.0):
        assert strangers.chance(least) == pytest.approx((totals >= least).mean(), rel=0.15)
    index_share = strangers_within(search, query, 1, 4)
    assert 0 < strangers_within(search, query, 1, 0) < index_share < 1


def test_no_more_strangers_exceed_a_ratio_than_its_inverse() -> None:
    rng = np.random.default_rng(2)

    for _ in range(5):
        query = Query(child_of(rng, person(rng), person(rng)))
        strangers = strangers_of(kinship(theta=0.0), query, kinship(theta=0.0).tables(query, PARENT))
        for log10_t in (0.5, 1, 2, 3, 4, 5, 6):
            assert strangers.chance(log10_t) <= 10**-log10_t * 1.1


def test_a_couple_of_strangers_is_rarer_than_a_lone_stranger() -> None:
    rng = np.random.default_rng(3)
    query = Query(child_of(rng, person(rng), person(rng)))

    alone = strangers_of(kinship(), query, kinship().tables(query, PARENT)).chance(4)
    couple = strangers_of_couples(kinship(), query).chance(4)

    assert 0 < couple < alone / 1000


def test_every_lead_says_how_many_strangers_are_expected_there() -> None:
    rng = np.random.default_rng(4)
    father, mother = person(rng), person(rng)
    query = Query(child_of(rng, father, mother))
    index = Index(kinship().panel)
    index.append(kinship().panel.encode([father, *people(rng, 300)]), range(301))
    couples = Couples(kinship().panel)
    couples.append(kinship().panel.encode([father]), kinship().panel.encode([mother]), [5])

    (lead,) = ranked(parents_of(index, kinship(), query), kinship(), query, 10_000_000)
    (couple,) = ranked(couples_of(couples, kinship(), query), kinship(), query, 1_000_000)

    assert 0 == lead.lead.row_id
    assert 0 < lead.strangers_expected < 0.01
    assert lead.posterior < couple.posterior
    assert couple.strangers_expected < lead.strangers_expected


def test_a_search_with_more_leads_than_fit_ranks_them_by_all() -> None:
    rng = np.random.default_rng(6)
    index = Index(kinship().panel)
    twins = [person(rng)] * 30
    index.append(kinship().panel.encode(twins), range(30))
    found = parents_of(index, kinship(), Query(twins[0]), leads_max=3)

    ranks = ranked(found, kinship(), Query(twins[0]), 30)

    assert 27 == found.overflow
    assert [pytest.approx(1 / 30)] * 3 == [each.posterior for each in ranks]


def test_a_prior_for_fewer_than_were_examined_is_refused() -> None:
    rng = np.random.default_rng(5)
    index = Index(kinship().panel)
    index.append(kinship().panel.encode(people(rng, 3)), range(3))
    query = Query(person(rng))

    with pytest.raises(SearchRefused, match="3 profiles were examined"):
        ranked(parents_of(index, kinship(), query), kinship(), query, 2)


def _draw_totals(search, rng, table_of_codes, count):  # type: ignore[no-untyped-def]
    totals = np.zeros(count)
    for locus, name in enumerate(LOCI):
        alleles = search.panel.alleles[locus]
        p = np.array([search.frequencies[name][allele] for allele in alleles])
        pair = rng.choice(len(p), (count, 2), p=p / p.sum())
        low, high = pair.min(axis=1), pair.max(axis=1)
        totals += table_of_codes[locus, high * (high + 1) // 2 + low]
    return totals
