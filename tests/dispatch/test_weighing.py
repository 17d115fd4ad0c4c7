"""The second look at a plan, as a sum on a county's network: never worse, never contradicted, always the same."""

from __future__ import annotations

import pickle
from dataclasses import replace
from random import Random

import pytest

from contracts.base import TravelMode
from dispatch.domain.plan import plan
from dispatch.domain.problem import Held, Plan, Problem
from dispatch.domain.reach import origin_at
from dispatch.domain.readiness import ready_s
from dispatch.domain.rows import exits_of, places_of, timetable_of, units_of
from dispatch.domain.weighing import Limits, Question, escape, weigh
from dispatch.network_files import YUNYANG, read_network
from dispatch.planning.checker import check
from dispatch.planning.evidence import Sighting, Unseen
from harness.escapes import claimed, told_by_times
from harness.interception import check_plan

FILES = read_network(YUNYANG)
NETWORK = FILES.network
SEAT = (108.71044, 30.92624)


def case(
    minutes: float = 15.0, at: tuple[float, float] = SEAT, minute_of_day: int = 600, **changes: object
) -> Problem:
    problem = Problem(
        network=NETWORK,
        origins=(origin_at(NETWORK, *at, 0.0, TravelMode.unknown),),
        now_s=60.0 * minutes,
        places=places_of(FILES.places, NETWORK),
        exits=exits_of(FILES.exits, NETWORK),
        units=units_of(FILES.units, NETWORK, minute_of_day=minute_of_day),
    )
    return replace(problem, **changes)


def asked(problem: Problem, worth: float = 0.02, **changes: object) -> Question:
    first = plan(problem)
    stands = {one.unit_id: one.place_id for one in first.assignments if one.reason.code != "kept"}
    return replace(
        Question(
            problem=replace(problem, standing=stands),
            timetable=timetable_of(FILES.timetable, NETWORK),
            clock_s=36_000.0,
            last_seen=problem.origins[0],
            mode=TravelMode.unknown,
            age_years=6,
            evidence=(),
            worth=dict.fromkeys(stands, worth),
            limits=Limits(routes=300, work=0.5, deadline_s=20.0),
        ),
        **changes,
    )


def stands(answer: Plan) -> set[tuple[object, object]]:
    return {(one.unit_id, one.place_id) for one in answer.assignments}


@pytest.mark.parametrize("seed", range(4))
def test_a_better_plan_holds_against_an_independent_search_and_is_never_worse(seed: int) -> None:
    random = Random(seed)
    inside = [node for node in range(NETWORK.size) if not NETWORK.nodes.outside[node]]
    node = random.choice(inside)
    at = (float(NETWORK.nodes.lon[node]), float(NETWORK.nodes.lat[node]))
    question = asked(case(random.choice([5, 20, 60]), at, random.randrange(1440)))

    found = weigh(question)

    check_plan(question.problem, found.plan)
    assert found.containment.kind != "probabilistic"
    assert [] == check(told_by_times(escape(question)), claimed(found.containment))
    orders = weigh(question, change=False)
    assert found.chosen_value >= orders.chosen_value - 1e-9
    assert found.low <= found.value <= found.high
    assert found.bound >= found.chosen_value


def test_the_same_question_gives_the_same_answer_also_in_another_process() -> None:
    question = asked(case())

    first, again = weigh(question), weigh(pickle.loads(pickle.dumps(question)))

    assert first.plan == again.plan
    assert (first.value, first.bound, first.ahead) == (again.value, again.bound, again.ahead)


def test_orders_that_nobody_gains_enough_by_changing_stay() -> None:
    question = asked(case(), worth=1.0)

    found = weigh(question)

    assert stands(plan(case())) <= stands(found.plan)


def test_one_more_unit_is_sent_only_for_what_it_gains() -> None:
    question = asked(case())
    limits = question.limits

    frugal = weigh(replace(question, limits=replace(limits, sending_worth=0.05)))
    lavish = weigh(replace(question, limits=replace(limits, sending_worth=0.0)))

    assert len(frugal.plan.assignments) < len(lavish.plan.assignments)
    assert frugal.chosen_value <= lavish.chosen_value


