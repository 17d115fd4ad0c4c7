"""The places that a person may name: what the county is made of, and where units and sites stand.

Pure: what the places are comes from `source`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from console.places.pinyin import Spelling, match, typed

PlaceKind = Literal["site", "checkpoint", "township", "village"]
HUBS = ("bus_station", "ferry_terminal", "rail_station")
"""Where children are lost, and led away, before all other places."""
FOUND_MAX = 8


@dataclass(frozen=True)
class Place:
    """A place with a name and a WGS-84 position.

    `near` says that the position is not the place's own: the town's, for a village.
    """

    key: str
    kind: PlaceKind
    name_zh: str
    name_en: str
    town_zh: str
    town_en: str
    township_code: str
    lon: float
    lat: float
    near: bool
    spelling: Spelling
    category: str = ""

    @property
    def weight(self) -> int:
        """Smaller for what people mean more often; a village comes last, its position is only its town's."""
        if self.category in HUBS:
            return 0
        return {"township": 1, "checkpoint": 2, "site": 3, "village": 4}[self.kind]

    def name(self, language: str) -> str:
        """The name in a language; Chinese where there is no other."""
        return self.name_en if language == "en" and self.name_en else self.name_zh


def find(places: Sequence[Place], query: str, limit: int = FOUND_MAX) -> list[Place]:
    """The likeliest places, best first: exact names, then those that begin so, then those with it inside."""
    wanted = typed(query)
    if not wanted:
        return []
    ranked = [(rank, at, place) for at, place in enumerate(places) if (rank := _rank(wanted, place))]
    return [place for _, _, place in sorted(ranked, key=lambda one: one[:2])[:limit]]


def exactly(places: Sequence[Place], query: str) -> list[Place]:
    """The places that have this name in either language; none or several where a person must choose."""
    wanted = typed(query)
    return [place for place in places if wanted in (typed(place.name_zh), typed(place.name_en))]


def keys_of(place: Place) -> list[str]:
    """What a page without a connection finds the place by: names, whole pinyin, initials."""
    whole = "".join(readings[0] for readings in place.spelling)
    initials = "".join(readings[0][0] for readings in place.spelling)
    return list(dict.fromkeys(typed(key) for key in (place.name_zh, place.name_en, whole, initials)))


def _rank(wanted: str, place: Place) -> tuple[int, int, int, int] | None:
    """Smaller is better: is it the name itself, where it begins, how much is left over, what kind of place."""
    english = typed(place.name_en)
    if wanted in (typed(place.name_zh), english):
        return (0, 0, place.weight, 0)
    start = match(wanted, place.name_zh, place.spelling)
    if start is None and wanted in english:
        start = english.index(wanted)
    if start is None:
        return None
    return (1, min(start, 1), place.weight, len(place.name_zh))
