"""What the bench `console` measures on a live board in a real browser; each figure with its ceiling of the same run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from playwright.async_api import Browser, Page

from _console_bare import open_bare
from _figures import Figure, percentile
from demo.case import Case
from demo.cast import Cast
from guitu.settings import Settings
from harness.board_facts import Step, checkpoints
from harness.board_watch import doubled_ids, frames_per_s, is_ready, lags_ms, rows, seen, shows_all, watch
from harness.browser import Window, open_window
from harness.chaos.proxy import open_proxy
from harness.cutting import cut_again_and_again, port_of

RATE_PER_S = 50
CONSOLES = 50
PLACE = "Yunyang Town bus station"
CUTS = 20
SEED = 20261201
READY_TIMES = 5
SETTLE_S = 5.0
MAP_THERE = ".leaflet-container"


@dataclass(frozen=True)
class Node:
    """What is measured on."""

    urls: dict[str, str]
    settings: Settings
    browser: Browser
    cast: Cast

    @property
    def console(self) -> str:
        """The console's address."""
        return self.urls["console"]

    async def raises(self) -> Case:
        """A case, once its own orders and notices have gone past."""
        case = await self.cast.command_centre.raises_alert(self.cast.book.site(PLACE))
        await self.cast.command_centre.weighed_plan(case)
        await self.cast.command_centre.all_notices_sent(case, ("raised", "order"))
        await asyncio.sleep(SETTLE_S)
        return case

    @asynccontextmanager
    async def at_the_board(self, case: Case, base: str = "") -> AsyncIterator[Window]:
        """A browser window that shows the case, with its map."""
        async with open_window(self.browser, base or self.console) as window:
            await window.log_in(self.settings, "operator")
            await watch(window)
            await window.goto(f"/cases/{case.case_id}")
            await is_ready(window.page)
            await window.page.wait_for_selector(MAP_THERE)
            yield window


@asynccontextmanager
async def others_watch(window: Window, path: str, many: int) -> AsyncIterator[None]:
    """So many more consoles: streams of the same session that are read and thrown away."""
    cookies = {each["name"]: each["value"] for each in await window.context.cookies()}
    whole = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(
        cookies=cookies,
        cookie_jar=aiohttp.CookieJar(unsafe=True),
        connector=aiohttp.TCPConnector(limit=many + 1),
        timeout=whole,
    ) as http:
        opened = asyncio.Semaphore(0)
        tasks = [asyncio.create_task(_read(http, window.base + path, opened)) for _ in range(many)]
        async with asyncio.timeout(30):
            for _ in tasks:
                await opened.acquire()
        await asyncio.sleep(1)
        assert not any(task.done() for task in tasks), "A stream ended at once."
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _read(http: aiohttp.ClientSession, url: str, opened: asyncio.Semaphore) -> None:
    async with http.get(url) as answer:
        assert 200 == answer.status, f"{url}: {answer.status}"
        opened.release()
        async for _ in answer.content.iter_any():
            pass


async def pixels(node: Node, points: int, facts: int) -> tuple[list[float], float, list[float]]:
    """Lags of our board, its frames a second meanwhile, and lags of the bare page, at the same pace and watchers."""
    case = await node.raises()
    async with checkpoints(node.settings, case.case_id, case.code, points) as gates:
        await gates.are_ordered()
        async with node.at_the_board(case) as window:
            await _has(window.page, gates.steps)
            seq = await window.page.get_attribute("#board", "data-seq")
            async with others_watch(window, f"/cases/{case.case_id}/live?after={seq}", CONSOLES - 1):
                (steps, lags), fps = await asyncio.gather(
                    _lags(window.page, gates.move(RATE_PER_S, facts)),
                    frames_per_s(window.page, facts / RATE_PER_S * 0.9),
                )
        async with open_bare(node.settings) as bare, open_window(node.browser, bare) as window:
            await watch(window)
            await window.goto("/")
            async with others_watch(window, "/live", CONSOLES - 1):
                _, rival = await _lags(window.page, gates.move(RATE_PER_S, facts, first=len(steps)))
    await node.cast.command_centre.stands_down(case, "false_alarm")
    return lags, fps, rival


