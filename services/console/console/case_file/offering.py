"""What the forms of a case offer in their lists, in the words of the person who reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from console.case_file import names
from console.door.sessions import Visitor
from console.words import words

Option = tuple[str, str]


def for_forms(who: Visitor) -> dict[str, Any]:
    """What every page with such forms needs: the names of codes, and `options(codes)` for lists."""
    said = words(who.language)

    def options(codes: Mapping[str, str], only: Iterable[str] | None = None) -> list[Option]:
        return [(code, said(codes[code])) for code in (codes if only is None else only)]

    def merge_options(others: Iterable[Mapping[str, Any]]) -> list[Option]:
        return [(str(each["case_id"]), _likeness(said, each)) for each in others]

    return names.ALL | {"options": options, "merge_options": merge_options}


def _likeness(said: Callable[..., str], other: Mapping[str, Any]) -> str:
    score = other.get("score")
    if score is None:
        return str(other["case_code"])
    return said("{code}, {percent} % alike", code=other["case_code"], percent=round(score * 100))
