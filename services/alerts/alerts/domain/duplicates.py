"""Could two reports mean the same child? A score for a person to judge; nothing is merged by it.

Sex must not contradict; place, time, age and height each lower the score as they differ. The weights are a
judgement, not a measurement: place and time of the last sighting tell most, since two children rarely go
missing within a kilometre and an hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from alerts.domain.area import distance_km
from alerts.domain.case import Case
from contracts.base import Position, Sex

SCORE_MIN = 0.5
SHOWN_MAX = 5
WINDOW = timedelta(hours=24)
"""Reports further apart than this are not compared."""
DISTANCE_MAX_KM = 20.0
AGE_DIFFERENCE_MAX = 3
HEIGHT_DIFFERENCE_MAX_CM = 20


@dataclass(frozen=True, slots=True)
class Missing:
    """What is compared of a case; a county in an exercise has hundreds, so it is less than the case."""

    id: UUID
    case_code: str
    exercise: bool
    sex: str
    age_years: int
    height_cm: int | None
    position: Position
    last_seen_at: datetime


@dataclass(frozen=True)
class Likeness:
    """How alike a case is to another one, 0 to 1, with the reasons in words."""

    case: Missing
    score: float
    why: tuple[str, ...]


def missing_of(case: Case) -> Missing:
    """What is compared of this case."""
    child, place = case.child, case.last_seen_place.position
    who = child.sex.value, child.age_years, child.height_cm
    return Missing(case.id, case.case_code, case.exercise, *who, place, case.last_seen_at)


def likeness(new: Missing, old: Missing) -> Likeness:
    """Compare a new case to an old one; symmetric in the score."""
    if _contradict(new, old) or new.exercise != old.exercise:
        return Likeness(old, 0.0, ())
    km = distance_km(new.position, old.position)
    apart = abs(new.last_seen_at - old.last_seen_at)
    years = abs(new.age_years - old.age_years)
    score = (
        0.35 * _closeness(km, DISTANCE_MAX_KM)
        + 0.25 * _closeness(apart / WINDOW, 1.0)
        + 0.25 * _closeness(years, AGE_DIFFERENCE_MAX)
        + 0.15 * _height_closeness(new, old)
    )
    minutes = round(apart / timedelta(minutes=1))
    why = (f"{km:.1f} km apart", f"last seen {minutes} min apart", f"age differs by {years}")
    return Likeness(old, round(score, 3), why)


def possible_duplicates(new: Missing, others: list[Missing]) -> list[Likeness]:
    """The likest open cases, best first; at most five, for a person to decide."""
    scored = [likeness(new, old) for old in others if old.id != new.id]
    likely = [each for each in scored if each.score >= SCORE_MIN]
    return sorted(likely, key=lambda each: (-each.score, each.case.case_code))[:SHOWN_MAX]


def _contradict(a: Missing, b: Missing) -> bool:
    known = {a.sex, b.sex} - {Sex.unknown.value}
    return len(known) > 1 or abs(a.age_years - b.age_years) > AGE_DIFFERENCE_MAX


def _closeness(difference: float, limit: float) -> float:
    return max(0.0, 1.0 - difference / limit)


def _height_closeness(a: Missing, b: Missing) -> float:
    if a.height_cm is None or b.height_cm is None:
        return 0.5
    return _closeness(abs(a.height_cm - b.height_cm), HEIGHT_DIFFERENCE_MAX_CM)
