"""What is refused at the door, and reports of outside systems."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from alerts.agents import REACTIONS
from alerts.refusals import ReportRefused
from contracts.alert import AlertRaised
from contracts.base import Place, Position
from contracts.report import ReportFiled
from guitu.service import Runtime
from harness.alert_stories import YUNYANG, Desk, desk, identity, outside_report, report_body
from harness.ground import facts, react

RuntimeFor = Callable[[str], Awaitable[Runtime]]


@pytest_asyncio.fixture
async def command(runtime_for: RuntimeFor) -> AsyncIterator[Desk]:
    async with desk(await runtime_for("alerts")) as opened:
        yield opened


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"child_name": "x"}, "child_name"),
        ({"age_years": 18}, "age_years"),
        ({"age_years": "six"}, "age_years"),
        ({"sex": "girl"}, "sex"),
        ({"appearance": ""}, "appearance"),
        ({"appearance": "a\x00b"}, "appearance"),
        ({"last_seen_at": "2026-03-01T05:00:00"}, "last_seen_at"),
        ({"last_seen_at": "9999-12-31T23:59:59-12:00"}, "last_seen_at"),
        ({"last_seen_at": "2026-03-01T06:03:00+00:00"}, "last_seen_at"),
        ({"last_seen_place": {"lon": 30.93, "lat": 108.69}}, "last_seen_place"),
        ({"last_seen_place": {"lon": 116.4, "lat": 39.9}}, "last_seen_place"),
        ({"last_seen_place": {"lon": 108.69}}, "last_seen_place"),
        (
            {"last_seen_place": {"position": {"lon": 108.69, "lat": 30.9, "alt": 1}}},
            "last_seen_place.position.alt",
        ),
        ({"identity": {"phones": ["12"]}}, "identity.phones.0"),
        ({"identity": {"phones": ["call me"]}}, "identity.phones.0"),
        ({"identity": {"photo_base64": "!!"}}, "identity.photo_base64"),
        (
            {"identity": {"photo_base64": base64.b64encode(b"#!/bin/sh").decode()}},
            "identity.photo_base64",
        ),
    ],
    ids=str,
)
async def test_a_report_that_can_not_be_true_is_refused_and_opens_nothing(
    command: Desk, wrong: dict[str, Any], says: str
) -> None:
    body = report_body(command.runtime.clock.now()) | wrong

    answered = await command.post("/reports", body, Idempotency_Key="k")

    assert answered.status_code == 422
    assert says in answered.json()["detail"]
    assert await facts(command.runtime, ReportFiled) == []


@pytest.mark.parametrize("missing", ["last_seen_place", "last_seen_at", "sex", "age_years", "appearance"])
async def test_each_of_the_five_facts_is_needed(command: Desk, missing: str) -> None:
    body = report_body(command.runtime.clock.now())
    del body[missing]

    answered = await command.post("/reports", body, Idempotency_Key="k")

    assert (answered.status_code, missing in answered.json()["detail"]) == (422, True)


async def test_a_refusal_does_not_use_up_the_key(command: Desk) -> None:
    now = command.runtime.clock.now()
    far = report_body(now, last_seen_place={"lon": 116.4, "lat": 39.9})

    refused = await command.post("/reports", far, Idempotency_Key="k")
    mended = await command.post("/reports", report_body(now), Idempotency_Key="k")

    assert [refused.status_code, mended.status_code] == [422, 201]


async def test_a_report_needs_a_key(command: Desk) -> None:
    answered = await command.post("/reports", report_body(command.runtime.clock.now()))

    assert (answered.status_code, answered.json()["code"]) == (400, "idempotency_key")


async def test_a_long_body_is_refused_but_a_large_photo_is_not(command: Desk) -> None:
    now = command.runtime.clock.now()
    photo = base64.b64encode(b"\xff\xd8\xff" + bytes(200_000)).decode()
    spaces = {"identity": identity() | {"phones": [" " * 20 + "+12025550123"]}}

    pictured = await command.post(
        "/reports", report_body(now, identity={"photo_base64": photo}), Idempotency_Key="a"
    )
    headers = command.as_role("operator") | {"Idempotency-Key": "b", "Content-Type": "application/json"}
    padded = await command.http.post(
        "/reports",
        content=command.http.build_request("POST", "/", json=report_body(now) | spaces).content
        + b" " * 65536,
        headers=headers,
    )

    assert pictured.status_code == 201
    assert (padded.status_code, padded.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("role", "region", "status"),
    [
        ("operator", "500235", 201),
        ("outside_system", "*", 201),
        ("operator", "500101", 403),
        ("unit", "500235", 403),
        ("auditor", "500235", 403),
    ],
)
async def test_who_may_file_a_report_for_the_county(
    command: Desk, role: Any, region: str, status: int
) -> None:
    body = report_body(command.runtime.clock.now(), region_code=YUNYANG)
    headers = command.as_role(role, region) | {"Idempotency-Key": "k"}

    answered = await command.http.post("/reports", json=body, headers=headers)

    assert answered.status_code == status


async def test_a_case_of_another_region_does_not_exist_for_you(command: Desk) -> None:
    case = await command.reports()
    elsewhere = command.as_role("operator", "500101")

    seen = await command.http.get(f"/cases/{case['case_id']}", headers=elsewhere)
    listed = await command.http.get("/cases", headers=elsewhere)
    ended = await command.http.post(
        f"/cases/{case['case_id']}/stand-down", json={"outcome": "found"}, headers=elsewhere
    )

    assert (seen.status_code, listed.json(), ended.status_code) == (404, [], 404)


async def test_an_outside_report_opens_one_case_however_often_it_comes(command: Desk) -> None:
    report = outside_report(command.runtime.clock.now())

    for _ in range(3):
        await react(command.runtime, REACTIONS, report)

    [raised] = await facts(command.runtime, AlertRaised)
    assert raised.report_id == report.report_id
    assert await facts(command.runtime, ReportFiled) == []


async def test_a_child_whom_an_outside_system_reported_too_is_shown_on_both_cases(command: Desk) -> None:
    here = await command.reports(sex="male")
    await react(command.runtime, REACTIONS, outside_report(command.runtime.clock.now()))

    shown = (await command.case(here["case_id"]))["possible_duplicates"]

    assert 1 == len(shown)
    other = (await command.case(shown[0]["case_id"]))["possible_duplicates"]
    assert [here["case_id"]] == [each["case_id"] for each in other]


async def test_our_own_report_coming_back_from_its_topic_changes_nothing(command: Desk) -> None:
    await command.reports()
    [filed] = await facts(command.runtime, ReportFiled)

    await react(command.runtime, REACTIONS, filed)

    assert len(await facts(command.runtime, AlertRaised)) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"last_seen_place": Place(position=Position(lon=0, lat=0))},
        {"last_seen_at_in": timedelta(hours=1)},
        {"region_code": "110101"},
    ],
    ids=str,
)
async def test_an_outside_report_that_can_not_be_true_is_refused_with_the_mend(
    command: Desk, wrong: dict[str, Any]
) -> None:
    now = command.runtime.clock.now()
    fields = {k: v for k, v in wrong.items() if k != "last_seen_at_in"}
    if ahead := wrong.get("last_seen_at_in"):
        fields["last_seen_at"] = now + ahead

    with pytest.raises(ReportRefused, match=r"Check|Send|Report"):
        await react(command.runtime, REACTIONS, outside_report(now, **fields))

    assert await facts(command.runtime, AlertRaised) == []
