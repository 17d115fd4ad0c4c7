"""The harness itself: it hears what a page must never do, and shows Chinese on a machine without such fonts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import Browser

from harness import chromium
from harness.browser import open_window
from harness.chromium import SETTING, NoBrowser

BASE = "http://127.0.0.1:9"


async def test_a_request_to_another_host_is_heard_and_gets_nowhere(browser: Browser) -> None:
    async with open_window(browser, BASE) as window:
        await window.page.set_content('<img src="http://photos.example.org/x.png" alt="">')
        await window.page.wait_for_function("document.images[0].complete")

        width = await window.page.evaluate("document.images[0].naturalWidth")

        assert 0 == width
        assert any("another host: http://photos.example.org/x.png" in each for each in window.complaints)


async def test_a_failing_script_is_heard(browser: Browser) -> None:
    async with open_window(browser, BASE) as window:
        await window.page.set_content("<script>throw new Error('broken on purpose')</script>")

        assert any("broken on purpose" in each for each in window.complaints)


async def test_what_a_test_expects_is_no_complaint(browser: Browser) -> None:
    async with open_window(browser, BASE) as window:
        window.expects.append("broken on purpose")
        await window.page.set_content("<script>throw new Error('broken on purpose')</script>")

        assert [] == window.complaints


async def test_axe_finds_a_field_without_a_label(browser: Browser) -> None:
    async with open_window(browser, BASE) as window:
        await window.page.set_content("<main><h1>x</h1><input type=text></main>")

        assert any(each.startswith("label:") for each in await window.axe())


async def test_what_is_wrong_in_one_look_only_is_found_there(browser: Browser) -> None:
    pale_by_night = "@media (prefers-color-scheme: dark) { p { color: #777; background: #666 } }"
    wide_on_phones = "@media (width < 600px) { p { width: 700px } }"
    async with open_window(browser, BASE) as window:
        await window.page.set_content(
            f"<!doctype html><html lang=en><title>x</title><style>{pale_by_night}{wide_on_phones}</style>"
            "<main><h1>x</h1><p>pale and wide</p></main>"
        )

        found = await window.wrong_in_every_look()

    said = {look: [line.split(":")[0] for line in lines] for look, lines in found.items()}
    pale, wide = "color-contrast", "the page is wider than the screen"
    assert {"1366 px, dark", "360 px, light", "360 px, dark"} == {
        look.removeprefix("blank ") for look in said
    }
    assert [pale] == said["blank 1366 px, dark"]
    assert wide == said["blank 360 px, light"][0]
    assert [pale, wide] == said["blank 360 px, dark"][:2]


async def test_chinese_is_drawn_with_the_font_of_the_product(browser: Browser) -> None:
    async with open_window(browser, BASE) as window:
        await window.page.set_content('<p lang="zh-CN">归途 云阳县</p>')
        devtools = await window.context.new_cdp_session(window.page)
        for domain in ("DOM", "CSS"):
            await devtools.send(f"{domain}.enable")
        root = (await devtools.send("DOM.getDocument"))["root"]["nodeId"]
        text = await devtools.send("DOM.querySelector", {"nodeId": root, "selector": "p"})

        used = await devtools.send("CSS.getPlatformFontsForNode", {"nodeId": text["nodeId"]})

        assert any("Noto Sans SC" in font["familyName"] for font in used["fonts"]), used


def test_a_setting_that_names_no_program_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(SETTING, str(tmp_path / "nothing"))

    with pytest.raises(NoBrowser, match="Mend: "):
        chromium.find()


def test_a_named_browser_is_taken_before_those_of_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = tmp_path / "own-browser"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    monkeypatch.setenv(SETTING, str(own))

    assert own == chromium.find()


def test_without_a_browser_the_skip_says_how_to_mend_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(SETTING, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert os.environ["PATH"] == str(tmp_path)

    with pytest.raises(NoBrowser, match="apt install chromium"):
        chromium.find_or_install()
