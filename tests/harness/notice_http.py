"""Notifications over HTTP in the same process: staff of a region with a token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from guitu import problem
from guitu.auth import Role, mint
from guitu.service import Runtime
from notifications.service import SERVICE


class Office:
    """A person with a role, who may look at and do things over HTTP."""

    def __init__(self, run: Runtime, http: httpx.AsyncClient, role: Role, region: str) -> None:
        token = mint(run.settings, f"{role}-1", role, region, run.clock.now(), timedelta(days=1))
        self._http, self._headers = http, {"Authorization": f"Bearer {token}"}

    async def reads(self, path: str) -> httpx.Response:
        """GET."""
        return await self._http.get(path, headers=self._headers)

    async def sends(self, path: str, **body: Any) -> httpx.Response:
        """POST, with httpx's keywords for the body."""
        return await self._http.post(path, headers=self._headers, **body)


def app_of(run: Runtime) -> FastAPI:
    """The service's own routes on the test's database."""
    app = FastAPI()
    app.state.runtime = run
    problem.install(app)
    for router in SERVICE.routers(run):
        app.include_router(router)
    return app


@asynccontextmanager
async def over_http(run: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    """The service's own routes, without a socket between."""
    transport = httpx.ASGITransport(app=app_of(run))
    async with httpx.AsyncClient(transport=transport, base_url="http://notifications.test") as http:
        yield http
