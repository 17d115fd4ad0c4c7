"""Where could they be by now: a bound that no real traveller beats."""

from __future__ import annotations

import itertools
from random import Random

import numpy as np
import pytest

from contracts.base import TravelMode
from dispatch.domain import speeds
from dispatch.domain.network import NetworkError, nearest_node
from dispatch.domain.problem import Problem
from dispatch.domain.reach import (
    Entry,
    Origin,
    arrival_past_posts_s,
    earliest_arrival_s,
    origin_at,
    within_minutes,
)
from dispatch.network_files import read_network
from harness.interception import arcs_of, earliest
from harness.networks import draw, road

FILES = read_network()
MODES = list(TravelMode)


def start(node: int = 0, mode: TravelMode = TravelMode.unknown, seen_s: float = 0.0) -> Origin:
    return Origin((Entry(node, 0.0),), seen_s, mode)


@pytest.mark.parametrize(
    ("modes", "mode", "kmh"),
    [
        ("w", TravelMode.walking, speeds.WALK_KMH),
        ("c", TravelMode.car, 60 * speeds.CAR_FACTOR),
        ("b", TravelMode.bus, 60 * speeds.BUS_FACTOR),
        ("f", TravelMode.ferry, 60 * speeds.FERRY_FACTOR),
    ],
)
def test_each_way_of_travelling_goes_at_its_fastest_plausible_speed(modes: str, mode: TravelMode, kmh: float):
    network = draw(2, [road(0, 1, 6, modes)], stops=[0, 1])

    arrival_s = earliest_arrival_s(network, [start(0, mode)])

    assert pytest.approx(6 / kmh * 3600) == arrival_s[1]
    assert arrival_s[1] == earliest_arrival_s(network, [start(0)])[1]


def test_nobody_drives_on_a_footpath():
    network = draw(2, [road(0, 1, 6, "w")])

    assert np.isinf(earliest_arrival_s(network, [start(0, TravelMode.car)])[1])


def test_a_bus_is_left_at_stops_only():
    # By bus from 0 to 2 without a stop at 1; from 1 a footpath leads to 3.
    roads = [road(0, 1, 6, "b"), road(1, 2, 6, "b"), road(1, 3, 1, "w")]
    express = draw(4, roads, stops=[0, 2])
    stopping = draw(4, roads, stops=[0, 1, 2])

    assert np.isinf(earliest_arrival_s(express, [start(0)])[3])
    assert np.isfinite(earliest_arrival_s(stopping, [start(0)])[3])


def test_a_one_way_street_stops_cars_but_not_feet():
    network = draw(2, [road(1, 0, 6, "wc", oneway=True)])

    assert np.isinf(earliest_arrival_s(network, [start(0, TravelMode.car)])[1])
    assert pytest.approx(3000.0) == earliest_arrival_s(network, [start(0)])[1]


def test_of_two_roads_between_the_same_places_the_faster_one_counts():
    network = draw(2, [road(0, 1, 9, "c"), road(0, 1, 3, "c")])

    assert pytest.approx(120.0) == earliest_arrival_s(network, [start(0)])[1]


def test_a_closed_edge_is_closed_to_everybody():
    network = draw(3, [road(0, 1, 3), road(1, 2, 3), road(0, 2, 30)])

    arrival_s = earliest_arrival_s(network, [start(0)], closed_edges=frozenset({0}))

    assert pytest.approx([0.0, 1320.0, 1200.0]) == arrival_s.tolist()


def test_two_hypotheses_give_the_earlier_of_both_at_every_node():
    network = draw(3, [road(0, 1, 3), road(1, 2, 3)])

    arrival_s = earliest_arrival_s(network, [start(0), start(2, seen_s=100.0)])

    assert pytest.approx([0.0, 120.0, 100.0]) == arrival_s.tolist()


def test_a_post_stops_only_those_who_come_after_it_stands():
    network = draw(4, [road(0, 1, 3), road(1, 2, 3), road(2, 3, 3)])

    def past(manned_from_s: float) -> list[float]:
        return arrival_past_posts_s(
            network, [start(0)], np.array([np.inf, manned_from_s, np.inf, np.inf])
        ).tolist()

    assert pytest.approx([0.0, np.inf, np.inf, np.inf]) == past(120.0)
    assert pytest.approx([0.0, 120.0, 240.0, 360.0]) == past(120.1)


def test_a_post_that_sends_people_round_makes_the_next_one_stand_in_time():
    # Straight to 2 in 240 s, round in 480 s; the post at 2 stands from 300 s on.
    network = draw(4, [road(0, 1, 3), road(1, 2, 3), road(0, 2, 12), road(2, 3, 3)])
    manned_from_s = np.array([np.inf, 60.0, 300.0, np.inf])

    arrival_s = arrival_past_posts_s(network, [start(0)], manned_from_s)

    assert pytest.approx([0.0, np.inf, np.inf, np.inf]) == arrival_s.tolist()


