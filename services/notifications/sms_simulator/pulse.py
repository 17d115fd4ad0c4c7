"""Lets a caller wait for something to become true without polling: on every change each waiter looks again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Pulse:
    """One beat wakes all waiters; beats without waiters cost one comparison."""

    def __init__(self) -> None:
        self._waiters: list[asyncio.Future[None]] = []

    def beat(self) -> None:
        """Something changed."""
        if self._waiters:
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)

    async def until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Return True as soon as `condition` holds, or False after `timeout_s` seconds."""
        try:
            async with asyncio.timeout(timeout_s):
                while not condition():  # Bounded by the timeout.
                    waiter = asyncio.get_running_loop().create_future()
                    self._waiters.append(waiter)
                    await waiter
        except TimeoutError:
            return condition()
        return True
