"""The far side for tests: the simulator in this process's loop, the real twilio client, and an ear for webhooks."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from pydantic import SecretStr
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from notifications.providers.twilio_sms import TwilioAccount
from sms_simulator.faults import FaultKind, Rule
from sms_simulator.server import Simulator, running
from sms_simulator.settings import SimulatorSettings

SID = "AC" + "5" * 32
TOKEN = "token-of-the-tests"
OURS = "+12025550100"
PHONE = "+447700900123"
OTHER_PHONE = "+447700900124"
SERVICE = "MG" + "a" * 32


def simulator_settings(**changes: Any) -> SimulatorSettings:
    """Settings of a simulator on a free port whose messages move at once."""
    plain: dict[str, Any] = {
        "port": 0,
        "twilio_account_sid": SID,
        "twilio_auth_token": SecretStr(TOKEN),
        "simulator_delays_ms": "0,0,0",
        "simulator_listen_s": 0,
    }
    return SimulatorSettings(**(plain | changes))


@contextlib.asynccontextmanager
async def simulator_running(**changes: Any) -> AsyncIterator[Simulator]:
    """A simulator that keeps nothing on disk."""
    async with running(simulator_settings(**changes), ephemeral=True) as simulator:
        yield simulator


@contextlib.asynccontextmanager
async def real_client(simulator: Simulator, token: str = TOKEN) -> AsyncIterator[Client]:
    """The twilio library as it comes, pointed at the simulator."""
    http = AsyncTwilioHttpClient()
    client = Client(SID, token, http_client=http, environment={"": ""})
    client.api.base_url = simulator.url
    try:
        yield client
    finally:
        await http.close()


def account(base_url: str, **changes: Any) -> TwilioAccount:
    """Our adapter's account at the simulator."""
    plain: dict[str, Any] = {"account_sid": SID, "auth_token": TOKEN, "sender": OURS, "base_url": base_url}
    return TwilioAccount(**(plain | changes))


def break_with(simulator: Simulator, kind: FaultKind, **more: Any) -> None:
    """Put one fault in force, for everybody unless told otherwise."""
    simulator.carrier.faults.replace([Rule(kind, **more)], seed=7)


async def settled(simulator: Simulator) -> None:
    """Wait until every status was reached and every callback made."""
    assert await simulator.carrier.mailbox.pulse.until(lambda: simulator.carrier.idle, 20)


@dataclass(frozen=True)
class Heard:
    """One webhook as it arrived."""

    url: str
    form: dict[str, str]
    headers: dict[str, str]


@dataclass
class Ear:
    """Takes webhooks; answers with the next of `statuses`, then with 204; hangs where a status is 0."""

    port: int
    statuses: list[int] = field(default_factory=list)
    body: bytes = b""
    heard: list[Heard] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def words(self, sid: str | None = None) -> list[str]:
        """The statuses that came in, in order of arrival."""
        return [h.form["MessageStatus"] for h in self.heard if sid in (None, h.form["MessageSid"])]

    def forget(self) -> None:
        """Hear as if for the first time."""
        self.statuses.clear()
        self.heard.clear()
        self.arrived.clear()
        self.body = b""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part["body"], part["more_body"]
        query = f"?{scope['query_string'].decode()}" if scope["query_string"] else ""
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        self.heard.append(Heard(f"{self.url}{scope['raw_path'].decode()}{query}", form, headers))
        self.arrived.set()
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 0:
            await receive()  # Until the caller gives up.
            return
        length = (b"content-length", str(len(self.body)).encode())
        await send({"type": "http.response.start", "status": status, "headers": [length]})
        await send({"type": "http.response.body", "body": self.body})


@contextlib.asynccontextmanager
async def listening() -> AsyncIterator[Ear]:
    """An ear on a free port."""
    sock = socket.create_server(("127.0.0.1", 0))
    ear = Ear(sock.getsockname()[1])
    server = uvicorn.Server(
        uvicorn.Config(ear, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    )
    task = asyncio.create_task(server._serve(sockets=[sock]))
    try:
        yield ear
    finally:
        server.should_exit = True
        await task


def closed_port() -> int:
    """A port on loopback where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])
