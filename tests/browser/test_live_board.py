"""The live board in a real browser: what the broker is told is on the screen, whatever happens to the line."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from browser.conftest import OpenWindow
from demo.case import Case
from demo.cast import Cast
from harness.board_facts import Checkpoints, checkpoints
from harness.board_watch import doubled_ids, rows, shows_all, told, watch
from harness.browser import Look, Window, open_window
from harness.chaos.proxy import open_proxy
from harness.cutting import cut_again_and_again, port_of
from harness.whole_system import Stack

CUTS = 20
SEED = 20261201
BEIJING = ZoneInfo("Asia/Shanghai")


@pytest_asyncio.fixture
async def gates(stack: Stack, case: Case) -> AsyncIterator[Checkpoints]:
    """Forty made-up checkpoints of an open case, ordered."""
    async with checkpoints(stack.settings, case.case_id, case.code, 40) as made:
        await made.are_ordered()
        yield made


async def test_what_a_unit_does_is_on_the_screen_without_a_reload(
    window: OpenWindow, case: Case, gates: Checkpoints
) -> None:
    desk = await window("operator")
    await watch(desk)
    await is_at_the_board(desk, None, case)

    steps = await gates.move(50, gates.count)

    shown = await shows_all(desk.page, steps)
    assert gates.count == sum(step.shown_as in shown for step in steps)


async def test_the_head_counts_what_the_rows_show_when_a_burst_is_over(
    window: OpenWindow, stack: Stack, case: Case
) -> None:
    """Its last counts come after the last change, alone and with that change's number."""
    desk = await window("operator")
    await is_at_the_board(desk, None, case)
    async with checkpoints(stack.settings, case.case_id, case.code, 12) as made:
        await made.are_ordered()

        standing = desk.page.locator("#head .tile").nth(2).locator("strong")
        await expect(desk.page.locator(f"#{made.steps[-1].row}")).to_be_visible()
        shown = await desk.page.locator("#orders tr:not(.ended)").count()
        await expect(standing).to_have_text(str(shown))


async def test_a_row_is_late_while_it_owes_something_and_no_longer(
    window: OpenWindow, stack: Stack, case: Case
) -> None:
    desk = await window("operator")
    await is_at_the_board(desk, None, case)
    async with checkpoints(stack.settings, case.case_id, case.code, 1) as made:
        made.answer_within = timedelta(minutes=-1)
        await made.are_ordered()
        row = desk.page.locator(f"#{made.steps[0].row}")
        await expect(row.locator(".late")).to_be_visible()

        there = await made.step(1)

    await expect(row).to_have_attribute("data-state", there.state)
    await expect(row).not_to_have_class(re.compile("is-late"))
    await expect(row.locator(".late")).to_be_hidden()


async def test_what_can_be_done_follows_the_case_without_a_reload(
    window: OpenWindow, stack: Stack, cast: Cast, case: Case
) -> None:
    desk = await window("operator")
    await is_at_the_board(desk, None, case)
    price = desk.page.locator("#end-price")
    before = await price.text_content() or ""
    async with checkpoints(stack.settings, case.case_id, case.code, 1) as made:
        await made.are_ordered()
        await expect(price).not_to_have_text(before)

        await cast.command_centre.stands_down(case, "false_alarm")

    await expect(desk.page.locator('nav.actions a[href="#act-stand-down"]')).to_have_count(0)
    await expect(desk.page.locator("#act-stand-down")).to_have_count(0)


