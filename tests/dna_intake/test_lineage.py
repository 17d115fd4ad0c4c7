"""The second tier: Y-STR and mtDNA compared, the markers that are asked for, and two reviewers' verdicts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dna_intake.domain.kin import Kind
from dna_intake.domain.lineage import LineageRefused, compare_mt, compare_y, markers_that_help
from dna_intake.domain.reviews import AlreadyReviewed, after, may_review, seen_by, verdict_of

HAPLOTYPE = {f"DYS{n}": ["14"] for n in range(390, 402)}


@pytest.mark.parametrize(
    ("differences", "outcome"),
    [(0, "consistent"), (1, "inconclusive"), (2, "inconclusive"), (3, "inconsistent")],
)
def test_three_differing_y_loci_speak_against_a_father(differences: int, outcome: str) -> None:
    changed = dict(list({**HAPLOTYPE}.items())[:differences])
    father = HAPLOTYPE | {locus: ["15"] for locus in changed}

    found = compare_y(HAPLOTYPE, father)

    assert (outcome, 12, differences) == (found.outcome, found.compared, found.mismatches)


def test_a_duplicated_y_locus_agrees_in_any_order() -> None:
    one, other = HAPLOTYPE | {"DYS385": ["11", "13"]}, HAPLOTYPE | {"DYS385": ["13", "11"]}

    assert compare_y(one, other).mismatches == 0


def test_too_few_shared_y_loci_and_an_empty_one_are_refused_by_name() -> None:
    with pytest.raises(LineageRefused, match="share 1 Y-STR loci"):
        compare_y({"DYS390": ["24"]}, {"DYS390": ["24"], "DYS391": ["10"]})
    with pytest.raises(LineageRefused, match="DYS390 has no allele"):
        compare_y(HAPLOTYPE, HAPLOTYPE | {"DYS390": []})


@pytest.mark.parametrize(
    ("child", "mother", "outcome", "differences"),
    [
        (["16223T", "16362C"], ["C16223T", "T16362C"], "consistent", 0),
        (["16223T"], ["16223T", "16362C"], "inconclusive", 1),
        (["16223T"], ["16189C", "16362C"], "inconsistent", 3),
        (["16223T", "315.1C"], ["16223T"], "consistent", 0),
        (["16223T", "73G"], ["16223T"], "consistent", 0),
    ],
)
def test_two_differences_of_mtdna_exclude_and_the_length_tracts_do_not_count(
    child: list[str], mother: list[str], outcome: str, differences: int
) -> None:
    found = compare_mt(child, mother, 16_024, 16_383)

    assert (outcome, differences) == (found.outcome, found.mismatches)


def test_a_variant_that_cannot_be_read_is_named_by_its_place_alone() -> None:
    with pytest.raises(LineageRefused, match="Variant 2") as refusal:
        compare_mt(["16223T", "secret"], [], 16_024, 16_383)
    assert "secret" not in str(refusal.value)
    with pytest.raises(LineageRefused, match="range"):
        compare_mt([], [], 100, 20)


@pytest.mark.parametrize(
    ("kinds", "sex", "both", "markers"),
    [
        ((Kind.father,), "male", False, ("other_parent", "y_str", "more_loci")),
        ((Kind.father,), "female", False, ("other_parent", "more_loci")),
        ((Kind.mother,), "female", False, ("other_parent", "mtdna", "more_loci")),
        ((Kind.father, Kind.mother), None, True, ("y_str", "mtdna", "more_loci")),
        ((Kind.full_sibling,), "male", False, ("mtdna", "more_loci")),
        ((Kind.uncle_aunt,), None, False, ("more_loci",)),
    ],
)
def test_a_lead_is_asked_for_the_markers_that_its_people_share(
    kinds: tuple[Kind, ...], sex: str | None, both: bool, markers: tuple[str, ...]
) -> None:
    assert markers == markers_that_help(kinds, sex, 22, both_parents_known=both)


VERDICTS = st.sampled_from(["confirmed", "refuted", "more_markers"])


@given(st.lists(VERDICTS, max_size=3))
def test_two_equal_verdicts_settle_and_three_always_do(given_: list[str]) -> None:
    verdicts = {f"reviewer-{n}": verdict for n, verdict in enumerate(given_)}
    agreed = [v for v in set(given_) if given_.count(v) >= 2]

    found = verdict_of(verdicts)

    if agreed:
        assert found == agreed[0]
    else:
        assert found == ("more_markers" if len(given_) == 3 else None)


def test_nobody_reviews_twice_and_nothing_is_seen_before_the_round_is_settled() -> None:
    with pytest.raises(AlreadyReviewed):
        may_review({"a": "confirmed"}, "a")
    may_review({"a": "confirmed"}, "b")

    assert seen_by({"a": "confirmed"}, False) == {}
    assert seen_by({"a": "confirmed"}, True) == {"a": "confirmed"}
    assert [after(v) for v in (None, "more_markers", "refuted")] == ["in_review", "second_tier", "refuted"]
