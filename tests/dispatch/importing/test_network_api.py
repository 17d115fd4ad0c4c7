"""Which network is planned with, over HTTP: versions of the own region, and that a drawing is one."""

from __future__ import annotations

from typing import Any

from dispatch.network_files import read_network
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
