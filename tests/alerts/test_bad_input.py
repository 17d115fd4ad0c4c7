"""What can't be true is refused with the mend, wherever it comes from, and the alert stands as it stood."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from alerts.agents import REACTIONS
from alerts.refusals import ReportRefused
from contracts.alert import AlertRaised, AlertUpdated
from contracts.report import ReportFiled
from contracts.sighting import SightingReported
from guitu.service import Runtime
from guitu.stream import FactRefused
from harness.alert_stories import Desk, desk, outside_report, report_body
from harness.ground import START, facts, react

RuntimeFor = Callable[[str], Awaitable[Runtime]]
BEIJING_NEW_YEAR_ONE = "0001-01-01T08:00:00+08:00"
FAR = {"lon": 116.4, "lat": 39.9}
IMPOSSIBLE: list[tuple[dict[str, Any], str]] = [
    ({"last_seen_at": BEIJING_NEW_YEAR_ONE}, "time_too_long_ago"),
    ({"last_seen_at": "1900-01-01T00:00:00Z"}, "time_too_long_ago"),
    ({"last_seen_at": (START + timedelta(hours=1)).isoformat()}, "time_in_future"),
    ({"last_seen_place": FAR}, "position_outside_region"),
]


@pytest_asyncio.fixture
async def command(runtime_for: RuntimeFor) -> AsyncIterator[Desk]:
    async with desk(await runtime_for("alerts")) as opened:
        yield opened


@pytest.mark.parametrize(("wrong", "code"), IMPOSSIBLE, ids=lambda each: str(each)[:40])
async def test_a_report_that_can_not_be_true_opens_nothing(
    command: Desk, wrong: dict[str, Any], code: str
) -> None:
    answer = await command.post("/reports", report_body(START) | wrong, Idempotency_Key="k")

    assert (422, code) == (answer.status_code, answer.json()["code"])
    assert answer.json()["mend"]
    assert [] == await facts(command.runtime, ReportFiled)


@pytest.mark.parametrize(("wrong", "code"), IMPOSSIBLE, ids=lambda each: str(each)[:40])
async def test_a_correction_that_can_not_be_true_changes_nothing(
    command: Desk, wrong: dict[str, Any], code: str
) -> None:
    case = await command.reports()

    answer = await command.post(f"/cases/{case['case_id']}/updates", {"fields": wrong, "reason": "a mistake"})

    assert (422, code) == (answer.status_code, answer.json()["code"])
    assert [] == await facts(command.runtime, AlertUpdated)
    assert 1 == (await command.case(case["case_id"]))["alert_version"]


async def test_a_child_who_is_missing_for_decades_can_be_reported(command: Desk) -> None:
    await command.reports(last_seen_at=START - timedelta(days=365 * 60))

    assert 1 == len(await facts(command.runtime, AlertRaised))


async def test_an_outside_report_of_another_century_is_set_aside_as_no_fault_of_ours(command: Desk) -> None:
    """Any number of them may come without stopping the reader."""
    ancient = outside_report(START, last_seen_at=datetime(1, 1, 1, tzinfo=UTC))

    with pytest.raises(ReportRefused, match="hundred years") as refused:
        await react(command.runtime, REACTIONS, ancient)

    assert isinstance(refused.value, FactRefused)
    assert [] == await facts(command.runtime, AlertRaised)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("region_code", "５００２３５"),
        ("last_seen_place", {"lon": 108.69, "lat": 30.93, "township_code": "५००२३५००१"}),
    ],
)
async def test_digits_of_another_script_are_no_codes(command: Desk, field: str, value: Any) -> None:
    """A pattern's digits are those of every script; the database's are not."""
    headers = command.as_role("admin", "*") | {"Idempotency-Key": "k"}

    answer = await command.http.post("/reports", json=report_body(START) | {field: value}, headers=headers)

    assert (422, True) == (answer.status_code, "digits 0 to 9" in answer.json()["detail"])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"seen_at": (START + timedelta(hours=1)).isoformat()}, "seen_at"),
        ({"seen_at": "2026-03-01T05:00:00"}, "seen_at"),
        ({"place": {"lon": 30.93, "lat": 108.69}}, "place"),
        ({"mode": "balloon"}, "mode"),
        ({"note": "x" * 2001}, "note"),
        ({"phone": "+12025550123"}, "phone"),
    ],
    ids=str,
)
async def test_a_sighting_that_can_not_be_true_is_refused(
    command: Desk, wrong: dict[str, Any], says: str
) -> None:
    case = await command.reports()
    seen = {"seen_at": START.isoformat(), "place": {"lon": 108.69, "lat": 30.93}}

    answer = await command.post(f"/cases/{case['case_id']}/sightings", seen | wrong)

    assert (422, True) == (answer.status_code, says in answer.json()["detail"])
    assert "+1202" not in answer.text
    assert [] == await facts(command.runtime, SightingReported)
