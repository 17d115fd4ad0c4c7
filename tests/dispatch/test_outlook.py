"""Where they can be, the search on foot, the plan's proof and a command's price, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from shapely.geometry import Point, shape

from dispatch.second_look import look_at_plans
from guitu.worker import Worker
from harness.dispatch_http import Desk, over_http
from harness.dispatch_stories import (
    COUNTY_SEAT,
    WEST,
    Dispatch,
    an_id,
    dispatch_in_yunyang,
    raised,
    stood_down,
)

CASE = an_id("one")


@pytest.fixture
async def dispatch(runtime_for: Any) -> AsyncIterator[Dispatch]:
    found = await dispatch_in_yunyang(runtime_for)
    found.run.state["weigher"] = found.run.state["pricer"] = Worker()
    yield found
    await found.run.state["weigher"].close()


async def test_reach_is_a_growing_area_around_the_place_last_seen(dispatch: Dispatch) -> None:
    await dispatch.hears(raised())
    async with over_http(dispatch) as http:
        drawn = (await Desk(dispatch, http, "operator", "500235").reads(f"/cases/{CASE}/reach")).json()

    areas = [shape(feature["geometry"]) for feature in drawn["features"]]
    assert [15, 30, 45, 60] == [feature["properties"]["minutes"] for feature in drawn["features"]]
    assert all(area.is_valid and area.contains(Point(COUNTY_SEAT.lon, COUNTY_SEAT.lat)) for area in areas)
    assert [area.area for area in areas] == sorted(area.area for area in areas)
    assert not areas[0].contains(Point(WEST.lon, WEST.lat))
    assert drawn["schematic"] is True


async def test_the_search_on_foot_lists_segments_and_learns_from_those_walked_in_vain(
    dispatch: Dispatch,
) -> None:
    await dispatch.hears(raised())
    async with over_http(dispatch) as http:
        desk = Desk(dispatch, http, "operator", "500235")
        before = (await desk.reads(f"/cases/{CASE}/search-area")).json()
        first = before["segments"][0]["key"]
        after = (await desk.reads(f"/cases/{CASE}/search-area?searched={first}")).json()
        refused = await desk.reads(f"/cases/{CASE}/search-area?searched=nowhere")

    shares = {segment["key"]: segment["probability"] for segment in before["segments"]}
    left = {segment["key"]: segment["probability"] for segment in after["segments"]}
    assert first not in left or left[first] < shares[first]
    assert after["found_by"] > 0
    assert after["elsewhere"] > before["elsewhere"]
    assert (409, "no_such_search") == (refused.status_code, refused.json()["code"])


async def test_the_proof_of_a_plan_is_there_once_it_was_looked_at(dispatch: Dispatch) -> None:
    await dispatch.hears(raised())
    async with over_http(dispatch) as http:
        desk = Desk(dispatch, http, "operator", "500235")
        too_soon = await desk.reads(f"/cases/{CASE}/plan-proof")
        await look_at_plans(dispatch.run)
        found = (await desk.reads(f"/cases/{CASE}/plan-proof")).json()

    assert 404 == too_soon.status_code
    assert (2, True) == (found["plan_number"], found["schematic"])
    assert "impossible" == found["figures"]["verdict"] == found["proof"]["verdict"]["kind"]


async def test_the_price_of_a_command_is_in_probability(dispatch: Dispatch) -> None:
    await dispatch.hears(raised())
    await look_at_plans(dispatch.run)
    order = (await dispatch.orders())[0]
    async with over_http(dispatch) as http:
        desk = Desk(dispatch, http, "operator", "500235")
        price = (
            await desk.sends(f"/cases/{CASE}/what-if", {"forbids": [{"place_id": str(order.stop.place_id)}]})
        ).json()

    before, after = price["before"]["intercepted"], price["after"]["intercepted"]
    assert 0 < after <= before + 0.02
    assert abs(price["intercepted_change"] - (after - before)) < 1e-9


async def test_nobody_of_another_region_sees_any_of_it(dispatch: Dispatch) -> None:
    await dispatch.hears(raised())
    await look_at_plans(dispatch.run)
    async with over_http(dispatch) as http:
        neighbour = Desk(dispatch, http, "operator", "500236")

        for path in ("reach", "search-area", "plan-proof"):
            assert 404 == (await neighbour.reads(f"/cases/{CASE}/{path}")).status_code


async def test_a_case_that_is_not_there_or_was_over_before_it_began_has_no_outlook(
    dispatch: Dispatch,
) -> None:
    await dispatch.hears(stood_down("two"))
    async with over_http(dispatch) as http:
        desk = Desk(dispatch, http, "operator", "500235")

        for case_id in (uuid4(), an_id("two")):
            assert 404 == (await desk.reads(f"/cases/{case_id}/reach")).status_code


async def test_reach_can_be_asked_for_any_minute_within_a_day(dispatch: Dispatch) -> None:
    await dispatch.hears(raised())
    async with over_http(dispatch) as http:
        desk = Desk(dispatch, http, "operator", "500235")
        drawn = (await desk.reads(f"/cases/{CASE}/reach?minutes=27&minutes=12")).json()
        refused = [
            (await desk.reads(f"/cases/{CASE}/reach?{asked}")).status_code
            for asked in ("minutes=0", "minutes=1441", "&".join(f"minutes={n}" for n in range(1, 10)))
        ]

    assert [12, 27] == [feature["properties"]["minutes"] for feature in drawn["features"]]
    assert [422, 422, 422] == refused
