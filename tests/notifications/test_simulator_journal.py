"""What was accepted is remembered: over a restart, over a kill, and up to a stated number of messages."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from pydantic import ValidationError
from twilio.rest import Client

from harness.far_side import (
    OTHER_PHONE,
    OURS,
    PHONE,
    SID,
    TOKEN,
    Ear,
    real_client,
    settled,
    simulator_settings,
)
from sms_simulator.journal import Journal, JournalBusy
from sms_simulator.listener import PortTaken
from sms_simulator.server import Simulator, running


@asynccontextmanager
async def kept(folder: Path, **changes: object) -> AsyncIterator[tuple[Simulator, Client]]:
    """A simulator that keeps its journal in `folder`, with a client."""
    async with (
        running(simulator_settings(data_dir=folder, **changes)) as simulator,
        real_client(simulator) as client,
    ):
        yield simulator, client


async def test_a_restart_remembers_messages_ledger_and_opt_outs(tmp_path: Path) -> None:
    async with kept(tmp_path) as (first, client):
        sent = await client.messages.create_async(to=PHONE, from_=OURS, body="hello")
        gone = await client.messages.create_async(to=PHONE, from_=OURS, body="hello")
        await settled(first)
        await client.messages(sent.sid).update_async(body="")
        await client.messages(gone.sid).delete_async()
        await first.carrier.receive(OTHER_PHONE, OURS, "STOP")
        first.carrier.mailbox.set_inbound_url(OURS, "http://127.0.0.1:9/in")

    async with kept(tmp_path) as (second, client):
        mailbox = second.carrier.mailbox
        listed = await client.messages.list_async(to=PHONE)

        assert [(m.sid, m.body, m.status) for m in listed] == [(sent.sid, "", "delivered")]
        assert dict(mailbox.ledger) == {(PHONE, "hello"): 2}
        assert mailbox.opted_out(OURS, OTHER_PHONE)
        assert mailbox.inbound_urls == {OURS: "http://127.0.0.1:9/in"}
        assert mailbox.next_seq() == 4


async def test_after_a_restart_messages_go_on_from_where_they_were(tmp_path: Path, ear: Ear) -> None:
    async with kept(tmp_path, simulator_delays_ms="0,3600000,0") as (first, client):
        await client.messages.create_async(to=PHONE, from_=OURS, body="x", status_callback=ear.url)
        await first.carrier.mailbox.pulse.until(lambda: bool(ear.heard) and first.carrier.courier.idle, 10)

    async with kept(tmp_path) as (second, _):
        await settled(second)

    assert ear.words()[0] == "sending"
    assert sorted(ear.words()[1:]) == ["delivered", "sent"]


async def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    environment = os.environ | {
        "GUITU_PORT": "0",
        "GUITU_DATA_DIR": str(tmp_path),
        "GUITU_TWILIO_ACCOUNT_SID": SID,
        "GUITU_TWILIO_AUTH_TOKEN": TOKEN,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sms_simulator", env=environment, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    url = json.loads(await asyncio.wait_for(process.stdout.readline(), 30))["url"]
    answered = await _create_until_killed(url, process)

    async with kept(tmp_path) as (again, _):
        remembered = set(again.carrier.mailbox.by_sid)

    assert len(answered) >= 100
    assert answered <= remembered


async def _create_until_killed(url: str, process: asyncio.subprocess.Process) -> set[str]:
    answered: set[str] = set()
    form = {"To": PHONE, "From": OURS, "Body": "hello"}

    async def create(session: aiohttp.ClientSession) -> None:
        for _ in range(10_000):
            async with session.post(f"{url}/2010-04-01/Accounts/{SID}/Messages.json", data=form) as answer:
                answered.add((await answer.json())["sid"])
            if len(answered) == 100:
                process.send_signal(signal.SIGKILL)

    async with aiohttp.ClientSession(auth=aiohttp.BasicAuth(SID, TOKEN)) as session:
        ends = await asyncio.gather(*(create(session) for _ in range(8)), return_exceptions=True)
    assert all(isinstance(end, aiohttp.ClientError | ConnectionError) for end in ends)
    assert await process.wait() == -signal.SIGKILL
    return answered


async def test_a_line_torn_by_a_kill_is_skipped(tmp_path: Path) -> None:
    async with kept(tmp_path) as (_, client):
        await client.messages.create_async(to=PHONE, from_=OURS, body="whole")
    journal = tmp_path / "sms-simulator" / "journal.jsonl"
    with journal.open("ab") as file:
        file.write(b'{"k":"m","seq":2,"sid":"SM')

    async with kept(tmp_path) as (again, client):
        await client.messages.create_async(to=PHONE, from_=OURS, body="after")

        assert [m.body for m in again.carrier.mailbox.messages] == ["whole", "after"]
    assert all(json.loads(line) for line in journal.read_text("utf-8").splitlines())


async def test_the_oldest_messages_are_forgotten_and_counted(tmp_path: Path) -> None:
    async with kept(tmp_path, simulator_keep=3) as (simulator, client):
        for n in range(5):
            await client.messages.create_async(to=PHONE, from_=OURS, body=f"{n}")
        await simulator.carrier.receive(PHONE, OURS, "in")
        await settled(simulator)
        mailbox = simulator.carrier.mailbox

        assert [m.body for m in mailbox.messages] == ["3", "4", "in"]
        assert (mailbox.forgotten, dict(mailbox.ledger)) == (3, {(PHONE, "3"): 1, (PHONE, "4"): 1})
        assert (len(mailbox.by_sid), len(mailbox.by_to[PHONE]), len(mailbox.by_from[OURS])) == (3, 2, 2)

    async with kept(tmp_path, simulator_keep=3) as (again, _):
        assert [m.body for m in again.carrier.mailbox.messages] == ["3", "4", "in"]


async def test_reset_forgets_everything_but_the_numbering(tmp_path: Path) -> None:
    async with kept(tmp_path) as (simulator, client):
        await client.messages.create_async(to=PHONE, from_=OURS, body="x")
        simulator.carrier.reset()
        await client.messages.create_async(to=PHONE, from_=OURS, body="y")

        assert [(m.seq, m.body) for m in simulator.carrier.mailbox.messages] == [(2, "y")]

    async with kept(tmp_path) as (again, _):
        assert [m.body for m in again.carrier.mailbox.messages] == ["y"]


async def test_two_simulators_do_not_share_a_journal(tmp_path: Path) -> None:
    async with kept(tmp_path):
        with pytest.raises(JournalBusy, match="GUITU_DATA_DIR"):
            Journal(tmp_path / "sms-simulator" / "journal.jsonl")


async def test_a_taken_port_is_explained(simulator: Simulator) -> None:
    with pytest.raises(PortTaken, match="GUITU_PORT"):
        async with running(simulator_settings(port=simulator.listener.port), ephemeral=True):
            pass


def test_the_token_everybody_knows_stays_on_loopback() -> None:
    from sms_simulator.settings import SimulatorSettings

    with pytest.raises(ValidationError, match="GUITU_TWILIO_AUTH_TOKEN"):
        SimulatorSettings(host="0.0.0.0")
