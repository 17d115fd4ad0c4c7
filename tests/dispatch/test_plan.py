"""The first plan: never a promise that cannot be kept, and the open exits said as they are."""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.base import SightingId, TravelMode
from dispatch.domain.plan import plan
from dispatch.domain.problem import Held, Problem, ProblemError
from dispatch.domain.reach import Entry, Origin, origin_at
from dispatch.domain.replan import Sighting, origins_after, replan
from dispatch.domain.rows import exits_of, places_of, units_of
from dispatch.domain.sentences import sentence
from dispatch.network_files import read_network
from harness.interception import check_plan
from harness.networks import draw, exit_at, place_at, real_town, road, unit_at

FILES = read_network()
MODES = list(TravelMode)


def seen_at(
    node: int, seen_s: float = 0.0, mode: TravelMode = TravelMode.unknown, access_s: float = 0.0
) -> Origin:
    return Origin((Entry(node, access_s),), seen_s, mode)


# 0 (seen) - 1 - 2 (bridge) - 3, from where three exits 4, 5 and 6 branch off.
FORK = draw(7, [road(0, 1, 5), road(1, 2, 5), road(2, 3, 5), road(3, 4, 5), road(3, 5, 5), road(3, 6, 5)])


def fork(**changes: object) -> Problem:
    problem = Problem(
        network=FORK,
        origins=(seen_at(0),),
        now_s=0.0,
        places=tuple(place_at(node) for node in (2, 4, 5, 6)),
        exits=tuple(exit_at(node) for node in (4, 5, 6)),
        units=(unit_at(2),),
    )
    return replace(problem, **changes)


def test_one_unit_upstream_closes_every_exit_behind_it():
    answer = plan(fork())

    (assignment,) = answer.assignments
    assert place_at(2).place_id == assignment.place_id
    assert {exit_at(node).exit_id for node in (4, 5, 6)} == set(assignment.closes) == set(answer.closed_exits)
    assert answer.open_exits == ()
    assert assignment.reason.code == "closes_exits"


def test_a_second_unit_stays_free_when_the_first_closes_everything():
    answer = plan(fork(units=(unit_at(2), unit_at(3))))

    assert len(answer.assignments) == 1
    assert len(answer.free_units) == 1


def test_a_bridge_that_is_passed_already_is_left_for_the_exits_behind_it():
    # The bridge can be reached 400 s after the sighting, but from 4 and 5 no unit works there before 750 s.
    problem = fork(units=(unit_at(4), unit_at(5)), margin_s=0.0, send_late=False)

    answer = plan(problem)

    assert 2 == len(answer.assignments) == len(answer.closed_exits)
    assert place_at(2).place_id not in {assignment.place_id for assignment in answer.assignments}
    assert [out.reason.code for out in answer.open_exits] == ["no_unit_left"]
    check_plan(problem, answer)


def test_station_staff_close_their_exit_without_travelling():
    station = place_at(4, needs="passengers")
    problem = fork(
        places=(station,),
        exits=(exit_at(4),),
        units=(unit_at(4, can="passengers", post=station),),
        margin_s=0.0,
    )

    answer = plan(problem)

    assert tuple(assignment.eta_s for assignment in answer.assignments) == (150.0,)
    assert (exit_at(4).exit_id,) == answer.closed_exits


def test_a_unit_that_cannot_do_what_the_place_needs_is_not_sent():
    answer = plan(fork(places=(place_at(2, needs="passengers"),)))

    assert answer.assignments == ()
    assert {"no_unit_in_time"} == {out.reason.code for out in answer.open_exits}


def test_an_exit_with_no_place_on_the_way_is_open_and_says_so():
    answer = plan(fork(places=()))

    assert {"no_place_on_the_way"} == {out.reason.code for out in answer.open_exits}
    assert len(answer.open_exits) == 3


