"""From silence to a pressed key: the real service, the real client, and a simulated phone, over loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest_asyncio
import uvicorn
from fastapi import FastAPI

from contracts.notice import NoticeAcknowledged, NoticeEscalated
from guitu import problem
from guitu.service import Runtime
from harness.far_side import account, settled
from harness.ground import SettableClock, facts, react
from harness.notice_stories import PHONES, Carrier, contact, fill, raised, site, stood_down
from notifications import escalating, service
from notifications.agents import REACTIONS
from notifications.domain.senders import SenderSpec
from notifications.providers.adapter import Adapted
from notifications.providers.twilio_voice import open_twilio_voice
from notifications.senders import Line, Senders
from notifications.sending import Sender
from notifications.service import sending_with
from sms_simulator.server import Simulator
from sms_simulator.switchboard import Manners

RuntimeFor = Callable[[str], Awaitable[Runtime]]


@dataclass
class Station:
    """A bus station with one contact, who takes calls."""

    run: Runtime
    sender: Sender
    simulator: Simulator

    async def hears_nothing_for(self, minutes: float) -> None:
        """Time goes by, timers run, calls are made and end."""
        clock = self.run.clock
        assert isinstance(clock, SettableClock)
        clock.advance(minutes=minutes)
        await escalating.escalate_unanswered(self.run)
        while await self.sender.pump():
            await self.sender.drain()
        await settled(self.simulator)

    async def call_state(self) -> tuple[str, bool]:
        row = await self.run.pool.fetchrow(
            "select state, acknowledged_at from delivery where channel = 'voice'"
        )
        return row["state"], row["acknowledged_at"] is not None


@asynccontextmanager
async def _served(app: FastAPI) -> AsyncIterator[str]:
    sock = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve(sockets=[sock]))
    try:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@pytest_asyncio.fixture
async def station(runtime_for: RuntimeFor, simulator: Simulator) -> AsyncIterator[Station]:
    run = await runtime_for("notifications")
    await fill(run, [site(1, 1)], [contact(1, 1, voice=True)])
    async with AsyncExitStack() as stack:
        voice = await stack.enter_async_context(open_twilio_voice(account(simulator.url)))
        lines = [
            Line(SenderSpec(name="sms", provider="twilio"), Carrier()),
            Line(SenderSpec(name="calls", provider="twilio_voice", channel="voice"), Adapted(voice)),
        ]
        app = FastAPI()
        app.state.runtime = run
        problem.install(app)
        run.public_url = await stack.enter_async_context(_served(app))
        sender = await stack.enter_async_context(sending_with(run, Senders(lines)))
        for router in service.routers(run):
            app.include_router(router)
        await react(run, REACTIONS, raised(run.clock.now(), radius_km=5))
        await sender.pump()
        await sender.drain()
        yield Station(run, sender, simulator)


async def test_silence_becomes_a_call_and_a_pressed_one_ends_it(station: Station) -> None:
    station.simulator.carrier.calls.manners[PHONES[1]] = Manners(keys="21")

    await station.hears_nothing_for(minutes=4)
    await station.hears_nothing_for(minutes=10)

    [call] = station.simulator.carrier.calls.calls
    assert (call.to, call.pressed) == (PHONES[1], "21")
    assert "C, Y, 0, 4, 7, 2" in call.said[0][1]
    assert call.said[-1] == ("zh-CN", "已签收。谢谢您。")
    assert await station.call_state() == ("delivered", True)
    assert {fact.channel for fact in await facts(station.run, NoticeAcknowledged)} == {"voice"}
    assert [fact.to for fact in await facts(station.run, NoticeEscalated)] == ["voice"]


async def test_a_call_that_is_heard_but_not_answered_goes_on_to_the_command_centre(station: Station) -> None:
    await station.hears_nothing_for(minutes=4)
    assert await station.call_state() == ("delivered", False)

    await station.hears_nothing_for(minutes=4)

    assert [fact.to for fact in await facts(station.run, NoticeEscalated)] == ["voice", "command_centre"]
    assert len(station.simulator.carrier.calls.calls) == 1


async def test_a_busy_phone_goes_on_at_once(station: Station) -> None:
    station.simulator.carrier.calls.manners[PHONES[1]] = Manners("busy")

    await station.hears_nothing_for(minutes=4)
    await station.hears_nothing_for(minutes=0)

    assert await station.call_state() == ("failed", False)
    assert [fact.to for fact in await facts(station.run, NoticeEscalated)] == ["voice", "command_centre"]


async def test_a_child_found_while_the_phone_rings_is_what_the_call_says(station: Station) -> None:
    station.simulator.carrier.calls.manners[PHONES[1]] = Manners(listen_s=20)
    clock = station.run.clock
    assert isinstance(clock, SettableClock)
    clock.advance(minutes=4)
    await escalating.escalate_unanswered(station.run)
    await station.sender.pump()
    await station.sender.drain()
    [call] = station.simulator.carrier.calls.calls
    assert await station.simulator.carrier.mailbox.pulse.until(lambda: call.listening, 10)

    await react(station.run, REACTIONS, stood_down(clock.now()))
    station.simulator.carrier.calls.press(call, "1")
    await settled(station.simulator)

    assert "协查已解除" in call.said[-1][1]
    assert await facts(station.run, NoticeAcknowledged) == []
