"""The same minutes on phones: a unit and a site of the running system answer with their thumbs."""

from __future__ import annotations

from playwright.async_api import expect

from browser.conftest import OpenWindow
from demo.case import Case
from demo.cast import Cast
from demo.waiting import eventually

STATION = "Yunyang Town bus station"


async def test_a_unit_and_a_site_answer_by_thumb_and_the_board_shows_it(
    window: OpenWindow, phone: OpenWindow, cast: Cast, case: Case
) -> None:
    board = await window("operator")
    await board.goto(f"/cases/{case.case_id}")
    await board.page.wait_for_selector("html[data-ready=board]")
    order = (await cast.command_centre.new_orders(case))[0]
    notice = await cast.terminal(STATION).opens_notice(case)

    unit = await phone((await cast.police.unit_with(case, order)).link)
    for step, said in (("accept", "已接令"), ("in-position", "已到位"), ("nothing-seen", "无异常")):
        await unit.page.locator(f"form[data-step={step}] button").tap()
        await expect(unit.page.locator("main .told")).to_contain_text(said)
    site = await phone(notice.url)
    await site.page.get_by_role("button", name="收到").tap()
    await expect(site.page.locator(".acked")).to_contain_text("已签收")
    await site.page.get_by_text("像这个孩子").tap()
    await site.page.get_by_role("button", name="发送线索").tap()
    await expect(site.page.locator("main .done")).to_contain_text("线索编号")

    row = board.page.locator(f"#order-{order['order_id']}")
    await expect(row).to_have_attribute("data-state", "nothing_seen")
    await expect(board.page.locator("#sightings tr")).to_have_count(1)
    assert await eventually(lambda: acknowledged(cast, case), f"acknowledgement of {case.code}")


async def acknowledged(cast: Cast, case: Case) -> bool:
    """Does the notice's owner know that the site has it?"""
    return any(each["acknowledged_at"] for each in await cast.command_centre.notices(case))
