"""Lost on foot: where to look, water first for the small, and what an empty search says."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.network_files import read_network
from dispatch.planning import assumptions
from dispatch.planning.assumptions import LostProfile
from dispatch.planning.search_area import (
    SearchError,
    SearchPlan,
    after_search,
    detection_probability,
    search_plan,
)
from harness.networks import draw, road

NETWORK = read_network().network
SEAT = (108.71, 30.926)
POND = (108.712, 30.92)


def plan(age: int = 5, **more) -> SearchPlan:
    return search_plan(NETWORK, *SEAT, age, **more)


def whole(found: SearchPlan) -> float:
    return math.fsum(one.probability for one in found.segments) + found.elsewhere


@given(
    age=st.integers(0, 17),
    lon=st.floats(108.4, 109.3),
    lat=st.floats(30.6, 31.5),
    water=st.lists(st.tuples(st.floats(108.4, 109.3), st.floats(30.6, 31.5)), max_size=3),
)
@settings(max_examples=40, deadline=None)
def test_the_child_is_somewhere(age: int, lon: float, lat: float, water):
    found = search_plan(NETWORK, lon, lat, age, water=water)

    assert pytest.approx(1.0) == whole(found)
    for number, ring in enumerate(found.rings):
        inside = math.fsum(one.probability for one in found.segments if one.ring == number)
        assert pytest.approx(ring.probability) == inside
    assert pytest.approx(0.05) == found.elsewhere
    assert len({one.key for one in found.segments}) == len(found.segments)


def test_water_comes_first_for_a_small_child_only():
    small, big = plan(5, water=[POND]), plan(15, water=[POND])

    kinds = [one.kind for one in small.segments]
    wet = kinds.count("water")
    assert wet > 0
    assert ["water"] * wet == kinds[:wet]
    assert "water" in [one.kind for one in big.segments]
    assert "water" != big.segments[0].kind


def test_a_bank_draws_a_small_child():
    dry = {one.key: one for one in plan(5).segments}

    newly_wet = [one for one in plan(5, water=[POND]).segments if one.kind != dry[one.key].kind]

    assert {"water"} == {one.kind for one in newly_wet}
    assert sum(one.probability for one in newly_wet) > sum(dry[one.key].probability for one in newly_wet)


def test_the_cumulative_probability_ends_at_the_last_ring():
    found = plan(8)

    rising = found.cumulative()

    assert list(rising) == sorted(rising)
    assert pytest.approx(0.95) == rising[-1]
    assert len(rising) == len(found.segments)


def test_after_water_the_likeliest_for_the_time_comes_first():
    rates = [one.probability / one.hours for one in plan(8).segments]

    assert pytest.approx(sorted(rates, reverse=True), rel=1e-5) == rates


def test_a_long_way_is_cut_into_stretches_that_make_it_whole():
    network = draw(2, [road(0, 1, 1.0, "w")])

    ways = [one for one in search_plan(network, 108.7, 30.9, 9).segments if one.kind == "way"]

    assert 3 == len(ways)
    assert pytest.approx(1000.0) == sum(one.length_m for one in ways)
    assert [(0.0, 1 / 3), (1 / 3, 2 / 3), (2 / 3, 1.0)] == sorted(
        (one.from_share, one.to_share) for one in ways
    )


def test_a_street_with_two_directions_is_searched_once():
    network = draw(2, [road(0, 1, 0.3, "w", oneway=True), road(1, 0, 0.3, "w", oneway=True)])

    assert 1 == len([one for one in search_plan(network, 108.7, 30.9, 9).segments if one.kind == "way"])


def test_nobody_walks_on_a_motorway_or_a_closed_path():
    network = draw(3, [road(0, 1, 0.3, "c"), road(1, 2, 0.3, "w")])

    found = search_plan(network, 108.7, 30.9, 9, closed_edges=frozenset({1}))

    assert {"ground"} == {one.kind for one in found.segments}
    assert pytest.approx(1.0) == whole(found)


@given(
    share=st.floats(0, 1),
    number=st.integers(0, 10),
)
@settings(max_examples=40, deadline=None)
def test_an_empty_search_lowers_its_segment_and_raises_all_others(share: float, number: int):
    before = plan(8)
    searched = before.segments[number]

    after = after_search(before, {searched.key: share})

    was = {one.key: one.probability for one in before.segments}
    now = {one.key: one.probability for one in after.segments}
    left = 1 - searched.probability * share
    assert pytest.approx(1.0) == whole(after)
    assert pytest.approx(searched.probability * (1 - share) / left) == now[searched.key]
    assert all(now[key] == pytest.approx(was[key] / left) for key in was if key != searched.key)
    assert pytest.approx(before.elsewhere / left) == after.elsewhere
    assert pytest.approx(searched.probability * share) == after.found_by


def test_two_searches_one_after_the_other_are_two_at_once():
    before = plan(8)
    first, second = before.segments[0].key, before.segments[1].key

    one_by_one = after_search(after_search(before, {first: 0.6}), {second: 0.7})
    at_once = after_search(before, {first: 0.6, second: 0.7})

    assert pytest.approx(at_once.found_by) == one_by_one.found_by
    assert [one.key for one in at_once.segments] == [one.key for one in one_by_one.segments]
    assert pytest.approx(at_once.cumulative()) == one_by_one.cumulative()


def test_a_search_finds_by_what_it_swept():
    segment = next(one for one in plan(8).segments if one.kind == "way")
    covers_once = segment.area_m2 / assumptions.SWEEP_WIDTH_M

    assert 0.0 == detection_probability(segment, 0.0)
    assert pytest.approx(1 - math.exp(-1)) == detection_probability(segment, covers_once)
    assert pytest.approx(1 - math.exp(-2)) == detection_probability(
        segment, covers_once, 2 * assumptions.SWEEP_WIDTH_M
    )


def test_the_distances_can_be_replaced():
    mine = LostProfile(18, (0.5, 1.0), (1.0, 2.0), water_first=False)

    found = plan(5, profile=mine)

    assert [(0.0, 1.0, 0.5), (1.0, 2.0, 0.5)] == [
        (ring.inner_km, ring.outer_km, ring.probability) for ring in found.rings
    ]
    assert 0.0 == found.elsewhere


@pytest.mark.parametrize("radii", [(2.0, 1.0), (0.0, 1.0)])
def test_rings_that_do_not_grow_are_refused(radii: tuple[float, float]):
    with pytest.raises(SearchError, match="does not ascend"):
        plan(5, profile=LostProfile(18, (0.5, 0.9), radii, water_first=False))


def test_what_cannot_be_is_refused():
    segment = plan().segments[0]

    with pytest.raises(SearchError, match="nowhere on earth"):
        search_plan(NETWORK, 200.0, 30.0, 5)
    with pytest.raises(SearchError, match="fits no segment"):
        after_search(plan(), {"no such": 0.5})
    with pytest.raises(SearchError, match="fits no segment"):
        after_search(plan(), {segment.key: 1.5})
    with pytest.raises(SearchError, match="is none"):
        detection_probability(segment, -1.0)
    nowhere_else = replace(plan(), elsewhere=0.0)
    with pytest.raises(SearchError, match="widen the rings"):
        after_search(nowhere_else, {one.key: 1.0 for one in nowhere_else.segments})
