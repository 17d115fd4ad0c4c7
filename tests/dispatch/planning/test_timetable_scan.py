"""Who rides by the timetable, against a plain search, and what it may not be used for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.base import TravelMode
from dispatch.domain.reach import Entry, Origin, earliest_arrival_s
from dispatch.domain.timetables import DAY_S, no_timetable
from dispatch.planning import assumptions
from dispatch.planning.courses import courses, cut_pairs
from dispatch.planning.timetable_scan import (
    BY_LINE,
    Footpaths,
    connections_between,
    earliest_by_timetable,
    footpaths_between,
    scan,
)
from dispatch.planning.world import World
from harness.networks import draw, road
from harness.timetables import earliest_riding, timetable

BUS = TravelMode.bus


def no_walks(stops: int) -> Footpaths:
    none = np.zeros(0, dtype=np.int64)
    return Footpaths(np.zeros(stops + 1, dtype=np.int64), none, np.zeros(0))


@st.composite
def runs_of_buses(draw_: st.DrawFn):
    runs = []
    for number in range(draw_(st.integers(1, 6))):
        at_s = draw_(st.integers(0, 3000))
        stops = []
        for node in draw_(st.lists(st.integers(0, 6), min_size=2, max_size=5)):
            arrive_s = at_s + draw_(st.integers(1, 900))
            at_s = arrive_s + draw_(st.integers(0, 120))
            stops.append((node, arrive_s, at_s))
        runs.append((BUS, f"line {number}", stops))
    return runs


@given(
    runs=runs_of_buses(),
    starts=st.dictionaries(st.integers(0, 6), st.integers(0, 2500), min_size=1),
    boarding_s=st.integers(0, 300),
)
def test_nobody_arrives_at_another_time_than_by_a_plain_search(runs, starts, boarding_s: int):
    table = timetable(runs)
    expected = earliest_riding(table, starts, boarding_s)

    connections = connections_between(table, BY_LINE, 0.0, 20_000.0)
    start_s = np.array([[starts.get(int(stop), np.inf)] for stop in connections.stops], dtype=np.float64)
    found = scan(connections, no_walks(len(start_s)), start_s, np.ones(1), np.full(1, float(boarding_s)))

    assert [expected.get(int(stop), np.inf) for stop in connections.stops] == found.arrive_s[:, 0].tolist()


@given(runs=runs_of_buses(), seed=st.integers(0, 1000))
def test_many_travellers_at_once_ride_as_each_would_alone(runs, seed: int):
    rng = np.random.default_rng(seed)
    connections = connections_between(timetable(runs), BY_LINE, 0.0, 20_000.0)
    shape = (len(connections.stops), 4)
    start_s = np.where(rng.random(shape) < 0.5, rng.uniform(0, 3000, shape), np.inf)
    boarding_s, pace = rng.uniform(0, 300, 4), rng.uniform(0.7, 1.4, 4)
    footpaths = footpaths_between(draw(7, [road(0, 1)]).nodes, connections.stops)

    together = scan(connections, footpaths, start_s, pace, boarding_s)

    for one in range(4):
        alone = scan(connections, footpaths, start_s[:, [one]], pace[[one]], boarding_s[[one]])
        assert alone.arrive_s[:, 0].tolist() == together.arrive_s[:, one].tolist()


def test_a_vehicle_is_missed_by_who_needs_longer_than_it_stays():
    table = timetable([(BUS, "1", [(0, 0, 600), (1, 900, 900)])])
    connections = connections_between(table, BY_LINE, 0.0, 3600.0)

    found = scan(
        connections, no_walks(2), np.array([[500.0, 500.0], [np.inf] * 2]), np.ones(2), np.array([100, 101.0])
    )

    assert [900.0, np.inf] == found.arrive_s[1].tolist()


def test_the_clock_moves_the_timetable_onto_the_axis_of_the_search():
    # Last seen at 23:50; the night coach leaves at 00:10, which the files write as 24:10 of the day before.
    late = timetable([(BUS, "night", [(0, 0, DAY_S + 600), (1, DAY_S + 1200, DAY_S + 1200)])])
    early = timetable([(BUS, "night", [(0, 0, 600), (1, 1200, 1200)])])

    for table in (late, early):
        connections = connections_between(table, BY_LINE, 0.0, 3600.0, clock_s=DAY_S - 600)
        assert [(1200.0, 1800.0)] == list(zip(connections.depart_s, connections.arrive_s, strict=True))


def test_the_same_bus_runs_again_the_next_morning():
    table = timetable([(BUS, "1", [(0, 0, 600), (1, 900, 900)])])

    connections = connections_between(table, BY_LINE, 0.0, 2.0 * DAY_S)

    assert [600.0, 600.0 + DAY_S] == connections.depart_s.tolist()
    assert 2 == connections.runs


def test_a_stretch_of_weeks_is_refused():
    with pytest.raises(ValueError, match="longer than a week"):
        connections_between(no_timetable(), BY_LINE, 0.0, 20.0 * DAY_S)


def test_one_changes_on_foot_between_stops_that_are_near():
    # Nodes lie about 955 m apart, so a neighbour is a walk of about 18 minutes and too far to change to by default.
    network = draw(3, [road(0, 1)])
    stops = np.array([0, 1, 2])

    assert 0 == len(footpaths_between(network.nodes, stops).to)
    near = footpaths_between(network.nodes, stops, limit_s=1500.0)
    to = [sorted(near.to[near.first[stop] : near.first[stop + 1]].tolist()) for stop in stops]
    assert [[1], [0, 2], [1]] == to
    metres = near.seconds * assumptions.WALK_KMH / 3.6 / assumptions.DETOUR
    assert pytest.approx(955, rel=0.01) == metres.tolist()[0]


def test_earliest_by_timetable_walks_rides_and_walks_on():
    network = draw(4, [road(0, 1, 0.7, "w"), road(1, 2, 20, "b"), road(2, 3, 0.7, "w")], stops=[1, 2])
    table = timetable([(BUS, "1", [(1, 0, 1800), (2, 3000, 3000)])])

    arrival_s = earliest_by_timetable(network, table, [Origin((Entry(0, 0.0),), 0.0)])

    assert pytest.approx([0.0, 600.0, 3000.0, 3600.0]) == arrival_s.tolist()


def test_a_closed_road_stops_the_bus_that_uses_it():
    network = draw(4, [road(0, 1, 0.7, "w"), road(1, 2, 20, "b"), road(2, 3, 0.7, "w")], stops=[1, 2])
    table = timetable([(BUS, "1", [(1, 0, 1800), (2, 3000, 3000)])])

    arrival_s = earliest_by_timetable(
        network, table, [Origin((Entry(0, 0.0),), 0.0)], closed_edges=frozenset({1})
    )

    assert {(1, 2)} == cut_pairs(network, table, frozenset({1}))
    assert np.isinf(arrival_s[2])


@given(leave=st.lists(st.integers(0, 7200), min_size=1, max_size=4), seen_s=st.integers(0, 5000))
def test_the_timetable_never_beats_the_sure_bound(leave: list[int], seen_s: int):
    network = draw(4, [road(0, 1, 1, "w"), road(1, 2, 20, "b"), road(2, 3, 1, "w")], stops=[1, 2])
    table = timetable([(BUS, "1", [(1, 0, at_s), (2, at_s + 1200, at_s + 1200)]) for at_s in leave])
    origins = [Origin((Entry(0, 0.0),), float(seen_s))]

    by_timetable = earliest_by_timetable(network, table, origins)

    assert (by_timetable >= earliest_arrival_s(network, origins) - 1e-6).all()


def test_a_vehicle_passes_what_lies_between_its_stops():
    network = draw(4, [road(0, 1, 10, "b"), road(1, 2, 30, "b"), road(3, 2, 5, "w")], stops=[0, 2])

    found = courses(World(network, no_timetable()), BUS, {(0, 2), (0, 3)})

    assert [1, 2] == found[0, 2].nodes.tolist()
    assert pytest.approx([0.25, 1.0]) == found[0, 2].shares.tolist()
    assert [3] == found[0, 3].nodes.tolist()
