"""Pages of the console that stay open while everything dies, as browsers keep them: the list, and boards of cases.

Each loads its page once and from then on believes its stream, as `static/cases.mjs` and `static/board_live.mjs` do:
after a cut it goes on from its last event id, after a refusal from its own place, and it loads the page anew only when
it is told to. In the end it must show what the same page shows to somebody who opens it then. The words of the stream
are said here a second time on purpose.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import aiohttp

from guitu import auth
from harness.chaos.checks import Sort
from harness.chaos.county import County
from harness.chaos.desk import REQUEST_S
from harness.chaos.load import Load

OPENED_AT = (0.02, 0.25, 0.5, 0.75)
"""Shares of the load at which two more boards are opened: of the newest case, and of one that holds units."""
RETRY_S = 1.0
"""What the stream asks a browser to wait."""
SILENT_S = 30.0
CURRENT_WITHIN_S = 30.0
LINE_MAX = 8 * 1024 * 1024
OK, SEE_OTHER = 200, 303
CUT = (aiohttp.ClientError, TimeoutError, OSError)
_SEQ = re.compile(r'data-seq="(\d+)"')
_ROW = re.compile(
    r'<(?P<tag>tr|li|section) id="(?P<id>head|(?:case|order|site|sighting|aid|dna|timeline)-[\w.-]+)".*?</(?P=tag)>',
    re.DOTALL,
)


Difference = tuple[Sort, str]
"""In which way, and which row of which page."""


class Count(NamedTuple):
    """What befell an open page."""

    rows: int
    patches: int
    cuts: int
    resyncs: int


class Refused(Exception):
    """The answer was no stream and no page: asked again later, as the page's script does."""


@dataclass
class OpenPage:
    """One page: what it shows by the ids of its rows, and what came over its stream."""

    url: str
    live: str
    http: aiohttp.ClientSession
    whole: bool
    """Everything that there is stands on the page; a list shows a part of it."""
    door: str
    token: str
    is_in: bool = False
    seq: int = -1
    rows: dict[str, str] = field(default_factory=dict)
    patches: int = 0
    cuts: int = 0
    resyncs: int = 0
    doubled: list[str] = field(default_factory=list)
    ended: bool = False
    """The stream said that the session is over, which nothing in a run makes true."""
    _after: int = -1
    _last_id: str = ""

    def count(self) -> Count:
        """What befell it until now."""
        return Count(len(self.rows), self.patches, self.cuts, self.resyncs)

    async def stay(self) -> None:
        """Keep the page true until cancelled."""
        while not self.ended:
            try:
                if not self.is_in:
                    await self._enter()
                if self.seq < 0:
                    self.seq, self.rows = await self._load()
                    self._after, self._last_id = self.seq, ""
                await self._listen()
            except Refused:
                # A browser gives up on such an answer, and the page's script opens a new stream from its own place.
                self._after, self._last_id = self.seq, ""
            except CUT:
                # The browser itself comes back, with the address that it knows and its last event id.
                self.cuts += 1
            await asyncio.sleep(RETRY_S)

    async def differences(self) -> Sequence[Difference]:
        """What a page that is opened now shows otherwise, once this one had time to hear of it: sort and row."""
        end = time.monotonic() + CURRENT_WITHIN_S
        while True:
            found = await self._compared()
            if not found or time.monotonic() > end:
                return found
            await asyncio.sleep(0.5)

    async def _compared(self) -> Sequence[Difference]:
        try:
            _, fresh = await self._load()
        except (Refused, *CUT) as trouble:
            return [("lost", f"{self.url}: {trouble!r}")]
        lacks: list[Difference] = [("lost", f"{self.url} {row}") for row in fresh if row not in self.rows]
        other: list[Difference] = [
            ("wrong", f"{self.url} {row}") for row in fresh if self.rows.get(row, fresh[row]) != fresh[row]
        ]
        more: list[Difference] = [
            ("wrong", f"{self.url} {row}") for row in self.rows if row not in fresh and self.whole
        ]
        return [*lacks, *other, *more]

    async def _enter(self) -> None:
        """Come in by the door, so that the console's audit log grows while it is struck, too."""
        timeout = aiohttp.ClientTimeout(total=REQUEST_S)
        said = {"token": self.token}
        async with self.http.post(self.door, data=said, timeout=timeout, allow_redirects=False) as answer:
            if answer.status != SEE_OTHER:
                raise Refused(answer.status)
        self.is_in = True

    async def _load(self) -> tuple[int, dict[str, str]]:
        timeout = aiohttp.ClientTimeout(total=REQUEST_S)
        async with self.http.get(self.url, timeout=timeout, allow_redirects=False) as answer:
            if answer.status != OK:
                raise Refused(answer.status)
            return _read_page(await answer.text())

    async def _listen(self) -> None:
        """One connection to its end."""
        headers = {"Accept": "text/event-stream"} | (
            {"Last-Event-ID": self._last_id} if self._last_id else {}
        )
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=REQUEST_S, sock_read=SILENT_S)
        url = f"{self.live}?after={self._after}"
        async with self.http.get(
            url, headers=headers, timeout=timeout, allow_redirects=False, read_bufsize=LINE_MAX
        ) as answer:
            if answer.status != OK or answer.content_type != "text/event-stream":
                raise Refused(answer.status)
            async for event in _events(answer.content):
                self._hear(event)
                if self.seq < 0 or self.ended:
                    return

    def _hear(self, event: Mapping[str, str]) -> None:
        self._last_id = event.get("id", self._last_id)
        name = event.get("event", "message")
        if name == "patch":
            self._take(json.loads(event["data"]))
        elif name == "resync":
            self.resyncs, self.seq = self.resyncs + 1, -1
        elif name == "ended":
            self.ended = True

    def _take(self, patch: Mapping[str, Any]) -> None:
        if patch["seq"] <= self.seq:
            return
        self.seq, self.patches = patch["seq"], self.patches + 1
        for row in patch["rows"]:
            self._put(row["html"])
        for told in patch["timeline"]:
            row_id = f"timeline-{told['key']}"
            if row_id in self.rows:
                self.doubled.append(f"{self.url} {row_id}")
            self._put(told["html"])
        if patch["head"]:
            self._put(patch["head"])

    def _put(self, html: str) -> None:
        found = _ROW.fullmatch(html.strip())
        assert found, f"No row of a page: {html[:200]}"
        self.rows[found["id"]] = found[0]


