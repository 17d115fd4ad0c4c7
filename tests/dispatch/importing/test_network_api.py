"""Which network is planned with, over HTTP: versions of the own region, and that a drawing is one."""

from __future__ import annotations

from typing import Any

from contracts.order import PlanPublished
from dispatch.live_handlers import replan_wished
from dispatch.network_files import read_network
from dispatch.network_versions import NEW_ROADS, use_version
from harness.dispatch_http import Desk, over_http
from harness.dispatch_stories import an_id, dispatch_in_yunyang, raised


async def test_a_drawing_is_marked_on_the_network_and_on_every_plan(runtime_for: Any) -> None:
    dispatch = await dispatch_in_yunyang(runtime_for)
    await dispatch.hears(raised())
    async with over_http(dispatch) as http:
        desk = Desk(dispatch, http, "operator", "500235")

        (network,) = (await desk.reads("/networks")).json()
        plan = (await desk.reads(f"/plans?case_id={an_id('one')}")).json()

    assert (read_network().version, True, True) == (
        *(network["version"], network["in_use"], network["schematic"]),
    )
    assert (network["version"], True) == (plan["plan"]["network_version"], plan["schematic"])


async def test_nobody_sees_the_networks_of_another_region(runtime_for: Any) -> None:
    dispatch = await dispatch_in_yunyang(runtime_for)
    async with over_http(dispatch) as http:
        neighbour, province = (Desk(dispatch, http, "operator", region) for region in ("500236", "*"))

        assert [] == (await neighbour.reads("/networks")).json()
        assert 1 == len((await province.reads("/networks")).json())
        assert 403 == (await Desk(dispatch, http, "site", "500235").reads("/networks")).status_code


async def test_open_cases_are_planned_again_on_another_version(runtime_for: Any) -> None:
    dispatch = await dispatch_in_yunyang(runtime_for)
    await dispatch.hears(raised())
    version = read_network().version

    async with dispatch.run.pool.acquire() as conn:
        await use_version(conn, "500235", version, dispatch.run.clock.now(), "test")

    assert await replan_wished(dispatch.run) == 1
    assert [("alert", ""), ("update", NEW_ROADS)] == [
        (plan.trigger, plan.cause) for plan in await dispatch.said(PlanPublished)
    ]
