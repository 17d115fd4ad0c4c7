"""The list of cases, as people of a region read it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from contracts import order
from guitu.service import Runtime
from harness.console_http import at_the_desk
from harness.console_stories import CaseStory, RuntimeFor, told
from harness.ground import START


@pytest_asyncio.fixture
async def run(runtime_for: RuntimeFor) -> AsyncIterator[Runtime]:
    yield await runtime_for("console")


async def listed(run: Runtime, path: str = "/cases", **seat: str) -> httpx.Response:
    async with at_the_desk(run, **seat) as http:  # type: ignore[arg-type]
        return await http.get(path)


async def test_open_cases_stand_above_those_that_are_over(run: Runtime) -> None:
    first, second = CaseStory(START, "first"), CaseStory(START, "second")
    await told(run, first.raised(), second.raised(), first.stood_down(9))

    page = (await listed(run)).text

    assert page.index(second.code) < page.index('id="ended"') < page.index(first.code)


async def test_the_case_that_needs_somebody_comes_first(run: Runtime) -> None:
    calm, waits = CaseStory(START, "first"), CaseStory(START, "second")
    await told(run, waits.raised(), calm.raised(), waits.seen(3))

    page = (await listed(run)).text

    assert page.index(waits.code) < page.index(calm.code)


async def test_a_case_is_found_by_its_code(run: Runtime) -> None:
    story = CaseStory(START)
    await told(run, story.raised())

    found = await listed(run, f"/cases?code={story.code.lower()}")

    assert (303, f"/cases/{story.case_id}") == (found.status_code, found.headers["location"])


async def test_a_code_that_nobody_has_is_said_in_words(run: Runtime) -> None:
    page = (await listed(run, "/cases?code=CY-9999", language="en")).text

    assert "No case of your region has this code." in page


async def test_an_exercise_is_marked(run: Runtime) -> None:
    await told(run, CaseStory(START, exercise=True).raised())

    page = (await listed(run)).text

    assert 'class="badge exercise-mark">演练' in page


async def test_another_region_s_cases_are_not_listed(run: Runtime) -> None:
    story = CaseStory(START)
    await told(run, story.raised(), story.ordered(1), story.moved(order.OrderAccepted, 2))

    here, there = await listed(run), await listed(run, region="500236")

    assert story.code in here.text
    assert story.code not in there.text


@pytest.mark.parametrize("role", ["laboratory", "registry"])
async def test_who_has_nothing_to_do_with_cases_is_refused(run: Runtime, role: str) -> None:
    assert 403 == (await listed(run, role=role)).status_code


async def test_the_age_says_that_the_broker_is_away(run: Runtime) -> None:
    await told(run, CaseStory(START).raised())

    said = (await listed(run, "/age")).json()

    assert (None, START.isoformat(), START.isoformat()) == (said["waiting"], said["facts_at"], said["as_of"])


async def test_what_the_script_writes_about_age_is_not_the_chip_of_the_bar(run: Runtime) -> None:
    page = (await listed(run)).text

    ids = re.findall(r'\sid="([^"]+)"', page)
    assert sorted(set(ids)) == sorted(ids)
    assert {"age", "no-news"} <= set(ids)
