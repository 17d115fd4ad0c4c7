"""From a report over HTTP to its stand-down, on real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from random import Random

import pytest
import pytest_asyncio

from alerts.handlers import widen_rings
from contracts.alert import AlertRaised, AlertStoodDown, AlertUpdated, AreaWidened
from contracts.report import ReportFiled
from guitu.service import Runtime
from harness.alert_stories import Desk, desk, report_body
from harness.ground import facts

RuntimeFor = Callable[[str], Awaitable[Runtime]]


@pytest_asyncio.fixture
async def command(runtime_for: RuntimeFor) -> AsyncIterator[Desk]:
    async with desk(await runtime_for("alerts")) as opened:
        yield opened


async def test_five_facts_open_a_case_and_raise_its_alert(command: Desk) -> None:
    answer = await command.reports()

    assert answer["case_code"].startswith("CY-0")
    assert (answer["alert_version"], answer["tier"], answer["ring"]["step"]) == (1, "interception", 0)
    [raised] = await facts(command.runtime, AlertRaised)
    [filed] = await facts(command.runtime, ReportFiled)
    assert str(raised.case_id) == answer["case_id"]
    assert raised.report_id == filed.report_id
    assert (raised.ring.radius_km, raised.ring.near_radius_km) == (100, 60)
    status = await command.case(answer["case_id"])
    assert [ring["issued_at"] is not None for ring in status["rings"]] == [True, False, False, False]
    assert [version["kind"] for version in status["versions"]] == ["raised"]


async def test_a_report_that_comes_late_starts_at_the_ring_that_is_due(command: Desk) -> None:
    at = command.runtime.clock.now()
    command.runtime.clock.advance(hours=2.5)

    answer = await command.reports(last_seen_at=at)

    assert (answer["ring"]["step"], answer["ring"]["radius_km"]) == (2, 300)


async def test_the_same_key_and_body_get_the_same_answer_and_no_second_case(command: Desk) -> None:
    first = await command.reports(key="once")

    second = await command.reports(key="once")

    assert second == first
    assert len(await facts(command.runtime, AlertRaised)) == 1


async def test_the_same_key_with_another_body_is_refused(command: Desk) -> None:
    first = await command.reports(key="once")

    body = report_body(command.runtime.clock.now(), appearance="another coat")
    answered = await command.post("/reports", body, Idempotency_Key="once")

    assert (answered.status_code, answered.json()["code"]) == (422, "idempotency_key_reused")
    assert answered.json()["earlier"] == {name: first[name] for name in ("case_id", "case_code")}


async def test_a_ring_is_told_when_its_hour_has_come_and_only_once(command: Desk) -> None:
    case = await command.reports()
    command.runtime.clock.advance(minutes=59)
    assert await widen_rings(command.runtime) == 0

    command.runtime.clock.advance(minutes=1)
    await widen_rings(command.runtime)
    await widen_rings(command.runtime)

    [widened] = await facts(command.runtime, AreaWidened)
    assert (widened.version, widened.ring.step, widened.ring.radius_km) == (2, 1, 200)
    assert (await command.case(case["case_id"]))["alert_version"] == 2


async def test_after_an_outage_one_fact_tells_the_widest_ring_that_is_due(command: Desk) -> None:
    await command.reports()
    command.runtime.clock.advance(hours=9)

    await widen_rings(command.runtime)

    assert [fact.ring.step for fact in await facts(command.runtime, AreaWidened)] == [3]
    assert await widen_rings(command.runtime) == 0


@pytest.mark.parametrize("seed", range(6))
async def test_whoever_ends_an_alert_first_while_it_widens_and_changes_ends_it_once(
    command: Desk, seed: int
) -> None:
    """Two who found the child, one who takes the alert back, a ring that falls due and a higher tier, at once."""
    case = await command.reports()
    command.runtime.clock.advance(hours=1)
    path = f"/cases/{case['case_id']}"
    moves = [
        command.post(f"{path}/stand-down", {"outcome": "found", "reason": "at home"}),
        command.post(f"{path}/stand-down", {"outcome": "found", "reason": "at home"}),
        command.post(f"{path}/stand-down", {"outcome": "false_alarm", "reason": "taken back"}),
        command.post(f"{path}/tier", {"tier": "cross_region", "reason": "a car was seen"}),
        widen_rings(command.runtime),
    ]
    Random(seed).shuffle(moves)

    answers = [each for each in await asyncio.gather(*moves) if not isinstance(each, int)]

    assert {200, 409} >= {answer.status_code for answer in answers}
    [ended] = await facts(command.runtime, AlertStoodDown)
    told = [*await facts(command.runtime, AreaWidened), *await facts(command.runtime, AlertUpdated)]
    assert [*range(2, ended.version)] == sorted(fact.version for fact in told), (
        "Nothing is told after the end."
    )
    assert ended.version == (await command.case(case["case_id"]))["alert_version"]


async def test_a_stand_down_is_final_and_cancels_the_rings_that_are_not_due(command: Desk) -> None:
    case = await command.reports()
    path = f"/cases/{case['case_id']}/stand-down"

    first = await command.post(path, {"outcome": "found", "reason": "at home"})
    again = await command.post(path, {"outcome": "found", "reason": "at home"})
    other = await command.post(path, {"outcome": "false_alarm"})
    command.runtime.clock.advance(hours=9)
    await widen_rings(command.runtime)

    assert (first.status_code, first.json()["alert_version"]) == (200, 2)
    assert again.json() == first.json()
    assert (other.status_code, other.json()["code"]) == (409, "case_closed")
    [over] = await facts(command.runtime, AlertStoodDown)
    assert (over.outcome, over.version) == ("found", 2)
    assert await facts(command.runtime, AreaWidened) == []


async def test_a_real_case_does_not_end_as_an_exercise(command: Desk) -> None:
    real, drill = await command.reports(), await command.reports(exercise=True)

    body = {"outcome": "exercise_over"}
    refused = await command.post(f"/cases/{real['case_id']}/stand-down", body)
    accepted = await command.post(f"/cases/{drill['case_id']}/stand-down", body)

    assert (refused.status_code, accepted.status_code) == (409, 200)
    assert [f.exercise for f in await facts(command.runtime, AlertRaised)] == [False, True]
    assert [f.exercise for f in await facts(command.runtime, AlertStoodDown)] == [True]


async def test_tier_and_description_change_with_a_reason_and_keep_their_history(command: Desk) -> None:
    case = await command.reports(circumstance="lost")
    path = f"/cases/{case['case_id']}"
    assert case["tier"] == "search"

    await command.post(f"{path}/tier", {"tier": "interception", "reason": "seen in a car"})
    same = await command.post(f"{path}/tier", {"tier": "interception", "reason": "again"})
    fields = {"appearance": "green coat", "height_cm": 118, "vehicle": "white van", "age_years": 6}
    await command.post(f"{path}/updates", {"fields": fields, "reason": "mother remembers"})

    assert (same.json()["alert_version"], same.json()["changed"]) == (2, [])
    status = await command.case(case["case_id"])
    assert [v["reason"] for v in status["versions"]] == ["", "seen in a car", "mother remembers"]
    told = await facts(command.runtime, AlertUpdated)
    assert [f.changed for f in told] == [("tier",), ("child.appearance", "child.height_cm", "vehicle")]
    assert told[-1].child.appearance == "green coat"
    assert told[-1].tier == "interception"


async def test_another_time_of_last_sight_moves_the_rings_that_are_not_told(command: Desk) -> None:
    command.runtime.clock.advance(minutes=50)
    case = await command.reports()
    earlier = command.runtime.clock.now().replace(minute=0)
    body = {"fields": {"last_seen_at": earlier.isoformat()}, "reason": "camera"}

    await command.post(f"/cases/{case['case_id']}/updates", body)
    command.runtime.clock.advance(minutes=10)
    await widen_rings(command.runtime)

    assert [f.ring.step for f in await facts(command.runtime, AreaWidened)] == [1]


async def test_a_closed_case_takes_no_change(command: Desk) -> None:
    case = await command.reports()
    path = f"/cases/{case['case_id']}"
    await command.post(f"{path}/stand-down", {"outcome": "found"})

    tier = await command.post(f"{path}/tier", {"tier": "search", "reason": "x"})
    update = await command.post(f"{path}/updates", {"fields": {"vehicle": "van"}, "reason": "x"})

    assert [tier.status_code, update.status_code] == [409, 409]


async def test_a_second_report_of_the_child_is_recognised_and_merged_by_a_person(command: Desk) -> None:
    first = await command.reports()
    second = await command.reports(appearance="a girl in red")
    other = await command.reports(sex="male")
    assert [d["case_id"] for d in second["possible_duplicates"]] == [first["case_id"]]
    assert other["possible_duplicates"] == []

    path = f"/cases/{second['case_id']}/merge"
    merged = await command.post(path, {"into": first["case_id"], "reason": "same mother"})
    again = await command.post(path, {"into": first["case_id"], "reason": "same mother"})
    elsewhere = await command.post(path, {"into": other["case_id"], "reason": "no"})
    backwards = await command.post(
        f"/cases/{first['case_id']}/merge", {"into": second["case_id"], "reason": "no"}
    )

    assert (merged.status_code, merged.json()["outcome"]) == (200, "merged")
    assert again.json() == merged.json()
    assert [elsewhere.status_code, backwards.status_code] == [409, 409]
    [over] = await facts(command.runtime, AlertStoodDown)
    assert str(over.merged_into) == first["case_id"]
    status = await command.case(first["case_id"])
    assert [c["case_id"] for c in status["merged_cases"]] == [second["case_id"]]


async def test_open_cases_are_listed_without_those_that_ended(command: Desk) -> None:
    first, second = await command.reports(), await command.reports()
    await command.post(f"/cases/{first['case_id']}/stand-down", {"outcome": "false_alarm"})

    async def listed(query: str) -> list[str]:
        answered = await command.http.get(f"/cases{query}", headers=command.as_role("auditor"))
        return [case["case_id"] for case in answered.json()]

    assert await listed("?open=true") == [second["case_id"]]
    assert set(await listed("")) == {first["case_id"], second["case_id"]}
