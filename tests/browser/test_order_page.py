"""The order page on a unit's phone: big buttons, no signal, a second tap, no JavaScript."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from contracts.order import CheckpointReported, OrderAccepted, StandDownAcknowledged, UnitInPosition
from dispatch.handlers import move_order
from dispatch.models import Move
from harness.browser import DESK, PHONE, Look, Window, open_window
from harness.dispatch_stories import dispatch_in_yunyang, raised, stood_down
from harness.phone_pages import OrderUnit, order_unit

TICK = "✓"
WAITS = "#signal [data-line=waiting]"
Opens = Callable[..., Awaitable[Window]]


@pytest_asyncio.fixture
async def unit(runtime_for: Any) -> AsyncIterator[OrderUnit]:
    dispatch = await dispatch_in_yunyang(runtime_for)
    await dispatch.hears(raised())
    async with order_unit(dispatch) as sent:
        yield sent


@pytest_asyncio.fixture
async def opens(unit: OrderUnit, browser: Browser) -> AsyncIterator[Opens]:
    """`await opens()`: the unit's phone with the order on it; at the end no page may have complained."""
    async with AsyncExitStack() as opened:
        windows: list[Window] = []

        async def make(look: Look | None = None, path: str = "", **more: Any) -> Window:
            look = look or Look(size=PHONE)
            window = await opened.enter_async_context(open_window(browser, unit.base, look, **more))
            await window.goto(path or unit.path)
            windows.append(window)
            return window

        yield make
        assert [] == [each for window in windows for each in window.complaints]


async def press(page: Page, step: str) -> None:
    await page.locator(f"form[data-step={step}] button").click()


async def state_says(page: Page, words: str) -> None:
    await expect(page.locator("main .told")).to_contain_text(words)


async def moves(unit: OrderUnit, *steps: Move) -> None:
    """The unit answers by radio."""
    order = (await unit.dispatch.orders())[0]
    for step in steps:
        async with unit.dispatch.run.tx(actor="radio") as tx:
            await move_order(tx, order.order_id, step)


async def enabled(page: Page) -> list[str]:
    found: list[str] = await page.eval_on_selector_all(
        "form[data-step]",
        "all => all.filter(f => !f.querySelector('button').disabled).map(f => f.dataset.step)",
    )
    return found


async def test_four_large_buttons_in_their_order_and_only_the_next_one_can_be_pressed(opens: Opens) -> None:
    page = (await opens()).page

    boxes = [await each.bounding_box() for each in await page.locator("form[data-step] button").all()]

    assert 4 == len(boxes)
    assert all(box is not None and box["height"] >= 56 and box["width"] >= 300 for box in boxes)
    assert all(box is not None and box["y"] + box["height"] <= PHONE[1] for box in boxes), (
        "Without scrolling."
    )
    assert ["accept"] == await enabled(page)


async def test_a_tick_comes_with_the_servers_answer_and_the_next_step_with_it(
    opens: Opens, unit: OrderUnit
) -> None:
    page = (await opens()).page
    before = await page.locator("main .told").inner_text()

    await press(page, "accept")
    await state_says(page, f"{TICK} 已接令")

    assert TICK not in before
    assert ["in-position"] == await enabled(page)
    assert 1 == len(await unit.dispatch.said(OrderAccepted))


async def test_without_a_signal_steps_wait_in_sight_and_go_by_themselves_in_their_order(
    opens: Opens, unit: OrderUnit
) -> None:
    window = await opens()
    window.expects.append("ERR_INTERNET_DISCONNECTED")
    page = window.page

    await window.context.set_offline(True)
    await press(page, "accept")
    await press(page, "in-position")
    await expect(page.locator(WAITS)).to_contain_text("未发送 2 条")
    seen_without = await page.locator("main .told").inner_text()
    next_without = await enabled(page)
    heard_without = unit.counter.presses()
    await window.context.set_offline(False)
    await state_says(page, f"{TICK} 已到位")

    assert (TICK in seen_without, [], ["nothing-seen", "intercepted"]) == (False, heard_without, next_without)
    assert ["accept", "in-position"] == unit.counter.presses()
    await expect(page.locator(WAITS)).to_be_hidden()
    assert 1 == len(await unit.dispatch.said(UnitInPosition))


