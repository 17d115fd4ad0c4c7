"""Neighbouring counties are asked, not ordered: once about each exit, until they answer or it is over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from contracts.order import MutualAidRequested, MutualAidWithdrawn, PlanPublished
from dispatch.live_handlers import replan_wished
from dispatch.network_files import read_network
from guitu.auth import Role
from harness.dispatch_http import Centre, over_http
from harness.dispatch_stories import an_id, dispatch_in_yunyang, raised, sighting, stood_down
from harness.ground import START

FILES = read_network()
NEIGHBOUR_OF = {out.exit_id: out.neighbour for out in FILES.exits}


@pytest.fixture
async def centre(runtime_for: Any) -> AsyncIterator[Centre]:
    dispatch = await dispatch_in_yunyang(runtime_for)
    await dispatch.hears(raised("one"))
    async with over_http(dispatch) as http:
        yield Centre(dispatch, http)


async def asked(centre: Centre) -> list[MutualAidRequested]:
    found: list[MutualAidRequested] = await centre.dispatch.said(MutualAidRequested)
    return found


async def newest(centre: Centre) -> PlanPublished:
    found: list[PlanPublished] = await centre.dispatch.said(PlanPublished)
    return found[-1]


async def answer(centre: Centre, request: MutualAidRequested, **body: Any) -> Any:
    return await centre.desk().sends(f"/mutual-aid/{request.request_id}/answer", body)


async def listed(centre: Centre, query: str = "") -> list[dict[str, Any]]:
    return list((await centre.desk().reads(f"/mutual-aid{query}")).json()["requests"])


async def test_the_neighbour_of_every_exit_that_stays_open_is_asked(centre: Centre) -> None:
    plan = await newest(centre)

    requests = await asked(centre)

    assert {one.exit_id for one in plan.open_exits} == {request.exit_id for request in requests}
    assert requests
    assert all(NEIGHBOUR_OF[request.exit_id] == request.neighbour for request in requests)
    assert all(request.plan_id == plan.plan_id and request.reason for request in requests)
    assert all("6" in request.child_summary for request in requests)


async def test_a_later_plan_asks_nobody_twice(centre: Centre) -> None:
    before = {request.exit_id for request in await asked(centre)}

    await centre.dispatch.hears(sighting())

    after = [(request.neighbour, request.exit_id) for request in await asked(centre)]
    assert len(after) == len(set(after))
    assert before <= {exit_id for _, exit_id in after}


async def test_two_cases_ask_each_for_themselves(centre: Centre) -> None:
    await centre.dispatch.hears(raised("two", exercise=True))

    cases = {request.case_id: request.exercise for request in await asked(centre)}
    assert {an_id("one"): False, an_id("two"): True} == cases
    assert {str(an_id("two"))} == {row["case_id"] for row in await listed(centre, f"?case_id={an_id('two')}")}


async def test_an_exit_that_the_neighbour_mans_in_time_counts_as_closed(centre: Centre) -> None:
    before = await newest(centre)
    request = max(await asked(centre), key=lambda request: request.earliest_arrival_at)

    told = await answer(centre, request, answer="accepted", manned_from=START.isoformat())

    after = await newest(centre)
    assert ("accepted", 200) == (told.json()["state"], told.status_code)
    assert request.exit_id not in {one.exit_id for one in after.open_exits}
    assert before.closed_exits + 1 == after.closed_exits
    assert f"{request.neighbour} mans" in after.cause
    assert "accepted" in {row["state"] for row in await listed(centre)}
    # What the neighbour closes still needs the neighbour.
    assert request.request_id not in {w.request_id for w in await centre.dispatch.said(MutualAidWithdrawn)}


async def test_a_neighbour_who_comes_too_late_closes_nothing(centre: Centre) -> None:
    request = (await asked(centre))[0]
    late = request.earliest_arrival_at + timedelta(hours=3)

    await answer(centre, request, answer="accepted", manned_from=late.isoformat())

    assert request.exit_id in {one.exit_id for one in (await newest(centre)).open_exits}


async def test_a_refusal_is_recorded_and_nobody_asks_again(centre: Centre) -> None:
    request, *others = await asked(centre)

    told = await answer(centre, request, answer="refused", note="警力不足")
    await centre.dispatch.hears(sighting())

    assert ("refused", "警力不足") == (told.json()["state"], told.json()["note"])
    again = [r for r in await asked(centre) if r.exit_id == request.exit_id]
    assert [request] == again
    assert others


async def test_the_same_answer_twice_plans_once_and_another_one_replaces_it(centre: Centre) -> None:
    request = (await asked(centre))[0]
    yes = {"answer": "accepted", "manned_from": START.isoformat()}

    first, second = await answer(centre, request, **yes), await answer(centre, request, **yes)
    count = len(await centre.dispatch.said(PlanPublished))
    changed = await answer(centre, request, answer="refused")

    assert first.json() == second.json()
    assert count == 2
    assert changed.json()["manned_from"] is None
    assert request.exit_id in {one.exit_id for one in (await newest(centre)).open_exits}


async def test_a_stand_down_withdraws_every_request(centre: Centre) -> None:
    requests = {request.request_id for request in await asked(centre)}

    await centre.dispatch.hears(stood_down(outcome="found"), stood_down(outcome="found"))

    told = await centre.dispatch.said(MutualAidWithdrawn)
    assert requests == {fact.request_id for fact in told}
    assert len(requests) == len(told)
    assert {"found"} == {fact.reason for fact in told}
    assert await listed(centre) == []
    assert {"withdrawn"} == {row["state"] for row in await listed(centre, f"?case_id={an_id('one')}")}


async def test_a_request_is_withdrawn_when_its_exit_is_no_way_out_any_more_and_made_anew_later(
    centre: Centre,
) -> None:
    request = (await asked(centre))[0]
    node_id = next(out.node_id for out in FILES.exits if out.exit_id == request.exit_id)
    edges = [edge.edge_id for edge in FILES.edges if node_id in (edge.from_node, edge.to_node)]

    for edge_id in edges:
        await centre.desk().puts(f"/conditions/edges/{edge_id}", {"closed": True})
    await replan_wished(centre.dispatch.run)
    withdrawn = await centre.dispatch.said(MutualAidWithdrawn)
    for edge_id in edges:
        await centre.desk().takes_back(f"/conditions/edges/{edge_id}")
    await replan_wished(centre.dispatch.run)

    assert [(request.request_id, "exit_closed")] == [(w.request_id, w.reason) for w in withdrawn]
    asked_again = [r.request_id for r in await asked(centre) if r.exit_id == request.exit_id]
    assert asked_again[0] == request.request_id
    assert len(set(asked_again)) == 2


async def test_an_answer_to_a_withdrawn_request_says_so(centre: Centre) -> None:
    request = (await asked(centre))[0]
    await centre.dispatch.hears(stood_down())

    told = await answer(centre, request, answer="refused")

    assert (409, "request_withdrawn") == (told.status_code, told.json()["code"])
    assert told.json()["detail_zh"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"answer": "maybe"},
        {"answer": "accepted"},
        {"answer": "refused", "manned_from": START.isoformat()},
        {"answer": "accepted", "manned_from": "2026-03-01T06:00:00"},
    ],
)
async def test_an_answer_that_says_too_little_or_too_much_is_a_clear_error(
    centre: Centre, body: dict[str, Any]
) -> None:
    told = await answer(centre, (await asked(centre))[0], **body)

    assert (422, "invalid_request") == (told.status_code, told.json()["code"])


@pytest.mark.parametrize("role", ["auditor", "site"])
async def test_only_operators_record_answers(centre: Centre, role: Role) -> None:
    request = (await asked(centre))[0]

    told = await centre.desk(role).sends(f"/mutual-aid/{request.request_id}/answer", {"answer": "refused"})

    assert told.status_code == 403


async def test_another_county_sees_no_request_of_ours(centre: Centre) -> None:
    request, desk = (await asked(centre))[0], centre.desk(region="500101")

    told = await desk.sends(f"/mutual-aid/{request.request_id}/answer", {"answer": "refused"})

    assert (404, {"requests": []}) == (told.status_code, (await desk.reads("/mutual-aid")).json())
