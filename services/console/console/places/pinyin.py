"""Finding a Chinese name by what hands type: its characters, its pinyin, its initials, or any mixture of these.

`yyqc`, `yunyangqiche`, `云阳qc` and `客运` all find 云阳汽车站 or 云阳客运中心. A character with several readings
is found by each of them, since who types knows the local one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

Spelling = tuple[tuple[str, ...], ...]
"""The readings of each character of a name, in the order of the name; other signs stand for themselves."""

QUERY_MAX = 40
NAME_MAX = 60


def typed(query: str) -> str:
    """The query as it is compared: one width, small letters, without blanks and apostrophes; at most 40 signs."""
    even = unicodedata.normalize("NFKC", query).lower()
    return "".join(sign for sign in even if sign.isalnum())[:QUERY_MAX]


def spelling(column: str) -> Spelling:
    """Read the column of a places file: `da|dai yan`."""
    return tuple(tuple(syllable.split("|")) for syllable in column.split(" "))


@lru_cache(maxsize=4096)
def spelled(name: str) -> Spelling:
    """The readings of a name that no file spells, such as a site's."""
    # It reads its tables on import, 0.1 s that only the first search of a process pays.
    from pypinyin import Style, pinyin

    even = unicodedata.normalize("NFKC", name).lower()[:NAME_MAX]
    found = (pinyin(sign, style=Style.NORMAL, heteronym=True)[0] for sign in even)
    return tuple(tuple(dict.fromkeys(said)) for said in found)


def match(query: str, name: str, readings: Spelling) -> int | None:
    """How far into the name the query is found, 0 at its beginning; None if it is not.

    `query` went through `typed`. Characters are used up one after another: each by itself, by one of its readings
    or by the beginning of one.
    """
    signs = unicodedata.normalize("NFKC", name).lower()[:NAME_MAX]
    for start in range(len(readings)):
        if _goes_on(query, signs, readings, 0, start, set()):
            return start
    return None


def _goes_on(
    query: str, signs: str, readings: Sequence[Sequence[str]], at: int, place: int, dead: set[tuple[int, int]]
) -> bool:
    """Whether the rest of the query can be read from this character on; `dead` are ends that led nowhere."""
    if at == len(query):
        return True
    if place == len(readings) or (at, place) in dead:
        return False
    if not signs[place].isalnum():
        return _goes_on(query, signs, readings, at, place + 1, dead)
    for used in _used(query[at:], signs[place], readings[place]):
        if _goes_on(query, signs, readings, at + used, place + 1, dead):
            return True
    dead.add((at, place))
    return False


def _used(rest: str, sign: str, readings: Sequence[str]) -> list[int]:
    """How many letters of the rest this character may use up, the most first."""
    counts = {1} if rest[0] == sign else set()
    for reading in readings:
        common = 0
        while common < min(len(reading), len(rest)) and reading[common] == rest[common]:
            common += 1
        counts |= set(range(1, common + 1))
    return sorted(counts, reverse=True)
