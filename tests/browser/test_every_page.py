"""Every page, in both languages, light and dark, on a phone and a desk: accessible, quiet, and large enough to hit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, cast

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from browser.screens import NO_PAGES, SCREENS, Screen
from console.case_file.acts import ACTS
from console.service import SERVICE
from demo.cast import Cast
from demo.stage import open_stage
from guitu.auth import Role
from guitu.clock import Clock, Ids
from guitu.service import Runtime
from guitu.settings import Settings
from harness.browser import DESK, LANGUAGES, Language, Look, Window, open_window
from harness.scene import Scene, busy_county
from harness.whole_system import Stack

pytestmark = pytest.mark.timeout(240)
Reader = Callable[[Role | None, Language], Awaitable[Window]]


@pytest_asyncio.fixture(scope="module")
async def scene(stack: Stack) -> AsyncIterator[Scene]:
    """A county in the middle of a case; nothing in this file changes it."""
    async with open_stage(stack.urls, stack.settings) as stage:
        cast_ = Cast(stage)
        yield await busy_county(cast_)
        for case in await cast_.command_centre.open_cases():
            await stage.ask(
                "alerts",
                "POST",
                f"/cases/{case['case_id']}/stand-down",
                role="operator",
                json={"outcome": "false_alarm"},
            )


def test_every_page_of_the_console_is_looked_at() -> None:
    """Mend: add the page to browser/screens.py, or say there why people do not look at it."""
    settings = Settings()
    runtime = Runtime(
        "console", settings, cast(Any, None), Clock(), Ids(), None, "", state={"upstream": None}
    )
    routes = {
        route.path
        for router in SERVICE.routers(runtime)
        for route in router.routes
        if "GET" in getattr(route, "methods", ())
    }

    looked_at = {screen.route.replace("{drill_id}", "{case_id}") for screen in SCREENS if screen.route}
    leads_back = {f"/cases/{{case_id}}/{act.path}" for act in ACTS}

    assert set() == routes - looked_at - NO_PAGES.keys() - leads_back
    assert set() == (looked_at | NO_PAGES.keys()) - routes


@pytest_asyncio.fixture(scope="module")
async def reader(stack: Stack, browser: Browser) -> AsyncIterator[Reader]:
    """`await reader(role, language)`: the one window of this person, in which page after page is opened.

    A window for each page would start a process, read the fonts and compile the scripts each time, which is most of
    what a page costs.
    """
    async with AsyncExitStack() as opened:
        windows: dict[tuple[Role | None, Language], Window] = {}

        async def at(role: Role | None, language: Language) -> Window:
            if (role, language) not in windows:
                asked = open_window(browser, stack.urls["console"], Look(language))
                window = windows[role, language] = await opened.enter_async_context(asked)
                if role is not None:
                    await window.log_in(stack.settings, role)
            return windows[role, language]

        yield at
        assert [] == [each for window in windows.values() for each in window.judged()]


@pytest.mark.parametrize("screen", SCREENS, ids=str)
async def test_a_page_is_accessible_and_quiet_in_every_look(
    screen: Screen, scene: Scene, reader: Reader, stack: Stack
) -> None:
    """No violation of axe-core, no sideways scrolling, no small target; no complaint of the browser either.

    One load a language, both side by side: colours and width change under the open page, as they do for people.
    """
    async with asyncio.TaskGroup() as readers:
        chinese, english = [
            readers.create_task(wrong_with(await reader(screen.role, language), screen, scene, language))
            for language in LANGUAGES
        ]

    assert ({}, {}) == (chinese.result(), english.result()), stack.troubles("console")


async def wrong_with(window: Window, screen: Screen, scene: Scene, language: Language) -> dict[str, Any]:
    """Open the page as somebody at a desk by day, and look at it in every way; returns what is not as it should be."""
    window.expects = [f"status of {screen.status}"] if screen.status >= 400 else []
    try:
        await window.turn("light", DESK)
        answer = await window.goto(screen.at(scene))
        await screen.is_ready(window)
        found: dict[str, Any] = dict(await window.wrong_in_every_look())
        spoken = await window.page.evaluate("document.documentElement.lang")
    finally:
        complaints = window.judged()
    if answer.status != screen.status:
        found["status"] = answer.status
    if spoken not in languages_of(screen, language):
        found["language"] = spoken
    return found | ({"complaints": complaints} if complaints else {})


def languages_of(screen: Screen, language: Language) -> tuple[str, ...]:
    """Pages of the console follow the reader; those behind the link of an SMS, the contact it was sent to."""
    return (language,) if screen.route else ("zh-CN", "zh", "en")
