"""Raising an alert in a real browser: by keyboard alone, through reloads, without a network, without scripts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Route, expect

from demo.cast import Cast
from harness.browser import LANGUAGES, PHONE, Look, Window

pytestmark = pytest.mark.timeout(180)
LOOKS = "红色羽绒服,蓝色书包"
KEYSTROKES_MAX = 25
SIZES = ((360, 768), (768, 768), (1366, 768))


class Typist:
    """Counts keys; the words themselves are counted apart."""

    def __init__(self, window: Window) -> None:
        self.page = window.page
        self.keys = 0
        self.letters = 0

    async def presses(self, *names: str) -> None:
        """Keys that command; a chord is as many keys as it has."""
        for name in names:
            self.keys += len(name.split("+"))
            await self.page.keyboard.press(name)

    async def types(self, text: str) -> None:
        """Words that nobody can save."""
        self.letters += len(text)
        await self.page.keyboard.type(text)


async def fills_in(window: Window, place: str = "yykyzx", age: str = "6", looks: str = LOOKS) -> None:
    """As with a mouse, and quickly."""
    page = window.page
    await page.fill("#f-place", place)
    await page.locator("#place-list [role=option]").first.wait_for()
    await page.press("#f-place", "Enter")
    await page.check("input[name=sex][value=female]")
    await page.fill("#f-age_years", age)
    await page.fill("#f-appearance", looks)


async def raised_code(window: Window) -> str:
    """Wait for the page that says so; returns the case's code."""
    await window.page.wait_for_url("**/alerts/raised/*")
    heading = await window.page.inner_text("h1")
    return re.findall(r"[A-Z]{2}-\d+", heading)[0]


async def stored(window: Window) -> str:
    """Everything that the browser remembers of alerts."""
    return str(await window.page.evaluate("JSON.stringify({...localStorage})"))


async def test_an_alert_is_raised_by_keyboard_alone_with_few_keys(window: Any, cast: Cast) -> None:
    desk = await window("operator")
    await desk.goto("/keys")
    typist = Typist(desk)

    await typist.presses("n")
    await expect(desk.page.locator("#f-place")).to_be_focused()
    await typist.types("yykyzx")
    await desk.page.locator("#place-list [role=option]").first.wait_for()
    await typist.presses("Tab", "Tab", "Tab", "Space", "Tab")
    await typist.presses("6", "Tab")
    await typist.types(LOOKS)
    await typist.presses("Control+Enter")
    code = await raised_code(desk)

    cases = {each["case_code"]: each for each in await cast.command_centre.open_cases()}
    assert (LOOKS, 6, "female") == tuple(cases[code]["child"][n] for n in ("appearance", "age_years", "sex"))
    assert "云阳客运中心" == cases[code]["last_seen_place"]["name"]
    assert typist.keys + len("yykyzx") <= KEYSTROKES_MAX


async def test_z_takes_it_back_and_whoever_was_told_hears_that_it_is_over(window: Any, cast: Cast) -> None:
    desk = await window("operator", Look("en"))
    await desk.goto("/alerts/new")
    await fills_in(desk)
    await desk.page.press("#f-appearance", "Control+Enter")
    code = await raised_code(desk)

    await desk.page.keyboard.press("z")
    await expect(desk.page.locator("h1")).to_have_text(f"Alert {code} is stood down")

    case = next(each for each in await cast.command_centre.cases() if each["case_code"] == code)
    assert "false_alarm" == case["outcome"]


async def test_the_preview_shows_orders_sites_texts_and_who_may_be_the_same_child(
    window: Any, cast: Cast
) -> None:
    first = await cast.command_centre.raises_alert(cast.book.site("Yunyang coach centre"), minutes_ago=30)
    desk = await window("operator", Look("en"))
    await desk.goto("/alerts/new")

    await fills_in(desk)

    preview = desk.page.locator("#preview")
    await expect(preview.locator(".like")).to_contain_text(first.code)
    await expect(preview).to_contain_text("units are ordered to checkpoints")
    await expect(preview).to_contain_text("sites get a notice, within 100 km")
    await expect(preview.locator(".sms blockquote").first).to_contain_text("红色羽绒服")
    await expect(preview).to_contain_text("SMS segments: 1")
    assert 1 == len(await cast.command_centre.open_cases())


