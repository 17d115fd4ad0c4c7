"""The notice page on the worst line: bytes on the wire, first words, and everything there, at 50 kbit/s and 500 ms.

A real Chromium, throttled by its own protocol as by a bad mobile line, opens the page of a site that was told, with a
photo as large as alerts lets one be (14 KB that packs as badly as a face). The rival of the same run is the least that
could be sent: one line of text and the same photo, without style, script or form. Cache off, a new window each time.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from aiohttp import web
from playwright.async_api import Browser

from _figures import Figure, show
from guitu.embedded.node import Node
from guitu.migrate import migrate_now
from harness import ground
from harness.browser import PHONE, Look, open_browser, open_window
from harness.phone_pages import noisy_photo, notice_site

BITS_PER_S, LATENCY_MS = 50_000, 500
TIMES, TIMES_QUICK = 9, 3
KB = 1_000
_FIRST_WORDS = """
() => new Promise(done => new PerformanceObserver(list => list.getEntriesByName("first-contentful-paint")
  .forEach(each => done(each.startTime))).observe({type: "paint", buffered: true}))
"""
_LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"


@dataclass(frozen=True)
class Opened:
    """One opening of a page: bytes on the wire, milliseconds to the first words and to the end of loading."""

    wire_bytes: float
    first_words_ms: float
    loaded_ms: float


async def opened(browser: Browser, address: str) -> Opened:
    """Open a page once, on a bad line."""
    async with open_window(browser, "", Look(size=PHONE)) as window:
        line, wire = await window.context.new_cdp_session(window.page), list[float]()
        await line.send("Network.enable")
        line.on("Network.loadingFinished", lambda event: wire.append(event["encodedDataLength"]))
        speed = BITS_PER_S / 8
        limits = {
            "latency": LATENCY_MS,
            "downloadThroughput": speed,
            "uploadThroughput": speed,
            "offline": False,
        }
        await line.send("Network.emulateNetworkConditions", limits)
        window.context.set_default_timeout(60_000)
        await window.page.goto(address, wait_until="load")
        first = await window.page.evaluate(_FIRST_WORDS)
        await window.page.wait_for_function(f"{_LOADED} > 0")
        return Opened(sum(wire), first, await window.page.evaluate(_LOADED))


async def openings(browser: Browser, address: str, times: int) -> Opened:
    """The middle one of several, each figure by itself."""
    all_of_them = [await opened(browser, address) for _ in range(times)]
    return Opened(
        median(each.wire_bytes for each in all_of_them),
        median(each.first_words_ms for each in all_of_them),
        median(each.loaded_ms for each in all_of_them),
    )


@asynccontextmanager
async def bare_page() -> AsyncIterator[str]:
    """The least that tells somebody of a child: a line and the photo."""
    words = (
        "<!doctype html><title>x</title><link rel=icon href=data:,><p>6, red coat. Call 110.<img src=photo>"
    )
    photo = noisy_photo()
    app = web.Application()
    app.router.add_get("/", lambda _: web.Response(text=words, content_type="text/html"))
    app.router.add_get("/photo", lambda _: web.Response(body=photo, content_type="image/webp"))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def figures_of(browser: Browser, database_env: dict[str, str], *, quick: bool) -> dict[str, Figure]:
    """All figures, on a database that has the schema of notifications."""
    times = TIMES_QUICK if quick else TIMES
    settings = ground.settings_for(database_env)
    async with (
        ground.runtime("notifications", settings) as run,
        notice_site(run) as site,
        bare_page() as bare,
    ):
        ours = await openings(browser, site.base + site.path, times)
        rival = await openings(browser, bare, times)
    return {
        "notice_page_kb": Figure(ours.wire_bytes / KB, "KB", 25, rival.wire_bytes / KB),
        "notice_first_words_ms": Figure(ours.first_words_ms, "ms", 1_500, rival.first_words_ms),
        "notice_loaded_ms": Figure(ours.loaded_ms, "ms", 5_000, rival.loaded_ms),
    }


async def measured(database_env: dict[str, str], *, quick: bool) -> dict[str, Figure]:
    """The figures with a browser of their own. Raises: NoBrowser, with the mend."""
    with tempfile.TemporaryDirectory(prefix="guitu-notice-") as folder:
        async with open_browser(Path(folder)) as browser:
            return await figures_of(browser, database_env, quick=quick)


def main() -> None:
    """Start a database, open pages, say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{TIMES_QUICK} openings instead of {TIMES}")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args()
    with Node(ephemeral=True, outside={"GUITU_KAFKA": "127.0.0.1:9"}) as node:
        migrate_now(ground.settings_for(node.env).database_url, ("notifications",))
        print("  a bad line: 50 kbit/s, 500 ms", file=sys.stderr)
        figures = asyncio.run(measured(dict(node.env), quick=options.quick))
    show("console_notice", figures, as_json=options.json)


if __name__ == "__main__":
    main()