async def test_twenty_cut_connections_lose_nothing_and_double_nothing(
    stack: Stack, browser: Browser, case: Case, gates: Checkpoints
) -> None:
    async with (
        open_proxy(port_of(stack.urls["console"])) as proxy,
        open_window(browser, f"http://{proxy.address}") as desk,
        open_window(browser, stack.urls["console"]) as whole,
    ):
        await watch(desk)
        await is_at_the_board(desk, stack, case)
        await shows_all(desk.page, gates.steps)

        cut = await cut_again_and_again(proxy, desk.page, gates, cuts=CUTS, seed=SEED)

        await is_at_the_board(whole, stack, case)
        assert 6 * CUTS == len(cut.steps)
        assert {step.row: step.state for step in cut.steps}.items() <= (await rows(desk.page)).items()
        assert await rows(whole.page) == await rows(desk.page)
        assert set(await told(whole.page)) <= set(await told(desk.page))
        assert [] == await doubled_ids(desk.page)


@pytest.mark.parametrize("path", ["/cases/{case}", "/cases"])
async def test_silence_covers_the_page_and_says_as_of_when_until_the_line_is_back(
    stack: Stack, browser: Browser, case: Case, path: str
) -> None:
    """Nothing is shown as new that may be old: ten seconds without a beat are enough.

    The desk's own clock is set back meanwhile; it must neither hold the veil up nor be what it says.
    """
    async with (
        open_proxy(port_of(stack.urls["console"])) as proxy,
        open_window(browser, f"http://{proxy.address}") as desk,
    ):
        await is_at_the_board(desk, stack, case)
        await desk.goto(path.format(case=case.case_id))
        veil = desk.page.locator("#veil, #no-news")
        await expect(veil).to_be_hidden()
        await desk.page.evaluate("const real = Date.now; Date.now = () => real() - 5 * 3600e3")

        proxy.cut()
        await expect(veil).to_be_visible(timeout=16_000)
        said = re.search(r"\d\d:\d\d:\d\d", await veil.inner_text())
        proxy.heal()
        assert said is not None
        by_page = datetime.strptime(said[0], "%H:%M:%S")
        by_us = datetime.now(BEIJING).replace(tzinfo=None)
        assert (by_us - by_page).seconds < 3600

        await expect(veil).to_be_hidden(timeout=16_000)


async def test_a_board_that_is_open_reads_a_rebuilt_picture_anew(
    window: OpenWindow, stack: Stack, case: Case, gates: Checkpoints
) -> None:
    """What the page shows wrongly is gone then, without a reload, and it goes on from there."""
    desk = await window("operator")
    await watch(desk)
    await is_at_the_board(desk, None, case)
    await shows_all(desk.page, gates.steps)
    await desk.page.evaluate("document.querySelector('#orders > tr').remove()")
    await desk.page.evaluate("document.querySelector('#missing').append('Names are missing.')")

    command = (sys.executable, "-m", "guitu", "console", "rebuild")
    rebuilding = await asyncio.create_subprocess_exec(*command, env=os.environ | stack.system.env)
    assert 0 == await rebuilding.wait()

    await expect(desk.page.locator("#missing")).to_be_empty(timeout=16_000)
    await shows_all(desk.page, await gates.move(50, 5))
    fresh = await window("operator")
    await is_at_the_board(fresh, None, case)
    assert await rows(fresh.page) == await rows(desk.page)


async def test_wall_mode_shows_the_tables_and_the_map_and_leaves_the_forms_out(
    window: OpenWindow, case: Case
) -> None:
    desk = await window("operator", Look(size=(1920, 1080)))
    await is_at_the_board(desk, None, case)

    await desk.page.keyboard.press("f")

    await expect(desk.page.locator("body.wall")).to_be_visible()
    await expect(desk.page.locator("#order-table")).to_be_in_viewport()
    await expect(desk.page.locator("#map")).to_be_in_viewport()
    await expect(desk.page.locator("header.bar nav")).to_be_hidden()


async def is_at_the_board(desk: Window, stack: Stack | None, case: Case) -> None:
    """Log in, if a stack is given, and wait until the board's script works."""
    if stack is not None:
        await desk.log_in(stack.settings, "operator")
    await desk.goto(f"/cases/{case.case_id}")
    await desk.page.wait_for_function("document.documentElement.dataset.ready")
