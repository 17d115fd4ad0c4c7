"""Pins, forbids and neighbours' exits in a plan: obeyed, passed on, or said to be unmet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dispatch.domain.plan import plan
from dispatch.domain.problem import Held, Plan, Problem, ProblemError
from dispatch.domain.reach import Entry, Origin
from dispatch.domain.sentences import sentence
from harness.interception import check_plan
from harness.networks import draw, exit_at, place_at, road, unit_at

# 0 (seen) - 1 - 2 (bridge) - 3, from where two exits 4 and 5 branch off; 6 is a far end that nobody gets to in time.
FORK = draw(7, [road(0, 1, 5), road(1, 2, 5), road(2, 3, 5), road(3, 4, 5), road(3, 5, 5), road(6, 0, 50)])


def fork(**changes: Any) -> Problem:
    problem = Problem(
        network=FORK,
        origins=(Origin((Entry(0, 0.0),), 0.0),),
        now_s=0.0,
        places=tuple(place_at(node) for node in (2, 4, 5)),
        exits=tuple(exit_at(node) for node in (4, 5)),
        units=(unit_at(2), unit_at(4)),
    )
    return replace(problem, **changes)


def at(node: int) -> Any:
    return place_at(node).place_id


def where(answer: Plan) -> dict[Any, Any]:
    return {one.unit_id: one.place_id for one in answer.assignments}


def test_a_pinned_unit_goes_there_and_the_others_do_the_rest() -> None:
    problem = fork(pins={unit_at(2).unit_id: at(5)}, margin_s=0.0)

    answer = plan(problem)

    check_plan(problem, answer)
    assert at(5) == where(answer)[unit_at(2).unit_id]
    assert at(4) == where(answer)[unit_at(4).unit_id]
    assert {exit_at(4).exit_id, exit_at(5).exit_id} == set(answer.closed_exits)


def test_a_pinned_unit_goes_there_even_if_late_and_the_plan_says_so() -> None:
    problem = fork(pins={unit_at(2).unit_id: at(2)}, now_s=3600.0, send_late=False)

    answer = plan(problem)

    check_plan(problem, answer)
    (late,) = answer.assignments
    assert (at(2), "pinned_late", False) == (late.place_id, late.reason.code, late.in_time)
    assert "though the fastest may have passed" in sentence(late.reason, "en")
    assert "指挥员指定" in sentence(late.reason, "zh")


def test_a_pinned_unit_goes_where_nobody_can_come_and_the_plan_says_so() -> None:
    problem = fork(pins={unit_at(2).unit_id: at(4)}, closed_edges=frozenset({3}), places=(place_at(4),))
    open_again = replace(problem, units=(unit_at(4),), pins={unit_at(4).unit_id: at(4)})

    answer = plan(open_again)

    check_plan(open_again, answer)
    (there,) = answer.assignments
    assert (None, "pinned_unreached") == (there.earliest_arrival_s, there.reason.code)
    assert "nobody we look for" in sentence(there.reason, "en")
    assert ((unit_at(2).unit_id, at(4)),) == plan(problem).pins_unmet


def test_the_place_of_a_pin_goes_to_whoever_else_is_there_soonest() -> None:
    pins = {unit_at(2).unit_id: at(5)}
    problem = fork(pins=pins, excluded=frozenset(pins), units=(unit_at(2), unit_at(4), unit_at(0)))

    answer = plan(problem)

    check_plan(problem, answer)
    assert at(5) == where(answer)[unit_at(4).unit_id]
    assert unit_at(2).unit_id not in where(answer)


def test_a_pin_that_nobody_can_carry_out_is_said_to_be_unmet() -> None:
    pins = {unit_at(2).unit_id: at(5)}
    cannot = (unit_at(2, can="passengers"), unit_at(4, can="passengers"))

    with_own, without = plan(fork(pins=pins, units=cannot)), plan(fork(pins=pins, units=()))

    assert tuple(pins.items()) == with_own.pins_unmet == without.pins_unmet
    assert with_own.assignments == without.assignments == ()


def test_of_two_pins_at_one_place_the_second_is_said_to_be_unmet() -> None:
    twins = sorted((unit_at(2), unit_at(4)), key=lambda unit: unit.unit_id.int)
    problem = fork(pins={unit.unit_id: at(5) for unit in twins})

    answer = plan(problem)

    check_plan(problem, answer)
    assert {twins[0].unit_id: at(5)} == where(answer)
    assert ((twins[1].unit_id, at(5)),) == answer.pins_unmet


def test_what_is_forbidden_is_not_done() -> None:
    unit, place = unit_at(2).unit_id, at(2)
    for forbidden in ({(unit, place)}, {(unit, None)}, {(None, place)}):
        problem = fork(forbidden=frozenset(forbidden), margin_s=0.0)

        answer = plan(problem)

        check_plan(problem, answer)
        assert (unit, place) not in where(answer).items()
        assert plan(fork(margin_s=0.0)) != answer


def test_a_pair_of_nothing_forbids_nothing() -> None:
    assert plan(fork()) == plan(fork(forbidden=frozenset({(None, None)})))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pins": {unit_at(2).unit_id: place_at(99).place_id}}, "not in the problem"),
        (
            {"pins": {unit_at(2).unit_id: at(2)}, "keep": (Held(unit_at(2).unit_id, at(4), 0.0),)},
            "leave out one of the two",
        ),
    ],
)
def test_commands_that_contradict_the_problem_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        plan(fork(**changes))


def test_an_exit_that_the_neighbour_mans_in_time_needs_nobody_of_ours() -> None:
    manned = {exit_at(4).exit_id: 500.0, exit_at(5).exit_id: 9000.0}
    problem = fork(units=(), manned_exits=manned)

    answer = plan(problem)

    check_plan(problem, answer)
    assert (exit_at(4).exit_id,) == answer.closed_exits == answer.aided_exits
    assert [exit_at(5).exit_id] == [out.exit_id for out in answer.open_exits]
