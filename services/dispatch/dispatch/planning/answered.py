"""What the planner found for an instance, in arrays, before it is written down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dispatch.planning.duality import BoundCertificate
from dispatch.planning.model import NOWHERE, Containment, Coverage, Flags, Solution, Stage
from dispatch.planning.planned import Planned
from dispatch.planning.question import Question


@dataclass(frozen=True, eq=False)
class Answered:
    """The question, the routes planned on, and the answers. `containment` is None where there are no exits to ask
    about."""

    question: Question
    planned: Planned
    coverage: Coverage
    containment: Containment | None
    solution: Solution
    prices: BoundCertificate
    stages: tuple[Stage, ...]
    trouble: str

    @property
    def guaranteed(self) -> bool:
        """Every way out is closed for sure."""
        return self.containment is not None and self.containment.kind == "guaranteed"

    def stands(self) -> tuple[tuple[int, int], ...]:
        """(unit, place) of every unit that is sent."""
        return tuple((unit, place) for unit, place in enumerate(self.solution.place_of) if place != NOWHERE)


def meets(coverage: Coverage, stands: tuple[tuple[int, int], ...]) -> Flags:
    """(R, orders): which order meets which route."""
    met = np.zeros((coverage.routes, len(stands)), dtype=np.bool_)
    for column, (unit, place) in enumerate(stands):
        met[:, column] = coverage.meets(unit, place)
    return met
