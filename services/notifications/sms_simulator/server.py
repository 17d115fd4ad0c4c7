"""Puts the simulator together and serves it, as a process of its own or inside a test's event loop."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from sms_simulator.asgi import Receive, Scope, Send
from sms_simulator.carrier import Carrier, Start
from sms_simulator.control import control_app
from sms_simulator.courier import Courier
from sms_simulator.intake import Rules
from sms_simulator.journal import Journal, JournalBusy
from sms_simulator.listener import Listener, PortTaken
from sms_simulator.mailbox import Mailbox
from sms_simulator.pages import add_pages
from sms_simulator.pulse import Pulse
from sms_simulator.rest import PREFIX, Rest
from sms_simulator.settings import SimulatorSettings


@dataclass(frozen=True, slots=True)
class Simulator:
    """A running simulator; tests in the same process may reach into `carrier` and `listener`."""

    carrier: Carrier
    listener: Listener
    server: _Server

    @property
    def url(self) -> str:
        """Its base address, as for `GUITU_TWILIO_URL`."""
        return self.listener.url


@contextlib.asynccontextmanager
async def running(
    settings: SimulatorSettings, *, ephemeral: bool = False, own_signals: bool = False
) -> AsyncIterator[Simulator]:
    """Serve until the block ends; it listens and has read its journal when the block begins.

    Raises PortTaken and JournalBusy, each of which says how to mend it.
    """
    listener = Listener(settings.host, settings.port)
    journal = Journal(None if ephemeral else settings.data_dir / "sms-simulator" / "journal.jsonl")
    carrier = _carrier(settings, journal)
    server = _Server(_config(_application(settings, carrier, listener)), own_signals)
    task = asyncio.create_task(server.serve(sockets=[listener.socket]))
    try:
        await _started(server, task)
        _lend(server, listener)
        yield Simulator(carrier, listener, server)
    finally:
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)
        listener.close()
        carrier.schedule.clear()
        await carrier.calls.close()
        await carrier.courier.close()
        journal.close()


async def serve_forever(settings: SimulatorSettings, *, ephemeral: bool) -> None:
    """Serve until SIGINT or SIGTERM."""
    async with running(settings, ephemeral=ephemeral, own_signals=True) as simulator:
        print(json.dumps({"event": "simulator.ready", "url": simulator.url}), flush=True)
        await simulator.server.stopped.wait()


def main(argv: Sequence[str] | None = None) -> None:
    """Run `python -m sms_simulator`; exits 2 with a sentence when it cannot start."""
    parser = argparse.ArgumentParser(prog="sms_simulator", description="A local Twilio to practise on.")
    parser.add_argument("--ephemeral", action="store_true", help="keep nothing on disk")
    options = parser.parse_args(argv)
    # Messages are kept by the ten thousand; looking through all of them for cycles stops everything for a tenth of
    # a second.
    gc.freeze()
    gc.set_threshold(50_000, 20, 1_000)
    try:
        asyncio.run(serve_forever(SimulatorSettings(), ephemeral=options.ephemeral))
    except (PortTaken, JournalBusy, ValueError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def _carrier(settings: SimulatorSettings, journal: Journal) -> Carrier:
    pulse = Pulse()
    mailbox = Mailbox(journal, settings.simulator_keep, pulse)
    mailbox.restore()
    rules = Rules(settings.senders, settings.landline_prefixes, settings.link_free_prefixes)
    courier = Courier(settings.twilio_auth_token.get_secret_value(), pulse)
    carrier = Carrier(
        account_sid=settings.twilio_account_sid,
        mailbox=mailbox,
        courier=courier,
        rules=rules,
        start=Start(settings.delays_s, settings.simulator_inbound_url, settings.simulator_listen_s),
    )
    carrier.resume()
    return carrier


def _application(settings: SimulatorSettings, carrier: Carrier, listener: Listener) -> _Front:
    control = control_app(carrier, listener)
    add_pages(control, carrier)
    return _Front(Rest(carrier, settings.twilio_auth_token.get_secret_value()), control)


class _Front:
    """Twilio's paths go to the lean application, everything else to FastAPI."""

    def __init__(self, rest: Rest, control: FastAPI) -> None:
        self._rest = rest
        self._control = control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await self._rest(scope, receive, send)
        else:
            await self._control(scope, receive, send)


class _Server(uvicorn.Server):
    """uvicorn that says when it started and stopped, and leaves signals alone inside a test."""

    def __init__(self, config: uvicorn.Config, own_signals: bool) -> None:
        super().__init__(config)
        self._own_signals = own_signals
        self.begun = asyncio.Event()
        self.stopped = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.begun.set()

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().serve(sockets)
        finally:
            self.stopped.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        if not self._own_signals:
            yield
            return
        with super().capture_signals():
            yield


def _config(application: _Front) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http=H11Protocol,
        ws="none",
        lifespan="off",
        access_log=False,  # Twilio's own list URLs carry phone numbers; they stay out of logs.
        log_level="error",
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
    )


async def _started(server: _Server, task: asyncio.Task[None]) -> None:
    begun = asyncio.create_task(server.begun.wait())
    await asyncio.wait({begun, task}, return_when=asyncio.FIRST_COMPLETED)
    begun.cancel()
    if task.done():
        task.result()


def _lend(server: _Server, listener: Listener) -> None:
    """Give the listener what it needs to close and open uvicorn's port."""
    config = server.config
    listener.servers = server.servers
    listener.connections = server.server_state.connections
    listener.protocol = lambda: H11Protocol(config, server.server_state, server.lifespan.state)
