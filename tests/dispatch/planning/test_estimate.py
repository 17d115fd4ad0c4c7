"""What a plan promises: coverage as the planner wants it, intervals that hold, and no credit for routes seen
before."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.base import TravelMode
from dispatch.domain.reach import Entry
from dispatch.domain.timetables import no_timetable
from dispatch.planning.estimate import (
    clustered_count,
    confidence_interval,
    coverage_of,
    effective_count,
    estimated,
    halves,
    met_shares,
    realised,
)
from dispatch.planning.hypotheses import Hypothesis
from dispatch.planning.model import NOWHERE
from dispatch.planning.routes import sample_routes
from dispatch.planning.timed_routes import Routes
from harness.networks import draw, road

STAR = draw(5, [road(0, 1, 10), road(1, 2, 10), road(1, 3, 10), road(1, 4, 10)])


def routes(count: int = 300, seed: int = 1) -> Routes:
    ways = [Hypothesis(TravelMode.car, 0.0, 1.0, node, 1.0, (Entry(0, 0.0),)) for node in (2, 3, 4)]
    return sample_routes(STAR, no_timetable(), ways, count, seed, pace_noise=0.0)


def test_a_unit_meets_who_passes_after_it_is_ready():
    ready_s = np.array([[599.0, 1199.0], [601.0, 1201.0]])

    coverage = coverage_of(routes(), [1, 2], ready_s, 0.5)

    assert [[True, True], [False, False]] == [
        [bool(coverage.meets(unit, place).any()) for place in (0, 1)] for unit in (0, 1)
    ]
    assert coverage.meets(0, 0).all()
    assert pytest.approx(1 / 3) == coverage.meets(0, 1) @ coverage.weights


def test_two_looks_miss_less_than_one():
    coverage = coverage_of(routes(), [1, 2], np.zeros((2, 2)), 0.5)

    met = met_shares(coverage, (0, 1))

    assert {0.5, 0.75} == set(met.tolist())
    assert pytest.approx(0.5 + 0.25 / 3) == met @ coverage.weights
    assert not met_shares(coverage, (NOWHERE, NOWHERE)).any()


def test_what_is_realised_counts_fresh_routes_and_the_margin():
    ready_s = np.zeros((2, 3))
    fresh = routes(500, seed=9)

    assert pytest.approx(1 / 3, abs=2e-3) == realised((1, NOWHERE), [1, 2, 3], ready_s, fresh)
    assert pytest.approx(1.0) == realised((1, 0), [1, 2, 3], ready_s, fresh)
    assert 0.0 == realised((NOWHERE, 0), [1, 2, 3], ready_s, fresh, margin_s=601.0)
    assert 0.0 == realised((NOWHERE, NOWHERE), [1, 2, 3], ready_s, fresh)


@given(value=st.floats(0, 1), n=st.floats(1, 1e5))
def test_an_interval_holds_its_value_within_nought_and_one(value: float, n: float):
    low, high = confidence_interval(value, n)
    narrow_low, narrow_high = confidence_interval(value, 4 * n)

    assert 0 <= low <= value <= high <= 1
    assert narrow_high - narrow_low <= high - low + 1e-12


def test_the_interval_is_the_one_of_wilson():
    # Ten of ten: from n / (n + z^2) on; 5 of 10 and 81 of 263 as in Newcombe, Statistics in Medicine 1998, table I.
    assert pytest.approx((10 / (10 + 1.959964**2), 1.0), abs=1e-5) == confidence_interval(1.0, 10)
    assert pytest.approx((0.2553, 0.3662), abs=1e-4) == confidence_interval(81 / 263, 263)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(4)
    truth = 0.3

    held = []
    for share in rng.binomial(200, truth, size=2000) / 200:
        low, high = confidence_interval(float(share), 200)
        held.append(low <= truth <= high)

    assert 0.93 < np.mean(held) < 0.97


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=30))
def test_unequal_weights_are_worth_fewer_routes(weights: list[float]):
    worth = effective_count(np.array(weights))

    assert 1 - 1e-9 <= worth <= len(weights) + 1e-9
    assert pytest.approx(len(weights)) == effective_count(np.full(len(weights), weights[0]))


def test_routes_that_share_a_draw_are_worth_one():
    met = np.repeat([0.0, 1.0] * 10, 50)
    weights = np.full(1000, 1e-3)
    alike, apart = np.repeat(np.arange(20), 50), np.arange(1000)

    assert pytest.approx(19.0, abs=1.1) == clustered_count(met, weights, alike)
    assert pytest.approx(999.0, abs=1.1) == clustered_count(met, weights, apart)
    assert 1.0 == clustered_count(met, weights, np.zeros(1000, dtype=np.int64))
    assert pytest.approx(1000.0) == clustered_count(np.ones(1000), weights, alike)


def test_an_estimate_comes_with_its_interval():
    coverage = coverage_of(routes(), [1, 2], np.zeros((1, 2)), 0.9)

    value, low, high = estimated(routes(), coverage, (1,))

    assert pytest.approx(0.3) == value
    assert low < value < high


@given(seed=st.integers(0, 50))
@settings(max_examples=10, deadline=None)
def test_halves_share_no_draw_and_lose_no_route(seed: int):
    whole = routes(100, seed)

    first, second = halves(whole, seed)

    assert first.count + second.count == whole.count
    assert not set(first.cluster.tolist()) & set(second.cluster.tolist())
    assert pytest.approx(1.0) == first.weights.sum()
    assert pytest.approx(1.0) == second.weights.sum()


def test_one_draw_has_no_halves():
    whole = routes(1)

    with pytest.raises(ValueError, match="share one draw"):
        halves(whole)
