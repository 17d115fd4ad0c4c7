"""Segments are what a fan-out pays for in time; both counters, ours and the simulator's, must agree with 3GPP."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.segments import characters_max, segmentation
from sms_simulator.segments import count_segments

# Counts follow from 3GPP TS 23.038 and 23.040: 160/153 septets, 70/67 UTF-16 units, pairs are not split.
KNOWN = [
    ("", "GSM-7", 0, 1),
    ("a" * 160, "GSM-7", 160, 1),
    ("a" * 161, "GSM-7", 161, 2),
    ("a" * 306, "GSM-7", 306, 2),
    ("a" * 307, "GSM-7", 307, 3),
    ("a" * 459, "GSM-7", 459, 3),
    ("a" * 460, "GSM-7", 460, 4),
    ("€" * 80, "GSM-7", 160, 1),
    ("€" * 81, "GSM-7", 162, 2),
    ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),  # The euro sign does not fit into the first 153.
    ("[]{}~^|\\\f€", "GSM-7", 20, 1),
    ("ÄÖÑÜ§¿äöñüà@£$¥èéùìòÇ", "GSM-7", 21, 1),
    ("中" * 70, "UCS-2", 70, 1),
    ("中" * 71, "UCS-2", 71, 2),
    ("中" * 134, "UCS-2", 134, 2),
    ("中" * 135, "UCS-2", 135, 3),
    ("😀" * 35, "UCS-2", 70, 1),
    ("😀" * 36, "UCS-2", 72, 2),
    ("中" * 66 + "😀" + "中" * 66, "UCS-2", 134, 3),  # The pair does not fit into the first 67.
    ("𠮷" * 35, "UCS-2", 70, 1),  # A rare Han character outside the basic plane.
    ("ç", "UCS-2", 1, 1),  # Only the capital is in the alphabet.
    ("a" * 70 + "“", "UCS-2", 71, 2),  # One curly quote makes an English text UCS-2.
    ("a" * 70 + "\u00a0", "UCS-2", 71, 2),  # So does a no-break space.
    ("a" * 70 + "–", "UCS-2", 71, 2),  # And a dash.
    ("【云阳公安】CY-0472男6岁115cm红衣蓝裤14:20客运站走失,请查验旅客,发现拨110,签收码7K3M", "UCS-2", 56, 1),
]


@pytest.mark.parametrize(("text", "encoding", "units", "segments"), KNOWN)
def test_known_texts_take_known_segments(text: str, encoding: str, units: int, segments: int) -> None:
    size = segmentation(text)

    assert (encoding, units, segments) == (size.encoding, size.units, size.segments)
    assert segments == count_segments(text)


@given(st.text(alphabet=st.sampled_from("aZ@€[中岁😀𠮷“\n"), max_size=400))
def test_simulator_and_sender_count_alike(text: str) -> None:
    assert segmentation(text).segments == count_segments(text)


@given(st.text(max_size=200), st.characters(codec="utf-8"))
def test_one_more_character_never_takes_fewer_segments_in_the_same_alphabet(text: str, char: str) -> None:
    before, after = segmentation(text), segmentation(text + char)

    assert after.segments >= before.segments
    assert after.units > before.units or after.encoding != before.encoding


@given(st.text(alphabet=st.sampled_from("aZ€[中😀“"), max_size=400), st.integers(0, 20))
def test_no_text_has_more_characters_than_its_beginning_allows(text: str, begin: int) -> None:
    size = segmentation(text)

    assert len(text) <= characters_max(text[:begin], size.segments)
