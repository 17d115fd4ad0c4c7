"""What an alert would set going, asked before it is raised: the plan it then gets, and nothing stored."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from contracts.order import PlanPublished
from harness.dispatch_http import Centre, over_http
from harness.dispatch_stories import COUNTY_SEAT, dispatch_in_yunyang, raised
from harness.ground import START

SEEN_AT = START - timedelta(minutes=5)
TABLES = ("alert_case", "plan", "interception_order", "outbox", "audit")


@pytest.fixture
async def centre(runtime_for: Any) -> AsyncIterator[Centre]:
    dispatch = await dispatch_in_yunyang(runtime_for)
    async with over_http(dispatch) as http:
        yield Centre(dispatch, http)


def at_the_county_seat(**changed: Any) -> dict[str, Any]:
    return {"lon": COUNTY_SEAT.lon, "lat": COUNTY_SEAT.lat, "last_seen_at": SEEN_AT.isoformat()} | changed


async def stored(centre: Centre) -> dict[str, int]:
    pool = centre.dispatch.run.pool
    return {table: await pool.fetchval(f"select count(*) from {table}") for table in TABLES}


async def test_the_preview_is_the_first_plan_that_the_alert_gets(centre: Centre) -> None:
    asked = (await centre.desk().sends("/plans/preview", at_the_county_seat())).json()

    await centre.dispatch.hears(raised("one", last_seen_at=SEEN_AT))

    plan = (await centre.dispatch.said(PlanPublished))[0]
    orders = await centre.dispatch.orders()
    assert {(str(o.unit_id), str(o.stop.place_id)) for o in orders} == {
        (one["unit_id"], one["place_id"]) for one in asked["assignments"]
    }
    assert (plan.closed_exits, plan.units_free) == (asked["closed_exits"], asked["units_free"])
    assert [str(one.exit_id) for one in plan.open_exits] == [one["exit_id"] for one in asked["open_exits"]]
    assert (plan.network_version, True) == (asked["network_version"], asked["schematic"])


async def test_a_preview_stores_and_tells_nothing(centre: Centre) -> None:
    before = await stored(centre)

    answer = await centre.desk().sends("/plans/preview", at_the_county_seat())

    assert 200 == answer.status_code
    assert answer.json()["assignments"]
    assert before == await stored(centre)


async def test_units_of_another_case_are_not_promised_twice(centre: Centre) -> None:
    await centre.dispatch.hears(raised("one"))
    busy = {str(order.unit_id) for order in await centre.dispatch.orders()}

    asked = (await centre.desk().sends("/plans/preview", at_the_county_seat())).json()

    assert busy
    assert not busy & {one["unit_id"] for one in asked["assignments"]}


async def test_somebody_on_foot_needs_no_more_units_than_somebody_who_may_drive(centre: Centre) -> None:
    by_any = (await centre.desk().sends("/plans/preview", at_the_county_seat())).json()
    on_foot = (
        await centre.desk().sends("/plans/preview", at_the_county_seat(suspected_mode="walking"))
    ).json()

    assert len(on_foot["open_exits"]) < len(by_any["open_exits"])


@pytest.mark.parametrize(
    ("role", "region", "body", "status", "code"),
    [
        ("auditor", "500235", {}, 403, "role_refused"),
        ("operator", "500112", {"region_code": "500235"}, 403, "region_refused"),
        ("operator", "500112", {}, 409, "no_network"),
        ("operator", "500235", {"lat": 91}, 422, "invalid_request"),
        ("operator", "500235", {"speed": 9}, 422, "invalid_request"),
    ],
)
async def test_what_cannot_be_previewed_is_refused_with_its_reason(
    centre: Centre, role: Any, region: str, body: dict[str, Any], status: int, code: str
) -> None:
    answer = await centre.desk(role, region).sends("/plans/preview", at_the_county_seat(**body))

    assert (status, code) == (answer.status_code, answer.json()["code"])
