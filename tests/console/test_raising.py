"""Raising an alert over HTTP: previewed by its owners, sent once with its key, kept when refused, taken back."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from guitu.service import Runtime
from harness.alert_owners import CASE, Owners
from harness.console_http import at_the_desk, csrf_of, submits
from harness.ground import START

RuntimeFor = Callable[[str], Awaitable[Runtime]]
WHOLE = {"place": "云阳客运中心", "sex": "female", "age_years": "6", "appearance": "红色外套", "key": "k-1"}
SCRIPT = {"Accept": "application/json"}
NO = {
    "code": "outside_area",
    "detail": "It is outside the county.",
    "detail_zh": "地点不在本县。",
    "mend": "",
}


async def by_script(http: httpx.AsyncClient, path: str, **fields: Any) -> httpx.Response:
    """As the page's module sends it."""
    headers = SCRIPT | {"X-CSRF": await csrf_of(http)}
    return await http.post(path, data=WHOLE | fields, headers=headers)


async def test_a_plain_form_raises_the_alert_and_leads_to_it(runtime_for: RuntimeFor) -> None:
    owners = Owners(START)
    async with at_the_desk(await runtime_for("console"), owners=owners) as http:
        answer = await submits(http, "/alerts/new", **WHOLE)
        raised = await http.get(answer.headers["location"])

    assert (303, f"/alerts/raised/{CASE}") == (answer.status_code, answer.headers["location"])
    assert ["k-1"] == list(owners.raised)
    assert {"lon": 108.706, "lat": 30.93} == owners.raised["k-1"]["last_seen_place"]["position"]
    assert "CY-0001" in raised.text


async def test_every_empty_form_has_a_key_of_its_own(runtime_for: RuntimeFor) -> None:
    async with at_the_desk(await runtime_for("console"), owners=Owners(START)) as http:
        pages = [(await http.get("/alerts/new")).text for _ in range(2)]

    keys = {re.findall(r'name="key" value="([^"]+)"', page)[0] for page in pages}
    assert 2 == len(keys)


async def test_a_waiting_alert_is_sent_again_with_the_same_key_and_the_same_words(
    runtime_for: RuntimeFor,
) -> None:
    run, owners = await runtime_for("console"), Owners(START, away={"/reports"})
    async with at_the_desk(run, owners=owners) as http:
        seen = {"seen_at": "2026-03-01T05:40:00Z"}
        lost = await by_script(http, "/alerts/new", **seen)
        owners.away.clear()
        run.clock.advance(minutes=7)  # type: ignore[attr-defined]
        twice = [await by_script(http, "/alerts/new", **seen) for _ in range(2)]

    assert (503, "owner_away") == (lost.status_code, lost.json()["code"])
    assert [201, 201] == [answer.status_code for answer in twice]
    first, second = owners.bodies("/reports")
    assert first == second
    assert 1 == len(owners.raised)


async def test_what_is_missing_is_said_beside_the_field_and_nothing_typed_is_lost(
    runtime_for: RuntimeFor,
) -> None:
    owners = Owners(START)
    async with at_the_desk(await runtime_for("console"), owners=owners) as http:
        page = await submits(http, "/alerts/new", **(WHOLE | {"age_years": "x", "note": "小心"}))
        told = await by_script(http, "/alerts/new", age_years="x")

    assert 422 == page.status_code
    assert 'href="#f-age_years"' in page.text
    assert all(said in page.text for said in ("云阳客运中心", "红色外套", "小心", 'value="k-1"'))
    assert ["age_years"] == [each["field"] for each in told.json()["fields"]]
    assert [] == owners.bodies("/reports")


async def test_a_refusal_of_alerts_is_said_and_keeps_form_and_key(runtime_for: RuntimeFor) -> None:
    owners = Owners(START, refuses={"/reports": (422, NO)})
    async with at_the_desk(await runtime_for("console"), owners=owners) as http:
        page = await submits(http, "/alerts/new", **WHOLE)
        told = await by_script(http, "/alerts/new")

    assert 422 == page.status_code
    assert all(said in page.text for said in ("地点不在本县", "红色外套", 'value="k-1"'))
    assert "outside_area" == told.json()["code"]


async def test_a_name_that_fits_several_places_becomes_a_choice_without_script(
    runtime_for: RuntimeFor,
) -> None:
    owners = Owners(START)
    async with at_the_desk(await runtime_for("console"), owners=owners) as http:
        asked = await submits(http, "/alerts/new", **(WHOLE | {"place": "ping"}))
        key = re.findall(r'name="place_key" value="([^"]+)"', asked.text)[0]
        chosen = await submits(http, "/alerts/new", **(WHOLE | {"place": "ping", "place_key": key}))

    assert (422, 303) == (asked.status_code, chosen.status_code)


async def test_the_preview_tells_orders_exits_sites_and_the_text(runtime_for: RuntimeFor) -> None:
    owners = Owners(START, duplicates=[{"case_id": CASE, "case_code": "CY-0007", "score": 0.93}])
    async with at_the_desk(await runtime_for("console"), owners=owners, language="en") as http:
        html = (await by_script(http, "/alerts/preview")).json()["html"]

    assert {"/plans/preview", "/reports/preview", "/notices/preview"} <= {path for path, _ in owners.asked}
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
    for said in ("2 units are ordered", "Exits closed: 4", "Exits open: 1", "G42 to Wanzhou", "37 sites"):
        assert said in words
    assert "That is the first plan." in words
    assert "协查:女6岁红衣,云阳客运中心" in words
    assert "SMS segments: 1" in words
    assert "CY-0007 93 % alike" in words
    assert "Bayang toll gate 14:05 · perhaps too late" in words


