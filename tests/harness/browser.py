"""Windows of a real browser, as people have them: a language, light or dark, a size, and somebody logged in.

A window writes down what a good page never does: ask another host, break the content security policy, or fail
in its scripts. `complaints` must be empty in the end; the fixture of the browser tests looks at it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, Page, Response, async_playwright

from guitu.auth import Role, mint
from guitu.settings import Settings
from harness import chromium

CLOSED_WITHIN_S = 20.0

Language = Literal["zh-CN", "en"]
LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
PHONE, DESK = (360, 640), (1366, 768)
OWN_HOSTS = {"127.0.0.1", "localhost"}
PATIENCE_MS = 15_000
"""How long a page may take on a busy machine before a test says that something never came."""
AXE = Path(__file__).resolve().parents[1] / "browser" / "vendor" / "axe-core" / "axe.min.js"
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_HAS_AXE = "typeof axe === 'object'"
_RUN_AXE = "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})"
_IS_SEEN = (
    "([width, scheme]) => matchMedia(`(width: ${width}px) and (prefers-color-scheme: ${scheme})`).matches"
)
# A frame draws what was changed; what scripts change when they hear of it is in the next one.
_IS_DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))"


TARGET_PX = 44
_SMALL_TARGETS = """least => [...document.querySelectorAll(
    "button, summary, select, textarea, a.go, a.plain, label.tick, " +
    "input:not([type=hidden]):not([type=checkbox]):not([type=radio])")]
  .filter(e => e.checkVisibility({checkOpacity: true, checkVisibilityCSS: true}))
  .map(e => [e, e.getBoundingClientRect()])
  .filter(([e, box]) => box.width > 1 && box.height > 1 && box.height < least - 0.5)
  .slice(0, 6)
  .map(([e, box]) => `${e.tagName} "${(e.innerText || e.name || "").slice(0, 30)}" is ${box.height} px high`)"""


_TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth + 1 ? [] :
  ["the page is wider than the screen", ...[...document.querySelectorAll("body *")]
    .filter(e => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 5).map(e => `${e.tagName}#${e.id}.${e.className} "${(e.innerText ?? "").slice(0, 20)}"`)]"""


@dataclass(frozen=True)
class Look:
    """How somebody looks at pages."""

    language: Language = "zh-CN"
    scheme: Scheme = "light"
    size: tuple[int, int] = DESK

    def __str__(self) -> str:
        return f"{self.language}-{self.scheme}-{self.size[0]}"