def test_too_late_for_everybody_still_sends_units_and_says_that_they_are_late():
    answer = plan(fork(now_s=3600.0, units=(unit_at(4), unit_at(5))))

    assert answer.assignments
    for assignment in answer.assignments:
        assert not assignment.in_time
        assert assignment.margin_s is not None
        assert assignment.margin_s < 0
        assert assignment.closes == ()
        assert assignment.reason.code == "late"
    assert len(answer.open_exits) == 3


def test_without_leave_to_be_late_nobody_is_sent_in_vain():
    answer = plan(fork(now_s=3600.0, send_late=False))

    assert answer.assignments == ()


def test_staff_of_the_place_last_seen_are_sent_to_look_there():
    station = place_at(0, needs="passengers")
    staff = unit_at(0, can="passengers", post=station)

    answer = plan(fork(places=(station,), units=(staff,)))

    assert [(staff.unit_id, "last_seen_here")] == [(a.unit_id, a.reason.code) for a in answer.assignments]
    assert len(answer.open_exits) == 3


def test_a_unit_that_accepted_stays_although_a_better_place_exists():
    # The unit at node 4 accepted place 4; the bridge alone would do without it.
    keep = (Held(unit_at(4).unit_id, place_at(4).place_id, 200.0),)

    answer = plan(fork(units=(unit_at(2), unit_at(4)), keep=keep))

    kept = next(a for a in answer.assignments if a.unit_id == unit_at(4).unit_id)
    assert ("kept", place_at(4).place_id) == (kept.reason.code, kept.place_id)
    assert len(answer.closed_exits) == 3


def test_a_unit_that_refused_or_did_not_answer_is_not_asked_again():
    answer = plan(fork(units=(unit_at(2), unit_at(2, 1)), excluded=frozenset({unit_at(2).unit_id})))

    assert [unit_at(2, 1).unit_id] == [assignment.unit_id for assignment in answer.assignments]


def test_an_order_nobody_has_answered_yet_is_repeated_rather_than_swapped():
    twins = (unit_at(2, 0, turnout_s=60.0), unit_at(2, 1, turnout_s=61.0))
    standing = {twins[1].unit_id: place_at(2).place_id}

    fresh, repeated = plan(fork(units=twins)), plan(fork(units=twins, standing=standing))

    assert [twins[0].unit_id] == [a.unit_id for a in fresh.assignments]
    assert [twins[1].unit_id] == [a.unit_id for a in repeated.assignments]


def test_a_closed_road_counts_for_both_sides():
    answer = plan(fork(closed_edges=frozenset({1})))

    assert {exit_at(node).exit_id for node in (4, 5, 6)} == set(answer.unreachable_exits)
    assert answer.assignments == ()


def test_leaving_by_one_exit_does_not_open_the_others():
    # Outside, exits 4 and 5 are joined by a road; 5 stays closed although 4 is open.
    ring = draw(7, [road(0, 1, 5), road(1, 4, 5), road(1, 2, 20), road(2, 5, 5), road(4, 5, 1)])
    problem = fork(network=ring, places=(place_at(2),), exits=(exit_at(4), exit_at(5)))

    answer = plan(problem)

    assert [exit_at(4).exit_id] == [out.exit_id for out in answer.open_exits]
    assert (exit_at(5).exit_id,) == answer.closed_exits


def test_a_sighting_nobody_has_assessed_is_one_more_place_to_start_from():
    problem = fork()
    beyond = Sighting(SightingId(UUID(int=1)), seen_at(3, 300.0))

    both = replan(problem, seen_at(0), [beyond], plan)
    check_plan(replace(problem, origins=origins_after(seen_at(0), [beyond])), both)

    assert len(both.open_exits) == 3
    refuted = replan(problem, seen_at(0), [replace(beyond, verdict="refuted")], plan)
    assert plan(problem) == refuted


