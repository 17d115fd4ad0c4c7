"""A report's preview: what it would become, and that nothing is stored by asking."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest_asyncio

from guitu.service import Runtime
from harness.alert_stories import CHILD_NAME, Desk, desk, identity, report_body

RuntimeFor = Callable[[str], Awaitable[Runtime]]


@pytest_asyncio.fixture
async def command(runtime_for: RuntimeFor) -> AsyncIterator[Desk]:
    async with desk(await runtime_for("alerts")) as opened:
        yield opened


async def test_a_preview_says_what_the_report_then_becomes(command: Desk) -> None:
    seen = command.runtime.clock.now() - timedelta(minutes=70)

    preview = (await command.post("/reports/preview", report_body(seen))).json()
    filed = await command.reports(last_seen_at=seen)

    assert {k: preview[k] for k in ("tier", "ring", "exercise")} == {
        k: filed[k] for k in ("tier", "ring", "exercise")
    }
    assert [(ring["radius_km"], ring["at_once"]) for ring in preview["rings"]] == [
        (100.0, True),
        (200.0, True),
        (300.0, False),
        (500.0, False),
    ]


async def test_a_preview_stores_nothing_draws_no_number_and_tells_nobody(command: Desk) -> None:
    pool = command.runtime.pool
    first = await command.reports()
    stored = (
        "select (select count(*) from report), (select count(*) from outbox), (select count(*) from audit)"
    )
    before = await pool.fetchrow(stored)

    for _ in range(3):
        await command.post("/reports/preview", report_body(command.runtime.clock.now()))

    after = await pool.fetchrow(stored)
    second = await command.reports()
    numbers = [int(case["case_code"].removeprefix("CY-")) for case in (first, second)]
    assert before == after
    assert numbers[1] - numbers[0] == 1


async def test_a_preview_shows_an_open_case_that_may_be_the_same_child(command: Desk) -> None:
    filed = await command.reports()

    preview = (await command.post("/reports/preview", report_body(command.runtime.clock.now()))).json()

    assert [each["case_code"] for each in preview["possible_duplicates"]] == [filed["case_code"]]


async def test_a_preview_does_not_wait_for_the_appearance(command: Desk) -> None:
    typed = report_body(command.runtime.clock.now(), appearance="")

    preview = await command.post("/reports/preview", typed)
    filed = await command.post("/reports", typed, Idempotency_Key="k")

    assert (preview.status_code, filed.status_code) == (200, 422)


async def test_a_preview_shows_the_texts_without_the_names(command: Desk) -> None:
    body = report_body(
        command.runtime.clock.now(), appearance=f"{CHILD_NAME} in a red coat", identity=identity()
    )

    preview = await command.post("/reports/preview", body)

    assert preview.json()["told"]["child"]["appearance"] == "child in a red coat"


async def test_a_preview_refuses_what_the_report_would_refuse(command: Desk) -> None:
    at = command.runtime.clock.now()
    elsewhere = report_body(at, last_seen_place={"lon": 121.47, "lat": 31.23})

    refused = [
        (await command.post("/reports/preview", elsewhere)).json()["code"],
        (await command.post("/reports/preview", report_body(at + timedelta(hours=1)))).json()["code"],
        (await command.post("/reports/preview", report_body(at), "auditor")).json()["code"],
    ]

    assert refused == ["position_outside_region", "time_in_future", "role_refused"]
