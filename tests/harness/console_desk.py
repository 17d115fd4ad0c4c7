"""People at the console in the same process: streams of the real application, owners faked on the wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI

from console.live.hub import Hub
from guitu.auth import Principal, Role
from guitu.service import Runtime
from harness.console_door import cookies_of
from harness.console_http import Answer, app_of

WAIT_S = 10.0
SITES_HEAD = "site_id,category,name_zh,name_en,township_code,lon,lat,region_code,exercise_ok\n"


def nobody_known(request: httpx.Request) -> httpx.Response:
    """Owners that know no unit and no site."""
    if request.url.path == "/units":
        return httpx.Response(200, json=[])
    if request.url.path == "/directory/export":
        return httpx.Response(200, text=SITES_HEAD)
    return httpx.Response(404, json={"code": "none", "detail": "None.", "detail_zh": "无。"})


@dataclass
class Console:
    """A console process; `hub` turns."""

    run: Runtime
    app: FastAPI
    hub: Hub


@asynccontextmanager
async def opened(
    run: Runtime, owners: Answer = nobody_known, *, turn_s: float = 0.01
) -> AsyncIterator[Console]:
    """The console's own application on the test's database, with its hub."""
    app = app_of(run, owners)
    hub = run.state["hub"] = Hub(run, turn_s, beat_s=0.1)
    turning = asyncio.create_task(hub.run())
    try:
        yield Console(run, app, hub)
    finally:
        turning.cancel()
        await asyncio.gather(turning, return_exceptions=True)


@asynccontextmanager
async def seat_at(
    console: Console, role: Role = "operator", region: str = "500235", language: str = "en"
) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of somebody who is logged in at this console; redirects are not followed."""
    cookies = await cookies_of(console.run, Principal(f"{role}-1", role, region))
    transport = httpx.ASGITransport(app=console.app)
    headers = {"Accept": "text/html", "Accept-Language": language}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://console.test", cookies=cookies, headers=headers
    ) as http:
        yield http


@dataclass
class Event:
    """One server-sent event."""

    name: str
    id: int | None
    data: Any


@dataclass
class Stream:
    """An open stream, read as a browser reads it; `cut` ends it as a lost connection does."""

    console: Console
    path: str
    cookies: dict[str, str]
    last_event_id: int | None = None
    events: asyncio.Queue[Event | None] = field(default_factory=asyncio.Queue)
    status: int = 0
    _task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect; comes back when the answer began."""
        begun: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(begun))
        self.status = await asyncio.wait_for(begun, WAIT_S)

    async def cut(self) -> None:
        """Lose the connection."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def next(self, *names: str) -> Event | None:
        """The next event of these names; None when the stream ended."""
        async with asyncio.timeout(WAIT_S):
            while True:
                event = await self.events.get()
                if event is None or event.name in names:
                    return event

    async def _run(self, begun: asyncio.Future[int]) -> None:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = [(b"cookie", cookie.encode()), (b"host", b"console.test")]
        if self.last_event_id is not None:
            headers.append((b"last-event-id", str(self.last_event_id).encode()))
        path, _, query = self.path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": headers,
            "scheme": "http",
            "server": ("console.test", 80),
            "client": ("127.0.0.1", 1),
            "root_path": "",
        }
        rest = b""

        async def receive() -> dict[str, Any]:
            await asyncio.Event().wait()
            raise AssertionError("Nothing comes.")

        async def send(message: Any) -> None:
            nonlocal rest
            if message["type"] == "http.response.start":
                begun.set_result(message["status"])
                return
            *whole, rest = (rest + message.get("body", b"")).replace(b"\r\n", b"\n").split(b"\n\n")
            for block in whole:
                if event := read_event(block.decode()):
                    self.last_event_id = event.id if event.id is not None else self.last_event_id
                    self.events.put_nowait(event)

        try:
            await self.console.app(scope, receive, send)
        finally:
            self.events.put_nowait(None)


def read_event(block: str) -> Event | None:
    """A block of the stream; None for comments and the retry time."""
    fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and line[0] != ":")
    if "event" not in fields:
        return None
    return Event(fields["event"], int(fields["id"]) if "id" in fields else None, json.loads(fields["data"]))


@asynccontextmanager
async def streaming(
    console: Console,
    path: str,
    role: Role = "operator",
    region: str = "500235",
    language: str = "en",
    last_event_id: int | None = None,
) -> AsyncIterator[Stream]:
    """An open stream of somebody logged in."""
    cookies = await cookies_of(console.run, Principal(f"{role}-1", role, region)) | {
        "guitu_language": language
    }
    stream = Stream(console, path, cookies, last_event_id)
    await stream.open()
    try:
        yield stream
    finally:
        await stream.cut()
