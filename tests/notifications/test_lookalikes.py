"""A character that has a 7-bit equal never makes a text dear."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.domain.lookalikes import gsm7_equal, plain
from notifications.segments import is_gsm7, segmentation

FROM_A_WORD_PROCESSOR = [
    ("“quoted”", '"quoted"'),
    ("don’t", "don't"),
    ("8–10 — here", "8-10 - here"),
    ("a\u00a0b\u202fc\u2009d", "a b c d"),
    ("wait…", "wait..."),
    ("\uff23\uff39\uff0d\uff10\uff14\uff17\uff12", "CY-0472"),
    ("a\uff0cb\uff1bc\uff1a", "a,b;c:"),
    ("zero\u200bwidth\ufeff", "zerowidth"),
    ("e\u0301", "é"),
    ("naïve ação", "naive aca" + "o"),
    ("\ufb01ne \u2460 \u2122", "fine 1 TM"),
    ("«a» ‹b› `c´", "\"a\" 'b' 'c'"),
    ("3\u00d74 \u2212 1", "3x4 - 1"),
    ("【a】、b。", "[a],b."),
    ("\u2028", "\n"),
]


@pytest.mark.parametrize(("typed", "sent"), FROM_A_WORD_PROCESSOR)
def test_an_english_text_is_sent_with_plain_equals(typed: str, sent: str) -> None:
    assert sent == plain(typed, "en")
    assert segmentation(plain(typed, "en")).encoding == "GSM-7"


def test_what_has_no_equal_is_left_alone() -> None:
    assert "red 中 😀 й" == plain("red 中 😀 й", "en")


def test_a_chinese_text_loses_only_what_can_not_be_seen() -> None:
    assert "红衣“蓝”裤 a" == plain("红\u200b衣\u00a0“蓝”\ufeff裤 a", "zh")


@given(st.text(max_size=80))
def test_no_english_text_keeps_a_character_that_has_an_equal(text: str) -> None:
    sent = plain(text, "en")

    assert all(gsm7_equal(char) == char for char in sent)
    assert is_gsm7(sent) or any(gsm7_equal(char) == char for char in sent if not is_gsm7(char))


@given(st.text(alphabet=st.sampled_from("aé€[“”’–…\u00a0\uff21\u200b\u3000"), max_size=200))
def test_a_text_of_equals_is_never_ucs2(text: str) -> None:
    assert "GSM-7" == segmentation(plain(text, "en")).encoding


@given(st.text(max_size=80), st.sampled_from(["zh", "en"]))
def test_plain_is_plain(text: str, language: str) -> None:
    once = plain(text, language)  # type: ignore[arg-type]

    assert once == plain(once, language)  # type: ignore[arg-type]
