"""Systems on the far side for tests: one listens on loopback, fails in the way it is told, and keeps what came."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qsl

import uvicorn

from sms_simulator.asgi import cut

System = TypeVar("System", bound="FarSystem")
Fault = Literal["hang_before", "hang_after", "reset_before", "reset_after", "error_after"]


@dataclass(frozen=True)
class Came:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Said:
    """One answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class FarSystem:
    """Takes requests; each fault or ready-made answer is used once, in order, before it behaves again."""

    port: int
    next: list[Fault | Said] = field(default_factory=list)
    came: list[Came] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def handle(self, request: Came) -> Said:
        """What it does when all is well."""
        raise NotImplementedError

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = await _read(scope, receive)
        self.came.append(request)
        turn = self.next.pop(0) if self.next else None
        if isinstance(turn, Said):
            return await _answer(send, turn)
        if turn == "hang_before":
            return await _hang(receive)
        if turn == "reset_before":
            return await cut(receive)
        said = self.handle(request)
        if turn == "hang_after":
            return await _hang(receive)
        if turn == "reset_after":
            return await cut(receive)
        await _answer(send, Said(500, b"") if turn == "error_after" else said)


@contextlib.asynccontextmanager
async def listening(kind: type[System]) -> AsyncIterator[System]:
    """Such a system on a free port."""
    sock = socket.create_server(("127.0.0.1", 0))
    system = kind(sock.getsockname()[1])
    server = uvicorn.Server(
        uvicorn.Config(system, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    )
    task = asyncio.create_task(server._serve(sockets=[sock]))
    try:
        yield system
    finally:
        server.should_exit = True
        await task


async def _read(scope: Any, receive: Any) -> Came:
    body, more = b"", True
    while more:
        part = await receive()
        body, more = body + part["body"], part["more_body"]
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
    return Came(scope["method"], scope["path"], query, headers, body)


async def _answer(send: Any, said: Said) -> None:
    headers = said.headers | {"content-length": str(len(said.body))}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": said.status, "headers": raw})
    await send({"type": "http.response.body", "body": said.body})


async def _hang(receive: Any) -> None:
    await receive()  # Until the caller gives up.
