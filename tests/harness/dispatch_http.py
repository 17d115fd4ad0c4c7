"""Dispatch over HTTP, in the same process: staff with a token, units with a page link."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import httpx
from fastapi import FastAPI

from dispatch.service import SERVICE
from guitu import problem
from guitu.auth import Role, mint
from harness.dispatch_stories import Dispatch


class Desk:
    """A person of the command centre."""

    def __init__(self, dispatch: Dispatch, http: httpx.AsyncClient, role: Role, region: str) -> None:
        run = dispatch.run
        token = mint(run.settings, f"{role}-1", role, region, run.clock.now(), timedelta(days=1))
        self._http, self._headers = http, {"Authorization": f"Bearer {token}"}

    async def reads(self, path: str) -> httpx.Response:
        """GET."""
        return await self._http.get(path, headers=self._headers)

    async def sends(self, path: str, body: object) -> httpx.Response:
        """POST."""
        return await self._http.post(path, json=body, headers=self._headers)

    async def puts(self, path: str, body: object) -> httpx.Response:
        """PUT."""
        return await self._http.put(path, json=body, headers=self._headers)

    async def takes_back(self, path: str) -> httpx.Response:
        """DELETE."""
        return await self._http.delete(path, headers=self._headers)


@dataclass
class Centre:
    """A command centre: its dispatch, and people at its desks."""

    dispatch: Dispatch
    http: httpx.AsyncClient

    def desk(self, role: Role = "operator", region: str = "500235") -> Desk:
        """Somebody in that role."""
        return Desk(self.dispatch, self.http, role, region)


@asynccontextmanager
async def over_http(dispatch: Dispatch) -> AsyncIterator[httpx.AsyncClient]:
    """The service's own routes on the test's database."""
    app = FastAPI()
    app.state.runtime = dispatch.run
    problem.install(app)
    for router in SERVICE.routers(dispatch.run):
        app.include_router(router)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://dispatch.test") as http:
        yield http
