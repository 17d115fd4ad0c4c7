"""The whole story without a mouse: raise, look at the board, a unit's answers, a sighting, the end."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Locator, Page, expect

from browser.conftest import OpenWindow
from demo.case import Case
from demo.cast import Cast

TABS_MAX = 80
"""A key that has to be pressed more often than this leads nowhere that people would find."""


class Keyboard:
    """A person who has no mouse."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def presses(self, *keys: str) -> None:
        """One key after another."""
        for key in keys:
            await self._page.keyboard.press(key)

    async def types(self, text: str) -> None:
        """Letters into whatever has the focus."""
        await self._page.keyboard.type(text)

    async def tabs_to(self, target: Locator) -> None:
        """Press Tab until the focus is there, and see it there."""
        for _ in range(TABS_MAX):
            if await target.evaluate("e => e === document.activeElement"):
                await expect(target).to_be_in_viewport()
                return
            await self._page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not lead to {target}.")


async def test_the_whole_story_by_keyboard_only(window: OpenWindow, cast: Cast) -> None:
    desk = await window("operator")
    page, keys = desk.page, Keyboard(desk.page)
    await desk.goto("/keys")

    case = await raises_an_alert(page, keys, cast)
    await keys.tabs_to(page.locator("#board"))
    await keys.presses("Enter")
    await page.wait_for_selector("html[data-ready=board]")
    order = await a_unit_takes_its_place(window, cast, case)
    await expect(page.locator(f"#order-{order['order_id']}")).to_have_attribute("data-state", "in_position")
    await reports_a_sighting(page, keys)
    await expect(page.locator("#sightings tr")).to_have_count(1)
    await stands_down(page, keys)

    await cast.command_centre.all_orders_over(case)
    assert "found" == (await cast.command_centre.status(case))["outcome"]


async def raises_an_alert(page: Page, keys: Keyboard, cast: Cast) -> Case:
    """N, five facts, Ctrl+Enter."""
    await keys.presses("n")
    await expect(page.locator("#f-place")).to_be_focused()
    await keys.types("yykyzx")
    await page.locator("#place-list [role=option]").first.wait_for()
    await keys.presses("Tab", "Tab", "Tab", "Space", "Tab", "6", "Tab")
    await keys.types("红色羽绒服,蓝色书包")
    await keys.presses("Control+Enter")
    await page.wait_for_url("**/alerts/raised/*")
    raised = (await cast.command_centre.open_cases())[0]
    case = Case(str(raised["case_id"]), str(raised["case_code"]), cast.stage.now(), {})
    await cast.command_centre.weighed_plan(case)
    return case


async def a_unit_takes_its_place(window: OpenWindow, cast: Cast, case: Case) -> dict[str, Any]:
    """Accepted, in position: Tab and Enter on the page behind the link of the SMS."""
    order = (await cast.command_centre.new_orders(case))[0]
    unit = await cast.police.unit_with(case, order)
    theirs = await window(None)
    await theirs.goto(unit.link)
    keys = Keyboard(theirs.page)
    for step, said in (("accept", "已接令"), ("in-position", "已到位")):
        await keys.tabs_to(theirs.page.locator(f"form[data-step={step}] button"))
        await keys.presses("Enter")
        await expect(theirs.page.locator("main .told")).to_contain_text(said)
    return order


async def reports_a_sighting(page: Page, keys: Keyboard) -> None:
    """I opens the form with the focus in it; a place is chosen by its arrow key."""
    form = page.locator("#act-sighting form")
    await keys.presses("i")
    await keys.tabs_to(page.locator("#sighting-place"))
    await keys.presses("ArrowDown")
    await keys.tabs_to(page.locator("#sighting-note"))
    await keys.types("往码头方向")
    await keys.tabs_to(form.locator("button.go"))
    await keys.presses("Enter")


async def stands_down(page: Page, keys: Keyboard) -> None:
    """D opens the form; what ends a case for good has to be chosen and said."""
    form = page.locator("#act-stand-down form")
    await keys.presses("d")
    await keys.tabs_to(form.locator("input[value=found]"))
    await keys.presses("Space")
    await keys.tabs_to(page.locator("#stand-down-reason"))
    await keys.types("卡点民警已找到孩子")
    await keys.tabs_to(form.locator("button.stop"))
    await keys.presses("Enter")
