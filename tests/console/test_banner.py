"""The red line above every page: the open cases of the person's region, and nothing of other regions or roles."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest

from guitu.auth import Role
from guitu.service import Runtime
from harness.console_http import at_the_desk
from harness.console_stories import CaseStory, told
from harness.ground import START

RuntimeFor = Callable[[str], Awaitable[Runtime]]


async def shown(run: Runtime, role: Role = "operator", region: str = "500235") -> list[str]:
    async with at_the_desk(run, role, region=region, language="en") as http:
        return re.findall(r"<strong>(CY-\d+)</strong>", (await http.get("/banner")).text)


async def test_open_cases_stay_until_they_are_over_and_exercises_are_marked(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    real, practice = CaseStory(START), CaseStory(START, "second", exercise=True)
    await told(run, real.raised(), practice.raised())

    async with at_the_desk(run, language="en") as http:
        before = (await http.get("/keys")).text.split('id="banner"')[1].split("<main")[0]
    await told(run, real.stood_down(30))
    after = await shown(run)

    assert {real.code, practice.code} == set(re.findall(r"CY-\d+", before))
    assert 1 == before.count("Exercise")
    assert [practice.code] == after


@pytest.mark.parametrize(
    ("role", "region", "sees"),
    [
        ("operator", "500235", True),
        ("operator", "*", True),
        ("operator", "500236", False),
        ("laboratory", "500235", False),
        ("registry", "500235", False),
    ],
)
async def test_a_case_is_shown_to_the_desks_of_its_region_only(
    runtime_for: RuntimeFor, role: Role, region: str, sees: bool
) -> None:
    run, story = await runtime_for("console"), CaseStory(START)
    await told(run, story.raised())

    assert ([story.code] if sees else []) == await shown(run, role, region)


async def test_the_red_line_names_no_child(runtime_for: RuntimeFor) -> None:
    run, story = await runtime_for("console"), CaseStory(START)
    await told(run, story.raised())

    async with at_the_desk(run) as http:
        text = (await http.get("/banner")).text

    assert story.code in text
    assert "红色羽绒服" not in text
    assert "云阳汽车站" not in text
