"""The photo on the notice page: asked of alerts, small, kept for a minute, and gone with the case's end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import httpx
import pytest_asyncio

from guitu.auth import read_token
from guitu.service import Runtime
from harness.ground import react
from harness.notice_stories import CASE, raised, stood_down
from harness.watch_stories import Watch, watching
from notifications.agents import REACTIONS
from notifications.photos import BYTES_MAX, Photos, open_photos

RuntimeFor = Callable[[str], Awaitable[Runtime]]
PHOTO = b"RIFF\x00\x00\x00\x00WEBPVP8 invented"


@dataclass
class Alerts:
    """The service that keeps photos, as it answers over HTTP."""

    photo: bytes = PHOTO
    status: int = 200
    is_away: bool = False
    asked: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.is_away:
            raise httpx.ConnectError("refused", request=request)
        if self.status != 200:
            return httpx.Response(self.status, json={"code": "none"})
        return httpx.Response(200, content=self.photo, headers={"content-type": "image/webp"})


@dataclass
class Site:
    """A site that was told, and the service its page asks for the photo."""

    watch: Watch
    alerts: Alerts
    photos: Photos
    path: str

    async def opens(self) -> str:
        return (await self.watch.http.get(self.path)).text

    async def looks(self) -> httpx.Response:
        return await self.watch.http.get(f"{self.path}/photo")


@pytest_asyncio.fixture
async def site(runtime_for: RuntimeFor) -> AsyncIterator[Site]:
    alerts = Alerts()
    async with watching(await runtime_for("notifications")) as watch:
        transport = httpx.MockTransport(alerts)
        async with open_photos(watch.run, watch.settings, transport) as photos:
            await watch.raise_alert()
            path = (await watch.get(f"/notices?case_id={CASE}"))["deliveries"][0]["page_path"]
            yield Site(watch, alerts, photos, path)


async def test_a_released_photo_is_on_the_page_and_nothing_may_keep_it(site: Site) -> None:
    page, photo = await site.opens(), await site.looks()

    assert f'<img class="photo" src="{site.path}/photo"' in page
    assert (200, PHOTO, "image/webp") == (photo.status_code, photo.content, photo.headers["content-type"])
    assert ("no-store", "no-referrer", "same-origin") == (
        photo.headers["cache-control"],
        photo.headers["referrer-policy"],
        photo.headers["cross-origin-resource-policy"],
    )


async def test_alerts_is_asked_once_a_minute_by_a_service_and_not_in_anybodys_name(site: Site) -> None:
    for _ in range(5):
        await site.opens()
        await site.looks()
    asked_before = len(site.alerts.asked)
    site.watch.advance(seconds=61)
    await site.looks()

    assert (1, 2) == (asked_before, len(site.alerts.asked))
    [first, _] = site.alerts.asked
    token = first.headers["authorization"].removeprefix("Bearer ")
    said = await read_token(site.watch.settings, token, site.watch.run.clock.now())
    assert (f"/cases/{CASE}/notice-photo", "outside_system") == (first.url.path, said.role)


async def test_where_none_is_released_the_page_has_no_broken_picture(site: Site) -> None:
    site.alerts.status = 404

    page, photo = await site.opens(), await site.looks()

    assert "<img" not in page
    assert 404 == photo.status_code


async def test_while_alerts_is_away_people_read_the_words(site: Site) -> None:
    site.alerts.is_away = True
    page = await site.opens()
    site.alerts.is_away = False
    site.watch.advance(seconds=11)

    assert "红衣、蓝裤" in page
    assert "<img" not in page
    assert "<img" in await site.opens()


async def test_after_the_end_the_link_says_thank_you_and_the_photo_is_gone(site: Site) -> None:
    await site.looks()
    await react(site.watch.run, REACTIONS, stood_down(site.watch.run.clock.now()))

    page, photo = await site.opens(), await site.looks()

    assert "感谢" in page
    assert "<img" not in page
    assert (410, False) == (photo.status_code, PHOTO in photo.content)
    assert 1 == len(site.alerts.asked), "Nobody asks for it any more."
    assert {} == site.photos._kept


async def test_a_photo_too_large_for_a_bad_line_is_left_out(site: Site) -> None:
    site.alerts.photo = PHOTO + bytes(BYTES_MAX)

    assert "<img" not in await site.opens()


async def test_a_wrong_link_shows_no_photo(site: Site) -> None:
    assert 404 == (await site.watch.http.get("/n/ABCDEFGHJK/photo")).status_code
    assert [] == site.alerts.asked


async def test_a_minute_later_nothing_of_other_cases_is_held(site: Site) -> None:
    await site.looks()
    site.watch.advance(seconds=61)
    other = raised(site.watch.run.clock.now(), 5, case_id=site.watch.run.ids.new(), case_code="CY-0999")
    site.alerts.status = 404
    await site.photos.of(other.case_id)

    assert [other.case_id] == list(site.photos._kept)
