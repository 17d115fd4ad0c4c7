"""Every page, in both languages, light and dark, on a phone and a desk: accessible, quiet, and large enough to hit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from browser.screens import NO_PAGES, SCREENS, Screen
from console.case_file.acts import ACTS
from console.service import SERVICE
from demo.cast import Cast
from demo.stage import open_stage
from guitu.clock import Clock, Ids
from guitu.service import Runtime
from guitu.settings import Settings
from harness.browser import DESK, LANGUAGES, PHONE, Look, Window, open_window
from harness.scene import Scene, busy_county
from harness.whole_system import Stack

pytestmark = pytest.mark.timeout(240)


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


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("screen", SCREENS, ids=str)
async def test_a_page_is_accessible_and_quiet_in_every_look(
    screen: Screen, language: Any, scene: Scene, stack: Stack, browser: Browser
) -> None:
    """No violation of axe-core, no sideways scrolling, no small target; no complaint of the browser either.

    One load a language: colours and width change under the open page, as they do for people.
    """
    async with open_window(browser, stack.urls["console"], Look(language)) as window:
        window.expects += [f"status of {screen.status}"] if screen.status >= 400 else []
        if screen.role is not None:
            await window.log_in(stack.settings, screen.role)
        answer = await window.goto(screen.at(scene))
        await screen.is_ready(window)
        found = {}
        for size in (DESK, PHONE):
            await window.page.set_viewport_size({"width": size[0], "height": size[1]})
            for scheme in ("light", "dark"):
                await window.page.emulate_media(color_scheme=scheme)
                wrong = await wrong_with(window)
                if wrong:
                    found[f"{size[0]} px, {scheme}"] = wrong

        assert screen.status == answer.status, stack.troubles("console")
        assert (await window.page.evaluate("document.documentElement.lang")) in spoken(screen, language)
        assert {} == found
        assert [] == window.complaints


def spoken(screen: Screen, language: str) -> tuple[str, ...]:
    """Pages of the console follow the reader; those behind the link of an SMS, the contact it was sent to."""
    return (language,) if screen.route else ("zh-CN", "zh", "en")


async def wrong_with(window: Window) -> list[str]:
    """What axe finds, what is wider than the screen, and what is too small for a thumb."""
    return [*await window.axe(), *await window.too_wide(), *await window.small_targets()]
