"""What staff read and enter over HTTP, and what they are refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from contracts.order import OrderAccepted
from guitu.auth import Role
from harness.dispatch_http import Desk, over_http
from harness.dispatch_stories import Dispatch, an_id, dispatch_in_yunyang, raised, stood_down


@dataclass
class Centre:
    dispatch: Dispatch
    http: httpx.AsyncClient

    def desk(self, role: Role = "operator", region: str = "500235") -> Desk:
        return Desk(self.dispatch, self.http, role, region)


@pytest.fixture
async def centre(runtime_for: Any) -> AsyncIterator[Centre]:
    dispatch = await dispatch_in_yunyang(runtime_for)
    await dispatch.hears(raised())
    async with over_http(dispatch) as http:
        yield Centre(dispatch, http)


async def test_the_orders_of_a_case_are_those_that_were_published(centre: Centre) -> None:
    answer = (await centre.desk().reads(f"/orders?case_id={an_id('one')}")).json()

    published = {str(order.order_id) for order in await centre.dispatch.orders()}
    assert published == {order["order_id"] for order in answer["orders"]}
    assert answer["stand_downs_unacknowledged"] == []


async def test_stand_downs_are_listed_until_they_are_acknowledged(centre: Centre) -> None:
    desk = centre.desk()
    await centre.dispatch.hears(stood_down())
    waiting = (await desk.reads("/orders")).json()["stand_downs_unacknowledged"]

    await desk.sends(f"/orders/{waiting[0]}/moves", {"move": "stand_down_acknowledged"})

    left = (await desk.reads("/orders")).json()["stand_downs_unacknowledged"]
    assert sorted(waiting[1:]) == sorted(left)


async def test_the_newest_plan_says_which_exits_are_open_and_why(centre: Centre) -> None:
    answer = (await centre.desk().reads(f"/plans?case_id={an_id('one')}")).json()

    assert answer["plan"]["open_exits"]
    assert all(one["reason"] and one["name_zh"] for one in answer["plan"]["open_exits"])
    assert len(await centre.dispatch.orders()) == len(answer["assignments"])


async def test_units_show_what_they_are_busy_with(centre: Centre) -> None:
    units = (await centre.desk().reads("/units")).json()

    busy = {unit["busy_order_id"] for unit in units} - {None}
    assert {str(order.order_id) for order in await centre.dispatch.orders()} == busy
    assert len(units) > len(busy)


async def test_an_answer_by_radio_is_entered_once(centre: Centre) -> None:
    order = (await centre.dispatch.orders())[0]

    answers = [
        await centre.desk().sends(f"/orders/{order.order_id}/moves", {"move": "accepted"}) for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert len(await centre.dispatch.said(OrderAccepted)) == 1


async def test_an_illegal_move_is_refused_with_what_may_be_done(centre: Centre) -> None:
    order = (await centre.dispatch.orders())[0]

    answer = await centre.desk().sends(f"/orders/{order.order_id}/moves", {"move": "intercepted"})

    assert (answer.status_code, answer.json()["code"]) == (409, "order_move_refused")
    assert "accepted" in answer.json()["detail"]


@pytest.mark.parametrize("body", [{}, {"move": "overdue"}, {"move": "accepted", "more": 1}, [], "x"])
async def test_a_move_nobody_may_make_is_a_clear_error(centre: Centre, body: object) -> None:
    order = (await centre.dispatch.orders())[0]

    answer = await centre.desk().sends(f"/orders/{order.order_id}/moves", body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_another_region_sees_nothing_and_moves_nothing(centre: Centre) -> None:
    order, desk = (await centre.dispatch.orders())[0], centre.desk(region="500101")

    assert (await desk.reads("/orders")).json()["orders"] == []
    assert (await desk.reads("/units")).json() == []
    assert (await desk.reads(f"/plans?case_id={an_id('one')}")).status_code == 404
    assert (await desk.sends(f"/orders/{order.order_id}/moves", {"move": "accepted"})).status_code == 404
    assert {"issued"} == set(await centre.dispatch.states())


@pytest.mark.parametrize("role", ["laboratory", "site", "registry"])
async def test_roles_without_business_here_are_refused(centre: Centre, role: Role) -> None:
    assert (await centre.desk(role).reads("/orders")).status_code == 403


async def test_an_auditor_reads_but_does_not_move(centre: Centre) -> None:
    order, desk = (await centre.dispatch.orders())[0], centre.desk("auditor")

    assert (await desk.reads("/orders")).status_code == 200
    assert (await desk.sends(f"/orders/{order.order_id}/moves", {"move": "accepted"})).status_code == 403


async def test_without_a_token_nothing_is_shown(centre: Centre) -> None:
    assert {401} == {(await centre.http.get(path)).status_code for path in ("/orders", "/units")}
