"""A person at the console with the real alerts behind it: both in this process, on the test's database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from alerts.photos import worker_of
from guitu.auth import Role
from guitu.service import Runtime
from harness.alert_stories import Desk, desk
from harness.console_http import at_the_desk

RuntimeFor = Callable[[str], Awaitable[Runtime]]


@dataclass
class Room:
    """The browser, and what stands behind it."""

    browser: httpx.AsyncClient
    alerts: Desk
    asked: list[httpx.Request]
    """What the console asked alerts for, in order."""

    def commands(self) -> list[tuple[str, str]]:
        """Method and path of everything that was more than a question."""
        return [(each.method, each.url.path) for each in self.asked if each.method != "GET"]


@asynccontextmanager
async def room(
    runtime_for: RuntimeFor, role: Role = "operator", *, language: str = "en", region: str = "500235"
) -> AsyncIterator[Room]:
    """The console of a person in that role; every other owner is away."""
    alerts_run, console_run = await runtime_for("alerts"), await runtime_for("console")
    asked: list[httpx.Request] = []
    async with desk(alerts_run) as behind:

        async def owners(request: httpx.Request) -> httpx.Response:
            if request.url.port != 8201:
                raise httpx.ConnectError("away", request=request)
            asked.append(request)
            passed: dict[str, Any] = {"content": await request.aread(), "headers": request.headers}
            answer = await behind.http.request(request.method, str(request.url), **passed)
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

        async with at_the_desk(console_run, role, owners=owners, language=language, region=region) as browser:  # type: ignore[arg-type]
            yield Room(browser, behind, asked)
    await worker_of(alerts_run).close()
