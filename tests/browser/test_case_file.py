"""The case file in a real browser: the identity hides itself, sightings are judged by keys, or without JS."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from guitu.auth import mint
from harness.alert_stories import FAMILY_PHONE, SEAT, identity, report_body
from harness.browser import Look, Window
from harness.whole_system import Stack

OpenWindow = Callable[..., Awaitable[Window]]
SHOWN_FOR_S = 60
pytestmark = pytest.mark.timeout(240)


class Desk:
    """The command centre over HTTP, for what a test begins with."""

    def __init__(self, stack: Stack) -> None:
        self._now = datetime.now(UTC)
        token = mint(stack.settings, "desk", "operator", "500235", self._now, timedelta(hours=1))
        self._base, self._headers = stack.urls["alerts"], {"Authorization": f"Bearer {token}"}

    def opens(self, **more: Any) -> str:
        """A case; gives its path in the console."""
        case = self._post("/reports", report_body(self._now - timedelta(minutes=20), **more))
        return f"/cases/{case['case_id']}"

    def hears(self, path: str, note: str) -> None:
        """A sighting."""
        seen = {"seen_at": self._now.isoformat(), "place": SEAT | {"name": "pier"}, "note": note}
        self._post(f"{path}/sightings", seen)

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = self._headers | {"Idempotency-Key": str(uuid4())}
        answer = httpx.post(self._base + path, json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())


async def test_a_revealed_identity_is_out_of_the_page_after_a_minute(
    window: OpenWindow, stack: Stack
) -> None:
    path = Desk(stack).opens(identity=identity() | {"photo_base64": None})
    desk = await window("case_leader", Look("en"))
    await desk.page.clock.install()
    await desk.goto(f"{path}/file")

    await desk.page.click("form.purpose button")
    await desk.page.wait_for_selector(".revealed")
    shown = await desk.page.content()
    await desk.page.clock.fast_forward(SHOWN_FOR_S * 1000)
    await desk.page.wait_for_url(f"**{path}/file")

    assert FAMILY_PHONE in shown
    assert FAMILY_PHONE not in await desk.page.content()


async def test_sightings_are_judged_by_keys_and_stay_under_the_finger(
    window: OpenWindow, stack: Stack
) -> None:
    desk_over_http = Desk(stack)
    path = desk_over_http.opens()
    for note in ("first word", "second word"):
        desk_over_http.hears(path, note)
    desk = await window("operator", Look("en"))
    await desk.goto("/sightings")
    rows = desk.page.locator(f"#triage > li[data-case='{path}']")
    order = await rows.all_inner_texts()

    await rows.nth(0).focus()
    await desk.page.keyboard.press("2")
    await desk.page.wait_for_selector("#said .done")
    await desk.page.keyboard.press("j")
    await desk.page.keyboard.press("3")
    await desk.page.wait_for_selector("#said .done:nth-of-type(2)")

    badges = await rows.locator(".row > span > .badge").all_inner_texts()
    assert ["second word" in order[0], "first word" in order[1]] == [True, True]
    assert badges == ["Uncertain", "Refuted"]


async def test_without_javascript_notes_are_written_and_sightings_judged(
    window: OpenWindow, stack: Stack
) -> None:
    desk_over_http = Desk(stack)
    path = desk_over_http.opens()
    desk_over_http.hears(path, "a word")
    desk = await window("operator", Look("en"), scripts=False)

    await desk.goto(f"{path}/file")
    await desk.page.fill("#note-words", "told by hand")
    await desk.page.click("form[action$='/notes'] button")
    written = await desk.page.inner_text(".notes")
    await desk.goto("/sightings")
    await desk.page.click(f"#triage > li[data-case='{path}'] button[value=credible]")

    assert "told by hand" in written
    assert "The sighting was judged." in await desk.page.inner_text("main")
    assert await desk.page.locator(f"#triage > li[data-case='{path}']").count() == 0