def test_a_post_too_late_for_the_bus_still_stops_those_on_foot():
    # The bus does not stop at 1, so whoever goes on to 2 comes past the post on foot.
    roads = [road(0, 1, 6, "wb"), road(1, 2, 6, "w")]
    network = draw(3, roads, stops=[0])
    manned_from_s = np.array([np.inf, 600.0, np.inf])

    arrival_s = arrival_past_posts_s(network, [start(0, TravelMode.bus)], manned_from_s)

    assert pytest.approx([0.0, 300.0, np.inf]) == arrival_s.tolist()


def test_whoever_is_seen_at_a_post_is_past_it():
    network = draw(3, [road(0, 1, 3), road(1, 2, 3)])

    arrival_s = arrival_past_posts_s(network, [start(1, seen_s=50.0)], np.array([0.0, 0.0, np.inf]))

    assert pytest.approx([np.inf, 50.0, 170.0]) == arrival_s.tolist()


def test_reach_in_a_quarter_of_an_hour_lies_within_reach_in_half_an_hour():
    arrival_s = earliest_arrival_s(FILES.network, [origin_at(FILES.network, 108.71, 30.926, 60.0)])

    sets = [set(nodes.tolist()) for nodes in within_minutes(arrival_s, 60.0).values()]

    assert len(sets) == 4
    assert all(smaller < larger for smaller, larger in itertools.pairwise(sets))


@pytest.mark.parametrize("mode", MODES)
def test_yunyang_arrivals_match_an_independent_search(mode: TravelMode):
    network = FILES.network
    origin = origin_at(network, 108.88, 30.99, 0.0, mode)
    problem = Problem(network, (origin,), 0.0, (), (), ())

    expected = earliest(problem)

    arrival_s = earliest_arrival_s(network, [origin])
    assert set(expected) == set(np.flatnonzero(np.isfinite(arrival_s)).tolist())
    assert all(pytest.approx(at_s) == arrival_s[node] for node, at_s in expected.items())


@pytest.mark.parametrize("seed", range(5))
def test_no_slower_traveller_is_anywhere_before_the_bound(seed: int):
    random = Random(seed)
    network = FILES.network
    arcs = arcs_of(network)
    node, at_s = network.index["shuangjiang"], 0.0
    bound_s = earliest_arrival_s(network, [start(node)])

    for _ in range(200):
        if not arcs[node]:
            break
        node, _, fastest_s = random.choice(arcs[node])
        at_s += fastest_s * random.uniform(1.0, 2.0)

        assert bound_s[node] <= at_s + 1e-6


def test_unknown_mode_is_never_later_than_any_mode():
    origins = {mode: origin_at(FILES.network, 108.85, 31.1, 0.0, mode) for mode in MODES}

    unknown_s = earliest_arrival_s(FILES.network, [origins[TravelMode.unknown]])

    for mode in MODES:
        assert np.all(unknown_s <= earliest_arrival_s(FILES.network, [origins[mode]]) + 1e-6)


def test_a_position_beside_a_road_enters_at_both_of_its_ends():
    network = draw(3, [road(0, 1, 1), road(1, 2, 1)])
    halfway = (float(network.nodes.lon[0]) + 0.004, float(network.nodes.lat[0]) + 0.001)

    origin = origin_at(network, *halfway, seen_s=0.0)

    assert {0, 1} <= {entry.node for entry in origin.entries}
    assert all(0 < entry.access_s < 60 for entry in origin.entries if entry.node < 2)


def test_a_position_within_fifty_metres_of_a_node_is_at_the_node():
    lon, lat = float(FILES.network.nodes.lon[0]), float(FILES.network.nodes.lat[0])

    assert (Entry(0, 0.0),) == origin_at(FILES.network, lon + 0.0004, lat, 0.0).entries
    node, away_m = nearest_node(FILES.network, lon + 0.0004, lat)
    assert node == 0
    assert 30 < away_m < 45


def test_the_version_changes_with_any_length():
    assert draw(2, [road(0, 1, 3)]).version == draw(2, [road(0, 1, 3)]).version
    assert draw(2, [road(0, 1, 3)]).version != draw(2, [road(0, 1, 3.001)]).version


@pytest.mark.parametrize(
    ("roads", "message"),
    [
        ([(0, 5, 100.0, "wc", 60.0, False)], "ends at a node"),
        ([(0, 1, -1.0, "wc", 60.0, False)], "length_m"),
        ([(0, 1, float("nan"), "wc", 60.0, False)], "length_m"),
        ([(0, 1, 100.0, "wc", 0.0, False)], "car_speed_kmh"),
    ],
)
def test_arrays_that_make_no_network_are_refused_with_the_edge(roads: list, message: str):
    with pytest.raises(NetworkError, match=f"'e0'.*{message}"):
        draw(2, roads)
