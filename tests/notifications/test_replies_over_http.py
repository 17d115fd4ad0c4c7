"""The whole way over HTTP: our sender, the simulator of Twilio, its signed callbacks, and people's replies."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest_asyncio
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from contracts.notice import NoticeAccepted, NoticeAcknowledged, NoticeDelivered
from contracts.sighting import SightingReported
from guitu import problem
from guitu.service import Runtime
from harness.ground import SettableClock, facts, react
from harness.notice_stories import PHONES, raised, three_sites
from notifications import looking_up, service
from notifications.agents import REACTIONS
from notifications.outside import open_provider
from notifications.service import sending_with
from notifications.settings import NotificationSettings
from sms_simulator.server import running as simulator_running
from sms_simulator.settings import SimulatorSettings

RuntimeFor = Callable[[str], Awaitable[Runtime]]
SID, TOKEN = "AC" + "1" * 32, "a-token-for-tests"


@dataclass
class Line:
    """Our service and the simulator, connected."""

    run: Runtime
    twilio: httpx.AsyncClient
    settings: NotificationSettings

    async def told(self) -> None:
        """Tell the nearest site, and wait until every status has been called back."""
        await react(self.run, REACTIONS, raised(self.run.clock.now(), radius_km=5))
        await self.send()

    async def send(self) -> None:
        sender = self.run.state["sender"]
        while await sender.pump():
            await sender.drain()
        idle = await self.twilio.get("/simulator/idle", params={"wait_s": 10})
        assert idle.json()["idle"], idle.text

    async def fault(self, kind: str, **more: Any) -> None:
        plan = {"seed": 7, "rules": [{"kind": kind, **more}]}
        (await self.twilio.put("/simulator/faults", json=plan)).raise_for_status()

    async def reply(self, body: str) -> int:
        text = {"from": PHONES[1], "body": body}
        answer = await self.twilio.post("/simulator/inbound", json=text)
        return int(answer.raise_for_status().json()["webhook_status"])

    async def states(self) -> list[str]:
        rows = await self.run.pool.fetch("select state from delivery order by queued_at")
        return [row["state"] for row in rows]

    async def doubles(self) -> list[Any]:
        ledger = await self.twilio.get("/simulator/ledger", params={"min_count": 2})
        return list(ledger.json()["pairs"])


@asynccontextmanager
async def served(app: FastAPI, sock: socket.socket) -> AsyncIterator[None]:
    """Serve until the block ends."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server._serve(sockets=[sock]))
    try:
        yield
    finally:
        server.should_exit = True
        await task


@pytest_asyncio.fixture
async def line(runtime_for: RuntimeFor) -> AsyncIterator[Line]:
    run = await runtime_for("notifications")
    await three_sites(run)
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    run.public_url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    async with AsyncExitStack() as stack:
        simulated = SimulatorSettings(
            port=0,
            twilio_account_sid=SID,
            twilio_auth_token=SecretStr(TOKEN),
            simulator_delays_ms="0,0,0",
            simulator_inbound_url=f"{run.public_url}/twilio/inbound",
        )
        simulator = await stack.enter_async_context(simulator_running(simulated, ephemeral=True))
        ours = {
            "twilio_url": simulator.url,
            "twilio_account_sid": SID,
            "twilio_auth_token": TOKEN,
            "sms_timeout_s": 1,
        }
        settings = NotificationSettings(**(run.settings.model_dump() | ours))
        provider = await stack.enter_async_context(open_provider(settings))
        await stack.enter_async_context(sending_with(run, provider, settings))
        app = FastAPI()
        app.state.runtime = run
        problem.install(app)
        for router in service.routers(run):
            app.include_router(router)
        await stack.enter_async_context(served(app, sock))
        twilio = await stack.enter_async_context(httpx.AsyncClient(base_url=simulator.url, timeout=15))
        yield Line(run, twilio, settings)


async def test_an_sms_goes_out_and_comes_back_delivered(line: Line) -> None:
    await line.told()

    assert await line.states() == ["delivered"]
    [accepted] = await facts(line.run, NoticeAccepted)
    assert (accepted.provider, accepted.segments) == ("twilio", 1)
    assert len(await facts(line.run, NoticeDelivered)) == 1


async def test_doubled_and_shuffled_callbacks_count_once(line: Line) -> None:
    await line.fault("callback_doubled")
    await line.told()

    assert await line.states() == ["delivered"]
    assert len(await facts(line.run, NoticeDelivered)) == 1


async def test_a_forged_callback_is_refused_and_changes_nothing(line: Line) -> None:
    await line.fault("callback_forged")
    await line.told()

    assert await line.states() == ["accepted"]
    forged = await line.twilio.post(
        f"{line.run.public_url}/twilio/inbound",
        data={"MessageSid": "SM" + "0" * 32, "From": PHONES[1], "Body": "1"},
    )
    assert (forged.status_code, forged.json()["code"]) == (403, "bad_signature")


async def test_a_lost_answer_is_made_good_by_the_callback(line: Line) -> None:
    await line.fault("lost_response", count=1)
    await line.told()

    assert await line.states() == ["delivered"]
    assert await line.doubles() == []


async def test_a_lost_answer_and_lost_callbacks_are_made_good_by_looking_it_up(line: Line) -> None:
    await line.twilio.put(
        "/simulator/faults",
        json={"rules": [{"kind": "lost_response", "count": 1}, {"kind": "callback_lost"}]},
    )
    await line.told()
    assert await line.states() == ["unknown"]

    clock = line.run.clock
    assert isinstance(clock, SettableClock)
    clock.advance(seconds=line.settings.grace_s + 1)
    await looking_up.look_up_unknown(line.run)
    await line.send()

    assert await line.states() == ["delivered"]
    assert await line.doubles() == []


async def test_an_error_after_accepting_is_not_sent_again(line: Line) -> None:
    await line.fault("error_after", count=1)
    await line.told()
    clock = line.run.clock
    assert isinstance(clock, SettableClock)

    clock.advance(minutes=2)
    await looking_up.look_up_unknown(line.run)
    await line.send()

    assert await line.doubles() == []
    assert await line.states() == ["delivered"]


async def test_too_many_requests_is_tried_again_later(line: Line) -> None:
    await line.fault("too_many_requests", count=1)
    await line.told()
    assert await line.states() == ["queued"]
    clock = line.run.clock
    assert isinstance(clock, SettableClock)

    clock.advance(seconds=31)
    await line.send()

    assert await line.states() == ["delivered"]


async def test_a_reply_by_sms_acknowledges_and_free_text_is_a_sighting(line: Line) -> None:
    await line.told()

    assert await line.reply("签收") == 200
    assert await line.reply("看到他上了去万州的大巴") == 200

    assert len(await facts(line.run, NoticeAcknowledged)) == 1
    [sighting] = await facts(line.run, SightingReported)
    assert sighting.channel == "sms"


async def test_a_status_nobody_has_seen_before_changes_nothing(line: Line) -> None:
    await line.fault("strange_status")
    await line.told()

    assert await line.states() == ["sent"]


async def test_lost_callbacks_of_an_accepted_sms_are_made_good_by_asking(line: Line) -> None:
    await line.fault("callback_lost")
    await line.told()
    assert ["accepted"] == await line.states()
    clock = line.run.clock
    assert isinstance(clock, SettableClock)

    clock.advance(minutes=2)
    await looking_up.look_up_without_end(line.run)

    assert ["delivered"] == await line.states()
    assert 1 == len(await facts(line.run, NoticeDelivered))
