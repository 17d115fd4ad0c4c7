"""The plan: valid at once, then better, then proven.

`first` takes milliseconds; `solve` goes on from there with the linear programme, drops every pair that its prices
exclude from a better plan, and lets CP-SAT prove or improve what is left. Each stage leaves a valid plan and a bound.

The same question, hint and seed give the same plan whenever the proof ends in time. When a wall-clock deadline ends the
search first, how far it got depends on the machine. For plans that must come again, give `work`, the solver's
deterministic time, and a deadline that is never reached.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np

from dispatch.planning.bound import Bound, linear_bound, trivial
from dispatch.planning.greedy import greedy
from dispatch.planning.linear import cut_at, linear
from dispatch.planning.model import GAP_PROVEN, NOWHERE, Coverage, Indices, OnBetter, Solution, Stage
from dispatch.planning.presolve import Reduced, chosen_by, evaluate, place_of, presolve
from dispatch.planning.standing import Standing
from dispatch.planning.swap import swap

CUT_ROUNDS_MAX = 40
"""How often the solver is asked again with cuts at its last answer, where detection differs from place to place."""
SWAP_SHARE = 0.2
"""Of the time left: swaps that would take longer wait, for the linear programme's plan is better to begin from."""
LP_SHARE = 0.5
"""Of the time left: the linear programme gets no more, so that something remains for the plan itself."""
SURE_SHARE = 0.15
"""And so much goes to a first, rough bound where detection differs."""
RESERVE_S = 0.03
"""Kept back from the solver for reading its answer."""


def first(coverage: Coverage, deadline_s: float = 1.0) -> Solution:
    """A valid plan with a finite bound, in milliseconds; swapping stops at the deadline.

    Raises: ValueError, on pins that contradict each other.
    """
    search = _Search(coverage, time.perf_counter() + deadline_s)
    search.begin()
    return search.answer()


def solve(
    coverage: Coverage,
    deadline_s: float,
    hint: Solution | None = None,
    seed: int = 0,
    on_better: OnBetter | None = None,
    work: float | None = None,
) -> Solution:
    """The best plan found by the deadline, with its bound; proven if it can be told to be the best.

    `hint` is a plan to start from, of this question or an earlier one; the answer is never worse than what of it
    still fits. `on_better` is told each better plan, from this thread. `work` limits the solver in deterministic time.
    Raises: ValueError, on pins that contradict each other or a hint of another number of units.
    """
    search = _Search(coverage, time.perf_counter() + deadline_s, on_better, SWAP_SHARE)
    search.begin(hint)
    if not search.proven:
        search.bound_and_round()
    if not search.proven and search.left_s() > 0.0:
        search.prove(seed, work)
    return search.answer()


