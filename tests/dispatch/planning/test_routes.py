"""Timed routes: drawn by weight, never ahead of the sure bound, and the same for the same seed."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.base import TravelMode
from dispatch.domain.reach import Entry, Origin, earliest_arrival_s
from dispatch.domain.timetables import no_timetable
from dispatch.network_files import read_network
from dispatch.planning import assumptions
from dispatch.planning.hypotheses import Hypothesis, HypothesisError, default_hypotheses
from dispatch.planning.routes import lost_distances_km, sample_routes
from dispatch.planning.timed_routes import Routes
from harness.networks import draw, road
from harness.timetables import timetable

FILES = read_network()
EXITS = [FILES.network.index[row.node_id] for row in FILES.exits]
SEAT = FILES.network.index["shuangjiang"]
BUS = TravelMode.bus


def going(mode: TravelMode = TravelMode.car, to: int | None = 3, **more) -> Hypothesis:
    fields = {"departure_s": 0.0, "speed_factor": 1.0, "weight": 1.0, "entries": (Entry(0, 0.0),)}
    return Hypothesis(mode=mode, destination=to, **(fields | more))


def line() -> tuple:
    """0 to 3 by road, and the coach from stop 1 to stop 3 past 2."""
    roads = [road(0, 1, 0.7, "wc"), road(1, 2, 10, "wcb"), road(2, 3, 10, "wcb")]
    return draw(4, roads, stops=[1, 3]), timetable([(BUS, "1", [(1, 0, 1800), (3, 3600, 3600)])])


def quiet(network, table, hypotheses, count=1, **more) -> Routes:
    """Without noise."""
    return sample_routes(network, table, hypotheses, count, 1, choice_noise=0.0, pace_noise=0.0, **more)


@given(
    seed=st.integers(0, 10_000),
    mode=st.sampled_from(list(TravelMode)),
    closed=st.sets(st.integers(0, len(FILES.edges) - 1), max_size=5),
)
@settings(max_examples=15, deadline=None)
def test_no_route_is_anywhere_before_the_sure_bound(seed: int, mode: TravelMode, closed: set[int]):
    origins = [Origin((Entry(SEAT, 0.0),), 0.0)]
    hypotheses = default_hypotheses(origins, EXITS, mode, 0.0)

    routes = sample_routes(
        FILES.network, no_timetable(), hypotheses, 150, seed, closed_edges=frozenset(closed)
    )

    bound_s = earliest_arrival_s(FILES.network, origins, frozenset(closed))
    assert (routes.paths.arrive_s >= bound_s[routes.paths.node] - 1e-6).all()
    assert (routes.paths.leave_s >= routes.paths.arrive_s).all()
    assert pytest.approx(1.0) == routes.weights.sum()


@given(seed=st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_every_route_goes_along_roads_forward_in_time(seed: int):
    network = FILES.network
    hypotheses = default_hypotheses([Origin((Entry(SEAT, 0.0),), 0.0)], EXITS, TravelMode.unknown, 0.0)

    paths = sample_routes(network, no_timetable(), hypotheses, 100, seed).paths

    tails, heads = network.edges.tail.tolist(), network.edges.head.tolist()
    joined = set(zip(tails, heads, strict=True)) | set(zip(heads, tails, strict=True))
    for route in range(paths.count):
        part = slice(paths.first[route], paths.first[route + 1])
        nodes, at_s = paths.node[part].tolist(), paths.arrive_s[part]
        assert (np.diff(at_s) >= 0).all()
        assert all(a == b or (a, b) in joined for a, b in pairwise(nodes))
        assert nodes[0] == SEAT


@st.composite
def towns(draw_: st.DrawFn):
    """A few nodes, any roads and lines between them, and buses that keep to the speeds of their lines."""
    size = draw_(st.integers(2, 6))
    ends, modes = st.integers(0, size - 1), st.text("wcbf", min_size=1, max_size=3)
    kinds = st.tuples(ends, ends, st.floats(0.05, 20), modes, st.booleans())
    roads = [
        road(a, b, km, kind, oneway=one)
        for a, b, km, kind, one in draw_(st.lists(kinds, min_size=1, max_size=9))
    ]
    network = draw(size, roads, stops=draw_(st.sets(ends)))
    runs = []
    for tail, head, metres, kind, *_ in roads:
        stops = network.nodes.bus_stop
        if "b" in kind and stops[tail] and stops[head] and tail != head:
            at_s = draw_(st.integers(0, 7200))
            runs.append((BUS, "line", [(tail, at_s, at_s), (head, at_s + round(metres * 0.06 + 1), 0)]))
    return network, timetable(runs)


@given(
    town=towns(), seed=st.integers(0, 999), access_s=st.floats(0, 300), mode=st.sampled_from(list(TravelMode))
)
@settings(max_examples=60, deadline=None)
def test_on_any_network_routes_stay_behind_the_bound(town, seed, access_s, mode):
    network, table = town
    origin = Origin((Entry(0, access_s), Entry(1, 0.0)), 50.0)
    hypotheses = default_hypotheses([origin], [network.size - 1], mode, 60.0)

    routes = sample_routes(network, table, hypotheses, 40, seed)

    bound_s = earliest_arrival_s(network, [origin])
    assert (routes.paths.arrive_s >= bound_s[routes.paths.node] - 1e-6).all()
    assert (routes.paths.leave_s >= routes.paths.arrive_s).all()
    assert (np.diff(routes.paths.first) > 0).all()
    assert pytest.approx(1.0) == routes.weights.sum()
    assert 0 <= routes.unreachable_weight <= 1


def test_the_same_seed_gives_the_same_routes_and_another_seed_others():
    hypotheses = default_hypotheses([Origin((Entry(SEAT, 0.0),), 0.0)], EXITS, TravelMode.unknown, 0.0)

    first, again, other = (
        sample_routes(FILES.network, no_timetable(), hypotheses, 200, seed) for seed in (1, 1, 2)
    )

    assert first.paths.arrive_s.tolist() == again.paths.arrive_s.tolist()
    assert first.paths.node.tolist() == again.paths.node.tolist()
    assert first.paths.arrive_s.tolist() != other.paths.arrive_s.tolist()


def test_a_driver_needs_the_usual_time():
    network, table = line()

    routes = quiet(network, table, [going(departure_s=60.0)])

    assert pytest.approx([60.0, 102.0, 702.0, 1302.0]) == routes.paths.arrive_s.tolist()
    assert routes.away.tolist() == [True]


def test_traffic_slows_and_a_factor_above_one_speeds_nobody_up():
    network, table = line()

    slow = quiet(network, table, [going()], traffic=np.array([1.0, 0.5, 9.0]))

    assert pytest.approx([0.0, 42.0, 1242.0, 1842.0]) == slow.paths.arrive_s.tolist()


def test_who_waits_for_the_coach_can_be_met_at_the_station_until_it_leaves():
    network, table = line()
    riders = [going(BUS, spread_s=600.0)]

    routes = quiet(network, table, riders, 40)

    # Some leave the coach alone (full, say) and there is no later one: they stay behind, and the rest is all there
    # is.
    assert 0 < routes.count < 40
    assert pytest.approx(1.0) == routes.weights.sum()
    assert routes.unreachable_weight == pytest.approx(1 - routes.count / 40)
    last_s = routes.last_pass_s([0, 1, 2, 3])
    assert (last_s[:, 1] == 1800.0).all()
    assert pytest.approx([2700.0] * routes.count) == last_s[:, 2].tolist()
    assert (last_s[:, 3] == 3600.0).all()
    assert (routes.last_pass_s([1])[:, 0] > routes.paths.arrive_s[routes.paths.first[:-1] + 1]).all()


def test_a_ride_is_told_in_legs():
    network, table = line()

    legs = quiet(network, table, [going(BUS)], 20).legs(0)

    assert [(TravelMode.walking, 0, 1, None), (BUS, 1, 3, 0)] == [
        (leg.means, leg.from_node, leg.to_node, leg.trip) for leg in legs
    ]
    assert pytest.approx([0.0, 600.0, 1800.0, 3600.0]) == [
        moment for leg in legs for moment in (leg.depart_s, leg.arrive_s)
    ]


def test_whoever_is_after_a_boat_takes_the_coach_to_the_pier():
    network = draw(3, [road(0, 1, 20, "b"), road(1, 2, 20, "f")], stops=[0, 1])
    table = timetable(
        [
            (BUS, "coach", [(0, 0, 900), (1, 2700, 2700)]),
            (TravelMode.ferry, "boat", [(1, 0, 3600), (2, 7200, 7200)]),
        ]
    )

    legs = quiet(network, table, [going(TravelMode.ferry, 2)], 20).legs(0)

    assert [(BUS, 0, 1, 900.0), (TravelMode.ferry, 1, 2, 3600.0)] == [
        (leg.means, leg.from_node, leg.to_node, leg.depart_s) for leg in legs
    ]


def test_without_a_timetable_the_coach_is_waited_for_and_taken():
    network, _ = line()

    routes = quiet(network, no_timetable(), [going(BUS)], 30)

    waits_s = routes.last_pass_s([1])[:, 0] - 600.0
    assert routes.count == 30
    assert (waits_s >= assumptions.WAIT_S[0] - 1e-6).all()
    assert (waits_s <= assumptions.WAIT_S[1] + 1e-6).all()
    assert {BUS, TravelMode.walking} == {leg.means for route in range(30) for leg in routes.legs(route)}


def test_a_node_that_is_never_passed_has_no_last_moment():
    network = draw(5, [road(0, 1), road(1, 2), road(2, 3), road(1, 4)])

    last_s = quiet(network, no_timetable(), [going()]).last_pass_s([4, 2, 2])

    assert [-np.inf, 120.0, 120.0] == last_s[0].tolist()


def test_what_the_network_does_not_allow_gives_its_weight_to_the_others_of_its_mode():
    network = draw(5, [road(0, 1, 1, "wc"), road(1, 2, 1, "wc"), road(1, 3, 1, "w")])
    hypotheses = [
        going(to=2, weight=0.4),
        going(to=3, weight=0.2),
        going(TravelMode.walking, 3, weight=0.3),
        going(TravelMode.ferry, 4, weight=0.1),
    ]

    routes = quiet(network, no_timetable(), hypotheses, 900)

    shares = routes.share_of_modes()
    assert pytest.approx(0.3) == routes.unreachable_weight
    assert pytest.approx(0.6 / 0.9, abs=2e-3) == shares[TravelMode.car]
    assert {0, 2} == set(routes.hypothesis.tolist())


def test_nobody_drives_from_a_footpath_but_a_car_stands_at_its_end():
    network = draw(3, [road(0, 1, 0.7, "w"), road(1, 2, 10, "c")])

    routes = quiet(network, no_timetable(), [going(to=2)])

    assert pytest.approx([600.0, 1200.0]) == routes.paths.arrive_s.tolist()


def test_a_lost_child_stays_where_it_is_and_near():
    origins = [Origin((Entry(SEAT, 0.0),), 0.0, TravelMode.walking)]
    hypotheses = default_hypotheses(origins, EXITS, TravelMode.unknown, 0.0, lost_share=1.0)

    routes = sample_routes(FILES.network, no_timetable(), hypotheses, 100, 1)

    end = routes.paths.first[1:] - 1
    assert pytest.approx(1.0) == routes.lost_share()
    assert (routes.paths.leave_s[end] >= assumptions.HORIZON_S).all()
    assert not routes.away.any()


def test_lost_distances_follow_the_quantiles_of_the_age():
    profile = assumptions.lost_profile(5)

    assert [*profile.radii_km, 0.0] == lost_distances_km(
        profile, np.array([*profile.quantiles, 0.0])
    ).tolist()


@given(weights=st.lists(st.floats(0.01, 1), min_size=2, max_size=6), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_each_hypothesis_comes_up_within_one_of_its_expected_number(weights: list[float], seed: int):
    network, table = line()
    hypotheses = [going(to=node % 3 + 1, weight=weight) for node, weight in enumerate(weights)]

    routes = sample_routes(network, table, hypotheses, 60, seed)

    drawn = np.bincount(routes.hypothesis, minlength=len(weights))
    assert (np.abs(drawn - 60 * np.array(weights) / sum(weights)) <= 1 + 1e-9).all()


def test_drivers_differ_in_their_choice_of_way():
    # Two ways round of nearly the same length.
    network = draw(4, [road(0, 1, 5), road(1, 3, 5), road(0, 2, 5), road(2, 3, 5.2)])

    routes = sample_routes(network, no_timetable(), [going()], 200, 3)

    over = np.isfinite(routes.last_pass_s([1, 2])).mean(axis=0)
    assert 0.3 < over[1] < over[0] < 0.7


@pytest.mark.parametrize("count", [0, -5])
def test_no_routes_are_refused_in_words(count: int):
    network, table = line()

    with pytest.raises(HypothesisError, match="ask for 1 or more"):
        sample_routes(network, table, [going()], count, 1)


def test_a_place_without_any_way_out_is_refused_in_words():
    network = draw(5, [road(0, 1)])

    with pytest.raises(HypothesisError, match="No hypothesis can be travelled"):
        quiet(network, no_timetable(), [going(to=4)])


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"traffic": np.ones(2)}, "one share for each"),
        ({"traffic": np.array([1.0, 0.0, 1.0])}, "close the edge instead"),
        ({"traffic": np.array([1.0, np.nan, 1.0])}, "close the edge instead"),
        ({"closed_edges": frozenset({3})}, "places in the edge table"),
        ({"horizon_s": 0.0}, "above 0"),
    ],
)
def test_a_world_that_cannot_be_is_refused_in_words(more, words: str):
    with pytest.raises(ValueError, match=words):
        quiet(*line(), [going()], **more)


@pytest.mark.parametrize("wrong", [{"to": 4}, {"to": -1}, {"entries": (Entry(9, 0.0),)}])
def test_a_node_that_is_not_there_is_refused_in_words(wrong):
    with pytest.raises(HypothesisError, match="places in the node table"):
        quiet(*line(), [going(**wrong)])


def test_a_chosen_part_of_the_routes_is_the_same_routes():
    network, table = line()
    routes = sample_routes(network, table, [going(to=node) for node in (1, 2, 3)], 30, 1)

    part = routes.only(np.array([20, 3]))

    assert routes.last_pass_s([1, 2, 3])[[20, 3]].tolist() == part.last_pass_s([1, 2, 3]).tolist()
    assert [0.5, 0.5] == part.weights.tolist()
    assert routes.legs(20) == part.legs(0)
