"""The console with its owners behind it: their own routes on real tables, reached as over HTTP, without a socket."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import httpx
from fastapi import FastAPI

from console.settings import console_settings
from guitu import problem
from guitu.service import Runtime, Service
from harness.console_http import Answer

Owner = tuple[Service, Runtime]


def answered_by(settings: Any, *owners: Owner) -> Answer:
    """What the console asks goes to these services; any other is away. A moment's outage is made with `Away`."""
    urls = console_settings(settings)
    ports = {
        name: httpx.URL(getattr(urls, f"{name.replace('-', '_')}_url")).port
        for name in ("alerts", "dispatch", "dna-intake", "notifications")
    }
    apps = {ports[service.name]: httpx.ASGITransport(_app(service, run)) for service, run in owners}

    async def answer(request: httpx.Request) -> httpx.Response:
        transport = apps.get(request.url.port)
        if transport is None:
            raise httpx.ConnectError("away", request=request)
        sent = httpx.Request(
            request.method, request.url, headers=request.headers, content=await _body(request)
        )
        told = await transport.handle_async_request(sent)
        return httpx.Response(told.status_code, headers=told.headers, content=await told.aread())

    # MockTransport awaits what is no response; its annotation does not say so.
    return cast(Answer, answer)


async def _body(request: httpx.Request) -> bytes:
    """Read by hand: a form with files is a stream that can be read once."""
    return await request.aread()


def _app(service: Service, run: Runtime) -> FastAPI:
    app = FastAPI()
    app.state.runtime = run
    problem.install(app)
    for router in service.routers(run):
        app.include_router(router)
    return app


def has_no(text: str, secrets: Iterable[str]) -> bool:
    """Does a page hold none of these?"""
    return not [one for one in secrets if one in text]
