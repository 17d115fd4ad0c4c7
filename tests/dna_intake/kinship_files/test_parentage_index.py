"""The parentage index of each genotype pattern, against closed forms written out by hand, and the mode's scale.

Alleles of the patterns: A = 14, B = 15, C = 16, D = 17, Q = 20; a letter's frequency is written p[letter].
"""

from __future__ import annotations

import math

import pytest

from dna_intake.kinship import TableRefused
from dna_intake.kinship.parentage_index import duo, opinion_of, steps_between, trio

ALLELE = {"A": "14", "B": "15", "C": "16", "D": "17", "Q": "20"}
p = {"A": 0.1, "B": 0.2, "C": 0.15, "D": 0.05, "Q": 0.3}
TABLE = {"vWA": {ALLELE[letter]: share for letter, share in p.items()}, "TH01": {"9": 0.4, "9.3": 0.6}}
MU_F, MU_M = 0.002, 0.0005


def typed(letters: str) -> dict[str, tuple[str, ...]]:
    return {"vWA": tuple(ALLELE[letter] for letter in letters)}


@pytest.mark.parametrize(
    ("child", "parent", "expected"),
    [
        ("AA", "AA", 1 / p["A"]),
        ("AA", "AB", 1 / (2 * p["A"])),
        ("AB", "AA", 1 / (2 * p["A"])),
        ("AB", "AB", (p["A"] + p["B"]) / (4 * p["A"] * p["B"])),
        ("AB", "AC", 1 / (4 * p["A"])),
        # Inconsistent, one step: both, or one, of the parent's alleles are next to the child's.
        ("BB", "AA", MU_F / (2 * p["B"])),
        ("BB", "AC", MU_F / (2 * p["B"])),
        ("BB", "AQ", MU_F / (4 * p["B"])),
        ("BQ", "AA", MU_F / (4 * p["B"])),
        ("AC", "BB", MU_F * (p["A"] + p["C"]) / (4 * p["A"] * p["C"])),
        # Two steps, and three: each further one ten times rarer.
        ("CC", "AA", MU_F / (20 * p["C"])),
        ("DD", "AA", MU_F / (200 * p["D"])),
        # Only the least number of steps counts: 15 to 16, not 17 to 14.
        ("AC", "BD", MU_F * (1 / (8 * p["A"]) + 2 / (8 * p["C"]))),
    ],
)
def test_duo_pattern_has_its_closed_form(child: str, parent: str, expected: float) -> None:
    found = duo(typed(child), typed(parent), TABLE, 0.001)

    assert math.isclose(10**found.log10_cpi, expected, rel_tol=1e-12)


def test_the_check_value_of_the_reference_holds() -> None:
    """Duo 15/15 -> 16/16 at p = 0.3277."""
    found = duo(
        {"D3S1358": ("16",)}, {"D3S1358": ("15", "15")}, {"D3S1358": {"15": 0.3, "16": 0.3277}}, 0.001
    )

    assert 10**found.log10_cpi == pytest.approx(3.0516e-3, rel=2e-5)
    assert found.inconsistent == ("D3S1358",)


@pytest.mark.parametrize(
    ("child", "mother", "father", "expected"),
    [
        # The mother's allele is certain: only the father's counts.
        ("AA", "AA", "AA", 1 / p["A"]),
        ("AA", "AB", "AC", 1 / (2 * p["A"])),
        ("AB", "AA", "BB", 1 / p["B"]),
        ("AB", "AC", "BC", 1 / (2 * p["B"])),
        # Either of the child's alleles may be the mother's.
        ("AB", "AB", "AA", 1 / (p["A"] + p["B"])),
        ("AB", "AB", "AB", 1 / (p["A"] + p["B"])),
        ("AB", "AB", "AC", 1 / (2 * (p["A"] + p["B"]))),
        # The father can't give it: one step of his.
        ("AB", "AA", "CC", MU_F / (2 * p["B"])),
        ("AB", "AA", "CQ", MU_F / (4 * p["B"])),
        ("AC", "AA", "AA", (MU_F + MU_M) / (20 * p["C"])),
        # Either he or she mutated by one step; a stranger needs neither.
        ("AB", "AA", "AA", (MU_F + MU_M) / (2 * p["B"])),
        # Child and mother differ by one step: her mutation is on both sides, and cancels.
        ("BB", "AA", "BB", 1 / p["B"]),
        ("BC", "AA", "CC", 1 / p["C"]),
        # Both differ.
        ("BB", "AA", "AA", MU_F / (2 * p["B"])),
    ],
)
def test_trio_pattern_has_its_closed_form(child: str, mother: str, father: str, expected: float) -> None:
    found = trio(typed(child), typed(father), typed(mother), TABLE, 0.001)

    assert math.isclose(10**found.log10_cpi, expected, rel_tol=1e-12)


