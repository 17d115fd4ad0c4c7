"""The commander's hand: pins, forbids and places by hand, with their price, and never two places for one unit."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from random import Random
from typing import Any
from uuid import UUID

import pytest

from contracts.order import InterceptionOrdered, OrderOverdue, OrderStoodDown, PlanPublished
from dispatch import case_plan
from dispatch.domain.plan import plan
from dispatch.domain.problem import Held, Plan, Problem, ProblemError
from dispatch.domain.reach import Entry, Origin
from dispatch.domain.sentences import sentence
from dispatch.handlers import move_order
from dispatch.network_files import read_network
from dispatch.sweeps import pass_on_overdue
from guitu.auth import Role
from harness.dispatch_http import Centre, over_http
from harness.dispatch_stories import an_id, dispatch_in_yunyang, raised, stood_down
from harness.interception import check_plan
from harness.networks import draw, exit_at, place_at, road, unit_at

FILES = read_network()
POSTED = {unit.unit_id for unit in FILES.units if unit.post_place_id is not None}
POLICE = [unit for unit in FILES.units if unit.unit_id not in POSTED]
PLACES = {place.place_id: place for place in FILES.places}
CASE = f"/cases/{an_id('one')}"

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


@pytest.fixture
async def centre(runtime_for: Any) -> AsyncIterator[Centre]:
    dispatch = await dispatch_in_yunyang(runtime_for)
    await dispatch.hears(raised("one"))
    async with over_http(dispatch) as http:
        yield Centre(dispatch, http)


async def answers(centre: Centre, order_id: Any, *moves: Any) -> None:
    for target in moves:
        async with centre.dispatch.run.tx(actor="unit") as tx:
            await move_order(tx, order_id, target)


async def open_orders(centre: Centre, case: str = "one") -> dict[UUID, UUID]:
    """Unit -> place, of orders that stand."""
    rows = await centre.dispatch.run.pool.fetch(
        "select unit_id, place_id from interception_order where case_id = $1 and state in "
        "('issued', 'accepted', 'in_position', 'nothing_seen', 'intercepted', 'overdue')",
        an_id(case),
    )
    return {row["unit_id"]: row["place_id"] for row in rows}


async def driving_order(centre: Centre) -> InterceptionOrdered:
    return next(order for order in await centre.dispatch.orders() if order.unit_id not in POSTED)


async def a_free_pair(centre: Centre) -> tuple[UUID, UUID]:
    """A police unit without an order, and a place without a unit where it can work."""
    busy = await open_orders(centre)
    nodes = {PLACES[place_id].node_id for place_id in busy.values()}
    unit = next(unit for unit in POLICE if unit.unit_id not in busy)
    place = next(p for p in FILES.places if p.node_id not in nodes and p.needs in unit.capabilities)
    return unit.unit_id, place.place_id


def pin_body(unit_id: Any, place_id: Any) -> dict[str, str]:
    return {"unit_id": str(unit_id), "place_id": str(place_id)}


async def test_a_pin_becomes_an_order_that_says_by_whose_hand(centre: Centre) -> None:
    unit_id, place_id = await a_free_pair(centre)

    answer = (await centre.desk().sends(f"{CASE}/pins", pin_body(unit_id, place_id))).json()

    newest = (await centre.dispatch.said(PlanPublished))[-1]
    order = next(o for o in await centre.dispatch.orders() if o.unit_id == unit_id)
    assert (place_id, answer["order_id"]) == (order.stop.place_id, str(order.order_id))
    assert "指挥员指定" in order.reason
    assert ("update", True) == (newest.trigger, "By command" in newest.cause)
    assert order.order_id in newest.order_ids


async def test_the_same_pin_again_changes_nothing(centre: Centre) -> None:
    body = pin_body(*await a_free_pair(centre))

    told = [(await centre.desk().sends(f"{CASE}/pins", body)).json() for _ in range(3)]

    assert told[0] == told[1] == told[2]
    assert len(await centre.dispatch.said(PlanPublished)) == 2


async def test_another_pin_of_the_same_unit_replaces_the_first(centre: Centre) -> None:
    unit_id, first = await a_free_pair(centre)
    await centre.desk().sends(f"{CASE}/pins", pin_body(unit_id, first))
    _, second = await a_free_pair(centre)

    await centre.desk().sends(f"{CASE}/pins", pin_body(unit_id, second))

    (standing,) = (await centre.desk().reads(f"{CASE}/commands")).json()["commands"]
    assert str(second) == standing["place_id"]
    assert second == (await open_orders(centre))[unit_id]


async def test_a_unit_that_accepted_goes_elsewhere_by_command_only(centre: Centre) -> None:
    order = await driving_order(centre)
    await answers(centre, order.order_id, "accepted")
    _, place_id = await a_free_pair(centre)

    await centre.desk().sends(f"{CASE}/pins", pin_body(order.unit_id, place_id))

    (told,) = [f for f in await centre.dispatch.said(OrderStoodDown) if f.order_id == order.order_id]
    assert ("replanned", True) == (told.reason, "sends the unit elsewhere" in told.cause)
    assert place_id == (await open_orders(centre))[order.unit_id]


async def test_what_if_names_the_price_and_leaves_no_trace(centre: Centre) -> None:
    order = await driving_order(centre)
    pool = centre.dispatch.run.pool
    tables = ("plan", "interception_order", "command", "audit", "outbox", "mutual_aid", "replan_wish")
    body = {"forbids": [{"unit_id": str(order.unit_id)}, {"place_id": str(order.stop.place_id)}]}

    async def counts() -> list[int]:
        return [await pool.fetchval(f"select count(*) from {table}") for table in tables]

    before = await counts()
    price = (await centre.desk().sends(f"{CASE}/what-if", body)).json()

    assert before == await counts()
    assert str(order.order_id) in price["orders_ended"]
    assert str(order.unit_id) not in {one["unit_id"] for one in price["after"]["assignments"]}
    assert (
        price["before"]["closed_exits"] - len(price["opens"]) + len(price["closes"])
        == (price["after"]["closed_exits"])
    )
    assert price["intercepted_change"] is None


async def test_what_if_is_what_happens_then(centre: Centre) -> None:
    body = pin_body(*await a_free_pair(centre))
    price = (await centre.desk().sends(f"{CASE}/what-if", {"pins": [body]})).json()

    await centre.desk().sends(f"{CASE}/pins", body)

    newest = (await centre.dispatch.said(PlanPublished))[-1]
    assert price["after"]["closed_exits"] == newest.closed_exits
    assert [one["exit_id"] for one in price["after"]["open_exits"]] == [
        str(one.exit_id) for one in newest.open_exits
    ]
    ordered = {str(unit): str(place) for unit, place in (await open_orders(centre)).items()}
    assert ordered == {one["unit_id"]: one["place_id"] for one in price["after"]["assignments"]}


async def test_the_price_in_probability_is_given_if_the_planner_knows_it(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    def knowing(problem: Problem) -> Plan:
        found = plan(problem)
        return replace(found, value=len(found.assignments) / 100)

    monkeypatch.setattr(case_plan, "PLANNER", knowing)
    body = {"forbids": [{"unit_id": str(unit.unit_id)} for unit in POLICE]}

    price = (await centre.desk().sends(f"{CASE}/what-if", body)).json()

    was, would_be = price["before"]["intercepted"], price["after"]["intercepted"]
    assert would_be < was
    assert price["intercepted_change"] == pytest.approx(would_be - was)


async def test_taking_a_command_back_may_be_tried_too(centre: Centre) -> None:
    order = await driving_order(centre)
    body = {"unit_id": str(order.unit_id)}
    made = (await centre.desk().sends(f"{CASE}/forbids", body)).json()

    price = (await centre.desk().sends(f"{CASE}/what-if", {"withdraw": [made["command_id"]]})).json()
    unknown = await centre.desk().sends(f"{CASE}/what-if", {"withdraw": [str(an_id("none"))]})

    assert price["after"]["closed_exits"] >= price["before"]["closed_exits"]
    assert unknown.status_code == 404


@pytest.mark.parametrize("what", ["unit", "place", "pair"])
async def test_what_is_ruled_out_is_not_ordered_and_comes_back_when_allowed(
    centre: Centre, what: str
) -> None:
    order = await driving_order(centre)
    await answers(centre, order.order_id, "accepted")
    whole = pin_body(order.unit_id, order.stop.place_id)
    body = {k: v for k, v in whole.items() if what == "pair" or k == f"{what}_id"}
    count = len(await centre.dispatch.said(PlanPublished))

    made = [(await centre.desk().sends(f"{CASE}/forbids", body)).json() for _ in range(2)]
    ruled_out = await open_orders(centre)
    gone = [(await centre.desk().takes_back(f"{CASE}/forbids/{made[0]['command_id']}")) for _ in range(2)]

    assert made[0] == made[1]
    assert what == "place" or order.stop.place_id != ruled_out.get(order.unit_id)
    assert what == "pair" or (order.unit_id not in ruled_out or what == "place")
    assert what == "unit" or ruled_out.get(order.unit_id) != order.stop.place_id
    assert what != "place" or order.stop.place_id not in ruled_out.values()
    assert [True, False] == [one.json()["changed"] for one in gone]
    assert len(await centre.dispatch.said(PlanPublished)) == count + 2
    assert (await centre.desk().reads(f"{CASE}/commands")).json() == {"commands": []}


async def test_a_place_by_hand_is_a_place_of_this_case_alone(centre: Centre) -> None:
    unit_id, _ = await a_free_pair(centre)
    listed = {place.node_id for place in FILES.places}
    node = next(n for n in FILES.nodes if n.kind == "township" and n.node_id not in listed and not n.outside)
    asked = {"unit_id": str(unit_id), "by_hand": {"lon": node.lon, "lat": node.lat, "name": "加油站路口"}}

    made = (await centre.desk().sends(f"{CASE}/pins", asked)).json()
    again = (await centre.desk().sends(f"{CASE}/pins", asked)).json()

    order = next(o for o in await centre.dispatch.orders() if o.unit_id == unit_id)
    assert made == again
    assert (True, "加油站路口", "加油站路口") == (made["by_hand"], made["place_zh"], order.stop.name_zh)
    assert (order.stop.position.lon, order.stop.position.lat) == (node.lon, node.lat)
    await centre.dispatch.hears(raised("two"))
    busy = await open_orders(centre)
    free = next(unit.unit_id for unit in POLICE if unit.unit_id not in busy)
    other = await centre.desk().sends(f"/cases/{an_id('two')}/pins", pin_body(free, order.stop.place_id))
    assert other.status_code == 404


async def test_a_place_by_hand_where_a_listed_one_is_becomes_that_one(centre: Centre) -> None:
    unit_id, place_id = await a_free_pair(centre)
    node = next(n for n in FILES.nodes if n.node_id == PLACES[place_id].node_id)
    asked = {"unit_id": str(unit_id), "by_hand": {"lon": node.lon, "lat": node.lat, "name": "x"}}

    made = (await centre.desk().sends(f"{CASE}/pins", asked)).json()

    assert (False, PLACES[UUID(made["place_id"])].node_id) == (made["by_hand"], node.node_id)


async def overdue_pin(centre: Centre) -> tuple[UUID, UUID]:
    """A pinned unit that lets its time pass, while all others accept."""
    unit_id, place_id = await a_free_pair(centre)
    await centre.desk().sends(f"{CASE}/pins", pin_body(unit_id, place_id))
    for order in await centre.dispatch.orders():
        if order.unit_id in await open_orders(centre) and order.unit_id != unit_id:
            await answers(centre, order.order_id, "accepted")
    centre.dispatch.run.clock.advance(minutes=3)
    return unit_id, place_id


async def test_the_place_of_a_pinned_unit_that_does_not_answer_goes_to_the_next(centre: Centre) -> None:
    unit_id, place_id = await overdue_pin(centre)

    assert await pass_on_overdue(centre.dispatch.run) == 1

    (overdue,) = await centre.dispatch.said(OrderOverdue)
    standing = await open_orders(centre)
    next_unit = next(unit for unit, place in standing.items() if place == place_id)
    (shown,) = (await centre.desk().reads(f"{CASE}/commands")).json()["commands"]
    assert unit_id == overdue.unit_id
    assert next_unit == overdue.reassigned_to != unit_id
    assert unit_id not in standing
    assert (str(unit_id), str(next_unit)) == (shown["unit_id"], shown["order_unit_id"])


async def test_a_pin_nobody_answers_ends_with_a_bound(centre: Centre) -> None:
    await overdue_pin(centre)
    for _ in range(60):
        if not await pass_on_overdue(centre.dispatch.run):
            break
        centre.dispatch.run.clock.advance(minutes=3)

    orders = await centre.dispatch.orders()
    assert await pass_on_overdue(centre.dispatch.run) == 0
    assert len(orders) == len({order.unit_id for order in orders})


async def test_a_unit_that_was_silent_is_ordered_again_when_the_commander_says_so(centre: Centre) -> None:
    unit_id, place_id = await overdue_pin(centre)
    await pass_on_overdue(centre.dispatch.run)
    stand_in = next(unit for unit, place in (await open_orders(centre)).items() if place == place_id)
    _, other = await a_free_pair(centre)

    answer = await centre.desk().sends(f"{CASE}/pins", pin_body(unit_id, other))

    assert answer.json()["order_unit_id"] == str(unit_id)
    assert other == (await open_orders(centre))[unit_id]
    assert stand_in != unit_id


async def test_a_pin_of_a_unit_that_goes_out_of_action_is_passed_on(centre: Centre) -> None:
    unit_id, place_id = await a_free_pair(centre)
    await centre.desk().sends(f"{CASE}/pins", pin_body(unit_id, place_id))

    await centre.desk().puts(f"/units/{unit_id}/status", {"status": "broken_down"})

    standing = await open_orders(centre)
    assert place_id in standing.values()
    assert unit_id not in standing


async def refused(centre: Centre, path: str, body: dict[str, Any]) -> tuple[int, str]:
    """Status and code, the same from the command and from the question what it would cost."""
    answer = await centre.desk().sends(f"{CASE}/{path}", body)
    tried = await centre.desk().sends(f"{CASE}/what-if", {path: [body]})
    problem = answer.json()
    assert problem["detail"]
    assert problem["detail_zh"]
    assert problem["mend"]
    assert (answer.status_code, problem["code"]) == (tried.status_code, tried.json()["code"])
    return answer.status_code, problem["code"]


async def test_a_unit_that_another_case_has_is_refused(centre: Centre) -> None:
    _, place_id = await a_free_pair(centre)
    await centre.dispatch.hears(raised("two"))
    other = next(unit for unit in await open_orders(centre, "two") if unit not in POSTED)

    assert (409, "unit_busy") == await refused(centre, "pins", pin_body(other, place_id))


async def test_a_unit_out_of_action_is_refused(centre: Centre) -> None:
    unit_id, place_id = await a_free_pair(centre)
    await centre.desk().puts(f"/units/{unit_id}/status", {"status": "busy"})

    assert (409, "unit_not_available") == await refused(centre, "pins", pin_body(unit_id, place_id))


async def test_a_unit_off_duty_is_refused(centre: Centre) -> None:
    unit_id, place_id = await a_free_pair(centre)
    pool = centre.dispatch.run.pool
    await pool.execute("update unit set shift_start_min = 0, shift_end_min = 60 where unit_id = $1", unit_id)

    assert (409, "unit_off_duty") == await refused(centre, "pins", pin_body(unit_id, place_id))


async def test_staff_of_a_station_are_not_sent_elsewhere(centre: Centre) -> None:
    _, place_id = await a_free_pair(centre)
    staff = min(POSTED - set(await open_orders(centre)), key=str)

    assert (409, "unit_at_post") == await refused(centre, "pins", pin_body(staff, place_id))


async def test_a_unit_that_cannot_do_what_the_place_needs_is_refused(centre: Centre) -> None:
    unit_id, place_id = await a_free_pair(centre)
    await centre.desk().puts(f"/units/{unit_id}/capabilities", {"capabilities": []})

    assert (409, "unit_cannot") == await refused(centre, "pins", pin_body(unit_id, place_id))


async def test_two_units_are_not_pinned_to_one_place(centre: Centre) -> None:
    unit_id, place_id = await a_free_pair(centre)
    await centre.desk().sends(f"{CASE}/pins", pin_body(unit_id, place_id))
    other, _ = await a_free_pair(centre)

    assert (409, "place_taken") == await refused(centre, "pins", pin_body(other, place_id))


async def test_a_unit_with_the_child_is_not_sent_away(centre: Centre) -> None:
    order = await driving_order(centre)
    await answers(centre, order.order_id, "accepted", "in_position", "intercepted")
    _, place_id = await a_free_pair(centre)

    body = pin_body(order.unit_id, place_id)
    assert (409, "unit_has_intercepted") == await refused(centre, "pins", body)
    await centre.desk().sends(f"{CASE}/forbids", {"unit_id": str(order.unit_id)})
    assert order.stop.place_id == (await open_orders(centre))[order.unit_id]


async def test_commands_that_contradict_each_other_are_refused(centre: Centre) -> None:
    unit_id, place_id = await a_free_pair(centre)
    await centre.desk().sends(f"{CASE}/pins", pin_body(unit_id, place_id))
    assert (409, "pinned_by_command") == await refused(centre, "forbids", {"place_id": str(place_id)})
    other, elsewhere = await a_free_pair(centre)
    await centre.desk().sends(f"{CASE}/forbids", {"unit_id": str(other)})

    assert (409, "forbidden_by_command") == await refused(centre, "pins", pin_body(other, elsewhere))


async def test_a_place_by_hand_far_from_every_road_is_refused_with_its_distance(centre: Centre) -> None:
    unit_id, _ = await a_free_pair(centre)
    body = {"unit_id": str(unit_id), "by_hand": {"lon": 107.0, "lat": 31.0, "name": "x"}}

    assert (422, "place_off_network") == await refused(centre, "pins", body)


async def test_a_case_that_is_over_takes_no_commands(centre: Centre) -> None:
    body = pin_body(*await a_free_pair(centre))
    await centre.dispatch.hears(stood_down())

    assert (409, "case_over") == await refused(centre, "pins", body)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("pins", {}),
        ("pins", {"unit_id": str(POLICE[0].unit_id)}),
        ("forbids", {}),
        ("forbids", {"note": "x"}),
        ("what-if", {"pins": [{}]}),
        ("what-if", {"forbids": [{"unit_id": str(POLICE[0].unit_id)}] * 51}),
    ],
)
async def test_a_command_that_says_nothing_is_a_clear_error(centre: Centre, path: str, body: Any) -> None:
    answer = await centre.desk().sends(f"{CASE}/{path}", body)

    assert (422, "invalid_request") == (answer.status_code, answer.json()["code"])


async def test_nobody_commands_a_case_of_another_county_or_one_there_is_not(centre: Centre) -> None:
    body = pin_body(*await a_free_pair(centre))
    elsewhere, nowhere = centre.desk(region="500101"), f"/cases/{an_id('none')}"

    told = [
        await elsewhere.sends(f"{CASE}/pins", body),
        await elsewhere.sends(f"{CASE}/what-if", {"pins": [body]}),
        await elsewhere.reads(f"{CASE}/commands"),
        await centre.desk().sends(f"{nowhere}/pins", body),
        await centre.desk().takes_back(f"{CASE}/pins/{an_id('none')}"),
    ]

    assert {404} == {answer.status_code for answer in told}


@pytest.mark.parametrize("role", ["auditor", "site", "unit"])
async def test_only_operators_command(centre: Centre, role: Role) -> None:
    body = pin_body(*await a_free_pair(centre))

    answers = [await centre.desk(role).sends(f"{CASE}/{path}", body) for path in ("pins", "forbids")]

    assert {403} == {answer.status_code for answer in answers}


async def test_every_command_is_in_the_audit_log(centre: Centre) -> None:
    made = (await centre.desk().sends(f"{CASE}/pins", pin_body(*await a_free_pair(centre)))).json()
    await centre.desk().takes_back(f"{CASE}/pins/{made['command_id']}")

    rows = await centre.dispatch.run.pool.fetch(
        "select actor, action from audit where action like 'command.%' order by id"
    )

    assert [("operator-1", "command.pin"), ("operator-1", "command.withdrawn")] == [tuple(r) for r in rows]


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_commanded_nobody_gets_two_places_and_nothing_forbidden_is_ordered(
    centre: Centre, seed: int
) -> None:
    """Two cases, random commands, answers, breakdowns and time that passes."""
    random = Random(seed)
    await centre.dispatch.hears(raised("two"))
    for _ in range(14):
        path, unit = f"/cases/{an_id(random.choice(['one', 'two']))}", random.choice(POLICE).unit_id
        place = random.choice(FILES.places).place_id
        match random.randrange(5):
            case 0 | 1:
                await centre.desk().sends(f"{path}/pins", pin_body(unit, place))
            case 2:
                both = pin_body(unit, place)
                kept = {k: v for k, v in both.items() if k == random.choice(["unit_id", "place_id"])}
                await centre.desk().sends(f"{path}/forbids", kept or both)
            case 3:
                status = random.choice(["available", "broken_down"])
                await centre.desk().puts(f"/units/{unit}/status", {"status": status})
            case _:
                order = random.choice(await centre.dispatch.orders())
                await centre.desk().sends(f"/orders/{order.order_id}/moves", {"move": "accepted"})
                centre.dispatch.run.clock.advance(minutes=random.choice([0, 1]))
                await pass_on_overdue(centre.dispatch.run)

    units = await centre.dispatch.run.pool.fetch(
        "select o.unit_id, o.place_id, o.case_id, coalesce(l.status, 'available') as status "
        "from interception_order o left join unit_live l using (unit_id) where o.state in "
        "('issued', 'accepted', 'in_position', 'nothing_seen', 'intercepted', 'overdue')"
    )
    assert units
    assert {1} == set(Counter(row["unit_id"] for row in units).values())
    assert {"available"} == {row["status"] for row in units}
    for name in ("one", "two"):
        found = (await centre.desk().reads(f"/cases/{an_id(name)}/commands")).json()["commands"]
        ordered = [
            (str(row["unit_id"]), str(row["place_id"])) for row in units if row["case_id"] == an_id(name)
        ]
        for one in found:
            matching = [
                pair
                for pair in ordered
                if one["unit_id"] in (None, pair[0]) and one["place_id"] in (None, pair[1])
            ]
            assert one["kind"] == "pin" or matching == []
            elsewhere = [p for p in ordered if p[0] == one["unit_id"] and p[1] != one["place_id"]]
            assert one["kind"] == "forbid" or elsewhere == []