def test_a_credible_sighting_replaces_what_was_known_before_it():
    older = Sighting(SightingId(UUID(int=1)), seen_at(1, 100.0))
    credible = Sighting(SightingId(UUID(int=2)), seen_at(2, 200.0), "credible")
    newer = Sighting(SightingId(UUID(int=3)), seen_at(3, 300.0), "uncertain")

    assert (seen_at(2, 200.0), seen_at(3, 300.0)) == origins_after(seen_at(0), [newer, older, credible])


def test_every_reason_has_a_sentence_in_both_languages():
    problems = [fork(), fork(places=()), fork(now_s=3600.0), fork(units=()), fork(places=(place_at(0),))]
    problems.append(fork(keep=(Held(unit_at(4).unit_id, place_at(4).place_id, 200.0),)))
    problems.append(fork(places=(place_at(4),), exits=(exit_at(4), exit_at(5)), units=(unit_at(4),)))
    for problem in problems:
        answer = plan(problem)
        for reason in (*(a.reason for a in answer.assignments), *(out.reason for out in answer.open_exits)):
            assert sentence(reason, "zh")
            assert len(sentence(reason, "en")) < 200


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"origins": ()}, "no origin"),
        ({"units": (unit_at(2), unit_at(2))}, "listed twice"),
        ({"keep": (Held(unit_at(2).unit_id, place_at(99).place_id, 0.0),)}, "not in the problem"),
    ],
)
def test_a_problem_that_contradicts_itself_is_refused_with_the_reason(
    changes: dict[str, object], message: str
):
    with pytest.raises(ProblemError, match=message):
        plan(fork(**changes))


@st.composite
def problems(draw_from: st.DrawFn) -> Problem:
    """Any small network, with everything a problem can hold."""
    size = draw_from(st.integers(2, 12))
    node = st.integers(0, size - 1)
    edge = st.builds(
        road,
        node,
        node,
        st.floats(0.1, 30),
        st.sampled_from(["wc", "wc", "wcb", "c", "w", "cb", "b", "f", "cf"]),
        kmh=st.floats(20, 120),
        oneway=st.booleans(),
    )
    network = draw(
        size, draw_from(st.lists(edge, min_size=size, max_size=3 * size)), stops=draw_from(st.sets(node))
    )
    needs = st.sampled_from(["road", "passengers"])
    places = tuple(place_at(n, needs=draw_from(needs)) for n in sorted(draw_from(st.sets(node, max_size=8))))
    units = []
    for number in range(draw_from(st.integers(0, 6))):
        post = draw_from(st.none() | st.sampled_from(places)) if places else None
        start = post.node if post else draw_from(node)
        units.append(
            unit_at(start, number, turnout_s=draw_from(st.floats(0, 600)), can=draw_from(needs), post=post)
        )
    origins = []
    for _ in range(draw_from(st.integers(1, 2))):
        entries = draw_from(st.lists(node, min_size=1, max_size=2, unique=True))
        access_s = draw_from(st.sampled_from([0.0, 60.0, 600.0]))
        seen = tuple(Entry(entry, access_s) for entry in entries)
        origins.append(Origin(seen, draw_from(st.floats(0, 300)), draw_from(st.sampled_from(MODES))))
    keep = []
    if places and draw_from(st.booleans()):
        keep.append(
            Held(
                unit_at(0, 99).unit_id,
                draw_from(st.sampled_from(places)).place_id,
                draw_from(st.floats(0, 2000)),
            )
        )
    edge_numbers = st.integers(0, len(network.edges.ids) - 1)
    exits = tuple(exit_at(n) for n in sorted(draw_from(st.sets(node, min_size=1, max_size=4))))
    pins, forbidden = {}, set()
    for unit in units:
        if places and draw_from(st.integers(0, 3)) == 0:
            pins[unit.unit_id] = draw_from(st.sampled_from(places)).place_id
        if draw_from(st.integers(0, 4)) == 0:
            forbidden.add((unit.unit_id, draw_from(st.sampled_from([None, *(p.place_id for p in places)]))))
    if places and draw_from(st.integers(0, 2)) == 0:
        forbidden.add((None, draw_from(st.sampled_from(places)).place_id))
    return Problem(
        network=network,
        origins=tuple(origins),
        now_s=draw_from(st.floats(300, 900)),
        places=places,
        exits=exits,
        units=tuple(units),
        keep=tuple(keep),
        excluded=frozenset(unit.unit_id for unit in units[:1] if draw_from(st.booleans())),
        closed_edges=frozenset(draw_from(st.sets(edge_numbers, max_size=2))),
        traffic=draw_from(st.dictionaries(edge_numbers, st.floats(0.05, 1.0), max_size=4)),
        pins=pins,
        forbidden=frozenset(forbidden),
        manned_exits={
            out.exit_id: draw_from(st.floats(0, 4000)) for out in exits if draw_from(st.booleans())
        },
        margin_s=draw_from(st.sampled_from([0.0, 120.0])),
        send_late=draw_from(st.booleans()),
    )