async def test_what_was_typed_survives_a_reload_and_the_family_is_not_remembered(window: Any) -> None:
    desk = await window("operator")
    await desk.goto("/alerts/new")
    await fills_in(desk)
    await desk.page.locator("#more summary").click()
    await desk.page.fill("#f-child_name", "某某")
    await desk.page.fill("#f-phones", "+12025550123")

    await desk.page.reload()

    await expect(desk.page.locator("#f-appearance")).to_have_value(LOOKS)
    await expect(desk.page.locator("#f-place")).to_have_value("云阳客运中心")
    await expect(desk.page.locator("#f-child_name")).to_have_value("")
    remembered = await stored(desk)
    assert LOOKS in remembered
    assert "某某" not in remembered
    assert "1202" not in remembered


async def test_the_draft_of_one_person_is_not_shown_to_another(window: Any, stack: Any) -> None:
    desk = await window("operator")
    await desk.goto("/alerts/new")
    await fills_in(desk)
    await expect(desk.page.locator("#draft")).not_to_be_empty()

    await desk.log_in(stack.settings, "operator", who="operator-2")
    await desk.goto("/alerts/new")

    await expect(desk.page.locator("#f-place")).to_be_focused()
    await expect(desk.page.locator("#f-appearance")).to_have_value("")


async def test_without_a_network_the_alert_is_kept_shown_as_not_sent_and_sent_once(
    window: Any, cast: Cast
) -> None:
    desk = await window("operator", Look("en"))
    desk.expects += ["ERR_INTERNET_DISCONNECTED", "ERR_FAILED", "Failed to fetch"]
    await desk.goto("/alerts/new")
    await desk.page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    await fills_in(desk)
    await desk.context.set_offline(True)

    await desk.page.press("#f-appearance", "Control+Enter")
    unsent = desk.page.locator("#unsent")
    await expect(unsent).to_contain_text("NOT SENT")
    await expect(unsent).to_contain_text("raise it by phone: 110")
    assert [] == await cast.command_centre.open_cases()
    await desk.page.reload()
    await expect(desk.page.locator("#unsent")).to_contain_text("NOT SENT")
    await desk.page.fill("#f-place", "yunyangzhen")
    await expect(desk.page.locator("#place-list [role=option]").first).to_contain_text("Yunyang")
    await desk.context.set_offline(False)

    await expect(desk.page.locator("#unsent .badge.good")).to_have_text("Sent")
    cases = await cast.command_centre.open_cases()
    assert [LOOKS] == [each["child"]["appearance"] for each in cases]
    assert "guitu.raise.unsent" not in await stored(desk)


async def test_an_alert_whose_answer_was_lost_is_found_again_and_not_called_unsent(
    window: Any, cast: Cast
) -> None:
    desk = await window("operator", Look("en"))
    desk.expects += ["ERR_FAILED", "422"]
    await desk.goto("/alerts/new")
    await fills_in(desk)
    await desk.page.locator("#more summary").click()
    await desk.page.fill("#f-child_name", "某某")
    arrived: list[int] = []

    async def lose_the_first_answer(route: Route) -> None:
        if route.request.method == "POST" and not arrived:
            arrived.append((await route.fetch()).status)
            await route.abort()
        else:
            await route.continue_()

    await desk.page.route("**/alerts/new", lose_the_first_answer)
    await desk.page.press("#f-appearance", "Control+Enter")

    await expect(desk.page.locator("#unsent .badge.good")).to_have_text("Sent")
    [case] = await cast.command_centre.open_cases()
    assert [201] == arrived
    await expect(desk.page.locator("#unsent")).to_contain_text("It had arrived the first time")
    await expect(desk.page.locator("#unsent a")).to_have_attribute(
        "href", f"/alerts/raised/{case['case_id']}"
    )
    assert "guitu.raise.unsent" not in await stored(desk)


