"""The relay while the broker is away: it waits, and leaves the connection that it borrowed as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError
from structlog.testing import CapturingLogger

from guitu.relay import Relay
from guitu.service import Runtime

RuntimeFor = Callable[[str], Awaitable[Runtime]]


class Broken:
    """A producer that neither starts nor stops."""

    async def start(self) -> None:
        raise KafkaConnectionError

    async def stop(self) -> None:
        raise KafkaConnectionError


class RelayOfBroken(Relay):
    """A relay whose producers are broken."""

    def _producer(self) -> Any:
        return Broken()


@pytest.mark.parametrize("kind", [Relay, RelayOfBroken])
async def test_a_commit_still_waits_for_the_disk_after_the_relay_had_to_give_up(
    runtime_for: RuntimeFor, kind: type[Relay]
) -> None:
    """The relay's own marks need not; whoever gets its connection next promises a 2xx only after the disk."""
    run = await runtime_for("alerts")
    run.log = CapturingLogger()
    relay = asyncio.create_task(kind(run).run())
    for _ in range(400):
        if len(run.log.calls) >= 2:
            break
        await asyncio.sleep(0.05)
    relay.cancel()
    with suppress(asyncio.CancelledError):
        await relay

    async with AsyncExitStack() as stack:
        conns = [await stack.enter_async_context(run.pool.acquire()) for _ in range(run.pool.get_size())]
        waits = {await conn.fetchval("show synchronous_commit") for conn in conns}

    assert [each.args for each in run.log.calls[:2]] == [("relay.waits",)] * 2
    assert {"on"} == waits