async def test_a_preview_changes_nothing_and_sends_no_photo_and_no_phone(runtime_for: RuntimeFor) -> None:
    owners = Owners(START)
    async with at_the_desk(await runtime_for("console"), owners=owners) as http:
        headers = SCRIPT | {"X-CSRF": await csrf_of(http)}
        family = {"child_name": "某某", "phones": "+12025550123"}
        photo = {"photo": ("a.jpg", b"\xff\xd8\xff\xe0", "image/jpeg")}
        await http.post("/alerts/preview", data=WHOLE | family, files=photo, headers=headers)

    assert {} == owners.raised
    assert {"child_name": "某某"} == owners.bodies("/reports/preview")[0]["identity"]
    assert not [body for path, body in owners.asked if path != "/reports/preview" and "某某" in str(body)]
    assert "+1202" not in str(owners.asked)


@pytest.mark.parametrize("away", ["/plans/preview", "/reports/preview", "/notices/preview"])
async def test_an_owner_that_is_away_leaves_out_its_part_and_says_so(
    runtime_for: RuntimeFor, away: str
) -> None:
    owners = Owners(START, away={away})
    async with at_the_desk(await runtime_for("console"), owners=owners, language="en") as http:
        html = (await by_script(http, "/alerts/preview")).json()["html"]

    assert 1 == html.count("does not answer")
    assert ("units are ordered" in html) == (away != "/plans/preview")
    assert ("sites get a notice" in html) == (away == "/plans/preview")


async def test_before_the_age_is_known_the_orders_are_shown_and_the_rest_waits(
    runtime_for: RuntimeFor,
) -> None:
    owners = Owners(START)
    async with at_the_desk(await runtime_for("console"), owners=owners, language="en") as http:
        html = (await by_script(http, "/alerts/preview", age_years="", sex="", appearance="")).json()["html"]

    assert "units are ordered" in html
    assert "Waits for place and age" in html


async def test_without_script_the_preview_is_the_page_with_everything_typed(runtime_for: RuntimeFor) -> None:
    async with at_the_desk(await runtime_for("console"), owners=Owners(START), language="en") as http:
        page = await submits(http, "/alerts/preview", **WHOLE)

    assert all(said in page.text for said in ("units are ordered", "红色外套", 'value="k-1"'))


async def test_a_photo_goes_along_and_one_that_is_too_large_is_refused_in_words(
    runtime_for: RuntimeFor,
) -> None:
    owners = Owners(START)
    async with at_the_desk(await runtime_for("console"), owners=owners) as http:
        headers = {"X-CSRF": await csrf_of(http)}
        small = {"photo": ("a.jpg", b"\xff\xd8\xff\xe0", "image/jpeg")}
        large = {"photo": ("b.jpg", b"\xff\xd8\xff" + b"0" * 2**21, "image/jpeg")}
        taken = await http.post("/alerts/new", data=WHOLE, files=small, headers=headers)
        refused = await http.post("/alerts/new", data=WHOLE, files=large, headers=headers)

    assert (303, 422) == (taken.status_code, refused.status_code)
    assert {"photo_base64": "/9j/4A=="} == owners.raised["k-1"]["identity"]
    assert "2MB" in refused.text


@pytest.mark.parametrize(
    ("seconds", "status", "outcome"), [(29, 303, "false_alarm"), (36, 409, None), (-7200, 409, None)]
)
async def test_an_alert_is_taken_back_with_one_tap_for_half_a_minute(
    runtime_for: RuntimeFor, seconds: int, status: int, outcome: str | None
) -> None:
    """An alert of the future is one from before a clock was set back: nobody knows its age."""
    run, owners = await runtime_for("console"), Owners(START - timedelta(seconds=seconds))
    async with at_the_desk(run, owners=owners) as http:
        answer = await submits(http, f"/alerts/raised/{CASE}/undo")

    assert (status, outcome) == (answer.status_code, owners.outcome)


async def test_the_page_says_that_taking_it_back_stands_down_whoever_was_told(
    runtime_for: RuntimeFor,
) -> None:
    owners = Owners(START)
    async with at_the_desk(await runtime_for("console"), owners=owners, language="en") as http:
        before = (await http.get(f"/alerts/raised/{CASE}")).text
        await submits(http, f"/alerts/raised/{CASE}/undo")
        after = (await http.get(f"/alerts/raised/{CASE}")).text

    assert "whoever was told already gets a second message" in before
    assert f"/alerts/raised/{CASE}/undo" in before
    assert f"/alerts/raised/{CASE}/undo" not in after
    assert "is stood down" in after


@pytest.mark.parametrize("path", ["/alerts/new", "/alerts/preview", f"/alerts/raised/{CASE}/undo"])
async def test_without_the_sessions_token_nothing_is_asked_of_anybody(
    runtime_for: RuntimeFor, path: str
) -> None:
    owners = Owners(START)
    async with at_the_desk(await runtime_for("console"), owners=owners) as http:
        answer = await http.post(path, data=WHOLE)

    assert 403 == answer.status_code
    assert [] == owners.asked


@pytest.mark.parametrize("role", ["auditor", "laboratory", "registry"])
async def test_who_does_not_raise_alerts_does_not_see_the_page(runtime_for: RuntimeFor, role: Any) -> None:
    async with at_the_desk(await runtime_for("console"), role, owners=Owners(START)) as http:
        answer = await http.get("/alerts/new")

    assert 403 == answer.status_code