async def test_what_is_missing_is_said_and_the_cursor_is_there(window: Any) -> None:
    desk = await window("operator", Look("en"))
    desk.expects.append("422")
    await desk.goto("/alerts/new")
    await fills_in(desk, age="")

    await desk.page.press("#f-appearance", "Control+Enter")

    await expect(desk.page.locator("#errors")).to_contain_text("How old?")
    await expect(desk.page.locator("#f-age_years")).to_be_focused()
    await expect(desk.page.locator("#f-appearance")).to_have_value(LOOKS)


async def test_it_is_a_plain_form_where_scripts_are_off(window: Any, cast: Cast) -> None:
    phone = await window("operator", Look(size=PHONE), scripts=False)
    await phone.goto("/alerts/new")
    await phone.page.fill("#f-place", "云阳镇汽车站")
    await phone.page.check("input[name=sex][value=male]")
    await phone.page.fill("#f-age_years", "4")
    await phone.page.fill("#f-appearance", LOOKS)

    await phone.page.click("#look")
    await expect(phone.page.locator("#preview .sms").first).to_be_visible()
    await phone.page.click("#send")

    code = await raised_code(phone)
    assert code in [each["case_code"] for each in await cast.command_centre.open_cases()]


async def test_a_drill_is_started_watched_and_ends_by_itself(window: Any, cast: Cast) -> None:
    desk = await window("case_leader", Look("en"))
    await desk.goto("/drill")
    form = desk.page.locator("form:has(input[value=false-alarm])")
    await form.locator("select").select_option("60")
    await form.locator("button").click()

    await expect(desk.page.locator("#steps .badge").first).to_have_text("Finished", timeout=60_000)

    assert 7 == await desk.page.locator("tbody .badge.good").count()
    assert [] == await cast.command_centre.open_cases()
    assert {True} == {each["exercise"] for each in (await cast.command_centre.cases())[:1]}


async def test_logging_out_leaves_no_draft_and_no_page_behind(window: Any) -> None:
    desk = await window("operator")
    await desk.goto("/alerts/new")
    await desk.page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    await fills_in(desk)
    await expect(desk.page.locator("#draft")).not_to_be_empty()
    await desk.goto("/keys")

    await desk.page.locator('.bar form[action="/logout"] button').click()
    await desk.page.wait_for_url("**/login*")

    assert "guitu.raise" not in await stored(desk)
    assert [] == await desk.page.evaluate("caches.keys()")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_opens_on_these_pages_is_accessible_too(window: Any, cast: Cast, language: Any) -> None:
    """The list of places, errors, the preview, the alert that was raised, a drill that goes on."""
    await cast.command_centre.raises_alert(cast.book.site("Yunyang coach centre"), minutes_ago=30)
    desk = await window("operator", Look(language))
    desk.expects.append("422")
    await desk.goto("/alerts/new")
    await fills_in(desk, age="")
    await desk.page.press("#f-appearance", "Control+Enter")
    await desk.page.locator("#errors").wait_for()
    await desk.page.fill("#f-age_years", "7")
    await desk.page.locator("#preview .like").wait_for()
    await desk.page.locator("#more summary").click()
    await desk.page.fill("#f-place", "yy")
    await desk.page.locator("#place-list [role=option]").first.wait_for()
    found = await desk.wrong_in_every_look(SIZES)

    await desk.page.press("#f-place", "Control+Enter")
    await expect(desk.page.locator("#errors")).to_contain_text(
        "Which of these" if language == "en" else "请选择"
    )
    await desk.page.locator("#place-list [role=option]").first.wait_for()
    await desk.page.press("#f-place", "Enter")
    await desk.page.press("#f-place", "Control+Enter")
    await raised_code(desk)
    found |= await desk.wrong_in_every_look(SIZES)
    await desk.goto("/drill")
    found |= await desk.wrong_in_every_look(SIZES)
    drill = desk.page.locator("form:has(input[value=hotel-tip])")
    await drill.locator("[name=anyway]").check()
    await drill.locator("button").click()
    await desk.page.locator("#steps .badge.good").first.wait_for()
    found |= await desk.wrong_in_every_look(SIZES)
    await desk.page.locator("#stop button").click()

    assert {} == found
