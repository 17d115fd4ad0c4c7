"""When a contact is on duty: a week's plan as people write it, read to minutes of the week in Beijing time.

Minute 0 is Monday 00:00. A range over midnight belongs to the day it begins on; an empty plan means always.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))
DAY_MIN = 24 * 60
WEEK_MIN = 7 * DAY_MIN
HOURS_MAX = 200
"""Characters that a plan may have."""
Minutes = tuple[int, int]
"""From the first minute to before the second, both of the week."""
ALWAYS: tuple[Minutes, ...] = ((0, WEEK_MIN),)

_EN = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_ZH = ("一", "二", "三", "四", "五", "六", "日")
_EVERY_DAY = frozenset({"", "DAILY", "每天", "每日"})
_DAYS = {name: n for names in (_EN, _ZH) for n, name in enumerate(names)} | {"天": 6}
_WEEK = re.compile(r"^(?:周|星期|礼拜)")
_DASH = re.compile(r"\s*[-\u2010-\u2015\u2212~\u223c\u301c至到]\s*")
_COMMA = re.compile(r"\s*[,、和]\s*")
_PART = re.compile(r"(?P<days>[^\d]*?)\s*(?P<times>\d.*)")
_TIME = re.compile(r"(\d{1,2}):([0-5]\d)", re.ASCII)


class DutyUnreadable(ValueError):
    """The plan can't be read; `part` is what is wrong with it."""

    def __init__(self, part: str) -> None:
        super().__init__(f"{part!r} is not like Mon-Fri 08:00-18:00")
        self.part = part


def read_duty(text: str) -> tuple[Minutes, ...]:
    """The minutes of the week, in order, none touching another. Raises: DutyUnreadable.

    `Mon-Fri 08:00-18:00; Sat,Sun 09:00-17:00; 22:00-06:00`, or 周一-周五 08:00-18:00;周六、周日 9:00-17:00.
    Parts without days mean every day.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if not plain:
        return ALWAYS
    if len(plain) > HOURS_MAX:
        raise DutyUnreadable(plain[:20])
    parts = [part.strip() for part in plain.split(";") if part.strip()]
    if not parts:
        raise DutyUnreadable(plain[:20])
    return _joined(sorted(minutes for part in parts for minutes in _read_part(part)))


def minute_of_week(moment: datetime) -> int:
    """The minute that clocks and calendars in Beijing show, 0 to 10,079."""
    local = moment.astimezone(BEIJING)
    return local.weekday() * DAY_MIN + local.hour * 60 + local.minute


def as_multirange(minutes: tuple[Minutes, ...]) -> str:
    """The same as PostgreSQL writes an int4multirange."""
    return "{" + ",".join(f"[{start},{end})" for start, end in minutes) + "}"


def _read_part(part: str) -> Iterator[Minutes]:
    found = _PART.fullmatch(part)
    if found is None:
        raise DutyUnreadable(part)
    days = _read_days(found["days"].strip(" :"), part)
    for times in _COMMA.split(found["times"]):
        start, end = _read_times(times, part)
        for day in days:
            yield from _in_week(day * DAY_MIN + start, day * DAY_MIN + end)


def _in_week(start: int, end: int) -> Iterator[Minutes]:
    """What goes past Sunday's midnight goes on on Monday."""
    yield start, min(end, WEEK_MIN)
    if end > WEEK_MIN:
        yield 0, end - WEEK_MIN


def _read_days(text: str, part: str) -> list[int]:
    if text.upper() in _EVERY_DAY:
        return list(range(7))
    days: set[int] = set()
    for item in _COMMA.split(text):
        ends = [_day(name, part) for name in _DASH.split(item)]
        if len(ends) > 2:
            raise DutyUnreadable(part)
        days |= {(ends[0] + n) % 7 for n in range((ends[-1] - ends[0]) % 7 + 1)}
    return sorted(days)


def _day(name: str, part: str) -> int:
    day = _DAYS.get(_WEEK.sub("", name.strip().upper())[:3])
    if day is None:
        raise DutyUnreadable(part)
    return day


def _read_times(text: str, part: str) -> Minutes:
    """From, and to or past midnight; a range without length is refused: 00:00-24:00 is the whole day."""
    ends = [_time(end.strip(), part) for end in _DASH.split(text.strip())]
    if len(ends) != 2 or ends[0] == ends[1] or ends[0] == DAY_MIN:
        raise DutyUnreadable(part)
    start, end = ends
    return start, end if end > start else end + DAY_MIN


def _time(text: str, part: str) -> int:
    found = _TIME.fullmatch(text)
    minute = int(found[1]) * 60 + int(found[2]) if found else DAY_MIN + 1
    if minute > DAY_MIN:
        raise DutyUnreadable(part)
    return minute


def _joined(ordered: list[Minutes]) -> tuple[Minutes, ...]:
    joined: list[Minutes] = []
    for start, end in ordered:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)