@pytest.mark.parametrize("minutes", [5, 15])
def test_of_units_that_meet_as_much_the_nearest_free_one_is_sent(minutes: int) -> None:
    question = asked(case(minutes))
    found = weigh(question)
    units = tuple(sorted(question.problem.units, key=lambda unit: unit.unit_id.int))
    row = {unit.unit_id: number for number, unit in enumerate(units)}
    column = {place.place_id: number for number, place in enumerate(question.problem.places)}
    ready = ready_s(question.problem, units, question.problem.places)

    new = [one for one in found.plan.assignments if one.unit_id not in question.problem.standing]

    assert new
    for one in new:
        sent_s = ready[row[one.unit_id], column[one.place_id]]
        for unit_id in found.plan.free_units:
            assert ready[row[unit_id], column[one.place_id]] >= sent_s - 1e-6


def test_a_unit_that_accepted_moves_only_if_that_gains_more_than_it_is_worth() -> None:
    problem = case(5)
    first = plan(problem)
    # Everybody has accepted, and then the child was seen in the far west.
    keep = tuple(Held(one.unit_id, one.place_id, one.eta_s) for one in first.assignments)
    told = (Sighting(108.50, 30.95, 900.0, 0.9),)
    placed = {held.unit_id for held in keep}
    # Nobody else is there to be sent.
    later = case(20, keep=keep, units=tuple(unit for unit in problem.units if unit.unit_id in placed))
    cheap = Question(
        later,
        timetable_of(FILES.timetable, NETWORK),
        36_000.0,
        later.origins[0],
        TravelMode.unknown,
        6,
        told,
        {held.unit_id: 0.005 for held in keep},
        Limits(routes=300, work=0.5, deadline_s=20.0),
    )

    moved = weigh(cheap)
    stays = weigh(replace(cheap, worth={held.unit_id: 1.0 for held in keep}))
    fixed = weigh(replace(cheap, worth={}))

    kept_at = {(held.unit_id, held.place_id) for held in keep}
    assert kept_at - stands(moved.plan)
    assert kept_at <= stands(stays.plan)
    assert kept_at <= stands(fixed.plan)
    assert moved.chosen_value > stays.chosen_value


def test_a_pinned_unit_stands_where_the_commander_says_and_nobody_uses_what_is_forbidden() -> None:
    problem = case()
    unit = next(unit for unit in problem.units if unit.post is None and "road" in unit.capabilities)
    place = next(place for place in problem.places if place.needs == "road")
    other = problem.places[-1]
    question = asked(
        replace(problem, pins={unit.unit_id: place.place_id}, forbidden=frozenset({(None, other.place_id)}))
    )

    found = weigh(question)

    check_plan(question.problem, found.plan)
    assert (unit.unit_id, place.place_id) in stands(found.plan)
    assert other.place_id not in {one.place_id for one in found.plan.assignments}


def test_a_checkpoint_that_saw_nothing_makes_its_way_less_likely() -> None:
    question = asked(case(60))
    by_meets = sorted(weigh(question).meets, key=lambda pair: -pair[1])
    unit_id = by_meets[0][0]
    place_id = next(one.place_id for one in weigh(question).plan.assignments if one.unit_id == unit_id)
    node = next(place.node for place in question.problem.places if place.place_id == place_id)

    after = weigh(replace(question, evidence=(Unseen(node, 0.0, 3600.0, 0.99),)))

    assert dict(after.meets).get(unit_id, 0.0) < by_meets[0][1]


def test_what_is_met_and_what_got_away_only_grow_with_time() -> None:
    found = weigh(asked(case()))

    met, away = [one.met for one in found.ahead], [one.away for one in found.ahead]
    assert met == sorted(met)
    assert away == sorted(away)
    assert all(one.met + one.away <= 1 + 1e-9 for one in found.ahead)
    assert met[-1] <= found.value + 1e-9


def test_nobody_on_duty_is_a_plan_that_meets_nobody() -> None:
    found = weigh(asked(case(units=())))

    assert (0.0, ()) == (found.value, found.plan.assignments)
    assert found.containment.kind == "impossible"
