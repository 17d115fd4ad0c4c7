"""What may have happened: a mix whose weights are a probability, and whose numbers say where they come from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.base import TravelMode
from dispatch.domain.reach import Entry, Origin
from dispatch.planning import assumptions
from dispatch.planning.hypotheses import (
    Hypothesis,
    HypothesisError,
    default_hypotheses,
    normalised,
    usual_entries,
)

HERE = Origin((Entry(0, 0.0),), 100.0)


@given(
    exits=st.lists(st.integers(0, 50), max_size=6),
    mode=st.sampled_from(list(TravelMode)),
    late_s=st.floats(0, 1e5),
    age=st.integers(0, 17),
    origins=st.integers(1, 3),
)
def test_weights_are_a_probability(exits: list[int], mode: TravelMode, late_s: float, age: int, origins: int):
    found = default_hypotheses([HERE] * origins, exits, mode, 100.0 + late_s, age_years=age)

    assert pytest.approx(1.0) == sum(one.weight for one in found)
    assert all(one.weight > 0 for one in found)
    assert {one.destination for one in found} <= {None, *exits}


def test_every_mode_and_a_lost_child_are_thought_of():
    found = default_hypotheses([HERE], [7, 9], TravelMode.unknown, 100.0)

    assert set(assumptions.MODE_SHARES) == {one.mode for one in found if one.lost is None}
    assert pytest.approx(assumptions.LOST_SHARE) == sum(one.weight for one in found if one.lost)
    assert {one.destination for one in found if one.lost} == {None}


@pytest.mark.parametrize("mode", list(assumptions.MODE_SHARES))
def test_what_a_witness_names_weighs_most(mode: TravelMode):
    found = default_hypotheses([HERE], [7], mode, 100.0)

    share = sum(one.weight for one in found if one.mode is mode and one.lost is None)

    assert pytest.approx(assumptions.SUSPECTED_SHARE * (1 - assumptions.LOST_SHARE_SUSPECTED)) == share


def test_of_two_exits_the_likelier_one_gets_its_weight():
    found = default_hypotheses([HERE], [7, 9], TravelMode.car, 100.0, exit_weights=[3, 1])

    to = {node: sum(one.weight for one in found if one.destination == node) for node in (7, 9)}

    assert pytest.approx(3.0) == to[7] / to[9]


def test_whoever_was_seen_long_ago_may_have_left_as_late_as_now():
    found = default_hypotheses([HERE], [7], TravelMode.car, 100.0 + 5 * 3600)

    assert pytest.approx(100.0 + 5 * 3600) == max(one.departure_s + one.spread_s for one in found)
    assert min(one.departure_s for one in found) == 100.0


def test_the_way_to_the_road_takes_its_usual_time_not_the_fewest_seconds():
    beside = Origin((Entry(0, 30.0),), 0.0)

    by_mode = {mode: usual_entries(beside, mode)[0].access_s for mode in assumptions.MODE_SHARES}

    assert by_mode[TravelMode.car] == 45.0  # Half again over the design speed was assumed.
    assert by_mode[TravelMode.walking] == pytest.approx(30 * 60 / assumptions.WALK_KMH)


@pytest.mark.parametrize(
    ("origins", "now_s", "weights", "words"),
    [
        ([], 100.0, None, "no origin"),
        ([HERE], 99.0, None, "after now"),
        ([HERE], 100.0, [-1.0], "weights of 0 or more"),
        ([HERE], 100.0, [1.0, 1.0], "as many weights"),
    ],
)
def test_what_cannot_be_is_refused_in_words(origins, now_s, weights, words):
    with pytest.raises(HypothesisError, match=words):
        default_hypotheses(origins, [7], TravelMode.car, now_s, exit_weights=weights)


@pytest.mark.parametrize(
    "wrong", [{"weight": -1.0}, {"weight": 0.0}, {"speed_factor": 0.0}, {"spread_s": -1.0}, {"entries": ()}]
)
def test_a_hypothesis_that_means_nothing_is_refused(wrong):
    fields = {
        "mode": TravelMode.car,
        "departure_s": 0.0,
        "speed_factor": 1.0,
        "destination": 7,
        "weight": 1.0,
    }

    with pytest.raises(HypothesisError):
        normalised([Hypothesis(**(fields | {"entries": (Entry(0, 0.0),)} | wrong))])


def test_the_older_the_child_the_farther_it_is_looked_for():
    radii = [assumptions.lost_profile(age).radii_km for age in (3, 5, 8, 11, 16, 40)]

    assert sorted(radii) == radii
    assert [True, True, False] == [assumptions.lost_profile(age).water_first for age in (3, 5, 8)]


def test_the_shares_of_each_table_sum_to_one():
    assert pytest.approx(1.0) == sum(assumptions.MODE_SHARES.values())
    assert pytest.approx(1.0) == sum(share for *_, share in assumptions.DEPARTURES_MIN)
    for paces in assumptions.SPEEDS.values():
        assert pytest.approx(1.0) == sum(share for _, share in paces)
