"""Barcodes: what was misread is noticed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dna_intake.domain.barcode import BarcodeMisread, barcode_of, read_barcode

NUMBERS = st.integers(0, 2**50 - 1)


@given(NUMBERS)
def test_a_barcode_is_read_however_it_is_typed(number: int) -> None:
    barcode = barcode_of(number)
    typed = barcode.lower().replace("-", " ").replace("0", "o").replace("1", "l")

    assert barcode == read_barcode(barcode) == read_barcode(typed)


@given(NUMBERS, st.integers(0, 9), st.integers(1, 31))
def test_one_wrong_symbol_is_always_noticed(number: int, place: int, off: int) -> None:
    symbols = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    plain = barcode_of(number).replace("-", "")
    wrong = symbols[(symbols.index(plain[place]) + off) % 32]

    with pytest.raises(BarcodeMisread):
        read_barcode(plain[:place] + wrong + plain[place + 1 :])


@given(NUMBERS, st.integers(0, 8))
def test_two_swapped_neighbours_are_always_noticed(number: int, place: int) -> None:
    plain = barcode_of(number).replace("-", "")
    swapped = plain[:place] + plain[place + 1] + plain[place] + plain[place + 2 :]

    if swapped == plain:
        assert read_barcode(swapped)
    else:
        with pytest.raises(BarcodeMisread):
            read_barcode(swapped)


@pytest.mark.parametrize("text", ["", "7", "ABC", "条码", "0" * 40, "UUUUU-UUUUU-U"])
def test_what_is_no_barcode_is_refused_with_a_mend(text: str) -> None:
    with pytest.raises(BarcodeMisread, match="scan the label"):
        read_barcode(text)
