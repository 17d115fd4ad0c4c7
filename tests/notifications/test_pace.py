"""A sender's limit holds in every second, over processes and restarts, and costs no notice its tries."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from guitu.service import Runtime
from harness.ground import SettableClock, react
from harness.notice_stories import Carrier, contact, fill, raised, site
from notifications import planning
from notifications.agents import REACTIONS
from notifications.domain.delivery import Outcome
from notifications.domain.pace import Pace, pace_of
from notifications.sending import Sender
from notifications.service import sending_with
from notifications.settings import NotificationSettings

START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
SITES, PER_S = 30, 10


@given(st.floats(0.1, 500), st.lists(st.floats(0, 3), min_size=1, max_size=80))
def test_no_second_has_more_than_the_limit(per_s: float, pauses_s: list[float]) -> None:
    pace = pace_of(per_s)
    assert pace is not None
    now, sent = START, list[tuple[datetime, int]]()

    for pause_s in pauses_s:
        now += timedelta(seconds=pause_s)
        sent.append((now, pace.free(pace.recent(sent, now))))

    for first, _ in sent:
        within = sum(n for at, n in sent if first <= at < first + timedelta(seconds=1))
        assert within <= max(1, per_s)


def test_a_limit_is_used_up_whatever_the_pauses_between() -> None:
    pace = pace_of(100)
    assert pace is not None
    now, sent = START, list[tuple[datetime, int]]()

    for _ in range(40):
        now += timedelta(seconds=0.25)
        sent.append((now, pace.free(pace.recent(sent, now))))

    assert 1000 == sum(n for _, n in sent), "10 s at 100 a second."


def test_a_clock_set_back_gives_nothing_and_blocks_nothing() -> None:
    pace, back = Pace(10, timedelta(seconds=1)), START - timedelta(hours=1)
    recent = pace.recent([(START, 10)], back)

    assert 0 == pace.free(recent)
    assert 1.0 == pace.wait_s(recent, back)


def test_no_limit_is_no_pace() -> None:
    assert pace_of(0) is None


@pytest_asyncio.fixture
async def senders(runtime_for: Callable[[str], Awaitable[Runtime]]) -> AsyncIterator[tuple[Sender, Sender]]:
    """Two processes' senders for one number, and 30 sites to tell."""
    run = await runtime_for("notifications")
    sites = [site(n, 0.1 * n) for n in range(1, SITES + 1)]
    await fill(run, sites, [contact(n, n) for n in range(1, SITES + 1)])
    await react(run, REACTIONS, raised(run.clock.now()))
    settings = NotificationSettings(**{**run.settings.model_dump(), "sms_per_s": PER_S})
    async with AsyncExitStack() as stack:
        yield (
            await stack.enter_async_context(sending_with(run, Carrier(), settings)),
            await stack.enter_async_context(sending_with(run, Carrier(), settings)),
        )


async def test_two_processes_share_one_limit(senders: tuple[Sender, Sender]) -> None:
    clock = senders[0]._runtime.clock
    assert isinstance(clock, SettableClock)
    claimed_at: list[float] = []

    for step in range(400):
        for sender in senders:
            claimed_at += [step / 100] * await sender.pump()
        clock.advance(seconds=0.01)

    assert SITES == len(claimed_at)
    for first in claimed_at:
        assert PER_S >= sum(first <= at < first + 1 for at in claimed_at)


@pytest.mark.parametrize("outcome", [Outcome("rejected", retry=True, not_now=True), Outcome("not_sent")])
async def test_a_busy_or_absent_provider_uses_up_no_tries(
    runtime_for: Callable[[str], Awaitable[Runtime]], outcome: Outcome
) -> None:
    run = await runtime_for("notifications")
    await fill(run, [site(1, 1)], [contact(1, 1)])
    await react(run, REACTIONS, raised(run.clock.now()))
    clock, states = run.clock, list[str]()
    assert isinstance(clock, SettableClock)
    async with sending_with(run, Carrier()) as sender:
        [line] = sender._senders.lines
        for _ in range(25):
            for claimed in await sender._claim(line, 10):
                sender._end(line, claimed.attempt_id, outcome)
            await sender.record()
            states.append(await run.pool.fetchval("select state from delivery"))
            clock.advance(minutes=16)
        await planning.expire(run)
        states.append(await run.pool.fetchval("select state from delivery"))

    assert ["queued"] * 22 == states[:22]
    assert "expired" == states[-1]
