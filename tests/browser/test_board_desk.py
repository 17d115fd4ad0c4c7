"""Working at the live board: by keyboard, from a row, on the map beside the tables, and without JavaScript."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from browser.conftest import OpenWindow
from demo.case import Case
from harness.board_facts import checkpoints
from harness.browser import DESK, LANGUAGES, Language, Look
from harness.whole_system import Stack

READY = "document.documentElement.dataset.ready"
ROWS_SEEN, MAP_SEEN_PX = 3, 300
READ_ANEW = """async () => {
    const board = document.querySelector('script[src$="/board.mjs"]').src;
    const { swapBoard } = await import(board.replace("board.mjs", "board_rows.mjs"));
    const page = await (await fetch(location.pathname)).text();
    swapBoard(new DOMParser().parseFromString(page, "text/html"));
}"""
CHOSEN = "document.querySelector('#panes tr.chosen')?.id"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_desk_shows_the_worst_orders_and_the_map_without_scrolling(
    window: OpenWindow, case: Case, language: Language
) -> None:
    desk = await window("operator", Look(language))
    await desk.goto(f"/cases/{case.case_id}")
    await desk.page.wait_for_function(READY)

    ends = await desk.page.eval_on_selector_all(
        "#orders tr", "rows => rows.map(row => row.getBoundingClientRect().bottom)"
    )
    map_top = await desk.page.eval_on_selector("#map", "map => map.getBoundingClientRect().top")

    assert ends[ROWS_SEEN - 1] <= DESK[1]
    assert DESK[1] - map_top >= MAP_SEEN_PX


async def test_a_row_is_found_opened_and_answered_without_a_mouse(window: OpenWindow, case: Case) -> None:
    desk = await window("operator", Look("en"))
    await desk.goto(f"/cases/{case.case_id}")
    await desk.page.wait_for_function(READY)

    await press(desk.page, "j", "j", "k", "Enter")
    chosen = str(await desk.page.evaluate(CHOSEN))
    await expect(desk.page.locator("#detail")).to_be_visible()
    await expect(desk.page.locator("#detail button:focus")).to_have_text("Accepted")
    await press(desk.page, "Enter")

    await expect(desk.page.locator(f"#{chosen}")).to_have_attribute("data-state", "accepted")
    await expect(desk.page.locator("#detail")).to_be_hidden()
    await expect(desk.page.locator("#said")).to_contain_text("The unit's answer was entered.")
    await expect(desk.page.locator(f"#{chosen} a.opens")).to_be_focused()


async def test_focus_comes_back_to_a_row_that_was_drawn_anew_meanwhile(
    window: OpenWindow, case: Case, stack: Stack
) -> None:
    desk = await window("operator", Look("en"))
    async with checkpoints(stack.settings, case.case_id, case.code, 1) as gates:
        await desk.goto(f"/cases/{case.case_id}")
        await desk.page.wait_for_function(READY)
        await gates.are_ordered()
        row = desk.page.locator(f"#{gates.steps[0].row}")
        await row.locator("a.opens").focus()
        await press(desk.page, "Enter")
        await expect(desk.page.locator("#detail")).to_be_visible()

        await gates.step(0)
        await expect(row).to_have_attribute("data-state", "accepted")
        await press(desk.page, "Escape")
        await expect(row.locator("a.opens")).to_be_focused()

        await desk.page.evaluate(READ_ANEW)
        await expect(row.locator("a.opens")).to_be_focused()


async def test_a_filter_shows_one_state_and_a_changed_row_stays_where_it_is(
    window: OpenWindow, case: Case
) -> None:
    desk = await window("operator")
    await desk.goto(f"/cases/{case.case_id}")
    await desk.page.wait_for_function(READY)
    rows = desk.page.locator("#orders tr")
    all_rows = await rows.count()

    await press(desk.page, "2")
    none_accepted = await rows.locator("visible=true").count()
    await press(desk.page, "2", "1", "j")
    chosen = str(await desk.page.evaluate(CHOSEN))
    await press(desk.page, "Enter")
    await expect(desk.page.locator("#detail button:focus")).to_be_visible()
    await press(desk.page, "Enter")
    await expect(desk.page.locator(f"#{chosen}")).to_have_attribute("data-state", "accepted")

    assert all_rows > 5
    assert 0 == none_accepted
    await expect(desk.page.locator(f"#{chosen}")).to_be_visible()


async def test_the_list_of_keys_names_the_state_that_each_number_shows(
    window: OpenWindow, case: Case
) -> None:
    desk = await window("operator", Look("en"))
    await desk.goto(f"/cases/{case.case_id}")
    await desk.page.wait_for_function(READY)

    await press(desk.page, "?")

    for state in ("Ordered", "In position", "No answer in time"):
        await expect(desk.page.locator("#keys")).to_contain_text(f"Only this state: {state}")


async def test_sending_again_is_two_keys_and_one_message(window: OpenWindow, case: Case) -> None:
    desk = await window("operator")
    await desk.goto(f"/cases/{case.case_id}")
    await desk.page.wait_for_function(READY)
    asked: list[str] = []
    desk.page.on("request", lambda one: asked.append(one.url) if one.method == "POST" else None)

    await press(desk.page, "j", "a")
    await expect(desk.page.locator('#detail form[action$="/resend"] button')).to_be_focused()
    await press(desk.page, "Enter", "Enter")
    await expect(desk.page.locator("#said .done")).to_have_count(1)

    assert 1 == len([url for url in asked if url.endswith("/resend")])


async def test_the_map_shows_the_county_and_says_the_same_in_words(window: OpenWindow, case: Case) -> None:
    desk = await window("operator", Look("en"))
    await desk.goto(f"/cases/{case.case_id}")
    drawn = desk.page.locator("#map canvas")

    await expect(drawn.first).to_be_visible()
    await expect(desk.page.locator("#reach-said")).to_contain_text("they can be in")
    before = await desk.page.locator("#reach-said").inner_text()
    await desk.page.locator("#ahead").fill("60")
    await expect(desk.page.locator("#reach-said")).not_to_have_text(before)
    painted = await desk.page.evaluate(
        """() => [...document.querySelectorAll("#map .leaflet-pane canvas")].map((canvas) => {
            const seen = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            return seen.some((value) => value);
        })"""
    )

    assert 4 == len(painted)
    assert all(painted)


async def test_without_javascript_the_board_is_whole_and_an_order_can_be_moved(
    window: OpenWindow, case: Case
) -> None:
    desk = await window("operator", Look("en"), scripts=False)
    await desk.goto(f"/cases/{case.case_id}")
    orders = await desk.page.locator("#orders tr").count()

    await desk.page.locator("#orders a.opens").first.click()
    await desk.page.get_by_role("button", name="Accepted").click()

    assert orders > 5
    await expect(desk.page.locator(".done")).to_have_text("The unit's answer was entered.")
    await expect(desk.page.locator("#act-stand-down")).to_be_visible()


async def press(page: Page, *keys: str) -> None:
    for key in keys:
        await page.keyboard.press(key)
