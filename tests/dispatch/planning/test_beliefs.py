"""Bayes over routes: what each piece of evidence does, in any order, and what happens when too few routes are
left."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.base import TravelMode
from dispatch.domain.reach import Entry, Origin, earliest_arrival_s
from dispatch.domain.timetables import no_timetable
from dispatch.network_files import read_network
from dispatch.planning.beliefs import resampled, reweight, updated_routes
from dispatch.planning.estimate import effective_count
from dispatch.planning.evidence import Blocked, EvidenceError, Sighting, Unseen, positions_at
from dispatch.planning.hypotheses import Hypothesis, default_hypotheses
from dispatch.planning.routes import sample_routes
from dispatch.planning.timed_routes import Routes
from dispatch.planning.world import World
from harness.networks import draw, road

FILES = read_network()
EXITS = [FILES.network.index[row.node_id] for row in FILES.exits]
SEAT = FILES.network.index["shuangjiang"]
ORIGINS = [Origin((Entry(SEAT, 0.0),), 0.0)]
MIX = default_hypotheses(ORIGINS, EXITS, TravelMode.unknown, 600.0)
COUNTY = sample_routes(FILES.network, no_timetable(), MIX, 400, 5)
WORLD = World(FILES.network, no_timetable())

# From 1, half go to 0 and half to 3 past 2; a kilometre is a minute.
FORK = draw(4, [road(0, 1, 10), road(1, 2, 10), road(2, 3, 10)])


def fork(count: int = 100) -> Routes:
    ways = [Hypothesis(TravelMode.car, 0.0, 1.0, node, 0.5, (Entry(1, 0.0),)) for node in (0, 3)]
    return sample_routes(FORK, no_timetable(), ways, count, 1, choice_noise=0.0, pace_noise=0.0)


def shares(routes: Routes, weights: np.ndarray) -> list[float]:
    """Of those to 0 and of those to 3."""
    return np.bincount(routes.hypothesis, weights=weights, minlength=2).tolist()


def seen_at(node: int, at_s: float, reliability: float, **more) -> Sighting:
    nodes = FORK.nodes
    return Sighting(float(nodes.lon[node]), float(nodes.lat[node]), at_s, reliability, **more)


def in_county() -> st.SearchStrategy:
    nodes, share, at_s = st.integers(0, FILES.network.size - 1), st.floats(0, 0.95), st.floats(0, 9000)
    lon, lat = FILES.network.nodes.lon, FILES.network.nodes.lat
    return st.one_of(
        st.builds(lambda node, t, r: Sighting(float(lon[node]), float(lat[node]), t, r), nodes, at_s, share),
        st.builds(lambda node, t, q: Unseen(node, t, t + 1800, q), nodes, at_s, share),
        st.builds(
            lambda edge, t, c: Blocked(
                int(FILES.network.edges.tail[edge]), int(FILES.network.edges.head[edge]), t, t + 1800, c
            ),
            st.integers(0, 300),
            at_s,
            share,
        ),
    )


@given(evidence=st.lists(in_county(), max_size=6), order=st.randoms())
@settings(max_examples=40, deadline=None)
def test_the_order_of_evidence_does_not_change_a_bit(evidence, order):
    shuffled = list(evidence)
    order.shuffle(shuffled)

    first, second = reweight(COUNTY, evidence), reweight(COUNTY, shuffled)

    assert first.weights.tolist() == second.weights.tolist()
    assert pytest.approx(1.0) == first.weights.sum()
    assert pytest.approx(effective_count(first.weights)) == first.effective_n


@given(evidence=st.lists(in_county(), min_size=2, max_size=5), cut=st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_evidence_that_comes_in_two_lots_says_the_same(evidence, cut: int):
    at_once = reweight(COUNTY, evidence)

    first = reweight(COUNTY, evidence[:cut])
    second = reweight(COUNTY.reweighted(first.weights), evidence[cut:])

    assert np.allclose(at_once.weights, second.weights, rtol=1e-9, atol=1e-15)
    assert pytest.approx(at_once.likelihood) == first.likelihood * second.likelihood


def test_a_checkpoint_that_saw_nothing_takes_weight_from_those_who_passed_it():
    beliefs = reweight(fork(), [Unseen(2, 0.0, 3600.0, 0.75)])

    # Half times a quarter against half.
    assert pytest.approx([0.8, 0.2]) == shares(fork(), beliefs.weights)
    assert pytest.approx(0.625) == beliefs.likelihood


@pytest.mark.parametrize(("from_s", "until_s"), [(0.0, 599.0), (601.0, 3600.0)])
def test_a_checkpoint_says_nothing_of_the_time_when_it_was_not_manned(from_s: float, until_s: float):
    beliefs = reweight(fork(), [Unseen(2, from_s, until_s, 0.75)])

    assert pytest.approx([0.5, 0.5]) == shares(fork(), beliefs.weights)


def test_a_reliable_sighting_draws_the_weight_to_the_routes_that_were_there():
    routes = fork()

    half_sure, sure = (shares(routes, reweight(routes, [seen_at(2, 600.0, r)]).weights) for r in (0.5, 0.95))

    assert 0.5 < half_sure[1] < sure[1] < 1.0


def test_a_sighting_that_nobody_believes_changes_nothing():
    beliefs = reweight(fork(), [seen_at(2, 600.0, 0.0)])

    assert pytest.approx([0.5, 0.5]) == shares(fork(), beliefs.weights)


def test_a_sighting_counts_by_its_error_in_space_and_time():
    routes = fork()
    late = 900.0  # Those to 3 are half way between 2 and 3 by then, some 480 m past 2 on this drawing.

    exact, vague, untimed = (
        shares(routes, reweight(routes, [seen_at(2, late, 0.9, error_m=m, error_s=s)]).weights)[1]
        for m, s in ((50.0, 1.0), (1000.0, 1.0), (50.0, 400.0))
    )

    assert exact == pytest.approx(0.5, abs=0.01)
    assert exact < untimed
    assert exact < vague


def test_nobody_is_in_sight_beyond_an_exit():
    routes = fork()

    gone = reweight(routes, [seen_at(3, 5000.0, 0.9)])
    there = reweight(routes, [seen_at(3, 1200.0, 0.9)])

    assert pytest.approx([0.5, 0.5]) == shares(routes, gone.weights)
    assert shares(routes, there.weights)[1] > 0.9


def test_between_two_nodes_a_route_is_on_its_way():
    routes = fork(2)
    east, _, in_sight = positions_at(routes, 300.0)
    at_1, _, _ = positions_at(routes, -50.0)

    step = abs(float(east[1] - at_1[1]))
    assert pytest.approx(step) == abs(float(east[0] - at_1[0]))
    assert pytest.approx(955 / 2, rel=0.01) == step
    assert in_sight.all()


@pytest.mark.parametrize("ends", [(1, 2), (2, 1)])
def test_nobody_came_through_a_road_that_was_blocked(ends: tuple[int, int]):
    beliefs = reweight(fork(), [Blocked(*ends, 0.0, 3600.0, 0.75)])

    assert pytest.approx([0.8, 0.2]) == shares(fork(), beliefs.weights)
    later = reweight(fork(), [Blocked(*ends, 700.0, 3600.0)])
    assert pytest.approx([0.5, 0.5]) == shares(fork(), later.weights)


def test_evidence_that_no_route_survives_leaves_the_weights_and_says_so():
    routes = fork()

    beliefs = reweight(routes, [Unseen(1, 0.0, 3600.0, 1.0)])

    assert beliefs.contradicted
    assert beliefs.collapsed
    assert routes.weights.tolist() == beliefs.weights.tolist()


@pytest.mark.parametrize(
    "wrong",
    [
        seen_at(1, 0.0, 1.5),
        seen_at(1, 0.0, 0.5, error_m=0.0),
        seen_at(1, float("nan"), 0.5),
        Sighting(float("nan"), 30.9, 0.0, 0.5),
        Unseen(1, 0.0, 1.0, -0.1),
        Unseen(1, 2.0, 1.0, 0.5),
        Blocked(1, 2, 2.0, 1.0),
        Blocked(1, 2, 0.0, 1.0, 2.0),
    ],
)
def test_evidence_that_cannot_be_is_refused(wrong):
    with pytest.raises(EvidenceError):
        reweight(fork(), [wrong])


def test_resampling_keeps_the_shares_and_evens_the_weights():
    routes = fork()
    tilted = routes.reweighted(np.where(routes.hypothesis == 0, 0.016, 0.004))

    again = resampled(tilted, 100, 3)

    assert pytest.approx([0.8, 0.2], abs=0.011) == shares(again, again.weights)
    assert pytest.approx(100.0) == effective_count(again.weights)


def test_after_a_sighting_that_no_route_explains_routes_begin_there():
    # A township seen to 1 m and 1 s: no sampled route is there at that moment, yet one can be.
    node = FILES.network.index["renhe"]
    at_s = float(earliest_arrival_s(FILES.network, ORIGINS)[node]) + 1234.5
    nodes = FILES.network.nodes
    sighting = Sighting(float(nodes.lon[node]), float(nodes.lat[node]), at_s, 0.9, error_m=1.0, error_s=1.0)
    passed_long_ago = Unseen(SEAT, at_s - 10, at_s - 5, 0.5)

    routes = updated_routes(WORLD, MIX, [sighting, passed_long_ago], 300, 7)
    again = updated_routes(WORLD, MIX, [passed_long_ago, sighting], 300, 7)

    from_there = routes.paths.node[routes.paths.first[:-1]] == node
    assert routes.count == 300
    assert pytest.approx(0.9, abs=0.05) == routes.weights[from_there].sum()
    assert (routes.paths.arrive_s[routes.paths.first[:-1]][from_there] >= at_s).all()
    assert effective_count(routes.weights) > 100
    assert routes.paths.arrive_s.tolist() == again.paths.arrive_s.tolist()
    assert routes.weights.tolist() == again.weights.tolist()


def test_routes_that_were_kept_save_the_draw_and_change_nothing():
    evidence = [Unseen(int(COUNTY.paths.node[5]), 0.0, 3600.0, 0.5)]

    kept = updated_routes(WORLD, MIX, evidence, 400, 5, drawn=COUNTY)

    again = updated_routes(WORLD, MIX, evidence, 400, 5)
    assert again.weights.tolist() == kept.weights.tolist()
    assert again.paths.node.tolist() == kept.paths.node.tolist()
    assert COUNTY.weights.tolist() != kept.weights.tolist()


def test_a_sighting_where_nobody_can_be_yet_begins_no_routes():
    far = EXITS[0]
    nodes = FILES.network.nodes
    sighting = Sighting(float(nodes.lon[far]), float(nodes.lat[far]), 1.0, 0.99, error_m=1.0, error_s=1.0)

    routes = updated_routes(WORLD, MIX, [sighting], 200, 7)

    assert not (routes.paths.node[routes.paths.first[:-1]] == far).any()
    assert pytest.approx(1.0) == routes.weights.sum()


def test_where_checkpoints_alone_leave_few_routes_more_are_drawn():
    crossed = np.bincount(COUNTY.paths.node, minlength=FILES.network.size)
    crossed[SEAT] = 0
    busiest = np.argsort(-crossed)[:40].tolist()
    evidence = [Unseen(int(node), 0.0, 40_000.0, 0.999) for node in busiest]

    few = reweight(sample_routes(FILES.network, no_timetable(), MIX, 300, 3), evidence)
    routes = updated_routes(WORLD, MIX, evidence, 300, 3)

    assert pytest.approx(1.0) == routes.weights.sum()
    if few.collapsed:
        assert pytest.approx(routes.count) == effective_count(routes.weights)
