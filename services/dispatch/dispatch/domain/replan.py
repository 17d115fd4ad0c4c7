"""What a sighting does to the question: it adds a place to start from, or replaces the old ones.

Somebody who saw something may be wrong, so a sighting is at first one more hypothesis beside the others:
the plan must hold for whichever is true. Once a person calls it credible it takes the place of everything
older.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from contracts.base import SightingId
from dispatch.domain.problem import Plan, Planner, Problem
from dispatch.domain.reach import Origin

Verdict = Literal["unassessed", "uncertain", "credible", "refuted"]


@dataclass(frozen=True)
class Sighting:
    """Where, when and how somebody was seen, and what a person thinks of it."""

    sighting_id: SightingId
    origin: Origin
    verdict: Verdict = "unassessed"


def origins_after(last_seen: Origin, sightings: Sequence[Sighting]) -> tuple[Origin, ...]:
    """The hypotheses that remain, the oldest first.

    The newest credible sighting replaces the place last seen and every sighting before it. Refuted ones count
    for nothing. All others stand side by side; of equal times the lower id is the older.
    """
    believed = sorted(
        (sighting for sighting in sightings if sighting.verdict != "refuted"),
        key=lambda sighting: (sighting.origin.seen_s, sighting.sighting_id.int),
    )
    credible = [place for place, sighting in enumerate(believed) if sighting.verdict == "credible"]
    if credible:
        return tuple(sighting.origin for sighting in believed[credible[-1] :])
    return (last_seen, *(sighting.origin for sighting in believed))


def replan(problem: Problem, last_seen: Origin, sightings: Sequence[Sighting], planner: Planner) -> Plan:
    """Plan again from what is known now; kept units of the problem stay where they are."""
    return planner(replace(problem, origins=origins_after(last_seen, sightings)))
