"""The packed form of a genotype reads back as what was packed, alone and by the million, or says which row does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dna_intake.domain.packed import LENGTH, PACKED_LOCI, STR_LOCI, Unreadable, pack, unpack, unpack_many
from dna_intake.domain.profiles import AMELOGENIN, LOCI, Genotype, genotype_of
from harness.dna_stories import profile


@st.composite
def genotypes(draw: st.DrawFn) -> Genotype:
    """A sound profile with any loci left out and any allele of the loci's ranges."""
    loci = draw(st.lists(st.sampled_from(sorted(LOCI)), min_size=15, unique=True))
    sent: dict[str, list[str]] = {}
    for name in loci:
        locus = LOCI[name]
        allele = st.builds(
            lambda whole, part: f"{whole}.{part}" if part else str(whole),
            st.integers(locus.repeats_min, locus.repeats_max),
            st.integers(0, locus.repeat_bases - 1),
        )
        sent[name] = draw(st.lists(allele, min_size=1, max_size=2))
    if draw(st.booleans()):
        sent[AMELOGENIN] = draw(st.sampled_from([["X"], ["X", "Y"]]))
    return genotype_of(sent)


@given(genotypes())
def test_what_was_packed_reads_back_the_same(genotype: Genotype) -> None:
    packed = pack(genotype)

    assert (LENGTH, genotype.alleles) == (len(packed), unpack(packed).alleles)


def test_the_packed_form_stays_what_it_was_when_profiles_were_sealed_with_it() -> None:
    packed = pack(genotype_of(profile() | {"TH01": ["9.3", "6"], "AMEL": ["X", "Y"]}))

    assert (101, 1, "CSF1PO", AMELOGENIN) == (LENGTH, packed[0], PACKED_LOCI[0], PACKED_LOCI[-1])
    assert (120, 150) == tuple(np.frombuffer(packed[1:5], "<u2"))
    assert (60, 93) == tuple(np.frombuffer(packed, "<u2", count=2, offset=1 + 4 * PACKED_LOCI.index("TH01")))
    assert (1, 2) == tuple(np.frombuffer(packed[-4:], "<u2"))


def test_every_locus_that_can_be_entered_has_a_place() -> None:
    assert set(LOCI) == set(STR_LOCI)


def test_many_profiles_are_read_at_once_with_zero_for_what_was_not_typed() -> None:
    whole, part = genotype_of(profile()), genotype_of(dict(list(profile().items())[:15]))

    numbers = unpack_many([pack(whole), pack(part), pack(whole)])

    assert (3, 25, 2) == numbers.shape
    assert np.uint16 == numbers.dtype
    assert (24, 15) == tuple(np.count_nonzero(numbers[row, :, 0]) for row in (0, 1))
    assert (0, 25, 2) == unpack_many([]).shape


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda packed: packed[:-1], "Row 1 has 100 bytes"),
        (lambda packed: b"", "Row 1 has 0 bytes"),
        (lambda packed: b"\x02" + packed[1:], "Row 1 is of version 2"),
        (lambda packed: packed[:1] + b"\x00\x00" + packed[3:], "Row 1 does not hold two alleles"),
        (lambda packed: packed[:1] + b"\xff\xff" + packed[3:], "Row 1 does not hold two alleles"),
        (lambda packed: packed[:-4] + b"\x03\x00\x03\x00", "Row 1 does not hold two alleles"),
    ],
)
def test_what_is_not_a_packed_genotype_is_refused_by_its_row(
    change: Callable[[bytes], bytes], says: str
) -> None:
    packed = pack(genotype_of(profile()))

    with pytest.raises(Unreadable, match=says):
        unpack_many([packed, change(packed)])


@given(
    st.binary(max_size=2 * LENGTH) | st.binary(min_size=LENGTH - 1, max_size=LENGTH - 1).map(b"\x01".__add__)
)
def test_any_bytes_are_read_or_refused(found: bytes) -> None:
    try:
        genotype = unpack(found)
    except Unreadable:
        return
    assert found == pack(genotype)


def test_a_locus_without_a_place_is_named() -> None:
    loci: Mapping[str, tuple[str, str]] = {"D99S1": ("77", "88")}

    with pytest.raises(Unreadable, match="D99S1") as error:
        pack(Genotype(loci))

    assert "77" not in str(error.value)