def test_a_questioned_mother_mutates_at_her_own_rate() -> None:
    found = trio(typed("AB"), typed("CC"), typed("AA"), TABLE, 0.001, questioned_sex="female")

    assert 10**found.log10_cpi == pytest.approx(MU_M / (2 * p["B"]))


def test_what_the_mother_can_not_explain_is_not_held_against_the_father() -> None:
    found = trio(typed("BB"), typed("BB"), typed("AA"), TABLE, 0.001)

    assert (found.inconsistent, found.other_inconsistent) == ((), ("vWA",))


def test_indices_are_multiplied_over_the_loci_that_all_have() -> None:
    child = typed("AA") | {"TH01": ("9",), "FGA": ("22",)}
    father = typed("AA") | {"TH01": ("9", "9.3"), "FGA": ("22",)}

    found = duo(child, father, TABLE, 0.001)

    assert [one.locus for one in found.loci] == ["vWA", "TH01"]
    assert found.log10_cpi == pytest.approx(math.log10(1 / 0.1 * 1 / (2 * 0.4)))


def test_an_allele_never_seen_has_the_minimum_frequency() -> None:
    found = duo({"vWA": ("23",)}, {"vWA": ("23",)}, TABLE, 0.004)

    assert 10**found.log10_cpi == pytest.approx(1 / 0.004)


def test_an_allele_never_seen_without_a_minimum_is_refused_with_its_locus() -> None:
    with pytest.raises(TableRefused, match="vWA: An allele is not in the table"):
        duo({"vWA": ("23",)}, {"vWA": ("23",)}, TABLE, 0.0)


def test_a_hundred_steps_are_a_number() -> None:
    """Some markers are counted in base pairs: then parent and child may be hundreds of steps apart."""
    frequencies = {"D11S554": {"176": 0.5, "998": 0.5}}

    found = duo({"D11S554": ("998",)}, {"D11S554": ("176",)}, frequencies, 0.001)

    assert found.log10_cpi == pytest.approx(math.log10(MU_F / (2 * 0.5)) - 821)


def test_without_a_common_locus_there_is_no_index() -> None:
    with pytest.raises(ValueError, match="No locus"):
        duo(typed("AA"), {"TH01": ("9",)}, TABLE, 0.001)


@pytest.mark.parametrize(
    ("locus", "one", "other", "steps"),
    [
        ("vWA", "14", "14", 0),
        ("vWA", "14", "17", 3),
        ("TH01", "9.3", "10", 1),
        ("TH01", "9.3", "10.3", 1),
        ("TH01", "9.3", "8", 2),
        ("Penta E", "9.4", "10", 1),
        ("an unknown locus", "9.2", "11", 2),
    ],
)
def test_steps_are_whole_repeats_rounded_up(locus: str, one: str, other: str, steps: int) -> None:
    assert (steps_between(locus, one, other), steps_between(locus, other, one)) == (steps, steps)


@pytest.mark.parametrize(
    ("log10_cpi", "inconsistent", "opinion"),
    [
        (4.0, 0, "support"),
        (4.0, 2, "support"),
        (3.999, 0, "undecided"),
        (-3.999, 2, "undecided"),
        (-4.0, 0, "exclusion"),
        (0.0, 3, "exclusion"),
        (4.0, 3, "undecided"),
    ],
)
def test_the_scale_has_its_edges_where_the_rules_put_them(
    log10_cpi: float, inconsistent: int, opinion: str
) -> None:
    assert opinion_of(log10_cpi, inconsistent) == opinion
