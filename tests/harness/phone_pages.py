"""The pages behind an SMS link, served on a socket of their own for a real browser: one service, no broker."""

from __future__ import annotations

import asyncio
import io
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import uvicorn
from fastapi import FastAPI
from PIL import Image
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dispatch.service import SERVICE as DISPATCH
from guitu import problem
from guitu.service import Runtime, Service
from harness.dispatch_stories import Dispatch
from harness.notice_stories import CASE
from harness.watch_stories import Watch, watching
from notifications.photos import open_photos
from notifications.service import SERVICE as NOTIFICATIONS

PHOTO_BYTES = 14_000
"""What alerts promises at most for a notice's photo."""


def noisy_photo(bytes_max: int = PHOTO_BYTES) -> bytes:
    """An invented picture that packs as badly as a face: the largest WebP that is no larger than allowed."""
    noise, small = random.Random(7), Image.new("RGB", (40, 54))
    small.putdata([tuple(noise.randrange(256) for _ in range(3)) for _ in range(40 * 54)])
    picture, best = small.resize((320, 427)), b""
    for quality in range(5, 96, 5):
        file = io.BytesIO()
        picture.save(file, "WEBP", quality=quality)
        if len(file.getvalue()) <= bytes_max:
            best = file.getvalue()
    assert best, "Even the worst quality is too large."
    return best


@dataclass
class Alerts:
    """The service that keeps photos, as it answers notifications."""

    photo: bytes = field(default_factory=noisy_photo)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """The released photo, of any case."""
        return httpx.Response(200, content=self.photo, headers={"content-type": "image/webp"})


@dataclass
class Counter:
    """What reached the service: method and last part of each path, and whether the next answers are lost."""

    heard: list[str] = field(default_factory=list)
    loses_answers: int = 0

    def presses(self) -> list[str]:
        """The buttons that were pressed, as the service heard them."""
        return [each.removeprefix("POST ") for each in self.heard if each.startswith("POST")]


@dataclass
class NoticeSite:
    """A bus stop that was told of a child, and the link that its staff got."""

    watch: Watch
    base: str
    path: str
    counter: Counter


@dataclass
class OrderUnit:
    """A unit with an order, and the link that it got."""

    dispatch: Dispatch
    base: str
    path: str
    counter: Counter


@asynccontextmanager
async def notice_site(run: Runtime, *, with_photo: bool = True) -> AsyncIterator[NoticeSite]:
    """One site told, its page served; with a photo as large as alerts lets one be."""
    async with watching(run) as watch:
        transport = httpx.MockTransport(Alerts() if with_photo else lambda _: httpx.Response(404))
        async with (
            open_photos(run, watch.settings, transport),
            _served(NOTIFICATIONS, run) as (base, counter),
        ):
            await watch.raise_alert()
            path = (await watch.get(f"/notices?case_id={CASE}"))["deliveries"][0]["page_path"]
            yield NoticeSite(watch, base, path, counter)


@asynccontextmanager
async def order_unit(dispatch: Dispatch) -> AsyncIterator[OrderUnit]:
    """The first unit that was sent, its page served."""
    async with _served(DISPATCH, dispatch.run) as (base, counter):
        yield OrderUnit(dispatch, base, (await dispatch.orders())[0].page_path, counter)


@asynccontextmanager
async def _served(service: Service, run: Runtime) -> AsyncIterator[tuple[str, Counter]]:
    app, counter = FastAPI(), Counter()
    app.state.runtime = run
    problem.install(app)
    for router in service.routers(run):
        app.include_router(router)
    sock = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        _counted(app, counter), log_level="critical", lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve(sockets=[sock]))
    try:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}", counter
    finally:
        server.should_exit = True
        await task


def _counted(app: FastAPI, counter: Counter) -> ASGIApp:
    """Write down what is asked; an answer that is lost was acted on all the same."""

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            counter.heard.append(f"{scope['method']} {scope['path'].rsplit('/', 1)[-1]}")
            if scope["method"] == "POST" and counter.loses_answers > 0:
                counter.loses_answers -= 1
                send = _lost(send)
        await app(scope, receive, send)

    return counted


def _lost(send: Send) -> Send:
    """As if a proxy had lost its server half way."""

    async def lost(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {"type": "http.response.start", "status": 502, "headers": []}
        elif message["type"] == "http.response.body":
            message = {"type": "http.response.body", "body": b""}
        await send(message)

    return lost
