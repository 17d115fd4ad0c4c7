"""The question gets smaller, the best plan stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.planning.model import NOWHERE, Coverage
from dispatch.planning.presolve import Reduced, chosen_by, evaluate, place_of, presolve
from dispatch.planning.solve import first
from harness.coverages import ANY_COVERAGE, coverage_of, keeps_the_rules


def met_by(coverage: Coverage, unit: int, place: int) -> frozenset[int]:
    return frozenset(np.flatnonzero(coverage.meets(unit, place)).tolist())


def kept(reduced: Reduced) -> set[tuple[int, int]]:
    return set(zip(reduced.unit.tolist(), reduced.place.tolist(), strict=True))


@given(st.integers(0, 2**32 - 1), st.integers(1, 70), st.integers(1, 9), st.integers(1, 4))
def test_with_sure_detection_each_unit_keeps_its_largest_sets_and_of_equal_ones_the_first(
    seed: int, routes: int, places: int, units: int
) -> None:
    coverage = coverage_of(seed, routes, places, units)
    expected = set()
    for unit in range(units):
        sets = [met_by(coverage, unit, place) for place in range(places)]
        for place, mine in enumerate(sets):
            beaten = any(mine < other or (mine == other and o < place) for o, other in enumerate(sets))
            if mine and not beaten:
                expected.add((unit, place))

    assert expected == kept(presolve(coverage))


@given(st.integers(0, 2**32 - 1))
def test_routes_that_nothing_tells_apart_are_one_with_all_their_weight(seed: int) -> None:
    coverage = coverage_of(seed, routes=80, places=4, units=2, equal_weights=False)
    reduced = presolve(coverage)

    columns = np.unpackbits(reduced.bits.view(np.uint8), axis=1, bitorder="little", count=reduced.routes)
    assert reduced.routes == len(np.unique(columns, axis=1).T)
    for pair in range(reduced.pairs):
        alone = [NOWHERE] * coverage.units
        alone[reduced.unit[pair]] = int(reduced.place[pair])
        value, _ = evaluate(coverage, tuple(alone))
        assert float((reduced.cover[[pair]] @ reduced.weights)[0]) == pytest.approx(value)


@given(ANY_COVERAGE, st.randoms(use_true_random=False))
def test_any_choice_of_kept_pairs_maps_to_a_valid_plan_worth_no_less(
    coverage: Coverage, random: object
) -> None:
    reduced = presolve(coverage)
    chosen = []
    taken: set[int] = set()
    for unit in range(coverage.units):
        pairs = np.flatnonzero(
            (reduced.unit == unit) & ~(reduced.exclusive & np.isin(reduced.place, list(taken)))
        )
        if len(pairs):
            chosen.append(int(random.choice(pairs.tolist())))  # type: ignore[attr-defined]
            taken.add(int(reduced.place[chosen[-1]]))
    pairs = np.array(chosen, dtype=np.int64)
    missed = np.ones(reduced.routes)
    for pair in chosen:
        missed *= 1.0 - reduced.detection[pair] * reduced.cover[[pair]].toarray()[0]
    promised = reduced.base + reduced.weights @ (1.0 - missed) + reduced.bonus[pairs].sum()

    places = place_of(reduced, pairs)

    assert keeps_the_rules(coverage, places)
    assert evaluate(coverage, places)[1] >= promised - 1e-9


def test_where_detection_is_not_sure_a_second_best_place_is_kept_for_a_second_unit() -> None:
    last_pass_s = np.array([[10.0, 10.0], [10.0, -np.inf]])
    coverage = Coverage(np.array([0.5, 0.5]), last_pass_s, np.zeros((2, 2)), np.array([0.8, 0.8]))

    assert {(0, 0), (0, 1), (1, 0), (1, 1)} == kept(presolve(coverage))
    assert {(0, 0), (1, 0)} == kept(
        presolve(Coverage(coverage.weights, last_pass_s, np.zeros((2, 2)), np.ones(2)))
    )


def test_a_route_that_nobody_can_meet_and_a_unit_that_meets_nobody_are_dropped() -> None:
    last_pass_s = np.array([[10.0], [5.0]])
    reduced = presolve(Coverage(np.array([0.6, 0.4]), last_pass_s, np.array([[7.0], [np.inf]]), np.ones(1)))

    assert ({(0, 0)}, 1) == (kept(reduced), reduced.routes)
    assert 0.6 == reduced.weights[0]


def test_a_unit_meets_whoever_passes_at_the_moment_it_is_ready_and_not_a_moment_before() -> None:
    last_pass_s = np.array([[100.0], [np.nextafter(100.0, 0.0)]])
    coverage = Coverage(np.array([0.5, 0.25]), last_pass_s, np.array([[70.0]]), np.ones(1), margin_s=30.0)

    assert 0.5 == float(presolve(coverage).weights.sum())


def test_who_was_always_there_meets_all_who_pass_and_who_never_comes_nobody() -> None:
    last_pass_s = np.array([[np.inf], [5.0], [-np.inf]])
    weights = np.array([0.2, 0.3, 0.5])

    def value_of(ready_s: float) -> float:
        coverage = Coverage(weights, last_pass_s, np.array([[ready_s]]), np.ones(1), pinned=((0, 0),))
        assert evaluate(coverage, (0,))[0] == presolve(coverage).base
        return presolve(coverage).base

    assert (0.5, 0.2, 0.0) == (value_of(-np.inf), value_of(6.0), value_of(np.inf))
    free = Coverage(weights, last_pass_s, np.array([[-np.inf], [np.inf]]), np.ones(1))
    assert ({(0, 0)}, 0.5) == (kept(presolve(free)), float(presolve(free).weights.sum()))


@pytest.mark.parametrize("pinned", [((0, 1), (1, 1)), ((0, 0), (0, 1)), ((9, 0),), ((0, 9),)])
def test_pins_that_contradict_each_other_are_refused(pinned: tuple[tuple[int, int], ...]) -> None:
    asked = coverage_of(1, units=2, places=3)
    coverage = Coverage(asked.weights, asked.last_pass_s, asked.ready_s, asked.detection, pinned=pinned)

    with pytest.raises(ValueError, match="Pins"):
        presolve(coverage)


@given(ANY_COVERAGE)
@settings(max_examples=50)
def test_a_plan_taken_back_into_the_question_loses_nothing(coverage: Coverage) -> None:
    plan = first(coverage)
    reduced = presolve(coverage)

    again = evaluate(coverage, place_of(reduced, chosen_by(reduced, coverage, plan)))[1]

    assert again == pytest.approx(plan.objective)


def test_of_two_at_a_place_who_meets_nobody_more_gives_way() -> None:
    """Beside a pin a kept pair may have nothing left to meet; it must not free the unit that has."""
    coverage = coverage_of(1837478823, routes=8, places=6, units=3, pins=1)
    reduced = presolve(coverage)
    idle = int(np.flatnonzero((reduced.unit == 2) & (reduced.place == 3))[0])
    useful = int(np.flatnonzero((reduced.unit == 0) & (reduced.place == 3))[0])

    places = place_of(reduced, np.array([useful, idle]))

    assert 0 == reduced.cover[[idle]].sum() < reduced.cover[[useful]].sum()
    assert (3, 4, NOWHERE) == places
