"""Duty hours: as people write them, in both languages, to minutes of the week in Beijing time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.domain.duty import (
    ALWAYS,
    DAY_MIN,
    WEEK_MIN,
    DutyUnreadable,
    as_multirange,
    minute_of_week,
    read_duty,
)

EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ZH = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
DAYS = st.lists(st.integers(0, 6), min_size=1, max_size=4, unique=True)
TIMES = st.tuples(st.integers(0, DAY_MIN - 1), st.integers(0, DAY_MIN)).filter(lambda t: t[0] != t[1])
PLANS = st.lists(st.tuples(DAYS, TIMES), min_size=1, max_size=4)
Plan = list[tuple[list[int], tuple[int, int]]]


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def written(plan: Plan, names: tuple[str, ...], joint: str = ",", end: str = "; ") -> str:
    return end.join(
        f"{joint.join(names[day] for day in days)} {clock(start)}-{clock(stop)}"
        for days, (start, stop) in plan
    )


def minute_by_minute(plan: Plan) -> set[int]:
    """What the plan means, counted without cleverness."""
    return {
        (day * DAY_MIN + start + n) % WEEK_MIN
        for days, (start, stop) in plan
        for day in days
        for n in range((stop - start) if stop > start else (stop - start + DAY_MIN))
    }


@given(PLANS)
def test_a_plan_covers_exactly_its_minutes(plan: Plan) -> None:
    minutes = read_duty(written(plan, EN))

    assert minute_by_minute(plan) == {m for start, end in minutes for m in range(start, end)}


@given(PLANS)
def test_ranges_are_in_order_inside_the_week_and_never_touch(plan: Plan) -> None:
    minutes = read_duty(written(plan, EN))

    ends = [moment for pair in minutes for moment in pair]
    assert ends == sorted(set(ends))
    assert 0 <= ends[0] < ends[-1] <= WEEK_MIN


@given(PLANS)
def test_both_languages_and_widths_mean_the_same(plan: Plan) -> None:
    wide = str.maketrans({":": "\uff1a", ";": "\uff1b", ",": "\uff0c"})

    assert read_duty(written(plan, EN)) == read_duty(written(plan, ZH, "、", "\uff1b"))
    assert read_duty(written(plan, EN)) == read_duty(written(plan, EN).upper().translate(wide))


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("", ALWAYS),
        ("  ", ALWAYS),
        ("00:00-24:00", ALWAYS),
        ("Sun 22:00-06:00", ((0, 360), (9960, WEEK_MIN))),
        ("Fri-Mon 08:00-09:00", ((480, 540), (6240, 6300), (7680, 7740), (9120, 9180))),
        ("周一至周二08:00-09:00", ((480, 540), (1920, 1980))),
        ("星期一 8:00~12:00,14:00-18:00", ((480, 720), (840, 1080))),
        ("Mon 08:00-10:00; Mon 09:00-12:00", ((480, 720),)),
    ],
)
def test_a_plan_is_read_as_it_is_meant(text: str, ranges: tuple[tuple[int, int], ...]) -> None:
    assert ranges == read_duty(text)


@pytest.mark.parametrize(
    "text",
    [
        *("Mon-Fri", "9-17", "Mon 08:00", "Mon 08:00-25:00", "Mon 24:00-06:00", "Mon 08:00-08:00"),
        *("Xyz 08:00-18:00", "Mon-Wed-Fri 08:00-18:00", ";", "Mon 08:00-18:00 and more", "9" * 300),
    ],
)
def test_what_can_not_be_read_is_refused_and_not_guessed(text: str) -> None:
    with pytest.raises(DutyUnreadable):
        read_duty(text)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_the_minute_of_the_week_is_beijings(moment: datetime) -> None:
    monday = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)
    since = (moment - monday) // timedelta(minutes=1)

    assert since % WEEK_MIN == minute_of_week(moment)


def test_ranges_are_written_as_postgresql_does() -> None:
    assert "{[0,360),[9960,10080)}" == as_multirange(read_duty("Sun 22:00-06:00"))
