"""Waiting with a bound: look again and again until it is there, or say what never came."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

DEADLINE_S = 15.0
POLL_FIRST_S = 0.02
POLL_MAX_S = 0.25


class NeverCame(Exception):
    """Something awaited did not happen in time; says what, how long we waited, and what was seen last."""

    def __init__(self, awaited: str, deadline_s: float, seen: object) -> None:
        super().__init__(
            f"Not within {deadline_s:g} s: {awaited}. Last seen: {str(seen)[:400]}. "
            "Mend: look at the logs in the data directory and at `guitu dlq list`."
        )
        self.awaited = awaited


async def eventually(
    look: Callable[[], Awaitable[T | None]],
    awaited: str,
    *,
    deadline_s: float = DEADLINE_S,
    is_there: Callable[[T], bool] = bool,
) -> T:
    """Return what `look` finds as soon as it `is_there`. Raises: NeverCame at the deadline."""
    until = time.monotonic() + deadline_s
    pause_s = POLL_FIRST_S
    while True:
        found = await look()
        if found is not None and is_there(found):
            return found
        if time.monotonic() >= until:
            raise NeverCame(awaited, deadline_s, found)
        await asyncio.sleep(pause_s)
        pause_s = min(POLL_MAX_S, pause_s * 1.3)
