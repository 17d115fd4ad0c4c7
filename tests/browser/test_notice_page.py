"""The notice page on a phone of a bus station: first screen, bad line, no signal, no JavaScript, the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from contracts.notice import NoticeAcknowledged, NoticeOpened
from contracts.sighting import SightingReported, spoken_number
from guitu.service import Runtime
from harness.browser import PHONE, Look, Window, open_window
from harness.ground import facts, react
from harness.notice_stories import stood_down
from harness.phone_pages import NoticeSite, notice_site
from notifications.agents import REACTIONS

ACK, REPORT = "收到", "发送线索"
WAITS = "#signal [data-line=waiting]"
BYTES_MAX = 25_000
Opens = Callable[..., Awaitable[Window]]
RuntimeFor = Callable[[str], Awaitable[Runtime]]


@pytest_asyncio.fixture
async def site(runtime_for: RuntimeFor) -> AsyncIterator[NoticeSite]:
    async with notice_site(await runtime_for("notifications")) as told:
        yield told


@pytest_asyncio.fixture
async def opens(site: NoticeSite, browser: Browser) -> AsyncIterator[Opens]:
    """`await opens()`: the phone of the station with the notice on it; at the end no page may have complained."""
    async with AsyncExitStack() as opened:
        windows: list[Window] = []

        async def make(look: Look | None = None, path: str = "", **more: Any) -> Window:
            look = look or Look(size=PHONE)
            window = await opened.enter_async_context(open_window(browser, site.base, look, **more))
            await window.goto(path or site.path)
            windows.append(window)
            return window

        yield make
        assert [] == [each for window in windows for each in window.complaints]


async def test_photo_what_to_do_and_both_buttons_are_on_the_first_screen(opens: Opens) -> None:
    page = (await opens()).page

    photo = await page.locator("img").bounding_box()
    call = await page.locator(".call").bounding_box()
    buttons = [await each.bounding_box() for each in await page.locator(".bar button, .bar a").all()]

    assert photo is not None
    assert call is not None
    assert photo["height"] <= 0.45 * PHONE[1]
    assert call["y"] + call["height"] <= PHONE[1]
    assert 2 == len(buttons)
    assert all(box and box["height"] >= 56 and box["y"] + box["height"] <= PHONE[1] for box in buttons)
    assert await page.evaluate("document.querySelector('img').naturalWidth > 0")


async def test_the_page_with_photo_and_script_fits_into_25_kilobytes_on_the_wire(
    opens: Opens, site: NoticeSite
) -> None:
    window = await opens(path="/n/none")
    window.expects.append("404")
    counted: list[float] = []
    line = await window.context.new_cdp_session(window.page)
    await line.send("Network.enable")
    await line.send("Network.setCacheDisabled", {"cacheDisabled": True})
    line.on("Network.loadingFinished", lambda event: counted.append(event["encodedDataLength"]))

    await window.goto(site.path)
    await window.page.wait_for_function("document.querySelector('img').complete")

    assert 3 == len([each for each in counted if each]), "Page, script, photo; nothing else is asked for."
    assert sum(counted) <= BYTES_MAX


async def test_a_person_who_opens_it_is_heard_once_and_has_not_acknowledged(
    opens: Opens, site: NoticeSite
) -> None:
    window = await opens()
    await window.page.reload()

    assert 1 == len(await facts(site.watch.run, NoticeOpened))
    assert [] == await facts(site.watch.run, NoticeAcknowledged)


async def test_one_press_acknowledges_and_the_tick_is_the_servers(opens: Opens, site: NoticeSite) -> None:
    page = (await opens()).page

    await page.get_by_role("button", name=ACK).click()
    await expect(page.locator(".acked")).to_contain_text("✓ 已签收")

    assert 1 == len(await facts(site.watch.run, NoticeAcknowledged))
    assert 1 == site.counter.heard.count("GET photo"), "On a slow line the photo is not fetched again."


async def test_without_a_signal_what_was_told_waits_and_its_time_counts_from_the_press(
    opens: Opens, site: NoticeSite
) -> None:
    window = await opens()
    window.expects.append("ERR_INTERNET_DISCONNECTED")
    page = window.page
    await page.clock.install()
    await page.reload()

    await window.context.set_offline(True)
    await page.get_by_role("button", name=ACK).click()
    await page.get_by_text("可疑车辆").click()
    await page.get_by_label("15分钟前").check()
    await page.get_by_role("button", name=REPORT).click()
    await expect(page.locator(WAITS)).to_contain_text("未发送 2 条")
    heard_without = site.counter.presses()
    await page.clock.fast_forward(600_000)
    await window.context.set_offline(False)
    await page.clock.fast_forward(40_000)
    await expect(page.locator("main .done")).to_contain_text("线索编号")

    [sighting] = await facts(site.watch.run, SightingReported)
    ago = site.watch.run.clock.now() - sighting.seen_at
    assert [] == heard_without
    assert timedelta(minutes=25) <= ago <= timedelta(minutes=26)
    assert spoken_number(sighting.sighting_id) in await page.locator("main .done").inner_text()
    await expect(page.locator(WAITS)).to_be_hidden()


async def test_a_sighting_whose_answer_was_lost_is_one_sighting(opens: Opens, site: NoticeSite) -> None:
    window = await opens()
    window.expects.append("502")
    site.counter.loses_answers = 1

    await window.page.get_by_text("像这个孩子").click()
    await window.page.get_by_role("button", name=REPORT).click()
    await expect(window.page.locator("main .done")).to_contain_text("线索编号")

    assert ["sighting", "sighting"] == site.counter.presses()
    assert 1 == len(await facts(site.watch.run, SightingReported))


async def test_what_is_being_typed_outlives_another_press(opens: Opens) -> None:
    page = (await opens()).page
    await page.locator("#note").fill("穿红衣,往码头")
    await page.get_by_text("像这个孩子").click()

    await page.get_by_role("button", name=ACK).click()
    await expect(page.locator(".acked")).to_be_visible()

    assert "穿红衣,往码头" == await page.locator("#note").input_value()
    assert await page.locator("input[value=child]").is_checked()


async def test_an_empty_sighting_is_refused_in_words(opens: Opens) -> None:
    window = await opens()
    window.expects.append("422")

    await window.page.get_by_role("button", name=REPORT).click()

    await expect(window.page.get_by_role("alert")).to_contain_text("请点选或写下看到了什么")


async def test_without_javascript_everything_is_done_by_plain_forms(opens: Opens, site: NoticeSite) -> None:
    page = (await opens(scripts=False)).page

    await page.get_by_role("button", name=ACK).click()
    await page.get_by_role("link", name="发现疑似").click()
    await page.get_by_label("可疑成人").check()
    await page.locator("#note").fill("抱着孩子上了船")
    await page.get_by_role("button", name=REPORT).click()

    [sighting] = await facts(site.watch.run, SightingReported)
    await expect(page.locator("main .done")).to_contain_text(spoken_number(sighting.sighting_id))
    assert "可疑成人：抱着孩子上了船" == sighting.note
    assert 1 == len(await facts(site.watch.run, NoticeAcknowledged))


async def test_an_open_page_turns_to_thank_you_and_the_photo_is_gone(opens: Opens, site: NoticeSite) -> None:
    window = await opens()
    await window.page.clock.install()
    await window.page.reload()
    await react(site.watch.run, REACTIONS, stood_down(site.watch.run.clock.now()))

    await window.page.clock.fast_forward(61_000)

    await expect(window.page.get_by_text("感谢您的协助")).to_be_visible()
    await expect(window.page.locator("img")).to_have_count(0)
    gone = await window.context.request.get(f"{site.base}{site.path}/photo")
    assert 410 == gone.status


@pytest.mark.parametrize("moment", ["told", "refused", "sighting", "over", "none"])
async def test_every_state_of_the_page_is_accessible(opens: Opens, site: NoticeSite, moment: str) -> None:
    if moment == "over":
        await react(site.watch.run, REACTIONS, stood_down(site.watch.run.clock.now()))
    window = await opens(path="/n/none" if moment == "none" else "")
    window.expects += ["404", "422"]
    if moment in ("refused", "sighting"):
        if moment == "sighting":
            await window.page.get_by_text("像这个孩子").click()
        await window.page.get_by_role("button", name=REPORT).click()
        await window.page.locator("main [tabindex]").wait_for()

    assert {} == await window.wrong_in_every_look()
