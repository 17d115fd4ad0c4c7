"""Who a profile may be confused with: duplicates by marks, staff, families that can't be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dna_intake.domain.likeness import (
    MARK_BYTES,
    SETS,
    contradictions,
    excluded_as_couple,
    excluded_as_parent,
    marks,
    same_person,
    wrong_sex,
)
from dna_intake.domain.profiles import AMELOGENIN, Genotype, genotype_of
from harness.dna_files import Loci, child, person

KEY = b"k" * 32


def genotype(loci: Loci) -> Genotype:
    return genotype_of(loci)


def parts_shared(one: Genotype, other: Genotype) -> int:
    return len(set(marks(KEY, one)) & set(marks(KEY, other)))


def test_the_sets_are_disjoint_and_never_change() -> None:
    loci = [locus for some in SETS for locus in some]

    assert 20 == len(loci) == len(set(loci))
    # Marks are stored: this one was worked out when the first profile was entered.
    assert "3b43267cb8429042d5358d69c93953ce" == marks(KEY, genotype(person(1)))[1][1].hex()


def test_a_profile_leaves_a_mark_for_each_set_that_is_whole() -> None:
    loci = person(1)

    whole = marks(KEY, genotype(loci))
    part = marks(KEY, genotype({name: a for name, a in loci.items() if name not in ("FGA", "TH01", "SE33")}))

    assert ([0, 1, 2, 3, 4], [0, 2, 4]) == ([part for part, _ in whole], [number for number, _ in part])
    assert {MARK_BYTES} == {len(mark) for _, mark in whole}


def test_a_mark_says_nothing_without_its_key() -> None:
    assert not set(marks(KEY, genotype(person(1)))) & set(marks(b"x" * 32, genotype(person(1))))


@given(st.integers(0, 5_000), st.sets(st.sampled_from([name for some in SETS for name in some]), max_size=2))
def test_the_same_person_is_found_by_marks_in_spite_of_typing_errors(seed: int, wrong: set[str]) -> None:
    loci = person(seed)

    one, other = genotype(loci), genotype(loci | {name: [loci[name][0]] for name in wrong})

    assert parts_shared(one, other) >= 2
    assert same_person(one.alleles, other.alleles)


def test_partial_profiles_of_one_person_share_a_mark() -> None:
    loci = person(7)
    one = genotype({name: a for name, a in loci.items() if name not in SETS[0]})
    other = genotype({name: a for name, a in loci.items() if name not in ("vWA", "CSF1PO", "D2S441")})

    assert parts_shared(one, genotype(loci)) == 3
    assert same_person(one.alleles, other.alleles)


def test_no_two_of_a_thousand_strangers_share_a_mark() -> None:
    left = [mark for seed in range(1000) for mark in marks(KEY, genotype(person(seed)))]

    assert 5000 == len(left) == len(set(left))


def test_a_child_is_not_taken_for_its_parent() -> None:
    father, mother = person(1), person(2, sex="female")

    assert not same_person(genotype(father).alleles, genotype(child(father, mother, 3)).alleles)


@pytest.mark.parametrize(
    ("alleles", "registered", "relation", "wrong"),
    [
        (["X", "Y"], "male", None, False),
        (["X"], "male", None, True),
        (["X", "Y"], "female", None, True),
        (["X"], None, "father", True),
        (["X"], None, "maternal_grandmother", False),
        (["X", "Y"], None, "full_sibling", False),
        (["X", "Y"], "female", "father", True),
        (None, "male", "father", False),
    ],
)
def test_amelogenin_is_compared_with_the_register_or_the_relation(
    alleles: list[str] | None, registered: str | None, relation: str | None, wrong: bool
) -> None:
    loci = {name: a for name, a in person(1).items() if name != AMELOGENIN}
    found = genotype(loci | ({AMELOGENIN: alleles} if alleles else {}))

    assert wrong is wrong_sex(found.alleles, registered, relation)


def test_a_family_that_holds_is_not_contradicted() -> None:
    grandfather, grandmother = person(1), person(2, sex="female")
    father, mother = child(grandfather, grandmother, 3), person(4, sex="female")
    sibling = child(father, mother, 5)
    family = {
        "paternal_grandfather": grandfather,
        "paternal_grandmother": grandmother,
        "father": father,
        "mother": mother,
        "full_sibling": sibling,
    }
    known = {relation: genotype(loci).alleles for relation, loci in family.items()}

    for relation, alleles in known.items():
        others = [(name, found) for name, found in known.items() if name != relation]
        assert [] == list(contradictions(relation, alleles, others))


@pytest.mark.parametrize(
    ("relation", "with_whom"),
    [
        ("full_sibling", {"father", "mother", "couple"}),
        ("father", {"full_sibling", "paternal_grandfather", "couple"}),
        ("mother", {"full_sibling", "couple"}),
        ("paternal_grandfather", {"father"}),
        ("uncle_aunt", set()),
        (None, set()),
    ],
)
def test_a_stranger_in_a_family_is_contradicted_by_parents_and_children(
    relation: str | None, with_whom: set[str]
) -> None:
    father, mother = child(person(1), person(2, sex="female"), 3), person(4, sex="female")
    family = {
        "paternal_grandfather": person(1),
        "father": father,
        "mother": mother,
        "full_sibling": child(father, mother, 5),
    }
    known = [(name, genotype(loci).alleles) for name, loci in family.items() if name != relation]

    found = dict(contradictions(relation, genotype(person(99)).alleles, known))

    assert with_whom == set(found)
    assert all(len(loci) >= 3 for loci in found.values())


def test_two_mutations_exclude_nobody() -> None:
    father, mother = person(1), person(2, sex="female")
    mutated = child(father, mother, 3) | {"CSF1PO": ["6", "6"], "TPOX": ["5", "5"]}
    one, other, both = (genotype(loci).alleles for loci in (father, mother, mutated))

    assert len(excluded_as_parent(one, both)) <= 2
    assert [] == list(contradictions("full_sibling", both, [("father", one)]))
    assert len(excluded_as_couple(one, other, both)) <= 2
