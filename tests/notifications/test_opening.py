"""Opening a notice's page: said once, only of people, and never an acknowledgement."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
import pytest_asyncio

from contracts.notice import NoticeAcknowledged, NoticeOpened
from guitu.service import Runtime
from harness.ground import facts
from harness.notice_stories import CASE
from harness.watch_stories import Watch, watching
from notifications.domain.opening import is_person

RuntimeFor = Callable[[str], Awaitable[Runtime]]
PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36"


@pytest_asyncio.fixture
async def watch(runtime_for: RuntimeFor) -> AsyncIterator[Watch]:
    async with watching(await runtime_for("notifications")) as ready:
        await ready.raise_alert()
        yield ready


async def opens(watch: Watch, agent: str = PHONE, method: str = "GET", **headers: str) -> httpx.Response:
    path = (await watch.get(f"/notices?case_id={CASE}"))["deliveries"][0]["page_path"]
    return await watch.http.request(method, path, headers={"user-agent": agent, **headers})


async def test_the_first_opening_is_a_fact_and_the_second_is_none(watch: Watch) -> None:
    for _ in range(3):
        await opens(watch)

    [opened] = await facts(watch.run, NoticeOpened)
    [delivery] = (await watch.get(f"/notices?case_id={CASE}"))["deliveries"]
    assert (str(opened.delivery_id), opened.occurred_at.isoformat()) == (
        delivery["id"],
        delivery["opened_at"].replace("Z", "+00:00"),
    )


async def test_to_read_is_not_to_acknowledge(watch: Watch) -> None:
    await opens(watch)

    assert [] == await facts(watch.run, NoticeAcknowledged)
    await watch.after(seconds=181)
    assert 2 == len((await watch.get(f"/notices?case_id={CASE}"))["deliveries"]), "The next contact is asked."


async def test_a_program_that_previews_the_link_opens_nothing(watch: Watch) -> None:
    await opens(watch, method="HEAD")
    await opens(watch, agent="TelegramBot (like TwitterBot)")
    await opens(watch, **{"sec-purpose": "prefetch;prerender"})

    assert [] == await facts(watch.run, NoticeOpened)


@pytest.mark.parametrize(
    "agent",
    [
        "facebookexternalhit/1.1",
        "WhatsApp/2.23.20.0",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "Mozilla/5.0 (compatible; Baiduspider/2.0)",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "Mozilla/5.0 (Windows NT 6.1) SkypeUriPreview Preview/0.5",
        "curl/8.5.0",
        "python-requests/2.32",
        "",
    ],
)
def test_programs_are_known_by_their_agents(agent: str) -> None:
    assert not is_person({"user-agent": agent})


@pytest.mark.parametrize(
    "agent",
    [
        PHONE,
        "Mozilla/5.0 (Linux; Android 13; CUBOT NOTE 20) AppleWebKit/537.36 Mobile",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) MicroMessenger/8.0.40 NetType/4G Language/zh_CN",
        "Opera/9.80 (J2ME/MIDP; Opera Mini/9.80)",
        "Nokia6300/2.0",
    ],
)
def test_people_are_not_taken_for_programs(agent: str) -> None:
    assert is_person({"user-agent": agent})
