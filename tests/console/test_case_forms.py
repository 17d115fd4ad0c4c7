"""What people type, as the owners want it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from console.case_file import forms
from guitu.problem import Problem

NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
"""14:00 in Beijing."""


@pytest.mark.parametrize(
    ("typed", "ahead", "meant"),
    [
        ("14:00", False, "2026-03-01T14:00:00+08:00"),
        ("9:05", False, "2026-03-01T09:05:00+08:00"),
        ("14:09", False, "2026-03-01T14:09:00+08:00"),
        ("23:50", False, "2026-02-28T23:50:00+08:00"),
        ("13:59", True, "2026-03-02T13:59:00+08:00"),
        ("14:01", True, "2026-03-01T14:01:00+08:00"),
        ("2026-03-05 08:00", True, "2026-03-05T08:00:00+08:00"),
        ("2026-03-05T08:00", False, "2026-03-05T08:00:00+08:00"),
        ("2026-03-05T08:00Z", False, "2026-03-05T08:00:00+00:00"),
    ],
)
def test_a_time_is_beijing_s_and_the_nearest_one_meant(typed: str, ahead: bool, meant: str) -> None:
    read = forms.moment({"at": typed}, "at", NOW, ahead=ahead)

    assert read is not None
    assert read.isoformat() == meant


@pytest.mark.parametrize("typed", ["25:00", "noon", "2026-13-01 10:00", "1:2:3:4", "٣:00"])
def test_what_is_no_time_is_refused_with_the_words(typed: str) -> None:
    with pytest.raises(Problem) as refused:
        forms.moment({"at": typed}, "at", NOW)

    assert typed in refused.value.detail_zh


@pytest.mark.parametrize(
    ("to", "leads"),
    [
        ("/cases/1#orders", "/cases/1#orders"),
        ("//evil.example", "/home"),
        ("/\\evil.example", "/home"),
        ("https://evil.example", "/home"),
        ("", "/home"),
    ],
)
def test_a_way_back_stays_inside(to: str, leads: str) -> None:
    assert forms.inside(to, "/home") == leads


def test_people_are_listed_by_lines_and_commas_of_both_scripts() -> None:
    assert forms.people({"who": "Li, Wang\n赵,钱、 孙 ;"}, "who") == ["Li", "Wang", "赵", "钱", "孙"]


@pytest.mark.parametrize("place", ["", "x|y|z", "108.7"])
def test_a_place_without_a_position_is_refused(place: str) -> None:
    with pytest.raises(Problem):
        forms.place({"place": place})
