"""Two linked loci: jointly where somebody's gametes can tell of recombination, the plain product elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dna_intake.kinship import VWA_D12S391, LinkedPair, Model, Typing, compare, load_table, simulate
from dna_intake.kinship.relations import Pair, couple, duo, full_siblings, grandparent, half_siblings, trio


@pytest.mark.parametrize("relation", [duo, trio, couple])
def test_one_gamete_a_founder_makes_linkage_no_difference(relation: Callable[[], Pair]) -> None:
    found = linked_ratios(relation)

    assert ["D12S391", "vWA"] == found[0][1]
    assert found[0][0] == found[1][0]


@pytest.mark.parametrize("relation", [full_siblings, half_siblings, grandparent])
def test_linkage_is_computed_jointly_where_it_matters(relation: Callable[[], Pair]) -> None:
    found = linked_ratios(relation)

    assert ["vWA+D12S391"] == found[0][1]
    assert abs(found[0][0] - found[1][0]) > 1e-4


@pytest.mark.parametrize("theta", [0.0, 0.02])
@pytest.mark.parametrize("relation", [full_siblings, half_siblings, grandparent])
def test_loci_that_recombine_freely_are_as_if_apart(relation: Callable[[], Pair], theta: float) -> None:
    """With theta the pair is summed over groupings, and each locus alone by lines of descent."""
    found = linked_ratios(relation, LinkedPair("vWA", "D12S391", 0.5), theta)

    assert found[0][0] == pytest.approx(found[1][0], abs=1e-12)


def linked_ratios(
    relation: Callable[[], Pair], pair: LinkedPair = VWA_D12S391, theta: float = 0.0
) -> list[tuple[float, list[str]]]:
    """The sum and the names of loci, with the pair and without."""
    h1, h2 = relation()
    table = load_table("norstr_east_asia")
    rng = np.random.default_rng(5)
    drawn = simulate.draw(h1, table, Model(), rng, ["vWA", "D12S391"])
    seen = {p: Typing(drawn[p]) for p in h2.by_id if not p.startswith("untyped:")}
    found = [compare(h1, h2, seen, table, Model(theta, linked=linked)) for linked in ((pair,), ())]
    return [(each.log10_lr, [locus.locus for locus in each.loci]) for each in found]