@settings(max_examples=40, deadline=None)
@given(problems())
def test_no_plan_promises_what_an_independent_search_refutes(problem: Problem):
    check_plan(problem, plan(problem))


@settings(max_examples=15, deadline=None)
@given(problems(), st.randoms(use_true_random=False))
def test_the_order_in_which_things_are_listed_makes_no_difference(problem: Problem, random: Random):
    def shuffled(things: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(random.sample(things, len(things)))

    other = replace(
        problem, places=shuffled(problem.places), exits=shuffled(problem.exits), units=shuffled(problem.units)
    )

    assert plan(problem) == plan(other)


@pytest.mark.parametrize("seed", range(12))
def test_yunyang_plans_hold_against_an_independent_search(seed: int):
    random = Random(seed)
    network = FILES.network
    node = random.choice([n for n in range(network.size) if not network.nodes.outside[n]])
    near = [
        float(axis[node]) + random.uniform(-0.02, 0.02) for axis in (network.nodes.lon, network.nodes.lat)
    ]
    problem = Problem(
        network=network,
        origins=(origin_at(network, near[0], near[1], 0.0, random.choice([TravelMode.unknown, *MODES])),),
        now_s=random.choice([0.0, 300.0, 1200.0, 3600.0]),
        places=places_of(FILES.places, network),
        exits=exits_of(FILES.exits, network),
        units=units_of(FILES.units, network, minute_of_day=random.randrange(1440)),
    )

    answer = plan(problem)

    check_plan(problem, answer)
    assert answer.assignments


def test_a_child_last_seen_in_the_county_seat_five_minutes_ago_leaves_most_exits_closed():
    network = FILES.network
    problem = Problem(
        network=network,
        origins=(origin_at(network, 108.71044, 30.92624, 0.0),),
        now_s=300.0,
        places=places_of(FILES.places, network),
        exits=exits_of(FILES.exits, network),
        units=units_of(FILES.units, network, minute_of_day=600),
    )

    answer = plan(problem)

    assert len(answer.closed_exits) > len(answer.open_exits)
    assert all(math.isfinite(assignment.eta_s) for assignment in answer.assignments)


@pytest.mark.parametrize("seed", range(2))
def test_plans_on_a_real_town_hold_against_an_independent_search(seed: int):
    network = real_town("winterswijk")
    random = Random(seed)
    nodes = random.sample(range(network.size), 150)
    lon = network.nodes.lon
    outermost = sorted(range(network.size), key=lambda n: lon[n])
    problem = Problem(
        network=network,
        origins=(seen_at(nodes[0]),),
        now_s=120.0,
        places=tuple(place_at(node) for node in nodes[1:120]),
        exits=tuple(exit_at(node) for node in (*outermost[:8], *outermost[-8:])),
        units=tuple(unit_at(node) for node in nodes[120:]),
    )

    check_plan(problem, plan(problem))
