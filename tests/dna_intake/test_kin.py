"""Who is compared with whom, where a profile lies, and what a lead is worth."""

from __future__ import annotations

import math
import random
from uuid import UUID

import pytest
from aiokafka.partitioner import DefaultPartitioner, murmur2
from hypothesis import given
from hypothesis import strategies as st

from dna_intake.case_reference import candidate_of, reference_of
from dna_intake.domain import leads
from dna_intake.domain.kin import Kind, key_hash, kind_of, may_be_a_couple, partition_of, relations_of

MASTER = bytes(range(32))


@given(st.uuids())
def test_a_profile_lies_where_the_producer_puts_its_facts(specimen: UUID) -> None:
    key = str(specimen).encode()

    expected = DefaultPartitioner()(key, list(range(24)), list(range(24)))

    assert expected == partition_of(specimen, 24)
    assert murmur2(key) & 0x7FFFFFFF == key_hash(specimen)


@pytest.mark.parametrize(
    ("category", "relation", "sex", "kind"),
    [
        ("unknown_origin", None, "male", Kind.child),
        ("adopted", None, None, Kind.child),
        ("parent_of_missing_child", "mother", None, Kind.mother),
        ("parent_of_missing_child", None, "male", Kind.father),
        ("parent_of_missing_child", None, None, Kind.parent),
        ("parent_of_missing_child", "maternal_grandfather", "male", Kind.maternal_grandfather),
    ],
)
def test_what_a_specimen_is_to_the_search(category: str, relation: str, sex: str, kind: Kind) -> None:
    assert kind_of(category, relation, sex) is kind


def test_a_search_looks_for_what_the_specimen_can_be() -> None:
    assert relations_of(Kind.father) == ("parent", "couple")
    assert relations_of(Kind.full_sibling) == ("full_sibling",)
    assert relations_of(Kind.child, ["couple"]) == ("couple",)
    with pytest.raises(ValueError, match="searched for as parent, couple"):
        relations_of(Kind.mother, ["uncle_aunt"])


def test_two_fathers_are_no_couple_and_two_parents_of_unknown_sex_may_be() -> None:
    assert may_be_a_couple(Kind.father, Kind.mother)
    assert may_be_a_couple(Kind.parent, Kind.parent)
    assert may_be_a_couple(Kind.father, Kind.parent)
    assert not may_be_a_couple(Kind.father, Kind.father)
    assert not may_be_a_couple(Kind.father, Kind.full_sibling)


def test_the_same_people_are_the_same_lead_in_whatever_order() -> None:
    child, one, other = (UUID(int=n) for n in range(3))

    assert leads.candidate_id(child, [one, other], "couple") == leads.candidate_id(
        child, [other, one], "couple"
    )
    assert leads.candidate_id(child, [one], "parent") != leads.candidate_id(child, [one], "full_sibling")


@pytest.mark.parametrize(
    ("log10_lr", "compared", "expected"), [(7, 10_000_001, 0.5), (4, 1, 1.0), (20, 10**7, 1.0)]
)
def test_a_posterior_weighs_the_ratio_against_all_that_were_compared(
    log10_lr: float, compared: int, expected: float
) -> None:
    assert math.isclose(expected, leads.posterior(log10_lr, compared), rel_tol=1e-9)


def test_a_courtroom_ratio_among_ten_million_is_no_identification() -> None:
    assert leads.posterior(4, 10_000_000) < 0.0011
    assert leads.strangers_by_lr(4, 10_000_000) == pytest.approx(1000)
    assert "not an identification" in leads.says_en(4, 10_000_000, 11)
    assert "不等于身份认定" in leads.says_zh(4, 10_000_000, 11)


@given(st.uuids())
def test_only_the_key_leads_from_the_reference_of_a_case_to_the_candidate(candidate: UUID) -> None:
    reference = reference_of(MASTER, candidate)

    assert candidate_of(MASTER, reference) == candidate
    assert candidate_of(bytes(32), reference) != candidate
    assert reference != candidate


def test_partitions_share_the_specimens_about_evenly() -> None:
    rng = random.Random(1)
    counts = [0] * 24
    for _ in range(4800):
        counts[partition_of(UUID(int=rng.getrandbits(128)), 24)] += 1

    assert min(counts) > 140
    assert max(counts) < 270
