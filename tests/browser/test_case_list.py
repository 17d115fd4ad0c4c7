"""The list of cases in a real browser: as of when its rows are, whatever the browser's own clock says."""

from __future__ import annotations

from playwright.async_api import Browser, expect

from demo.case import Case
from harness.board_facts import checkpoints
from harness.browser import open_window
from harness.chaos.proxy import open_proxy
from harness.cutting import port_of
from harness.whole_system import Stack

TWO_HOURS_SLOW = "const real = Date.now; Date.now = () => real() - 7200000;"


async def test_the_list_says_as_of_when_it_is_with_a_browser_whose_clock_is_wrong(
    stack: Stack, browser: Browser, case: Case
) -> None:
    async with (
        open_proxy(port_of(stack.urls["console"])) as proxy,
        open_window(browser, f"http://{proxy.address}") as desk,
        checkpoints(stack.settings, case.case_id, case.code, 2) as gates,
    ):
        await desk.page.add_init_script(TWO_HOURS_SLOW)
        await desk.log_in(stack.settings, "operator")
        await desk.goto("/cases")
        as_of, silence = desk.page.locator("#as-of"), desk.page.locator("#no-news")
        before = await as_of.get_attribute("datetime")
        assert before is not None

        await gates.are_ordered()
        await expect(as_of).not_to_have_attribute("datetime", before)
        proxy.cut()
        await expect(silence).to_be_visible(timeout=16_000)

        await expect(silence).to_contain_text(await as_of.inner_text())
