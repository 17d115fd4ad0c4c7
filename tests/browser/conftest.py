"""One browser and one whole system for all browser tests; without a browser they are skipped with the mend.

`window(role="operator")` is somebody's window on the console, `phone(address)` a unit's or a site's. What a page must
never do (ask another host, break the content policy, fail in a script) fails the test that looked at it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from demo.case import Case
from demo.cast import Cast
from demo.stage import open_stage
from guitu.auth import Role
from harness.browser import DESK, PHONE, Look, Window, open_browser, open_window
from harness.chromium import NoBrowser, find_or_install
from harness.whole_system import Stack, seeded_stack

OpenWindow = Callable[..., Awaitable[Window]]
QUICK_LOOK = {
    "GUITU_SECOND_LOOK_AFTER_S": "0",
    "GUITU_SECOND_LOOK_S": "0.5",
    "GUITU_SECOND_LOOK_ROUTES": "200",
}
"""Each case waits for the second look at its plan; how good that is, is no matter of its pages."""


@pytest.fixture(scope="session")
def has_browser() -> None:
    """Say what is missing before a minute is spent on starting the system."""
    try:
        find_or_install()
    except NoBrowser as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def stack(has_browser: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole system with Yunyang loaded, once for all browser tests."""
    with seeded_stack(tmp_path_factory.mktemp("browser-stack"), 30_100, **QUICK_LOOK) as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def browser(has_browser: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """One browser process for the run."""
    async with open_browser(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest_asyncio.fixture
async def window(stack: Stack, browser: Browser) -> AsyncIterator[OpenWindow]:
    """`await window(role="operator", look=Look("en"), scripts=False)`: a window on the console.

    Without a role nobody is logged in. At the end of the test every window must be without complaints.
    """
    async with AsyncExitStack() as opened:
        windows: list[Window] = []

        async def make(role: Role | None = "operator", look: Look | None = None, **more: Any) -> Window:
            base = stack.urls["console"]
            found = await opened.enter_async_context(
                open_window(browser, base, look or Look(size=DESK), **more)
            )
            windows.append(found)
            if role is not None:
                await found.log_in(stack.settings, role)
            return found

        yield make
        complaints = [each for one in windows for each in one.complaints]
        assert [] == complaints, stack.troubles("console")


@pytest.fixture
def phone(window: OpenWindow) -> OpenWindow:
    """`await phone(address)`: a phone that follows the link of its SMS; `scripts=False` has JavaScript off."""

    async def make(address: str, look: Look | None = None, **more: Any) -> Window:
        found = await window(None, look or Look(size=PHONE), **more)
        await found.goto(address)
        return found

    return make


@pytest_asyncio.fixture
async def cast(stack: Stack) -> AsyncIterator[Cast]:
    """The people of the demo; at the end every case that is still open is stood down, so that units are free again."""
    async with open_stage(stack.urls, stack.settings) as stage:
        people = Cast(stage)
        yield people
        await _stand_down_all(people)


@pytest_asyncio.fixture
async def case(cast: Cast) -> Case:
    """An open case with its orders out: a child last seen at the town's bus station."""
    raised = await cast.command_centre.raises_alert(cast.book.site("Yunyang Town bus station"))
    await cast.command_centre.weighed_plan(raised)
    return raised


async def _stand_down_all(people: Cast) -> None:
    for each in await people.command_centre.open_cases():
        case = Case(str(each["case_id"]), str(each["case_code"]), people.stage.now(), {})
        await people.command_centre.stands_down(case, "false_alarm")
        await people.command_centre.all_orders_over(case)
