"""200 kills of the sending process at random moments, with lost answers and lost, doubled and shuffled callbacks.

The provider's own ledger is the judge: each text went to its phone exactly once, whatever was killed when. The clock is
advanced from trial to trial, so that leases and graces run out without waiting for them.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import pytest

from guitu.clock import Clock, advance_file
from guitu.embedded.ports import free_port
from guitu.service import Runtime
from harness.far_side import SID, TOKEN, simulator_running
from harness.ground import react
from harness.notice_stories import contact, fill, raised, site
from harness.sender_process import Start, start
from notifications.agents import REACTIONS
from sms_simulator.faults import FaultKind, Rule
from sms_simulator.server import Simulator

SEED = 20261125
TRIALS, SITES, EVERY = 200, 20, 5
"""A new alert to 20 sites with every fifth trial: 800 SMS, most of them under way when something is killed."""
SETTLED = "select count(*) from delivery where state in ('queued', 'sending', 'unknown')"
FAULTS = [
    Rule(FaultKind.lost_response, probability=0.05),
    Rule(FaultKind.callback_lost, probability=0.1),
    Rule(FaultKind.callback_doubled, probability=0.1),
    Rule(FaultKind.callback_shuffled, probability=0.1, seconds=0.3),
]


@pytest.mark.timeout(600)
async def test_200_kills_lose_nothing_and_double_nothing(
    runtime_for: Callable[[str], Awaitable[Runtime]], tmp_path: Path
) -> None:
    run = await runtime_for("notifications")
    clock_file, dice = tmp_path / "clock", random.Random(SEED)
    run.clock = Clock(clock_file)
    sites = [site(n, 0.1 * n) for n in range(1, SITES + 1)]
    await fill(run, sites, [contact(n, n) for n in range(1, SITES + 1)])
    async with simulator_running() as simulator:
        simulator.carrier.faults.replace(FAULTS, SEED)
        told = Start(sending_to(simulator, run), free_port(), clock_file)
        for trial in range(TRIALS):
            if trial % EVERY == 0:
                case = {"case_id": UUID(int=trial + 1), "case_code": f"CY-{trial:04}"}
                await react(run, REACTIONS, raised(run.clock.now(), **case))
            await one_trial(told, dice.uniform(0.02, 0.4), clock_file)
        await until_settled(told, run, clock_file)
        counts = sorted(simulator.carrier.mailbox.ledger.values())
        struck = {rule["kind"]: rule["struck"] for rule in simulator.carrier.faults.report()["rules"]}

    expected = TRIALS // EVERY * SITES
    assert (expected, {1}) == (len(counts), set(counts))
    assert expected == await run.pool.fetchval("select count(*) from delivery where accepted_at is not null")
    assert not await run.pool.fetchval("select count(*) from delivery where resent_blind")
    assert all(struck.values()), f"Every fault must have struck: {struck}"


def sending_to(simulator: Simulator, run: Runtime) -> dict[str, object]:
    """Small batches, so that much is under way whenever something is killed."""
    return run.settings.model_dump() | {
        "twilio_url": simulator.url,
        "twilio_account_sid": SID,
        "twilio_auth_token": TOKEN,
        "sms_timeout_s": 2.0,
        # The clock runs ten times as fast as the provider: what it has yet to read must not count as absent.
        "sms_visibility_lag_s": 30.0,
        "sms_batch": 5,
        "sms_in_flight": 5,
    }


async def one_trial(told: Start, lives_s: float, clock_file: Path) -> None:
    """A process starts, lives for a moment after it is there, and is killed in the middle of whatever it does."""
    process = start(told)
    await asyncio.sleep(lives_s)
    process.kill()
    await asyncio.to_thread(process.join)
    advance_file(clock_file, 3.0)


async def until_settled(told: Start, run: Runtime, clock_file: Path) -> None:
    """The last process is left alive until nothing is open."""
    process, end = start(told), time.monotonic() + 60
    try:
        while await run.pool.fetchval(SETTLED):
            assert time.monotonic() < end, "Something stays open for ever."
            await asyncio.sleep(0.5)
            advance_file(clock_file, 5.0)
    finally:
        process.kill()
        await asyncio.to_thread(process.join)
