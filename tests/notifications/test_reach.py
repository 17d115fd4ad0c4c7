"""What a notice would reach and say, before anybody raises the alert."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest_asyncio

from guitu.service import Runtime
from guitu.settings import Settings
from harness.notice_stories import CASE, PHONES, SEAT, contact, fill, site
from harness.watch_stories import Watch, watching
from notifications import reach
from notifications.domain.categories import CATEGORIES
from notifications.settings import NotificationSettings

RuntimeFor = Callable[[str], Awaitable[Runtime]]
CHILD = {"sex": "male", "age_years": 6, "height_cm": 115, "appearance": "红衣、蓝裤"}


@pytest_asyncio.fixture
async def watch(runtime_for: RuntimeFor) -> AsyncIterator[Watch]:
    async with watching(await runtime_for("notifications")) as ready:
        yield ready


def asked(radius_km: float = 100, **more: Any) -> dict[str, Any]:
    position = {"lon": SEAT.lon, "lat": SEAT.lat}
    ring = {"step": 0, "center": position, "radius_km": radius_km, "near_radius_km": 5}
    return {"position": position, "place": "客运站", "ring": ring, "child": CHILD} | more


async def preview(watch: Watch, **more: Any) -> dict[str, Any]:
    said: dict[str, Any] = (await watch.post("/notices/preview", asked(**more))).raise_for_status().json()
    return said


async def test_it_counts_who_would_be_told_and_tells_nobody(watch: Watch) -> None:
    hotel = site(7, 3).model_copy(update={"category": "hotel"})
    await fill(watch.run, [hotel, site(8, 4)], [contact(7, 7)])

    said = await preview(watch)
    await watch.send()

    assert (3, 2, 1, 1) == (said["sites"], said["near"], said["far"], said["without_contact"])
    assert [
        {"category": "bus_station", "sites": 2, "near": 1, "far": 1},
        {"category": "hotel", "sites": 1, "near": 1, "far": 0},
    ] == said["by_category"]
    assert [] == watch.carrier.accepted
    assert 0 == await watch.run.pool.fetchval("select count(*) from notice")


async def test_what_it_announces_is_what_goes_out(watch: Watch) -> None:
    said = await preview(watch)
    await watch.raise_alert(radius_km=100)

    sent = [sms.body for sms in watch.carrier.accepted]
    [text] = said["texts"]
    assert (said["sites"], 1) == (len(sent), text["segments"])
    assert "CY-0000" in text["text"]
    before_code = text["text"].split("7K3M")[0].replace("CY-0000", "CY-0472")
    assert all(body.startswith(before_code) for body in sent)


async def test_of_a_known_case_only_those_who_heard_nothing_are_counted(watch: Watch) -> None:
    await watch.raise_alert(radius_km=5)

    said = await preview(watch, radius_km=200, stage="widened", case_id=str(CASE))

    assert 2 == said["sites"]


async def test_an_exercise_is_marked_and_counts_only_its_own_list(watch: Watch) -> None:
    await fill(watch.run, [site(7, 3)], [contact(7, 7, exercise_list=False)])

    said = await preview(watch, exercise=True)

    assert (2, 1) == (said["sites"], said["without_contact"])
    assert "演练" in said["texts"][0]["text"]


async def test_texts_are_shown_by_language_and_link(watch: Watch) -> None:
    await fill(watch.run, [site(7, 3)], [contact(7, 7, language="en", url_ok=True)])

    said = await preview(watch, child=CHILD | {"appearance": "red coat"})

    assert [("zh", False, 2), ("en", True, 1)] == [
        (each["language"], each["link"], each["recipients"]) for each in said["texts"]
    ]
    assert "/n/" in said["texts"][1]["text"]


async def test_whoever_would_get_a_text_is_counted_with_one(watch: Watch) -> None:
    kinds = [kind for kind in CATEGORIES if kind != "liaison"]
    sites = [site(number, 3).model_copy(update={"category": kind}) for number, kind in enumerate(kinds, 7)]
    told = [contact(number, number, url_ok=number % 2 == 0) for number in range(7, 7 + len(kinds))]
    await fill(watch.run, sites, told)

    said = await preview(watch)

    assert said["by_channel"]["sms"] == sum(each["recipients"] for each in said["texts"])


async def test_with_nobody_in_reach_there_is_still_a_text_to_look_at(watch: Watch) -> None:
    said = await preview(watch, radius_km=0.5)

    assert (0, [0], 0.0) == (said["sites"], [each["recipients"] for each in said["texts"]], said["takes_s"])


def test_the_senders_limit_says_how_long_it_would_take(settings: Settings) -> None:
    senders = '[{"name": "slow", "provider": "twilio", "address": "+12025550100", "per_s": 0.5}]'
    limited = NotificationSettings(**(settings.model_dump() | {"senders": senders}))

    assert 4.0 == reach.takes_s({"sms": 2, "webhook": 9}, limited)


async def test_the_public_and_other_roles_see_nothing(watch: Watch) -> None:
    laboratory = await watch.post("/notices/preview", asked(), role="laboratory")
    nobody = await watch.http.post("/notices/preview", json=asked())

    assert (403, 401) == (laboratory.status_code, nobody.status_code)


async def test_a_phone_is_never_in_the_answer(watch: Watch) -> None:
    said = str(await preview(watch))

    assert not any(phone in said for phone in PHONES)
