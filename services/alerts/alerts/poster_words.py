"""What a poster says, in both languages, and how its words are broken into lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from alerts.domain.case import Case
from alerts.domain.publishing import Publication
from contracts.base import Sex

BEIJING = ZoneInfo("Asia/Shanghai")
SEX = {Sex.male: ("男", "boy"), Sex.female: ("女", "girl"), Sex.unknown: ("不详", "not known")}
TITLE = ("寻找走失儿童", "MISSING CHILD")
EXERCISE = ("演练 请勿转发", "EXERCISE, do not pass on")
CALL = ("有线索请立即拨打", "If you have seen this child, call at once")
CAUTION = (
    "请勿盘问、拦截,记下时间、地点、去向。",
    "Do not question or stop anybody; note when, where and which way.",
)
SCAN = ("扫码查看最新情况", "Scan for the latest")
OVER = (
    "页面显示已解除时,请撕下并停止转发。",
    "Once that page says it is over, take this down and stop sharing.",
)
Measure = Callable[[str], float]
"""How wide words are."""
_TOKENS = re.compile(r"[!-~\u00a1-\u024f]+|\s|.", re.DOTALL)
_NOT_FIRST = "、,。;:!?)》」』”’%,.;:!?)]}"
"""May not begin a line: what closes a pair, and points (GB/T 15834)."""


class Line(NamedTuple):
    """One fact: its name in both languages, and what it is."""

    zh: str
    en: str
    says: str


class Poster(NamedTuple):
    """Everything that is drawn; a plain value, since it goes to another process."""

    exercise: bool
    case_code: str
    police_case_number: str
    publisher_zh: str
    publisher_en: str
    phone: str
    url: str
    lines: tuple[Line, ...]
    photo: bytes | None
    drawn_on: str


def facts_of(case: Case, name: str) -> tuple[Line, ...]:
    """What may be said of the child; the name only if the family agreed, empty otherwise."""
    child, place = case.child, case.last_seen_place
    sex = " ".join(SEX[child.sex])
    lines = [Line("姓名", "Name", name)] if name else []
    lines += [Line("性别", "Sex", sex), Line("年龄", "Age", f"{child.age_years}岁 {child.age_years} years")]
    if child.height_cm:
        lines.append(Line("身高", "Height", f"{child.height_cm} cm"))
    lines.append(Line("走失时间", "Last seen", beijing(case.last_seen_at)))
    if place.name:
        lines.append(Line("走失地点", "Where", place.name))
    lines.append(Line("特征", "Appearance", child.appearance))
    return tuple(lines)


def poster_of(
    case: Case, publication: Publication, name: str, photo: bytes | None, now: datetime, **said: Any
) -> Poster:
    """The poster of a case; `said` is what the node says of itself: publisher, phone, address."""
    return Poster(
        exercise=case.exercise,
        case_code=case.case_code,
        police_case_number=publication.police_case_number,
        lines=facts_of(case, name),
        photo=photo,
        drawn_on=beijing(now),
        **said,
    )


def beijing(moment: datetime) -> str:
    """A time as people here read it."""
    return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M}"


def wrapped(words: str, width: float, measure: Measure, lines_max: int) -> list[str]:
    """The words in lines that fit: Chinese breaks anywhere but before closing marks, other words only whole."""
    lines, line = [], ""
    for token in _pieces(words, width, measure):
        if line and measure(line + token) > width and token not in _NOT_FIRST:
            lines.append(line.rstrip())
            line = ""
        line += token if line or not token.isspace() else ""
    lines = [each for each in [*lines, line.rstrip()] if each]
    return lines if len(lines) <= lines_max else _cut(lines[:lines_max], width, measure)


def fitting(
    words: str,
    width: float,
    room: float,
    sizes: Sequence[float],
    leading: float,
    font_of: Callable[[float], Measure],
) -> tuple[float, list[str]]:
    """The largest size in which all the words fit into `room`, and their lines; cut in the smallest.

    `leading` is the distance from line to line, a unit of size; `font_of(size)` measures.
    """
    whole = "".join(words.split())
    for size in sizes:
        lines = wrapped(words, width, font_of(size), max(1, int(room / (size * leading))))
        if "".join("".join(lines).split()) == whole:
            return size, lines
    return size, lines


def _pieces(words: str, width: float, measure: Measure) -> list[str]:
    """Words; one that is wider than a line by itself becomes its characters."""
    found = _TOKENS.findall(" ".join(words.split()))
    return [part for token in found for part in ([token] if measure(token) <= width else token)]


def _cut(lines: list[str], width: float, measure: Measure) -> list[str]:
    last = lines[-1]
    while last and measure(last + "…") > width:
        last = last[:-1]
    return [*lines[:-1], last + "…"]