def _read_page(html: str) -> tuple[int, dict[str, str]]:
    seq = _SEQ.search(html)
    assert seq, "A live page says how far it is."
    rows: dict[str, str] = {}
    for found in _ROW.finditer(html):
        assert found["id"] not in rows, f"{found['id']} stands on a page twice."
        rows[found["id"]] = found[0]
    return int(seq[1]), rows


async def _events(content: aiohttp.StreamReader) -> AsyncIterator[Mapping[str, str]]:
    """The fields of each event, by the standard as far as the console uses it; comments are nobody's news."""
    event: dict[str, str] = {}
    async for line in content:
        said, _, value = line.decode().rstrip("\r\n").partition(":")
        if said:
            event[said] = value.removeprefix(" ")
        elif not value and event:
            yield event
            event = {}


class Pages:
    """All pages that are open in a run."""

    def __init__(self, county: County, http: aiohttp.ClientSession) -> None:
        settings = county.settings
        self._token = auth.mint(
            settings, "watcher", "operator", settings.region_code, datetime.now(UTC), timedelta(hours=12)
        )
        self._console = county.system.urls["console"]
        self._http = http
        self._tasks: list[asyncio.Task[None]] = []
        self.open: list[OpenPage] = []

    def look(self, path: str, live: str, *, whole: bool) -> None:
        """Open a page and keep it open."""
        page = OpenPage(
            f"{self._console}{path}",
            f"{self._console}{live}",
            self._http,
            whole,
            f"{self._console}/login",
            self._token,
        )
        self.open.append(page)
        self._tasks.append(asyncio.create_task(page.stay()))

    async def look_around(self, load: Load) -> None:
        """The list at once; as the load goes on boards, of which some are quiet and some are not."""
        self.look("/cases", "/cases/live", whole=False)
        for share in OPENED_AT:
            await load.reached(share)
            seen = {page.url for page in self.open}
            for case_id in (load.newest_case(), *await load.busy_cases()):
                path = f"/cases/{case_id}"
                if case_id and f"{self._console}{path}?whole=1" not in seen:
                    self.look(f"{path}?whole=1", f"{path}/live", whole=True)
                if len(self.open) > len(seen) + 1:
                    break

    async def differences(self) -> Sequence[Difference]:
        """Everything that an open page shows otherwise than a new one, or was told twice, or was sent away from."""
        compared = await asyncio.gather(*(page.differences() for page in self.open))
        found: list[Difference] = [each for many in compared for each in many]
        found += [("doubled", entry) for page in self.open for entry in page.doubled]
        found += [("wrong", f"{page.url} was led to the login") for page in self.open if page.ended]
        found += [("wrong", repr(task.exception())) for task in self._tasks if task.done()]
        return found

    async def close(self) -> None:
        """Close them all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def open_pages(county: County) -> AsyncIterator[Pages]:
    """Yield pages for people who come in by the door with a token; they close afterwards."""
    async with aiohttp.ClientSession(
        # Addresses without names have cookies, too.
        cookie_jar=aiohttp.CookieJar(unsafe=True),
        connector=aiohttp.TCPConnector(limit=0),
        headers={"Accept": "text/html", "Accept-Language": "en"},
    ) as http:
        pages = Pages(county, http)
        try:
            yield pages
        finally:
            await pages.close()
