"""Roads change while a case runs: closed or slow, by edge or by place, until a time, and planned with at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.order import PlanPublished
from dispatch.domain.conditions import Condition, edges_meant, road_state
from dispatch.domain.plan import plan
from dispatch.domain.problem import Problem
from dispatch.domain.reach import Entry, Origin
from dispatch.domain.rows import places_of
from dispatch.domain.situation import survey
from dispatch.live_handlers import expire_conditions, replan_wished
from dispatch.network_files import read_network
from guitu.auth import Role
from harness.dispatch_http import Centre, over_http
from harness.dispatch_stories import dispatch_in_yunyang, raised, stood_down
from harness.ground import START
from harness.interception import check_plan
from harness.networks import draw, exit_at, place_at, road, unit_at

FILES = read_network()
PLACES = places_of(FILES.places, FILES.network)
BRIDGE = next(place for place in PLACES if place.kind == "bridge")
# The last stretch before an exit: closing it takes the exit off the map.
WAY_OUT = FILES.network.index[FILES.exits[0].node_id]
LAST_EDGE = next(e.edge_id for e in FILES.edges if FILES.exits[0].node_id in (e.from_node, e.to_node))


@pytest.fixture
async def centre(runtime_for: Any) -> AsyncIterator[Centre]:
    dispatch = await dispatch_in_yunyang(runtime_for)
    await dispatch.hears(raised("one"), raised("two"), raised("over"), stood_down("over"))
    async with over_http(dispatch) as http:
        yield Centre(dispatch, http)


async def newest_plan(centre: Centre) -> PlanPublished:
    found: list[PlanPublished] = await centre.dispatch.said(PlanPublished)
    return found[-1]


def test_a_bridge_means_every_stretch_of_road_that_meets_there() -> None:
    edges = FILES.network.edges

    meant = edges_meant(FILES.network, PLACES, "place", str(BRIDGE.place_id))

    assert len(meant) >= 2
    assert all(BRIDGE.node in (edges.tail[edge], edges.head[edge]) for edge in meant)


def test_what_this_network_does_not_have_means_nothing() -> None:
    assert () == edges_meant(FILES.network, PLACES, "edge", "no such road")
    assert () == edges_meant(FILES.network, PLACES, "place", "00000000-0000-0000-0000-000000000000")


def test_of_several_conditions_on_one_road_the_worst_counts_and_expired_ones_do_not() -> None:
    edge = FILES.network.edges.ids.index(LAST_EDGE)
    slow = [Condition("edge", LAST_EDGE, False, factor) for factor in (0.5, 0.3, 0.8)]
    over = Condition("edge", LAST_EDGE, True, 0.1, until=START)

    now = road_state(FILES.network, PLACES, [*slow, over], START)
    earlier = road_state(FILES.network, PLACES, [*slow, over], START - timedelta(seconds=1))

    assert (frozenset(), {edge: 0.3}) == (now.closed_edges, now.traffic)
    assert (frozenset({edge}), {edge: 0.1}) == (earlier.closed_edges, earlier.traffic)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.integers(0, 3), st.floats(0.02, 1.0)))
def test_traffic_delays_our_units_and_never_whom_we_look_for(traffic: dict[int, float]) -> None:
    # 0 (seen) - 1 - 2 (place) - 3 (exit), the unit comes from 4 beside the place.
    network = draw(5, [road(0, 1, 5), road(1, 2, 5), road(2, 3, 5), road(4, 2, 3)])
    free = Problem(
        network=network,
        origins=(Origin((Entry(0, 0.0),), 0.0),),
        now_s=0.0,
        places=(place_at(2),),
        exits=(exit_at(3),),
        units=(unit_at(4),),
    )
    jammed = replace(free, traffic=traffic)

    before, after = survey(free), survey(jammed)

    assert np.array_equal(before.arrival_s, after.arrival_s)
    assert (after.ready_s >= before.ready_s).all()
    assert after.ready_s[0, 0] == pytest.approx(before.ready_s[0, 0] + 180 * (1 / traffic.get(3, 1.0) - 1))
    check_plan(jammed, plan(jammed))


async def test_a_closed_road_plans_every_open_case_again_with_the_reason(centre: Centre) -> None:
    before = await newest_plan(centre)
    count = len(await centre.dispatch.said(PlanPublished))

    answer = await centre.desk().puts(f"/conditions/edges/{LAST_EDGE}", {"closed": True})
    taken = await replan_wished(centre.dispatch.run)

    plans = (await centre.dispatch.said(PlanPublished))[count:]
    assert {"changed": True, "cases_replanned": 2} == answer.json()
    assert (2, 2) == (taken, len({plan.case_id for plan in plans}))
    assert {"update"} == {plan.trigger for plan in plans}
    assert all(LAST_EDGE in plan.cause for plan in plans)
    exits = [plan.closed_exits + len(plan.open_exits) for plan in (before, plans[-1])]
    assert exits[0] - 1 == exits[1]
    assert await replan_wished(centre.dispatch.run) == 0


async def test_a_slow_bridge_is_listed_with_who_said_so_and_what_it_means(centre: Centre) -> None:
    body = {"traffic_factor": 0.2, "note": "连环追尾"}

    await centre.desk().puts(f"/conditions/places/{BRIDGE.place_id}", body)

    (listed,) = (await centre.desk().reads("/conditions")).json()["conditions"]
    assert (False, 0.2, "operator-1") == (listed["closed"], listed["traffic_factor"], listed["set_by"])
    assert (BRIDGE.name_zh, BRIDGE.name_en) == (listed["name_zh"], listed["name_en"])
    assert len(listed["edge_ids"]) >= 2


async def test_the_same_said_twice_or_a_new_note_alone_plans_nothing_again(centre: Centre) -> None:
    path, desk = f"/conditions/edges/{LAST_EDGE}", centre.desk()
    await desk.puts(path, {"closed": True})

    again = (await desk.puts(path, {"closed": True})).json()
    noted = (await desk.puts(path, {"closed": True, "note": "塌方"})).json()

    assert {"changed": False, "cases_replanned": 0} == again
    assert {"changed": True, "cases_replanned": 0} == noted


async def test_a_road_that_is_cleared_is_as_before_and_clearing_it_twice_is_no_error(centre: Centre) -> None:
    path, desk = f"/conditions/edges/{LAST_EDGE}", centre.desk()
    before = await newest_plan(centre)
    await desk.puts(path, {"closed": True})
    await replan_wished(centre.dispatch.run)

    answers = [(await desk.takes_back(path)).json()["changed"] for _ in range(2)]
    await replan_wished(centre.dispatch.run)

    after = await newest_plan(centre)
    assert [True, False] == answers
    assert before.closed_exits + len(before.open_exits) == after.closed_exits + len(after.open_exits)
    assert "as usual again" in after.cause


async def test_a_condition_ends_by_itself_at_its_time(centre: Centre) -> None:
    until = (START + timedelta(minutes=10)).isoformat()
    await centre.desk().puts(f"/conditions/edges/{LAST_EDGE}", {"closed": True, "until": until})
    await replan_wished(centre.dispatch.run)
    assert await expire_conditions(centre.dispatch.run) == 0
    centre.dispatch.run.clock.advance(minutes=10)

    assert await expire_conditions(centre.dispatch.run) == 1
    assert await expire_conditions(centre.dispatch.run) == 0

    assert await replan_wished(centre.dispatch.run) == 2
    assert (await centre.desk().reads("/conditions")).json() == {"conditions": []}
    assert "is over" in (await newest_plan(centre)).cause


async def test_a_condition_said_again_after_its_time_counts_anew(centre: Centre) -> None:
    path, desk = f"/conditions/edges/{LAST_EDGE}", centre.desk()
    await desk.puts(path, {"closed": True, "until": (START + timedelta(minutes=1)).isoformat()})
    await replan_wished(centre.dispatch.run)
    centre.dispatch.run.clock.advance(minutes=2)

    answer = await desk.puts(path, {"closed": True})

    assert answer.json()["cases_replanned"] == 2


async def test_two_changes_before_the_timer_are_one_plan_with_both_reasons(centre: Centre) -> None:
    other = next(e.edge_id for e in FILES.edges if e.edge_id != LAST_EDGE and e.car)
    for edge_id in (LAST_EDGE, other):
        await centre.desk().puts(f"/conditions/edges/{edge_id}", {"traffic_factor": 0.5})

    assert await replan_wished(centre.dispatch.run) == 2

    cause = (await newest_plan(centre)).cause
    assert LAST_EDGE in cause
    assert other in cause


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("edges/none", {"closed": True}, 404, "not_found"),
        ("places/00000000-0000-0000-0000-000000000000", {"closed": True}, 404, "not_found"),
        (f"edges/{LAST_EDGE}", {}, 422, "nothing_wrong"),
        (f"edges/{LAST_EDGE}", {"closed": True, "until": START.isoformat()}, 422, "until_past"),
        (f"edges/{LAST_EDGE}", {"traffic_factor": 0}, 422, "invalid_request"),
        (f"edges/{LAST_EDGE}", {"traffic_factor": 1.5}, 422, "invalid_request"),
        (f"edges/{LAST_EDGE}", {"closed": True, "until": "2026-03-01T07:00:00"}, 422, "invalid_request"),
        (f"edges/{LAST_EDGE}?region_code=500101", {"closed": True}, 403, "region_refused"),
    ],
)
async def test_what_cannot_be_is_refused_in_both_languages(
    centre: Centre, path: str, body: object, status: int, code: str
) -> None:
    answer = await centre.desk().puts(f"/conditions/{path}", body)

    assert (status, code) == (answer.status_code, answer.json()["code"])
    assert answer.json()["detail"]
    assert answer.json()["detail_zh"]


async def test_somebody_of_every_region_must_say_which(centre: Centre) -> None:
    desk, path = centre.desk("admin", "*"), f"/conditions/edges/{LAST_EDGE}"

    unsaid = await desk.puts(path, {"closed": True})
    said = await desk.puts(f"{path}?region_code=500235", {"closed": True})
    nowhere = await desk.puts(f"{path}?region_code=500101", {"closed": True})

    assert ["region_needed", True, "no_network"] == [
        unsaid.json()["code"],
        said.json()["changed"],
        nowhere.json()["code"],
    ]


@pytest.mark.parametrize("role", ["auditor", "site", "unit"])
async def test_only_operators_change_roads(centre: Centre, role: Role) -> None:
    path = f"/conditions/edges/{LAST_EDGE}"

    answers = [await centre.desk(role).puts(path, {"closed": True}), await centre.desk(role).takes_back(path)]

    assert {403} == {answer.status_code for answer in answers}


async def test_every_change_of_a_road_is_in_the_audit_log(centre: Centre) -> None:
    path = f"/conditions/edges/{LAST_EDGE}"
    await centre.desk().puts(path, {"closed": True})
    await centre.desk().takes_back(path)

    rows = await centre.dispatch.run.pool.fetch(
        "select actor, action from audit where action like 'condition.%' order by id"
    )

    assert [("operator-1", "condition.set"), ("operator-1", "condition.cleared")] == [tuple(r) for r in rows]