@dataclass
class Window:
    """One person's browser window on a site that begins at `base`."""

    base: str
    context: BrowserContext
    page: Page
    expects: list[str] = field(default_factory=list)
    """Parts of complaints that a test brings about on purpose, such as "404"."""
    _heard: list[str] = field(default_factory=list)

    async def goto(self, path: str) -> Response:
        """Open a path of this site, or a whole address; returns the answer that the page came with."""
        answer = await self.page.goto(path if "://" in path else self.base + path)
        assert answer is not None, f"No answer from {path}."
        return answer

    async def log_in(self, settings: Settings, role: Role, region: str | None = None, who: str = "") -> None:
        """Have a session of somebody in this role, as the login page gives it."""
        subject, where = who or f"{role}-1", region or settings.region_code
        token = mint(settings, subject, role, where, datetime.now(UTC), timedelta(hours=12))
        answer = await self.context.request.post(
            f"{self.base}/login", form={"token": token, "to": "/"}, max_redirects=0
        )
        assert 303 == answer.status, f"Login refused: {answer.status} {(await answer.text())[:300]}"

    async def turn(self, scheme: Scheme, size: tuple[int, int]) -> None:
        """Change colours and size under the open page; returns when it is drawn so."""
        await self.page.set_viewport_size({"width": size[0], "height": size[1]})
        await self.page.emulate_media(color_scheme=scheme)
        await self.page.wait_for_function(_IS_SEEN, arg=[size[0], scheme])
        await self.page.evaluate(_IS_DRAWN)

    async def wrong_in_every_look(
        self, sizes: Sequence[tuple[int, int]] = (DESK, PHONE)
    ) -> dict[str, list[str]]:
        """What axe finds, what is wider than the screen, and what is too small for a thumb, by look."""
        found = {}
        for size, scheme in itertools.product(sizes, SCHEMES):
            await self.turn(scheme, size)
            wrong = [*await self.axe(), *await self.too_wide(), *await self.small_targets()]
            if wrong:
                found[f"{urlsplit(self.page.url).path} {size[0]} px, {scheme}"] = wrong
        return found

    async def axe(self) -> list[str]:
        """What axe-core finds wrong with the page as it is now, a line each; an empty list is the goal."""
        if not await self.page.evaluate(_HAS_AXE):
            await self.page.evaluate(_axe_core())
        found: dict[str, Any] = await self.page.evaluate(_RUN_AXE, AXE_TAGS)
        return [_said(each) for each in found["violations"]]

    async def too_wide(self) -> list[str]:
        """What makes the page scroll sideways; an empty list if it does not."""
        found: list[str] = await self.page.evaluate(_TOO_WIDE)
        return found

    async def small_targets(self) -> list[str]:
        """Visible controls that are lower than a thumb needs; links within text are as high as the text."""
        found: list[str] = await self.page.evaluate(_SMALL_TARGETS, TARGET_PX)
        return found

    @property
    def complaints(self) -> list[str]:
        """What a good page never does, without what the test expects."""
        return [each for each in self._heard if not any(part in each for part in self.expects)]

    def judged(self) -> list[str]:
        """The complaints so far; whatever comes from now on is another test's."""
        found, self._heard, self.expects = self.complaints, [], []
        return found

    def listen(self) -> None:
        """Hear what the pages ask for and what they complain about."""
        self.context.on("request", lambda asked: self._notice_host(asked.url))
        self.context.on("console", lambda said: self._notice_words(said.type, said.text, self.page.url))
        self.context.on("weberror", lambda error: self._heard.append(f"script: {error.error}"))

    def _notice_host(self, url: str) -> None:
        address = urlsplit(url)
        if address.scheme in ("http", "https", "ws", "wss") and address.hostname not in OWN_HOSTS:
            self._heard.append(f"another host: {url}")

    def _notice_words(self, kind: str, text: str, url: str) -> None:
        if kind == "error":
            self._heard.append(f"console: {text} ({urlsplit(url).path})")


@cache
def _axe_core() -> str:
    return AXE.read_text(encoding="utf-8")


def _said(violation: dict[str, Any]) -> str:
    where = [" ".join(map(str, node["target"])) for node in violation["nodes"][:4]]
    return f"{violation['id']}: {violation['help']} at {json.dumps(where, ensure_ascii=False)}"


@asynccontextmanager
async def open_browser(folder: Path, *flags: str) -> AsyncIterator[Browser]:
    """One browser process. Raises: NoBrowser, with the mend."""
    program = chromium.find_or_install()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program, args=[*chromium.FLAGS, *flags], env=dict(chromium.environment(folder))
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def open_window(
    browser: Browser, base: str, look: Look | None = None, *, scripts: bool = True, **more: Any
) -> AsyncIterator[Window]:
    """A window with storage of its own; `scripts=False` is a browser with JavaScript off."""
    look = look or Look()
    is_phone = look.size[0] < 600
    context = await browser.new_context(
        locale=look.language,
        color_scheme=look.scheme,
        timezone_id="Asia/Shanghai",
        viewport={"width": look.size[0], "height": look.size[1]},
        java_script_enabled=scripts,
        has_touch=is_phone,
        is_mobile=is_phone,
        **more,
    )
    context.set_default_timeout(PATIENCE_MS)
    try:
        window = Window(base, context, await context.new_page())
        window.listen()
        yield window
    finally:
        # Seen once in hundreds: Chromium never says that a window is closed. That is no fault of the page. The call
        # is left alone then: one that is cancelled can make Playwright raise at the next call, in another test.
        done, _ = await asyncio.wait([asyncio.ensure_future(context.close())], timeout=CLOSED_WITHIN_S)
        for each in done:
            each.result()