async def _has(page: Page, steps: Sequence[Step]) -> None:
    """Wait (60 s at most) until every checkpoint has its row, then load the page anew, so that it is up to date."""
    wanted: set[str] = {step.row for step in steps}
    for _ in range(300):
        if wanted <= (await rows(page)).keys():
            break
        await asyncio.sleep(0.2)
    await page.reload()
    await is_ready(page)
    await page.wait_for_selector(MAP_THERE)
    assert wanted <= (await rows(page)).keys(), "Some checkpoints never came."


async def _lags(page: Page, moving: object) -> tuple[Sequence[Step], list[float]]:
    steps: Sequence[Step] = await moving  # type: ignore[misc]
    await shows_all(page, steps, within_s=60)
    return steps, lags_ms(steps, await seen(page))


async def weight(node: Node) -> dict[str, Figure]:
    """Bytes over the wire until the map is there, and milliseconds until the board works; the mid of several."""
    case = await node.raises()
    ours = [await _opened(node, f"/cases/{case.case_id}", MAP_THERE) for _ in range(READY_TIMES)]
    least = [await _opened(node, "/keys", "main") for _ in range(READY_TIMES)]
    await node.cast.command_centre.stands_down(case, "false_alarm")
    return {
        "board_kb": Figure(percentile([size for size, _ in ours], 0.5) / 1000, "KB gz", 120,
                           percentile([size for size, _ in least], 0.5) / 1000),
        "board_ready_ms": Figure(percentile([ms for _, ms in ours], 0.5), "ms", 1500,
                                 percentile([ms for _, ms in least], 0.5)),
    }  # fmt: skip


async def _opened(node: Node, path: str, waits_for: str) -> tuple[float, float]:
    """A new window with an empty cache: bytes on the wire, and until its script works (or it is loaded)."""
    async with open_window(node.browser, node.console) as window:
        await window.log_in(node.settings, "operator")
        await watch(window)
        wire: list[float] = []
        devtools = await window.context.new_cdp_session(window.page)
        await devtools.send("Network.enable")
        devtools.on("Network.loadingFinished", lambda event: wire.append(event["encodedDataLength"]))
        await window.goto(path)
        if path.startswith("/cases/"):
            ready_ms = await is_ready(window.page)
        else:
            ready_ms = await window.page.evaluate(
                "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
            )
        await window.page.wait_for_selector(waits_for)
        await window.page.wait_for_timeout(500)
        return sum(wire), ready_ms


async def cuts(node: Node) -> dict[str, Figure]:
    """Twenty times the line dies under the board; how long until it shows all again, and what was lost or doubled."""
    case = await node.raises()
    async with checkpoints(node.settings, case.case_id, case.code, 60) as gates:
        await gates.are_ordered()
        async with (
            open_proxy(port_of(node.console)) as proxy,
            node.at_the_board(case, f"http://{proxy.address}") as window,
        ):
            await _has(window.page, gates.steps)
            told = await cut_again_and_again(proxy, window.page, gates, cuts=CUTS, seed=SEED)
            shown, doubled = await rows(window.page), await doubled_ids(window.page)
    last = {step.row: step.state for step in told.steps}
    lost = sum(shown.get(row) != state for row, state in last.items())
    await node.cast.command_centre.stands_down(case, "false_alarm")
    return {
        "resync_s_max": Figure(max(told.resync_s), "s", 2.0),
        "resync_s_p50": Figure(percentile(told.resync_s, 0.5), "s"),
        "cuts_lost": Figure(lost, "facts", 0),
        "cuts_doubled": Figure(len(doubled), "rows", 0),
    }
