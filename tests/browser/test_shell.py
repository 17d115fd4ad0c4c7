"""What stands around every page, in a real browser: keys, the banner, a lost line, and the door without scripts."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from browser.conftest import OpenWindow
from console.door.account_cli import new_login_link
from demo.case import Case
from guitu.embedded.trouble import NodeError
from harness.browser import DESK, LANGUAGES, PHONE, Language, Look, Window
from harness.whole_system import Stack

LOOK_AGAIN = "document.dispatchEvent(new Event('visibilitychange'))"


async def looks_again(page: Page) -> None:
    """The bar asks at once, as when somebody comes back to this tab."""
    await page.evaluate(LOOK_AGAIN)


async def test_keys_lead_to_pages_and_are_listed_and_stay_silent_while_somebody_types(
    window: OpenWindow,
) -> None:
    page = (desk := await window("operator", Look("en"))).page
    await desk.goto("/keys")

    await page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    await expect(keys.get_by_role("row", name="Raise an alert")).to_contain_text("n")
    await page.keyboard.press("n")
    await page.keyboard.press("Escape")
    await expect(keys).not_to_be_visible()
    await page.keyboard.press("g")
    await page.keyboard.press("t")
    await page.wait_for_url("**/sites")
    await page.keyboard.press("n")
    await page.wait_for_url("**/alerts/new")
    await page.locator("main input[type=text]").first.focus()
    await page.keyboard.type("g t n ?")

    assert page.url.endswith("/alerts/new")
    await expect(keys).not_to_be_visible()


async def test_the_red_line_shows_open_cases_and_takes_nobodys_keyboard(
    window: OpenWindow, case: Case
) -> None:
    desk = await window("operator")
    await desk.goto("/keys")
    link = desk.page.locator("#banner a", has_text=case.code)
    await expect(link).to_be_visible()
    await link.focus()

    async with desk.page.expect_response("**/banner"):
        await looks_again(desk.page)

    await expect(link).to_be_focused()
    assert f"/cases/{case.case_id}" == await link.get_attribute("href")


async def test_a_lost_line_is_said_and_takes_nothing_away(window: OpenWindow, case: Case) -> None:
    desk = await window("operator", Look("en"))
    desk.expects.append("ERR_INTERNET_DISCONNECTED")
    await desk.goto("/keys")
    banner = desk.page.locator("#banner a", has_text=case.code)
    await expect(desk.page.locator("#age")).to_be_visible()

    await desk.context.set_offline(True)
    for _ in range(2):
        await looks_again(desk.page)
    await expect(desk.page.locator("#lost")).to_contain_text("what you see may be old")
    await expect(banner).to_be_visible()
    await desk.context.set_offline(False)
    await looks_again(desk.page)

    await expect(desk.page.locator("#lost")).to_be_hidden()
    await expect(desk.page.locator("#age")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
async def test_a_login_link_opens_the_door_with_and_without_scripts(
    window: OpenWindow, stack: Stack, scripts: bool
) -> None:
    link = await new_login_link(stack.settings, stack.urls["console"], "auditor")
    phone = await window(None, Look("en", size=PHONE), scripts=scripts)
    await phone.goto(link)

    await phone.page.get_by_role("button", name="Log in").click()
    await phone.page.wait_for_url("**/audit*")
    await phone.page.get_by_role("button", name="Log out").click()

    await phone.page.wait_for_url("**/login*")
    phone.expects.append("410")
    assert 410 == (await phone.goto(link)).status


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", [PHONE, DESK], ids=str)
async def test_the_door_can_be_used_by_everybody(
    window: OpenWindow, size: tuple[int, int], language: Language
) -> None:
    """A real phone here: it has touch, and takes the width that the page asks for."""
    door: Window = await window(None, Look(language, size=size))

    await door.goto("/login")

    assert {} == await door.wrong_in_every_look([size])


async def test_a_node_with_an_issuer_makes_no_login_links(stack: Stack) -> None:
    with_issuer = stack.settings.model_copy(update={"oidc_issuer": "https://issuer.example"})

    with pytest.raises(NodeError, match="log in by the issuer"):
        await new_login_link(with_issuer, "http://console.test", "operator")
