"""Which profiles are sound, and what is said of the others: the locus and the mend, never an allele."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dna_intake.domain.profiles import AMELOGENIN, LOCI, ProfileRefused, genotype_of, locus_named
from harness.dna_stories import profile


def refused(**changes: list[str]) -> ProfileRefused:
    with pytest.raises(ProfileRefused) as error:
        genotype_of(profile() | changes)
    return error.value


def test_a_whole_profile_is_taken_with_its_alleles_in_order() -> None:
    genotype = genotype_of(profile() | {"TH01": ["9.3", "9"], "FGA": ["22"]})

    assert (genotype.alleles["TH01"], genotype.alleles["FGA"]) == (("9", "9.3"), ("22", "22"))
    assert (genotype.loci_typed, genotype.partial) == (24, False)


@pytest.mark.parametrize(
    ("locus", "alleles", "says"),
    [
        ("D3S1358", [], "It has 0 alleles."),
        ("D3S1358", ["15", "16", "17"], "It has 3 alleles."),
        ("D3S1358", ["OL"], "An allele is not a repeat number."),
        ("D3S1358", [""], "An allele is not a repeat number."),
        ("D3S1358", ["015"], "An allele is not a repeat number."),
        ("D3S1358", ["15.0"], "An allele is not a repeat number."),
        ("D3S1358", ["15.25"], "An allele is not a repeat number."),
        ("D3S1358", ["１５"], "An allele is not a repeat number."),
        ("D3S1358", ["15", "-16"], "An allele is not a repeat number."),
        ("D3S1358", ["15.4"], "An allele has an impossible microvariant."),
        ("D22S1045", ["15.3"], "An allele has an impossible microvariant."),
        ("Penta E", ["15.5"], "An allele has an impossible microvariant."),
        ("D3S1358", ["5"], "An allele is out of range."),
        ("D3S1358", ["15", "27"], "An allele is out of range."),
        ("Amelogenin", ["Y"], "It must be X or X, Y."),
        ("Amelogenin", ["Y", "Y"], "It must be X or X, Y."),
        ("Amelogenin", ["15"], "It must be X or X, Y."),
    ],
)
def test_a_bad_locus_is_named_with_its_mend(locus: str, alleles: list[str], says: str) -> None:
    error = refused(**{locus: alleles})

    [trouble] = error.troubles
    assert (locus, says) == (trouble.locus, trouble.says_en)
    assert trouble.mend
    assert trouble.says_zh


@pytest.mark.parametrize("alleles", [["Penta E", "15.4"], ["D22S1045", "15.2"], ["D3S1358", "15.3"]])
def test_a_microvariant_shorter_than_the_repeat_is_taken(alleles: list[str]) -> None:
    locus, allele = alleles

    assert (allele, allele) == genotype_of(profile() | {locus: [allele]}).alleles[locus]


def test_every_bad_locus_is_told_at_once() -> None:
    error = refused(D3S1358=[], TH01=["x"], DYS391=["10"])

    assert {"D3S1358", "TH01", "DYS391"} == {trouble.locus for trouble in error.troubles}


def test_the_same_locus_in_two_spellings_is_refused() -> None:
    error = refused(PENTA_E=["12"])

    assert [(t.locus, t.says_en) for t in error.troubles] == [("Penta E", "The locus is there twice.")]


@pytest.mark.parametrize(
    ("sent", "meant"),
    [("VWA", "vWA"), ("penta-d", "Penta D"), ("AMEL", AMELOGENIN), ("d3s1358", "D3S1358"), ("DYS19", None)],
)
def test_a_locus_is_known_by_its_usual_spellings(sent: str, meant: str | None) -> None:
    assert meant == locus_named(sent)


@pytest.mark.parametrize(("loci", "partial"), [(19, False), (18, True), (15, True)])
def test_a_profile_with_few_loci_is_marked_as_partial(loci: int, partial: bool) -> None:
    some = dict(list(profile().items())[:loci])

    assert partial is genotype_of(some).partial


def test_fourteen_loci_are_too_few_and_amelogenin_does_not_count() -> None:
    some = dict(list(profile().items())[:14]) | {AMELOGENIN: ["X"]}

    with pytest.raises(ProfileRefused, match="profile"):
        genotype_of(some)


@given(
    st.dictionaries(
        st.sampled_from([*LOCI, AMELOGENIN, "DYS391"]) | st.text(max_size=20),
        st.lists(st.text(max_size=8) | st.from_regex(r"[0-9]{1,2}(\.[0-9])?", fullmatch=True), max_size=4),
        max_size=40,
    )
)
def test_whatever_is_sent_is_taken_or_refused_by_locus(loci: dict[str, list[str]]) -> None:
    known = {*loci, *(locus_named(name) for name in loci), "profile"}

    try:
        genotype = genotype_of(loci)
    except ProfileRefused as error:
        told = {trouble.locus for trouble in error.troubles}
        assert set() < told <= known
    else:
        assert set(genotype.alleles) <= {*LOCI, AMELOGENIN}


def test_no_message_repeats_an_allele() -> None:
    error = refused(D3S1358=["77.3", "88"], TH01=["77.3"], vWA=["nonsense"])

    told = json.dumps([vars(trouble) for trouble in error.troubles]) + str(error)

    assert [secret for secret in ("77", "88", "nonsense") if secret in told] == []


def test_a_genotype_hides_its_alleles_when_it_is_printed() -> None:
    genotype = genotype_of(profile() | {"D21S11": ["33.2"]})

    assert "33.2" not in f"{genotype} {genotype!r}"


def test_every_allele_of_the_frequency_tables_is_taken(eval_data: Path) -> None:
    seen = [
        (locus, allele)
        for locus, alleles in json.loads((eval_data / "dna" / "NIST1036_Asian.json").read_text()).items()
        for allele in alleles
    ]
    locus = ""
    for line in (eval_data / "dna" / "norSTR_EastAsia_v2023.txt").read_text().splitlines():
        name, _, frequency = line.strip().partition("\t")
        locus = locus if frequency else name
        seen += [(locus, name)] if frequency else []

    refusals = [pair for pair in seen if locus_named(pair[0]) and not taken(*pair)]

    assert refusals == []
    assert set(LOCI) <= {locus_named(locus) for locus, _ in seen}


def taken(locus: str, allele: str) -> bool:
    """Is a profile sound that has this allele?"""
    others = {name: alleles for name, alleles in profile().items() if name != locus_named(locus)}
    try:
        return bool(genotype_of(others | {locus: [allele]}))
    except ProfileRefused:
        return False