@dataclass
class _Search:
    """What is known so far; begun when made."""

    coverage: Coverage
    ends_at_s: float
    on_better: OnBetter | None = None
    swap_share: float = 1.0
    begun_at_s: float = field(default_factory=time.perf_counter)
    places: tuple[int, ...] = ()
    value: float = 0.0
    objective: float = -np.inf
    bound: float = np.inf
    stages: list[Stage] = field(default_factory=list)

    def begin(self, hint: Solution | None = None) -> None:
        """Greedy, swaps, and the hint with its own swaps."""
        if hint is not None and len(hint.place_of) != self.coverage.units:
            raise ValueError(
                f"The hint places {len(hint.place_of)} units, the question has {self.coverage.units}; "
                "give a hint for the same units."
            )
        self.reduced = presolve(self.coverage)
        self.bound = trivial(self.reduced)
        self._offer("greedy", self.reduced, greedy(self.reduced))
        if hint is not None:
            self._offer_places("hint", _fitting(self.coverage, hint.place_of))
            self._offer("hint", self.reduced, chosen_by(self.reduced, self.coverage, hint), swapped=True)
        self._offer("swap", self.reduced, greedy(self.reduced), swapped=True)

    def bound_and_round(self) -> None:
        """The linear programme's bound, and the plan that its choice comes down to."""
        self.model = linear(self.reduced)
        self.unit = self._unit_of_worth()
        if not self.model.stepped:
            self._lower(self._bound_if_all_notice())
        self.priced = linear_bound(self.model, LP_SHARE * self.left_s())
        self._lower(self.priced.value)
        self._offer("lp", self.reduced, _rounded(self.reduced, self.priced), swapped=True)

    def prove(self, seed: int, work: float | None) -> None:
        """CP-SAT on the pairs that a better plan may use."""
        from dispatch.planning.exact import Limits, exact

        known = self.objective
        kept = self.priced.worth_keeping(known + max(0.0, self.unit - 1e-9))
        if not kept.any():
            self._lower(max(known, self.reduced.base))
            self._stage("lp")
            return
        reduced = self.reduced.only(kept)
        model, chosen = linear(reduced), self._nearest(reduced)
        for _ in range(CUT_ROUNDS_MAX):
            limits = Limits(self.left_s() - RESERVE_S, work, seed)
            found = exact(model, chosen, limits, lambda better: self._offer("cp-sat", reduced, better))
            # Pairs that were left out are in no plan better than the one known then.
            self._lower(max(found.bound, known))
            if found.chosen is not None:
                self._offer("cp-sat", reduced, found.chosen, swapped=not model.stepped)
            if (
                model.stepped
                or self.proven
                or not found.ended
                or found.chosen is None
                or self.left_s() <= RESERVE_S
            ):
                return
            model, chosen = cut_at(model, found.chosen), found.chosen

    def answer(self) -> Solution:
        """The best plan so far."""
        bound = self.objective if self.proven else self.bound
        return Solution(
            place_of=self.places,
            value=self.value,
            objective=self.objective,
            bound=max(bound, self.objective),
            proven=self.proven,
            stages=tuple(self.stages),
        )

    @property
    def proven(self) -> bool:
        """Whether no plan is better by more than rounding."""
        return self.bound - self.objective <= GAP_PROVEN

    def left_s(self) -> float:
        """Seconds to the deadline."""
        return self.ends_at_s - time.perf_counter()

    def _bound_if_all_notice(self) -> float:
        """A quick bound for where detection differs, whose linear programme is slow: as if everybody always noticed."""
        sure = replace(self.coverage, detection=np.ones(self.coverage.places))
        return linear_bound(linear(presolve(sure)), SURE_SHARE * self.left_s()).value

    def _unit_of_worth(self) -> float:
        """The least by which two plans' objectives differ, if there is one; else 0."""
        from dispatch.planning.exact import scale_of

        scale = scale_of(self.model)
        return 1.0 / scale if scale else 0.0

    def _lower(self, bound: float) -> None:
        if self.unit:
            steps = np.floor((bound - self.reduced.base) / self.unit + 1e-6)
            bound = self.reduced.base + float(steps) * self.unit
        self.bound = min(self.bound, max(bound, self.objective))

    def _offer(self, stage: str, reduced: Reduced, chosen: Indices, swapped: bool = False) -> None:
        if swapped:
            chosen = swap(reduced, chosen, time.perf_counter() + self.swap_share * self.left_s())
        self._offer_places(stage, place_of(reduced, chosen))

    def _offer_places(self, stage: str, places: tuple[int, ...]) -> None:
        value, objective = evaluate(self.coverage, places)
        better = objective > self.objective + 1e-12
        if better:
            assert objective <= self.bound + GAP_PROVEN, (
                f"a plan of {objective} exceeds the bound {self.bound}"
            )
            self.places, self.value, self.objective = places, value, objective
            self.bound = max(self.bound, objective)
        self._stage(stage)
        if better and self.on_better is not None:
            self.on_better(self.answer())

    def _stage(self, name: str) -> None:
        """One entry a stage: its last."""
        stage = Stage(name, time.perf_counter() - self.begun_at_s, self.objective, self.bound)
        if self.stages and self.stages[-1].name == name:
            self.stages.pop()
        self.stages.append(stage)

    def _nearest(self, reduced: Reduced) -> Indices:
        plan = Solution(self.places, self.value, self.objective, self.bound, False)
        return swap(reduced, chosen_by(reduced, self.coverage, plan), self.ends_at_s)


def _rounded(reduced: Reduced, priced: Bound) -> Indices:
    """Each unit's largest share of the linear programme, the surest units first."""
    standing = Standing(reduced, np.zeros(0, dtype=np.int64))
    for k in np.argsort(-priced.share, kind="stable"):
        if priced.share[k] <= 1e-9:
            break
        if standing.pair_of[reduced.unit[k]] < 0 and not standing.blocked(int(k), int(k) + 1)[0]:
            standing.put(int(k))
    return standing.chosen


def _fitting(coverage: Coverage, places: tuple[int, ...]) -> tuple[int, ...]:
    """Of an earlier plan what still can be: pins first, nobody where he can't be, nobody twice at a place."""
    kept = [NOWHERE] * coverage.units
    for unit, place in coverage.pinned:
        kept[unit] = place
    for unit, place in enumerate(places):
        free = kept[unit] == NOWHERE and 0 <= place < coverage.places and place not in kept
        if free and coverage.ready_s[unit, place] < np.inf:
            kept[unit] = place
    return tuple(kept)
