"""Which fact goes to which handler; the stream wrapper of the ground does the rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from contracts.alert import AlertRaised, AlertStoodDown, AlertUpdated, AreaWidened
from contracts.sighting import SightingAssessed, SightingReported
from dispatch import handlers
from dispatch.counties import warm
from dispatch.settings import DispatchSettings, dispatch_settings
from guitu.service import Reaction, Runtime
from guitu.tx import Tx
from guitu.worker import Worker

_SUMS = "dispatch.domain.weighing"


def reactions(settings_of: Callable[[], DispatchSettings]) -> tuple[Reaction, ...]:
    """The service's reactions; settings are asked for at the first fact, since they sign the order pages."""

    def with_settings(
        handle: Callable[[Tx, Any, DispatchSettings], Awaitable[None]],
    ) -> Callable[[Tx, Any], Awaitable[None]]:
        async def bound(tx: Tx, fact: Any) -> None:
            await handle(tx, fact, settings_of())

        return bound

    return (
        Reaction(AlertRaised, with_settings(handlers.when_alert_stands)),
        Reaction(AlertUpdated, with_settings(handlers.when_alert_stands)),
        Reaction(AreaWidened, with_settings(handlers.when_alert_stands)),
        Reaction(AlertStoodDown, with_settings(handlers.when_alert_stood_down)),
        Reaction(SightingReported, with_settings(handlers.when_sighting_reported)),
        Reaction(SightingAssessed, with_settings(handlers.when_sighting_assessed)),
    )


@asynccontextmanager
async def start(runtime: Runtime) -> AsyncIterator[None]:
    """Let the reactions use the settings that the service was started with, before the first fact comes.

    Two processes do long sums: one weighs plans and steps back for everybody, one prices commands while people wait.
    """
    _started_with.append(dispatch_settings(runtime.settings))
    async with runtime.read() as conn:
        await warm(conn)
    runtime.state["weigher"], runtime.state["pricer"] = Worker(reads=_SUMS), Worker(0, _SUMS)
    warming = asyncio.create_task(runtime.state["weigher"].warm())
    try:
        yield
    finally:
        _started_with.pop()
        await warming
        await runtime.state["weigher"].close()
        await runtime.state["pricer"].close()


def _of_this_process() -> DispatchSettings:
    return _started_with[-1] if _started_with else DispatchSettings()


_started_with: list[DispatchSettings] = []
REACTIONS = reactions(_of_this_process)
