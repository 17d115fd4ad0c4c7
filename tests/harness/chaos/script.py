"""What flows, written down before it flows: reports all over the county, some sent twice, and what follows them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from harness.chaos.county import AREA

Way = Literal["http", "topic"]
Then = Literal["", "stand_down", "update", "sighting", "answer"]
BY_TOPIC = 0.15
SENT_AGAIN = 0.2
WIDENS = 0.1
WIDENS_UNTIL = 0.4
"""The audit waits for rings that will be due, so later ones would only make the run longer."""
LATE_MINUTES = 58.5
"""The ring of the second hour is due 90 s after such a report."""
THEN: tuple[tuple[Then, float], ...] = (
    ("stand_down", 0.25),
    ("update", 0.08),
    ("sighting", 0.08),
    ("answer", 0.12),
    ("", 0.47),
)


@dataclass(frozen=True)
class Report:
    """One report: `key` repeats it over HTTP, `report_id` and `event_id` on the topic."""

    number: int
    way: Way
    key: str
    report_id: UUID
    event_id: UUID
    lon: float
    lat: float
    minutes_ago: float
    sends: int
    then: Then
    then_after_s: float


def write(rng: random.Random, count: int) -> Sequence[Report]:
    """The reports of a run, in their order."""
    return [_report(rng, number, count) for number in range(count)]


def _report(rng: random.Random, number: int, count: int) -> Report:
    way: Way = "topic" if rng.random() < BY_TOPIC else "http"
    widens = rng.random() < WIDENS and number < count * WIDENS_UNTIL
    then = rng.choices([word for word, _ in THEN], [share for _, share in THEN])[0]
    return Report(
        number=number,
        way=way,
        key=str(_id(rng)),
        report_id=_id(rng),
        event_id=_id(rng),
        lon=rng.uniform(AREA.west, AREA.east),
        lat=rng.uniform(AREA.south, AREA.north),
        minutes_ago=LATE_MINUTES if widens else rng.uniform(5, 30),
        sends=2 if rng.random() < SENT_AGAIN else 1,
        # Who files on the topic never learns the case, so nothing of theirs can follow.
        then=then if way == "http" else "",
        then_after_s=rng.uniform(0.2, 12),
    )


def _id(rng: random.Random) -> UUID:
    return UUID(int=rng.getrandbits(128), version=4)
