"""The console with its owners behind it: their own routes on real tables, reached as over HTTP, without a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
from fastapi import FastAPI

from console.settings import console_settings
from guitu import problem
from guitu.auth import Role
from guitu.service import Runtime, Service
from harness.console_http import Answer, at_the_desk, csrf_of

Owner = tuple[Service, Runtime]
_NAMES = ("alerts", "dispatch", "dna-intake", "notifications")


class Owners:
    """What the console asks goes to these services; any other is away, as all are while `away` is set."""

    def __init__(self, console: Runtime, *owners: Owner) -> None:
        self.console, self.away = console, False
        urls = console_settings(console.settings)
        ports = {name: httpx.URL(getattr(urls, f"{name.replace('-', '_')}_url")).port for name in _NAMES}
        self._apps = {ports[service.name]: httpx.ASGITransport(_app(service, run)) for service, run in owners}

    @property
    def answer(self) -> Answer:
        """For the console's client. MockTransport awaits what is no response; its annotation does not say so."""
        return cast(Answer, self._answer)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        transport = None if self.away else self._apps.get(request.url.port)
        if transport is None:
            raise httpx.ConnectError("away", request=request)
        # A form with files is a stream that can be read once, so it is read here.
        content = await request.aread()
        sent = httpx.Request(request.method, request.url, headers=request.headers, content=content)
        told = await transport.handle_async_request(sent)
        return httpx.Response(told.status_code, headers=told.headers, content=await told.aread())

    @asynccontextmanager
    async def desk(
        self, role: Role, subject: str = "", *, language: str = "zh-CN", region: str = "500235"
    ) -> AsyncIterator[Desk]:
        """Somebody at the console, with these owners behind it."""
        asked: dict[str, Any] = {"language": language, "region": region, "subject": subject}
        async with at_the_desk(self.console, role, owners=self.answer, **asked) as http:
            yield Desk(http)


class Desk:
    """A person's browser without its screen: looks at pages, sends their forms."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def looks(self, path: str) -> str:
        """The text of a page that is there."""
        answer = await self._http.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.text

    async def opens(self, path: str) -> httpx.Response:
        """Whatever a page answers."""
        return await self._http.get(path)

    async def sends(self, path: str, **fields: Any) -> httpx.Response:
        """Send a form; a list of values is a field that is there many times."""
        return await self._http.post(path, data={"csrf": await csrf_of(self._http), **fields})

    async def uploads(self, path: str, files: dict[str, tuple[str, bytes]], **fields: Any) -> httpx.Response:
        """Send a form with files."""
        csrf = await csrf_of(self._http)
        return await self._http.post(path, data={"csrf": csrf, **fields}, files=files)

    async def does(self, path: str, **fields: Any) -> str:
        """Send a form that is taken; where it leads."""
        answer = await self.sends(path, **fields)
        assert answer.status_code == 303, f"{path}: {answer.status_code} {answer.text[:3000]}"
        return answer.headers["location"]


def _app(service: Service, run: Runtime) -> FastAPI:
    app = FastAPI()
    app.state.runtime = run
    problem.install(app)
    for router in service.routers(run):
        app.include_router(router)
    return app
