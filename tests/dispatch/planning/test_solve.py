"""Valid at once, then better, then proven; and never a bound that a plan exceeds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.planning.bound import bound_of, linear_bound, subgradient_bound, trivial
from dispatch.planning.greedy import greedy
from dispatch.planning.linear import linear
from dispatch.planning.model import GAP_PROVEN, NOWHERE, Coverage, Solution
from dispatch.planning.presolve import evaluate, place_of, presolve
from dispatch.planning.solve import first, solve
from dispatch.planning.standing import Standing
from dispatch.planning.swap import swap
from harness.coverages import ANY_COVERAGE, best_by_trying_all, coverage_of, keeps_the_rules

NEVER_S = 60.0


@given(ANY_COVERAGE)
@settings(deadline=None)
def test_the_proven_plan_is_the_best_of_all(coverage: Coverage) -> None:
    best = best_by_trying_all(coverage)

    plan = solve(coverage, NEVER_S)

    assert keeps_the_rules(coverage, plan.place_of)
    assert plan.proven
    assert plan.objective == pytest.approx(best, abs=GAP_PROVEN)
    assert plan.bound >= best - 1e-9


@given(ANY_COVERAGE)
@settings(deadline=None)
def test_the_first_plan_is_valid_bounded_and_has_half_of_the_best_at_least(coverage: Coverage) -> None:
    best = best_by_trying_all(coverage)

    plan = first(coverage)

    assert keeps_the_rules(coverage, plan.place_of)
    assert (plan.value, plan.objective) == pytest.approx(evaluate(coverage, plan.place_of))
    assert best / 2 - 1e-9 <= plan.objective <= best + 1e-9 <= plan.bound + 2e-9 < np.inf


@given(ANY_COVERAGE)
@settings(deadline=None)
def test_swaps_only_ever_gain_and_end_where_no_unit_gains_by_moving(coverage: Coverage) -> None:
    reduced = presolve(coverage)
    begun = greedy(reduced)
    ended = swap(reduced, begun)
    standing = Standing(reduced, ended)

    assert standing.objective >= Standing(reduced, begun).objective - 1e-12
    for pair in range(reduced.pairs):
        moved = Standing(reduced, ended)
        moved.free(int(reduced.unit[pair]))
        if not moved.blocked(pair, pair + 1)[0]:
            moved.put(pair)
            assert moved.objective <= standing.objective + 1e-9


@given(ANY_COVERAGE, st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_any_prices_whatever_give_a_valid_bound(coverage: Coverage, seed: int) -> None:
    model = linear(presolve(coverage))
    rng = np.random.default_rng(seed)
    rows, places = rng.normal(0, 0.1, len(model.rhs)), rng.normal(0, 0.1, model.exclusive_rows.shape[0])
    best = best_by_trying_all(coverage)

    bounds = [bound_of(model, rows, places), subgradient_bound(model, 50), linear_bound(model, NEVER_S)]

    assert all(bound.value >= best - 1e-9 for bound in bounds)
    assert trivial(model.reduced) >= best - 1e-9


@given(ANY_COVERAGE)
@settings(deadline=None)
def test_a_plan_that_uses_a_pair_is_bounded_by_the_bound_less_its_loss(coverage: Coverage) -> None:
    reduced = presolve(coverage)
    priced = linear_bound(linear(reduced), NEVER_S)
    chosen = swap(reduced, greedy(reduced))

    objective = evaluate(coverage, place_of(reduced, chosen))[1]

    assert all(objective <= priced.value - priced.pair_loss[pair] + 1e-9 for pair in chosen)


def test_without_time_the_plan_is_still_valid_and_bounded() -> None:
    coverage = coverage_of(3, routes=200, places=30, units=8)

    plan = solve(coverage, 0.0)

    assert keeps_the_rules(coverage, plan.place_of)
    assert plan.objective > 0.0
    assert plan.objective <= plan.bound < np.inf


def test_a_linear_programme_that_is_not_ended_leaves_a_bound_all_the_same() -> None:
    coverage = coverage_of(5, routes=400, places=60, units=20, equal_weights=False)
    model = linear(presolve(coverage))

    exact_value = linear_bound(model, NEVER_S).value
    cut_short = linear_bound(model, 0.0).value

    assert exact_value - 1e-9 <= cut_short <= 1.05 * trivial(model.reduced)


@pytest.mark.parametrize("detection", [(1.0,), (0.8,), (1.0, 0.6)])
def test_the_same_question_gives_the_same_plan(detection: tuple[float, ...]) -> None:
    coverage = coverage_of(7, routes=150, places=20, units=6, detection=detection, equal_weights=False)

    plans = [solve(coverage, NEVER_S, work=0.5) for _ in range(2)]

    assert plans[0].place_of == plans[1].place_of
    assert plans[0].bound == plans[1].bound


@given(ANY_COVERAGE, st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=50)
def test_the_answer_is_never_worse_than_what_still_fits_of_the_hint(coverage: Coverage, seed: int) -> None:
    rng = np.random.default_rng(seed)
    places = tuple(rng.integers(-1, coverage.places, coverage.units).tolist())
    hint = Solution(places, 0.0, 0.0, 1.0, False)
    fits = len({p for p in places if p >= 0}) == sum(p >= 0 for p in places) and keeps_the_rules(
        coverage, places
    )

    plan = solve(coverage, 0.0, hint=hint)

    assert keeps_the_rules(coverage, plan.place_of)
    assert plan.objective >= first(coverage, 0.0).objective - 1e-9
    if fits:
        assert plan.objective >= evaluate(coverage, places)[1] - 1e-9


def test_each_better_plan_is_told_in_order_and_the_last_is_the_answer() -> None:
    coverage = coverage_of(11, routes=300, places=40, units=10)
    told: list[Solution] = []

    plan = solve(coverage, NEVER_S, on_better=told.append)

    objectives = [better.objective for better in told]
    assert objectives == sorted(set(objectives))
    assert told[-1].place_of == plan.place_of
    assert all(keeps_the_rules(coverage, better.place_of) for better in told)


def test_stages_come_in_order_with_rising_objectives_and_falling_bounds() -> None:
    plan = solve(coverage_of(13, routes=300, places=40, units=10), NEVER_S)

    assert "greedy" == plan.stages[0].name
    for before, after in zip(plan.stages, plan.stages[1:], strict=False):
        assert before.after_s <= after.after_s
        assert before.objective <= after.objective
        assert before.bound >= after.bound


def test_a_bonus_keeps_a_unit_where_it_is_until_the_gain_is_larger() -> None:
    last_pass_s = np.array([[10.0, -np.inf], [-np.inf, 10.0]])
    bonus = np.array([[0.15, 0.0]])

    def place_with(weights: list[float]) -> int:
        coverage = Coverage(np.array(weights), last_pass_s, np.zeros((1, 2)), np.ones(2), bonus=bonus)
        return solve(coverage, NEVER_S).place_of[0]

    assert (0, 1) == (place_with([0.4, 0.5]), place_with([0.3, 0.5]))


def test_a_pinned_unit_stands_where_it_is_named_whatever_that_costs() -> None:
    asked = coverage_of(17, routes=40, places=6, units=3)
    coverage = Coverage(asked.weights, asked.last_pass_s, asked.ready_s, asked.detection, pinned=((1, 4),))

    plan = solve(coverage, NEVER_S)

    assert 4 == plan.place_of[1]
    assert plan.objective == pytest.approx(best_by_trying_all(coverage))


def test_nobody_to_meet_and_nobody_to_send_are_plans_too() -> None:
    nobody = Coverage(np.array([1.0]), np.full((1, 2), -np.inf), np.zeros((2, 2)), np.ones(2))
    no_units = Coverage(np.array([1.0]), np.ones((1, 2)), np.zeros((0, 2)), np.ones(2))

    assert (NOWHERE, NOWHERE) == solve(nobody, NEVER_S).place_of
    assert ((), True) == (solve(no_units, NEVER_S).place_of, solve(no_units, NEVER_S).proven)


def test_a_hint_for_other_units_is_refused() -> None:
    with pytest.raises(ValueError, match="hint places 1 units"):
        solve(coverage_of(1), NEVER_S, hint=Solution((0,), 0.0, 0.0, 1.0, False))


def test_a_question_of_a_thousand_routes_is_proven_with_any_detection() -> None:
    for detection in ((1.0,), (0.9,)):
        coverage = coverage_of(19, routes=1000, places=12, units=4, detection=detection)

        assert solve(coverage, NEVER_S).proven
