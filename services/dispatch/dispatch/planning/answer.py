"""Answers an instance: routes, first plan, guarantee, optimum, and all that in one result with its proofs.

Where every way out can be closed for sure, those guards are the plan, and the units to spare are placed for the case
that the sure bound was not so sure. Where not, the plan is the best over the routes, and the verdict says what was
proven.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from time import perf_counter

import numpy as np

from dispatch.planning.answered import Answered
from dispatch.planning.closing import earliest_closing
from dispatch.planning.containment import contain
from dispatch.planning.duality import bound_certificate_of
from dispatch.planning.escape_of import escape_of
from dispatch.planning.model import NOWHERE, Containment, Coverage, Floats, Solution, Stage
from dispatch.planning.planned import Planned, planned_routes
from dispatch.planning.question import Question, ready_s
from dispatch.planning.result import Result
from dispatch.planning.solve import first, solve
from dispatch.planning.writing import result_of

CONTAIN_SHARE = 0.5
"""Of the deadline, at most, for the guarantee."""

Prove = Callable[[Coverage, float, Solution, int], Solution]
"""Coverage, deadline in s, a plan to start from, seed."""

Tell = Callable[[Stage], None]
"""Told each stage of the work as it is reached."""


def answer(question: Question, *, prove: Prove | None = None, tell: Tell | None = None) -> Result:
    """The combined answer to an instance, with its proofs.

    `prove` is asked for the optimum once a valid plan stands; left out, it is searched in this process. Programs
    that must not die with a solver pass one that works elsewhere (`guitu.worker`). Whatever goes wrong
    with it, the plan that stood before is the answer, and `trouble` says so.
    """
    return result_of(answered(question, prove or prove_here, tell or (lambda stage: None)), version("guitu"))


def prove_here(coverage: Coverage, deadline_s: float, hint: Solution, seed: int) -> Solution:
    """Search in this process."""
    return solve(coverage, deadline_s, hint=hint, seed=seed)


def answered(question: Question, prove: Prove, tell: Tell) -> Answered:
    """All the work, in the order in which answers become known."""
    watch = _Watch(tell)
    limits = question.instance.limits
    planned, _, solution = first_plan(question)
    watch.saw("first plan", solution.objective, solution.bound)
    ready = ready_s(question)
    coverage = coverage_of(question, planned, ready)
    containment = _contained(question, ready)
    if containment is not None:
        watch.saw(f"verdict {containment.kind}", solution.objective, solution.bound)
        if containment.kind == "guaranteed":
            coverage = coverage_of(question, planned, ready, guards_at(question, containment, ready))
            solution = first(coverage)
    begun_s = watch.now_s()
    better, trouble = _proven(coverage, limits.deadline_s, solution, limits.seed, prove)
    for stage in better.stages:
        watch.stages.append(replace(stage, after_s=begun_s + stage.after_s))
    prices = bound_certificate_of(coverage, deadline_s=limits.deadline_s)
    watch.saw("plan", better.objective, min(better.bound, prices.bound))
    return Answered(question, planned, coverage, containment, better, prices, tuple(watch.stages), trouble)


def first_plan(question: Question) -> tuple[Planned, Coverage, Solution]:
    """The first valid plan, as fast as it can be had: routes, who can be where in time for them, greedy and swaps.

    Units that would come after the last route has passed everywhere count as not coming: on a large network that saves
    most of the search.
    """
    limits = question.instance.limits
    planned = planned_routes(question, limits.routes, limits.seed)
    last_s = float(planned.last_pass_s.max(initial=-np.inf))
    ready = ready_s(question, within_s=max(0.0, last_s - question.instance.order_s))
    coverage = coverage_of(question, planned, ready)
    return planned, coverage, first(coverage)


def coverage_of(
    question: Question, planned: Planned, ready: Floats, guards: tuple[tuple[int, int], ...] = ()
) -> Coverage:
    """The optimiser's question; pinned units and guards stand where they stand, and nobody else does."""
    pinned = tuple(sorted({*question.pinned, *guards}))
    kept = ready.copy()
    for unit, place in pinned:
        stands = kept[unit, place]
        kept[unit, :] = np.inf
        kept[:, place] = np.inf
        kept[unit, place] = stands
    return Coverage(
        weights=planned.weights,
        last_pass_s=planned.last_pass_s,
        ready_s=kept,
        detection=question.detection,
        margin_s=question.instance.limits.margin_s,
        pinned=pinned,
    )


def guards_at(question: Question, containment: Containment, ready: Floats) -> tuple[tuple[int, int], ...]:
    """(unit, place) of each guard: of several places at its node, the one where it works first."""
    pairs = []
    for guard in containment.guards:
        places = np.flatnonzero(question.place_nodes == guard.node)
        pairs.append((guard.unit, int(places[np.argmin(ready[guard.unit, places])])))
    return tuple(pairs)


def _contained(question: Question, ready: Floats) -> Containment | None:
    """Whether all ways out can be closed for sure, by the way of choosing guards that the instance asks for."""
    if not len(question.exit_nodes):
        return None
    limits = question.instance.limits
    escape = escape_of(question, ready)
    deadline_s = limits.deadline_s * CONTAIN_SHARE
    if limits.guards == "soonest":
        return earliest_closing(escape, deadline_s=deadline_s, fewest=True)
    return contain(escape, deadline_s=deadline_s, fewest=True)


def _proven(
    coverage: Coverage, deadline_s: float, solution: Solution, seed: int, prove: Prove
) -> tuple[Solution, str]:
    """The solver's answer, or the plan that stood before it and what happened; none is asked about a proven plan."""
    if solution.proven:
        return solution, ""
    try:
        better = prove(coverage, deadline_s, solution, seed)
    except (RuntimeError, OSError, EOFError, MemoryError) as error:
        return solution, f"{type(error).__name__}: {error}"
    if better.objective < solution.objective - 1e-9 or not _is_valid(coverage, better):
        return solution, better.trouble or "the search gave no valid plan as good as the first"
    return better, better.trouble


def _is_valid(coverage: Coverage, solution: Solution) -> bool:
    """One unit a place, every unit where it can work or is pinned: asked of every answer, whoever gave it."""
    taken = [place for place in solution.place_of if place != NOWHERE]
    able = all(
        place == NOWHERE or np.isfinite(coverage.ready_s[unit, place]) or (unit, place) in coverage.pinned
        for unit, place in enumerate(solution.place_of)
    )
    return able and len(solution.place_of) == coverage.units and len(set(taken)) == len(taken)


class _Watch:
    """Stages as they come, in seconds since the work began."""

    def __init__(self, tell: Tell) -> None:
        self._begun = perf_counter()
        self._tell = tell
        self.stages: list[Stage] = []

    def now_s(self) -> float:
        return perf_counter() - self._begun

    def saw(self, name: str, objective: float, bound: float) -> None:
        stage = Stage(name, self.now_s(), objective, bound)
        self.stages.append(stage)
        self._tell(stage)
