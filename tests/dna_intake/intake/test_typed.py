"""A reading against its kit: what is taken, what needs a second typing, what is refused, and what two of them share."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dna_intake.domain.profiles import LOCI, ProfileRefused
from dna_intake.domain.typed import Typed, as_bytes, differing, from_bytes, typed_with
from dna_intake.intake import kits
from harness.dna_files import person
from harness.dna_stories import KIT, profile

KIT_USED = kits.kit(KIT)


def typed(*confirmed: str, **changes: list[str]) -> Typed:
    return typed_with(KIT_USED, profile() | changes, confirmed, confirmed)


@pytest.mark.parametrize(
    ("changes", "locus", "says"),
    [
        ({"TH01": ["8.3", "9"]}, "TH01", "off the ladder"),
        ({"TH01": ["OL", "9"]}, "TH01", "not a repeat number"),
        ({"D3S1358": ["13", "14", "21"]}, "D3S1358", "off the ladder"),
        ({"D3S1358": ["13", "14", "77"]}, "D3S1358", "out of range"),
        ({"D3S1358": ["13", "14", "OL"]}, "D3S1358", "not a repeat number"),
        ({"D3S1358": ["13", "14", "15", "16"]}, "D3S1358", "4 alleles"),
        ({"D3S1358": ["13", "14", "14"]}, "D3S1358", "3 alleles"),
        ({"Amelogenin": ["X", "Y", "Z"]}, "Amelogenin", "3 alleles"),
        ({"D99S1": ["9"]}, "D99S1", "not known"),
        ({"d3s1358": ["12", "13", "14"]}, "D3S1358", "twice"),
        (
            {name: ["13", "14", "15"] for name in ("D3S1358", "vWA", "D8S1179")},
            "profile",
            "Three alleles at 3 loci",
        ),
    ],
)
def test_a_bad_locus_is_named_with_its_mend(changes: dict[str, list[str]], locus: str, says: str) -> None:
    with pytest.raises(ProfileRefused) as error:
        typed(**changes)

    assert [locus] == [trouble.locus for trouble in error.value.troubles]
    [trouble] = error.value.troubles
    assert says in trouble.says_en
    assert trouble.says_zh
    assert trouble.mend


def test_a_locus_that_the_kit_does_not_type_is_refused() -> None:
    with pytest.raises(ProfileRefused) as error:
        typed_with(kits.kit("PowerPlex 21"), profile())

    assert {"D10S1248", "D22S1045", "D2S441", "SE33"} == {t.locus for t in error.value.troubles}


def test_markers_of_the_kit_that_no_profile_holds_are_left_out() -> None:
    found = typed(DYS391=["10"], Yindel=["2"])

    assert ("DYS391", "Yindel") == found.ignored
    assert 24 == found.genotype.loci_typed


def test_an_allele_off_the_ladder_is_taken_where_the_locus_was_typed_again() -> None:
    found = typed("th01", TH01=["8.3", "9"])

    assert (("TH01",), ("8.3", "9")) == (found.off_ladder, found.genotype.alleles["TH01"])


def test_a_locus_with_three_alleles_is_kept_out_of_the_genotype() -> None:
    found = typed(D3S1358=["16", "14", "15"])

    assert {"D3S1358": ("14", "15", "16")} == found.three
    assert "D3S1358" not in found.genotype.alleles
    assert ("D3S1358",) == found.three_unconfirmed
    assert () == typed("D3S1358", D3S1358=["14", "15", "16"]).three_unconfirmed


@pytest.mark.parametrize(
    ("changes", "loci"),
    [
        ({}, ()),
        ({"TH01": ["9", "7"]}, ()),
        ({"TH01": ["7", "9.3"]}, ("TH01",)),
        ({"TH01": ["7"], "FGA": ["22", "25"]}, ("FGA", "TH01")),
        ({"Amelogenin": ["X"]}, ("Amelogenin",)),
        ({"TH01": ["7", "9", "10"]}, ("TH01",)),
    ],
)
def test_two_readings_differ_at_named_loci(changes: dict[str, list[str]], loci: tuple[str, ...]) -> None:
    assert loci == differing(typed(), typed(**changes))


def test_a_locus_that_only_one_of_them_read_differs_and_so_does_the_kit() -> None:
    few = {locus: alleles for locus, alleles in profile().items() if locus not in ("SE33", "D6S1043")}

    one, other = typed_with(KIT_USED, few), typed()

    assert ("D6S1043", "SE33") == differing(one, other)
    less = {locus: a for locus, a in few.items() if locus not in ("Penta D", "Penta E")}
    assert ("kit",) == differing(typed_with(KIT_USED, less), typed_with(kits.kit("GlobalFiler"), less))


@given(st.integers(0, 10_000), st.sets(st.sampled_from(sorted(LOCI)), max_size=8))
def test_a_reading_is_the_same_after_it_was_sealed(seed: int, without: set[str]) -> None:
    loci = {locus: alleles for locus, alleles in person(seed).items() if locus not in without}
    found = typed_with(KIT_USED, loci | {"D3S1358": ["13", "14", "15"]}, (), ["D3S1358"])

    again = from_bytes(as_bytes(found))

    assert () == differing(found, again)
    assert found.three_confirmed == again.three_confirmed


def test_no_text_of_a_reading_or_its_refusal_repeats_an_allele() -> None:
    found = typed("D3S1358", D3S1358=["13", "14", "20"], SE33=["31.2", "33.2"])
    with pytest.raises(ProfileRefused) as error:
        typed(SE33=["41.2", "42.2"], TH01=["77", "88", "99"])

    told = f"{found!r} {found} {error.value!r} {json.dumps([vars(t) for t in error.value.troubles])}"

    assert [] == [allele for allele in ("31.2", "33.2", "41.2", "42.2", "77", "88", "99") if allele in told]
