"""What CP-SAT is asked and what is believed of its answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from dispatch.planning.exact import Limits, exact, scale_of
from dispatch.planning.greedy import greedy
from dispatch.planning.linear import cut_at, linear
from dispatch.planning.model import Coverage, Indices
from dispatch.planning.presolve import evaluate, place_of, presolve
from harness.coverages import ANY_COVERAGE, best_by_trying_all, coverage_of

LONG = Limits(wall_s=60.0)


@given(ANY_COVERAGE)
@settings(deadline=None, max_examples=60)
def test_the_solver_bounds_every_plan_and_finds_the_best_where_all_detection_is_equal(
    coverage: Coverage,
) -> None:
    reduced = presolve(coverage)
    model = linear(reduced)
    best = best_by_trying_all(coverage)

    found = exact(model, greedy(reduced), LONG)

    assert found.chosen is not None
    assert found.ended
    assert found.bound >= best - 1e-9
    if model.stepped:
        assert evaluate(coverage, place_of(reduced, found.chosen))[1] == pytest.approx(best, abs=1e-6)


def test_a_solver_without_time_claims_nothing() -> None:
    reduced = presolve(coverage_of(37, routes=300, places=30, units=8))

    found = exact(linear(reduced), greedy(reduced), Limits(wall_s=-1.0))

    assert (None, np.inf, False) == (found.chosen, found.bound, found.ended)


def test_the_solver_begins_from_the_whole_hint_and_tells_each_better_choice() -> None:
    reduced = presolve(coverage_of(41, routes=200, places=25, units=6, equal_weights=False))
    told: list[Indices] = []

    found = exact(linear(reduced), greedy(reduced), LONG, told.append)

    assert greedy(reduced).tolist() == told[0].tolist()
    assert found.chosen is not None
    assert found.chosen.tolist() == told[-1].tolist()


def test_weights_that_are_multiples_of_a_share_are_counted_in_it() -> None:
    assert 12 % (scale_of(linear(presolve(coverage_of(43, routes=12)))) or 99) == 0
    assert scale_of(linear(presolve(coverage_of(43, routes=12, equal_weights=False)))) is None
    assert scale_of(linear(presolve(coverage_of(43, routes=12, detection=(0.9,))))) is None


@given(ANY_COVERAGE)
@settings(deadline=None, max_examples=60)
def test_a_cut_is_exact_where_it_touches_and_bounds_all_else(coverage: Coverage) -> None:
    reduced = presolve(coverage)
    model = linear(reduced)
    if model.stepped:
        return
    touched = cut_at(model, greedy(reduced))

    at_touch = exact(touched, greedy(reduced), LONG)

    assert at_touch.bound >= best_by_trying_all(coverage) - 1e-9
    rows = slice(len(model.rhs), None)
    used = np.zeros(reduced.pairs)
    used[greedy(reduced)] = 1.0
    allowed = touched.rhs[rows] + touched.x_rows[rows] @ used
    won = 1.0 - np.exp(reduced.covered_by @ (used * np.log1p(-np.minimum(reduced.detection, 1 - 1e-15))))
    assert allowed == pytest.approx(won[won > 0])
