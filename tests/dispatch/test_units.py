"""Units change while a case runs: where they are, whether they can be sent, and what they can do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.order import InterceptionOrdered, OrderStoodDown, PlanPublished
from dispatch.domain.positions import (
    UnitState,
    capabilities_of,
    newer,
    snap_to_road,
    start_of,
    units_now,
)
from dispatch.domain.rows import UnitRow
from dispatch.handlers import move_order
from dispatch.live_handlers import replan_wished
from dispatch.network_files import read_network
from guitu.auth import Role
from harness.dispatch_http import Centre, over_http
from harness.dispatch_stories import an_id, dispatch_in_yunyang, raised
from harness.ground import START
from harness.networks import draw, road

FILES = read_network()
NETWORK = FILES.network
POLICE = next(unit for unit in FILES.units if unit.kind == "police")
STAFF = next(unit for unit in FILES.units if unit.post_place_id is not None)
FRESH, FAR_M = timedelta(minutes=15), 5000.0
# A patrol at the far end of the county from the first police unit's base.
AWAY = max(
    (node for node in range(NETWORK.size) if not NETWORK.nodes.outside[node]),
    key=lambda node: abs(float(NETWORK.nodes.lon[node]) - 108.71),
)
AWAY_AT = {"lon": float(NETWORK.nodes.lon[AWAY]), "lat": float(NETWORK.nodes.lat[AWAY])}


@pytest.fixture
async def centre(runtime_for: Any) -> AsyncIterator[Centre]:
    dispatch = await dispatch_in_yunyang(runtime_for)
    await dispatch.hears(raised("one"))
    async with over_http(dispatch) as http:
        yield Centre(dispatch, http)


async def unit_of(centre: Centre, unit_id: UUID) -> dict[str, Any]:
    units = (await centre.desk().reads("/units")).json()
    return dict(next(unit for unit in units if unit["unit_id"] == str(unit_id)))


async def police_order(centre: Centre) -> InterceptionOrdered:
    """An order of a unit that drives."""
    posted = {unit.unit_id for unit in FILES.units if unit.post_place_id is not None}
    return next(order for order in await centre.dispatch.orders() if order.unit_id not in posted)


async def answers(centre: Centre, order: InterceptionOrdered, *moves: Any) -> None:
    for target in moves:
        async with centre.dispatch.run.tx(actor="unit") as tx:
            await move_order(tx, order.order_id, target)


def started(state: UnitState, row: UnitRow = POLICE) -> Any:
    return start_of(NETWORK, row, state, START, FRESH, FAR_M)


@pytest.mark.parametrize(
    ("age", "starts_from"),
    [(timedelta(0), "position"), (FRESH, "position"), (FRESH + timedelta(seconds=1), "base")],
)
def test_a_position_counts_while_it_is_fresh(age: timedelta, starts_from: str) -> None:
    start = started(UnitState(**AWAY_AT, position_at=START - age))

    assert starts_from == start.starts_from
    assert start.node == (AWAY if starts_from == "position" else NETWORK.index[POLICE.base_node])


def test_staff_stand_at_their_post_wherever_their_phone_is() -> None:
    start = started(UnitState(**AWAY_AT, position_at=START), STAFF)

    assert ("post", NETWORK.index[STAFF.base_node]) == (start.starts_from, start.node)


def test_a_position_that_today_s_network_has_no_road_near_gives_way_to_the_base() -> None:
    start = started(UnitState(lon=100.0, lat=20.0, position_at=START))

    assert start.starts_from == "base"


def test_a_patrol_on_the_bank_is_not_put_on_the_ferry_line_beside_it() -> None:
    # Nodes 0 and 1 are joined by boat, 2 and 3 by road; the patrol stands at the pier 1.
    network = draw(4, [road(0, 1, 1, "f"), road(2, 3, 1, "wc")])

    snapped = snap_to_road(network, float(network.nodes.lon[1]), float(network.nodes.lat[1]))

    assert snapped is not None
    assert snapped.node == 2
    assert snapped.distance_m > 900


def test_a_county_of_rivers_only_has_no_road_to_start_from() -> None:
    assert snap_to_road(draw(2, [road(0, 1, 1, "f")]), 108.7, 30.9) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, NETWORK.size - 1), st.floats(-0.03, 0.03), st.floats(-0.03, 0.03))
def test_the_way_to_the_road_is_never_free(node: int, east: float, north: float) -> None:
    """It takes longer than the straight line at 20 km/h, and nothing at the node itself."""
    lon, lat = float(NETWORK.nodes.lon[node]) + east, float(NETWORK.nodes.lat[node]) + north

    snapped = snap_to_road(NETWORK, lon, lat)

    assert snapped is not None
    assert snapped.access_s >= snapped.distance_m * 3.6 / 20
    again = snap_to_road(
        NETWORK, float(NETWORK.nodes.lon[snapped.node]), float(NETWORK.nodes.lat[snapped.node])
    )
    assert again is not None
    assert (snapped.node, 0.0) == (again.node, pytest.approx(again.distance_m, abs=0.01))


@given(st.permutations([0, 1, 2, 3]))
def test_positions_that_overtake_each_other_leave_the_newest(order: list[int]) -> None:
    state = UnitState()
    for minute in order:
        state = newer(state, 108.0 + minute, 30.0, START + timedelta(minutes=minute))

    assert (111.0, START + timedelta(minutes=3)) == (state.lon, state.position_at)


@pytest.mark.parametrize("status", ["busy", "off_duty", "broken_down"])
def test_a_unit_that_is_not_available_is_not_planned_with(status: Any) -> None:
    rows = [POLICE, STAFF]

    found = units_now(NETWORK, rows, {POLICE.unit_id: UnitState(status=status)}, START, 840, FRESH, FAR_M)

    assert [STAFF.unit_id] == [unit.unit_id for unit in found]


def test_shifts_hold_whatever_the_status_says() -> None:
    night = replace(POLICE, shift=replace(POLICE.shift, start_min=1320, end_min=360))

    by_day, by_night = (units_now(NETWORK, [night], {}, START, minute, FRESH, FAR_M) for minute in (840, 60))

    assert (0, 1) == (len(by_day), len(by_night))


def test_what_a_unit_can_do_now_replaces_what_the_files_say() -> None:
    assert capabilities_of(POLICE, UnitState()) == POLICE.capabilities
    assert capabilities_of(POLICE, UnitState(capabilities=frozenset())) == frozenset()


async def test_a_unit_shows_where_it_is_how_old_that_is_and_where_it_starts(centre: Centre) -> None:
    at = (START - timedelta(minutes=2)).isoformat()
    answer = await centre.desk().puts(f"/units/{POLICE.unit_id}/position", {**AWAY_AT, "at": at})

    fresh = await unit_of(centre, POLICE.unit_id)
    centre.dispatch.run.clock.advance(minutes=14)
    stale = await unit_of(centre, POLICE.unit_id)

    node_id = NETWORK.nodes.ids[AWAY]
    assert (True, node_id) == (answer.json()["stored"], answer.json()["node_id"])
    assert answer.json()["distance_m"] == pytest.approx(0.0, abs=0.01)
    assert (120.0, "position", node_id) == (
        fresh["position_age_s"],
        fresh["starts_from"],
        fresh["start_node"],
    )
    assert (960.0, "base", POLICE.base_node) == (
        stale["position_age_s"],
        stale["starts_from"],
        stale["start_node"],
    )


async def test_travel_starts_where_the_unit_is(centre: Centre) -> None:
    place = FILES.places[-1]
    node = NETWORK.index[place.node_id]
    asked = {"pins": [{"unit_id": str(POLICE.unit_id), "place_id": str(place.place_id)}]}
    there = {"lon": float(NETWORK.nodes.lon[node]), "lat": float(NETWORK.nodes.lat[node])}
    able = {"capabilities": [place.needs]}
    await centre.desk().puts(f"/units/{POLICE.unit_id}/capabilities", able)

    ready = []
    for _ in range(2):
        price = (await centre.desk().sends(f"/cases/{an_id('one')}/what-if", asked)).json()
        ready += [a["ready_at"] for a in price["after"]["assignments"] if a["unit_id"] == str(POLICE.unit_id)]
        await centre.desk().puts(f"/units/{POLICE.unit_id}/position", {**there, "at": START.isoformat()})

    assert ready[1] < ready[0]


async def test_a_position_older_than_the_one_known_changes_nothing(centre: Centre) -> None:
    path, desk = f"/units/{POLICE.unit_id}/position", centre.desk()
    await desk.puts(path, {**AWAY_AT, "at": START.isoformat()})

    older = {"lon": 108.71, "lat": 30.93, "at": (START - timedelta(minutes=1)).isoformat()}
    answer = await desk.puts(path, older)

    assert answer.json()["stored"] is False
    assert AWAY_AT["lon"] == (await unit_of(centre, POLICE.unit_id))["lon"]


async def test_a_clock_a_little_ahead_is_taken_as_now(centre: Centre) -> None:
    path, desk = f"/units/{POLICE.unit_id}/position", centre.desk()
    await desk.puts(path, {**AWAY_AT, "at": (START + timedelta(minutes=2)).isoformat()})

    assert (await unit_of(centre, POLICE.unit_id))["position_age_s"] == 0.0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"at": (START + timedelta(minutes=3)).isoformat()}, "position_in_future"),
        ({"lon": 109.9, "lat": 31.9}, "position_off_network"),
        ({"lon": AWAY_AT["lat"], "lat": AWAY_AT["lon"] - 90}, "position_off_network"),
        ({"lat": 91.0}, "invalid_request"),
        ({"at": "2026-03-01T06:00:00"}, "invalid_request"),
    ],
)
async def test_a_position_that_cannot_be_is_refused_with_its_mend(
    centre: Centre, change: dict[str, Any], code: str
) -> None:
    body = {**AWAY_AT, "at": START.isoformat(), **change}

    answer = await centre.desk().puts(f"/units/{POLICE.unit_id}/position", body)

    assert (422, code) == (answer.status_code, answer.json()["code"])
    assert answer.json()["detail_zh"]
    assert code == "invalid_request" or answer.json()["mend"]
    assert (await unit_of(centre, POLICE.unit_id))["lon"] is None


async def test_a_unit_that_breaks_down_loses_its_order_although_it_accepted(centre: Centre) -> None:
    order = await police_order(centre)
    await answers(centre, order, "accepted", "in_position")

    answer = await centre.desk().puts(
        f"/units/{order.unit_id}/status", {"status": "broken_down", "note": "flat tyre"}
    )

    (told,) = [f for f in await centre.dispatch.said(OrderStoodDown) if f.order_id == order.order_id]
    newest = (await centre.dispatch.said(PlanPublished))[-1]
    row = (await centre.desk().reads(f"/orders?case_id={an_id('one')}")).json()["orders"]
    assert {"changed": True, "cases_replanned": 1} == answer.json()
    assert told.reason == "replanned"
    assert "broken down" in told.cause
    assert "flat tyre" not in told.model_dump_json(), "Notes of staff may name somebody."
    assert ("update", True) == (newest.trigger, "broken down" in newest.cause)
    assert order.order_id not in newest.order_ids
    assert {told.cause} == {o["stand_down_cause"] for o in row if o["order_id"] == str(order.order_id)}
    assert (await unit_of(centre, order.unit_id))["busy_order_id"] is None


async def test_the_page_of_an_order_says_why_it_ended(centre: Centre) -> None:
    order = await police_order(centre)

    await centre.desk().puts(f"/units/{order.unit_id}/status", {"status": "broken_down"})

    page = (await centre.http.get(order.page_path)).text
    assert "警力车辆故障" in page
    assert "The unit has broken down" in page


async def test_a_unit_that_is_out_of_action_gets_no_order_until_it_is_back(centre: Centre) -> None:
    order = await police_order(centre)
    path, desk = f"/units/{order.unit_id}/status", centre.desk()
    await desk.puts(path, {"status": "off_duty"})
    before = len(await centre.dispatch.orders())

    await centre.dispatch.hears(raised("two"))
    without = {o.unit_id for o in (await centre.dispatch.orders())[before:]}
    back = await desk.puts(path, {"status": "available"})
    await replan_wished(centre.dispatch.run)

    assert order.unit_id not in without
    assert {"changed": True, "cases_replanned": 2} == back.json()
    assert "available" in (await centre.dispatch.said(PlanPublished))[-1].cause


async def test_a_unit_that_has_intercepted_stays_with_the_child(centre: Centre) -> None:
    order = await police_order(centre)
    await answers(centre, order, "accepted", "in_position", "intercepted")

    await centre.desk().puts(f"/units/{order.unit_id}/status", {"status": "broken_down"})

    assert order.order_id not in {fact.order_id for fact in await centre.dispatch.said(OrderStoodDown)}
    assert order.order_id in (await centre.dispatch.said(PlanPublished))[-1].order_ids


async def test_the_same_status_again_changes_nothing(centre: Centre) -> None:
    order = await police_order(centre)
    path, desk = f"/units/{order.unit_id}/status", centre.desk()

    told = [(await desk.puts(path, {"status": "busy"})).json() for _ in range(2)]

    assert [(True, 1), (False, 0)] == [(one["changed"], one["cases_replanned"]) for one in told]
    assert len(await centre.dispatch.said(PlanPublished)) == 2


async def test_a_unit_that_can_no_longer_do_what_its_place_needs_is_replaced(centre: Centre) -> None:
    order = await police_order(centre)
    path = f"/units/{order.unit_id}/capabilities"
    listed = (await unit_of(centre, order.unit_id))["capabilities"]

    await centre.desk().puts(path, {"capabilities": []})
    lost = (await unit_of(centre, order.unit_id))["capabilities"]
    await centre.desk().takes_back(path)

    (told,) = [f for f in await centre.dispatch.said(OrderStoodDown) if f.order_id == order.order_id]
    assert "no longer do" in told.cause
    assert ([], listed) == (lost, (await unit_of(centre, order.unit_id))["capabilities"])


async def test_loading_the_county_again_forgets_nothing_of_today(centre: Centre) -> None:
    from dispatch.seed import seed

    await centre.desk().puts(f"/units/{POLICE.unit_id}/status", {"status": "busy"})

    await seed(centre.dispatch.run)

    assert (await unit_of(centre, POLICE.unit_id))["status"] == "busy"


@pytest.mark.parametrize("what", ["position", "status", "capabilities"])
async def test_nobody_changes_units_of_another_county_or_units_there_are_not(
    centre: Centre, what: str
) -> None:
    body: dict[str, dict[str, Any]] = {
        "position": {**AWAY_AT, "at": START.isoformat()},
        "status": {"status": "busy"},
        "capabilities": {"capabilities": []},
    }

    elsewhere = await centre.desk(region="500101").puts(f"/units/{POLICE.unit_id}/{what}", body[what])
    nobody = await centre.desk().puts(f"/units/{an_id('nobody')}/{what}", body[what])

    assert (404, 404) == (elsewhere.status_code, nobody.status_code)
    assert (await unit_of(centre, POLICE.unit_id))["status"] == "available"


@pytest.mark.parametrize("role", ["auditor", "site"])
async def test_only_operators_change_units(centre: Centre, role: Role) -> None:
    answer = await centre.desk(role).puts(f"/units/{POLICE.unit_id}/status", {"status": "busy"})

    assert answer.status_code == 403
