"""A sighting told on the notice page: chips, words and times; twice the same press is one, and it has a number."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio

from contracts.notice import NoticeAcknowledged
from contracts.sighting import SightingReported, spoken_number
from guitu.service import Runtime
from harness.ground import facts, react
from harness.notice_stories import CASE, ordered, stood_down
from harness.watch_stories import Watch, watching
from notifications.agents import REACTIONS

RuntimeFor = Callable[[str], Awaitable[Runtime]]


@pytest_asyncio.fixture
async def watch(runtime_for: RuntimeFor) -> AsyncIterator[Watch]:
    async with watching(await runtime_for("notifications")) as ready:
        await ready.raise_alert()
        yield ready


async def page_of(watch: Watch) -> str:
    path: str = (await watch.get(f"/notices?case_id={CASE}"))["deliveries"][0]["page_path"]
    return path


async def tells(watch: Watch, **typed: str) -> httpx.Response:
    """Send the form of a page that was opened before, as a browser does."""
    return await watch.http.post(f"{await page_of(watch)}/sighting", data={"key": "shown-once"} | typed)


async def sightings(watch: Watch) -> list[SightingReported]:
    return await facts(watch.run, SightingReported)


async def test_a_chip_alone_is_a_sighting_with_a_number_to_call_it_by(watch: Watch) -> None:
    answer = await tells(watch, what="vehicle")
    page = await watch.http.get(answer.headers["location"])

    [sighting] = await sightings(watch)
    assert (303, "可疑车辆") == (answer.status_code, sighting.note)
    assert f"线索编号 {spoken_number(sighting.sighting_id)}" in page.text
    assert 1 == len(await facts(watch.run, NoticeAcknowledged))


async def test_chip_and_words_go_together(watch: Watch) -> None:
    await tells(watch, what="child", note="上了去万州的大巴")

    assert ["像这个孩子：上了去万州的大巴"] == [each.note for each in await sightings(watch)]


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [
        ({}, 0),
        ({"ago": "5"}, 5),
        ({"ago": "15"}, 15),
        ({"ago": "15", "seen_at": "13:55"}, 5),
        ({"ago": "5", "waited_s": "600"}, 15),
        ({"seen_at": "13:55", "waited_s": "600"}, 24 * 60 + 5 - 0),
        ({"ago": "7"}, 0),
        ({"waited_s": "-4"}, 0),
        ({"waited_s": "9" * 5000}, 24 * 60),
    ],
)
async def test_the_time_counts_from_the_press_and_not_from_when_it_came_through(
    watch: Watch, typed: dict[str, str], minutes: int
) -> None:
    """It is 14:00 in Beijing; a press that waited ten minutes was made at 13:50, when 13:55 was yesterday's."""
    await tells(watch, note="x", **typed)

    [sighting] = await sightings(watch)
    assert watch.run.clock.now() - timedelta(minutes=minutes) == sighting.seen_at


async def test_the_same_press_twice_is_one_sighting_and_other_words_are_another(watch: Watch) -> None:
    first = await tells(watch, note="在候车室")
    again = await tells(watch, note="在候车室", waited_s="31")
    other = await tells(watch, note="出站了")

    assert first.headers["location"] == again.headers["location"] != other.headers["location"]
    assert ["在候车室", "出站了"] == [each.note for each in await sightings(watch)]


async def test_the_same_words_from_a_page_opened_anew_are_a_new_sighting(watch: Watch) -> None:
    keys = {
        re.findall(r'name="key" value="(\w+)"', (await watch.http.get(await page_of(watch))).text)[0]
        for _ in range(2)
    }
    for key in sorted(keys):
        await tells(watch, note="又看到了", key=key)

    assert 2 == len(await sightings(watch))


async def test_nothing_chosen_is_refused_and_what_was_typed_stays(watch: Watch) -> None:
    empty = await tells(watch, ago="15")
    long = await tells(watch, what="adult", note="长" * 1001)
    endless = await tells(watch, note="<" * 100_000)

    assert [422, 422, 422] == [each.status_code for each in (empty, long, endless)]
    assert re.search(r'name="ago" value="15" checked', empty.text)
    assert re.search(r'name="what" value="adult" checked', long.text)
    assert "长" * 1001 in long.text
    assert len(endless.content) < 25_000
    assert [] == await sightings(watch)


async def test_after_the_end_a_late_press_is_thanked_and_starts_nothing(watch: Watch) -> None:
    await react(watch.run, REACTIONS, stood_down(watch.run.clock.now()))

    answer = await tells(watch, what="child")
    page = await watch.http.get(answer.headers["location"])

    assert "感谢" in page.text
    assert "线索编号" not in page.text
    assert [] == await sightings(watch)


async def test_a_number_that_is_none_is_not_shown(watch: Watch) -> None:
    answer = await watch.http.get(f"{await page_of(watch)}?said=sighting&number=<b>x</b>")

    assert 422 == answer.status_code
    assert "<b>x</b>" not in answer.text


async def test_an_order_by_sms_leads_to_the_order_and_not_to_a_photo(watch: Watch) -> None:
    await react(watch.run, REACTIONS, ordered(watch.run.clock.now()))
    [order] = [
        each
        for each in (await watch.get(f"/notices?case_id={CASE}"))["deliveries"]
        if each["kind"] == "order"
    ]

    page = await watch.http.get(order["page_path"])

    assert "北门卡点" in page.text
    assert "<img" not in page.text
