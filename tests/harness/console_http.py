"""The console over HTTP in the same process: its own routes on the test's database, owners faked by a transport."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from console.service import SERVICE
from console.settings import console_settings
from console.upstream import Upstream
from guitu import problem
from guitu.auth import Principal, Role
from guitu.service import Runtime
from harness.console_door import cookies_of

Answer = Callable[[httpx.Request], httpx.Response]
PAGE = {"Accept": "text/html", "Accept-Language": "zh-CN"}


def nobody_answers(request: httpx.Request) -> httpx.Response:
    """Owners that are away."""
    raise httpx.ConnectError("away", request=request)


def app_of(run: Runtime, owners: Answer = nobody_answers) -> FastAPI:
    """The console's routes; what it asks of the owners is answered by `owners`."""
    app = FastAPI()
    app.state.runtime = run
    problem.install(app)
    upstream = Upstream(console_settings(run.settings), httpx.MockTransport(owners))
    run.state["upstream"] = upstream
    for router in SERVICE.routers(run):
        app.include_router(router)
    assert SERVICE.dress is not None
    SERVICE.dress(app)
    return app


@asynccontextmanager
async def at_the_desk(
    run: Runtime,
    role: Role | None = "operator",
    *,
    owners: Answer = nobody_answers,
    region: str = "500235",
    language: str = "zh-CN",
    subject: str = "",
) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of a person who is logged in, or of nobody with `role=None`; redirects are not followed."""
    app = app_of(run, owners)
    cookies = await cookies_of(run, Principal(subject or f"{role}-1", role, region)) if role else {}
    headers = PAGE | {"Accept-Language": language}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://console.test", headers=headers, cookies=cookies
    ) as http:
        yield http


async def csrf_of(http: httpx.AsyncClient, path: str = "/keys") -> str:
    """The token that a page of this session carries."""
    page = await http.get(path, follow_redirects=True)
    return page.text.split('data-csrf="', 1)[1].split('"', 1)[0]


async def submits(http: httpx.AsyncClient, path: str, **fields: Any) -> httpx.Response:
    """POST a form as the browser does, with the session's token."""
    return await http.post(path, data={"csrf": await csrf_of(http), **fields})
