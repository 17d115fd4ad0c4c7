"""Callbacks that come together are settled together, and none costs another its answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import asyncpg
import pytest
import pytest_asyncio

from contracts.notice import NoticeDelivered
from guitu.problem import Problem
from guitu.service import Runtime
from harness.ground import facts, react
from harness.notice_stories import Carrier, raised, three_sites
from notifications import statuses
from notifications.agents import REACTIONS
from notifications.domain.delivery import Outcome
from notifications.service import sending_with
from notifications.settings import NotificationSettings
from notifications.statuses import Came, Statuses


@dataclass
class Sent:
    """Two SMS that are out, and what takes their callbacks."""

    run: Runtime
    statuses: Statuses
    tokens: list[str]

    def came(self, number: int, status: str, code: str = "") -> Came:
        """A callback about one of them."""
        token = self.tokens[number]
        return Came(token, f"{token}:{status}", Outcome("accepted", f"SM{number}", status, code=code))


@pytest_asyncio.fixture
async def sent(runtime_for: Callable[[str], Awaitable[Runtime]]) -> AsyncIterator[Sent]:
    run = await runtime_for("notifications")
    await three_sites(run)
    settings = NotificationSettings(**run.settings.model_dump())
    async with sending_with(run, Carrier(), settings) as sender:
        await react(run, REACTIONS, raised(run.clock.now()))
        tokens = [claimed.message.client_ref for claimed in await sender._claim(sender._senders.lines[0], 2)]
        yield Sent(run, Statuses(run, settings), tokens)


async def test_statuses_of_one_sms_in_any_order_and_repeated_end_in_the_furthest(sent: Sent) -> None:
    came = [sent.came(n, status) for n in (0, 1) for status in ("delivered", "sent", "sending", "delivered")]

    known = await asyncio.gather(*(sent.statuses.settle(one) for one in came))

    assert [True] * 8 == known
    assert 2 == len(await facts(sent.run, NoticeDelivered))
    assert 6 == await sent.run.pool.fetchval("select count(*) from provider_event")
    ranks = await sent.run.pool.fetch("select status_rank from attempt")
    assert {5} == {row["status_rank"] for row in ranks}


async def test_a_callback_that_cannot_be_stored_keeps_no_neighbour_from_it(sent: Sent) -> None:
    came = [sent.came(0, "delivered", code="\x00"), sent.came(1, "delivered")]

    bad, good = await asyncio.gather(*(sent.statuses.settle(one) for one in came), return_exceptions=True)

    assert isinstance(bad, asyncpg.PostgresError)
    assert good is True
    assert 1 == len(await facts(sent.run, NoticeDelivered))


async def test_a_caller_that_hangs_up_takes_nobody_with_it(sent: Sent) -> None:
    first = asyncio.create_task(sent.statuses.settle(sent.came(0, "delivered")))
    second = asyncio.create_task(sent.statuses.settle(sent.came(1, "delivered")))
    await asyncio.sleep(0)

    first.cancel()

    assert await second is True
    assert 2 == len(await facts(sent.run, NoticeDelivered))


async def test_a_callback_for_no_attempt_of_ours_is_said_to_be_unknown(sent: Sent) -> None:
    assert await sent.statuses.settle(Came("nobody", "event", Outcome("accepted"))) is False


async def test_more_callbacks_than_can_wait_are_sent_back(
    sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statuses, "WAITING_MAX", 0)

    with pytest.raises(Problem) as refused:
        await sent.statuses.settle(sent.came(0, "delivered"))

    assert refused.value.status == 503