async def test_a_press_whose_answer_was_lost_is_sent_again_and_is_one_fact(
    opens: Opens, unit: OrderUnit
) -> None:
    window = await opens()
    window.expects.append("502")
    unit.counter.loses_answers = 1

    await press(window.page, "accept")
    await state_says(window.page, f"{TICK} 已接令")

    assert ["accept", "accept"] == unit.counter.presses()
    assert 1 == len(await unit.dispatch.said(OrderAccepted))


async def test_what_waits_outlives_the_page(opens: Opens, unit: OrderUnit) -> None:
    """The phone is put away without a signal; whoever opens the link again finds it sent."""
    window = await opens()
    window.expects.append("ERR_INTERNET_DISCONNECTED")
    await window.context.set_offline(True)
    await press(window.page, "accept")
    await expect(window.page.locator(WAITS)).to_be_visible()

    await window.page.close()
    await window.context.set_offline(False)
    again = await window.context.new_page()
    await again.goto(unit.base + unit.path)
    await state_says(again, f"{TICK} 已接令")

    assert "[]" == await again.evaluate("JSON.stringify(Object.keys(localStorage))"), (
        "Nothing stays on the phone."
    )


async def test_intercepted_asks_for_a_second_tap_and_another_touch_takes_the_first_back(
    opens: Opens, unit: OrderUnit
) -> None:
    page = (await opens()).page
    for step, words in (("accept", "已接令"), ("in-position", "已到位")):
        await press(page, step)
        await state_says(page, words)

    await press(page, "intercepted")
    await page.locator("h1").click()
    await press(page, "intercepted")
    reported_before = await unit.dispatch.said(CheckpointReported)
    await expect(page.get_by_text("再按一次")).to_be_visible()
    await press(page, "intercepted")
    await state_says(page, f"{TICK} 已拦截")

    assert [] == reported_before
    assert ["intercepted"] == [fact.outcome for fact in await unit.dispatch.said(CheckpointReported)]


async def test_all_of_it_works_by_keyboard(opens: Opens, unit: OrderUnit) -> None:
    page = (await opens(Look(size=DESK))).page
    for words in ("已接令", "已到位"):
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await state_says(page, words)

    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Escape")
    await expect(page.get_by_text("再按一次")).to_be_hidden()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await state_says(page, "已拦截")


async def test_without_javascript_the_order_is_lived_to_its_end(opens: Opens, unit: OrderUnit) -> None:
    page = (await opens(scripts=False)).page
    for step in ("accept", "in-position", "nothing-seen", "intercepted"):
        await press(page, step)

    reported_before = [fact.outcome for fact in await unit.dispatch.said(CheckpointReported)]
    await page.get_by_role("button", name="确认").click()
    await state_says(page, f"{TICK} 已拦截")

    assert ["nothing_seen"] == reported_before, "The question alone changes nothing."
    assert 2 == len(await unit.dispatch.said(CheckpointReported))


async def test_an_open_page_hears_of_the_end_and_says_thank_you(opens: Opens, unit: OrderUnit) -> None:
    window = await opens()
    await window.page.clock.install()
    await window.page.reload()
    await unit.dispatch.hears(stood_down())

    await window.page.clock.fast_forward(21_000)
    await window.page.get_by_role("button", name="收到解除").click()
    await state_says(window.page, "解除已确认")

    await expect(window.page.get_by_text("辛苦了")).to_be_visible()
    assert 1 == len(await unit.dispatch.said(StandDownAcknowledged))


async def test_a_page_without_a_signal_says_as_of_when_it_is(opens: Opens) -> None:
    window = await opens()
    window.expects.append("ERR_INTERNET_DISCONNECTED")
    await window.page.clock.install()
    await window.page.reload()

    await window.context.set_offline(True)
    await window.page.clock.fast_forward(21_000)

    await expect(window.page.locator("#signal [data-line=lost]")).to_contain_text("没有信号")
    await expect(window.page.locator("main .told")).to_be_visible()


@pytest.mark.parametrize("moment", ["issued", "refused", "in_position", "sure", "over", "no_order"])
async def test_every_state_of_the_page_is_accessible(opens: Opens, unit: OrderUnit, moment: str) -> None:
    if moment in ("in_position", "sure"):
        await moves(unit, "accepted", "in_position")
    if moment == "over":
        await unit.dispatch.hears(stood_down())
    path = {
        "sure": f"{unit.path}/intercepted",
        "refused": f"{unit.path}/intercepted",
        "no_order": "/o/x",
    }.get(moment, "")
    window = await opens(path=path)
    window.expects += ["409", "404"]

    assert {} == await window.wrong_in_every_look()
