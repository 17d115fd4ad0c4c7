"""People at the console in the same process: pages and streams of the real application, owners faked on the wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI

from console.hub import Hub
from console.refusals import dress
from console.service import SERVICE
from console.settings import ConsoleSettings
from console.upstream import Upstream
from guitu import limits, problem
from guitu.auth import Principal, Role
from guitu.service import Runtime

WAIT_S = 10.0
Far = Callable[[httpx.Request], httpx.Response]
SITES_HEAD = "site_id,category,name_zh,name_en,township_code,lon,lat,region_code,exercise_ok\n"


def nobody_home(request: httpx.Request) -> httpx.Response:
    """Owners that know no unit and no site."""
    if request.url.path == "/units":
        return httpx.Response(200, json=[])
    if request.url.path == "/directory/export":
        return httpx.Response(200, text=SITES_HEAD)
    return httpx.Response(404, json={"code": "none", "detail": "None.", "detail_zh": "无。"})


@dataclass
class Console:
    """A console process."""

    run: Runtime
    app: FastAPI
    hub: Hub

    @asynccontextmanager
    async def seat(
        self, role: Role = "operator", region: str = "500235", language: str = "en"
    ) -> AsyncIterator[httpx.AsyncClient]:
        """Somebody logged in; the client keeps the cookies as a browser does."""
        cookies = await log_in(self, role, region) | {"guitu_language": language}
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://console.test", cookies=cookies
        ) as http:
            yield http


async def log_in(console: Console, role: Role, region: str) -> dict[str, str]:
    """A session's cookies."""
    from starlette.requests import Request

    from console.sessions import COOKIE, new_session

    request = Request({"type": "http", "app": console.app, "headers": [], "method": "GET", "path": "/"})
    return {COOKIE: new_session(request, Principal(f"{role}-1", role, region))}


@asynccontextmanager
async def opened(run: Runtime, far: Far = nobody_home, *, turn_s: float = 0.01) -> AsyncIterator[Console]:
    """The console's own application on the test's database, its hub turning."""
    app = FastAPI()
    problem.install(app)
    app.add_middleware(limits.BodyLimit)
    dress(app)
    app.state.runtime = run
    settings = ConsoleSettings(**run.settings.model_dump())
    hub = run.state["hub"] = Hub(run, turn_s, beat_s=0.1)
    async with Upstream(settings, httpx.MockTransport(far)) as upstream:
        run.state["upstream"] = upstream
        for router in SERVICE.routers(run):
            app.include_router(router)
        turning = asyncio.create_task(hub.run())
        try:
            yield Console(run, app, hub)
        finally:
            turning.cancel()
            await asyncio.gather(turning, return_exceptions=True)


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
    cookies = await log_in(console, role, region) | {"guitu_language": language}
    stream = Stream(console, path, cookies, last_event_id)
    await stream.open()
    try:
        yield stream
    finally:
        await stream.cut()
