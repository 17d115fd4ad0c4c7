"""Waiting with a bound: look again and again until it is there, or say what never came."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

DEADLINE_S = 15.0
# An SMS whose sender was killed in the middle is looked for at the provider before it may be sent again: that
# takes its lease and the provider's lag, 20 s together.
SENT_DEADLINE_S = 45.0
# The second look at a plan computes when nothing else wants the processor: on a busy machine it comes late.
LOOK_DEADLINE_S = 60.0
POLL_FIRST_S = 0.02
POLL_MAX_S = 0.25
SEEN_SHOWN = 200


class NeverCame(Exception):
    """Something awaited did not happen in time; says what, how long we waited, and what was seen last."""

    def __init__(self, awaited: str, deadline_s: float, seen: object) -> None:
        super().__init__(
            f"Not within {deadline_s:g} s: {awaited}. Last seen: {_short(seen)}. "
            "Mend: look at the logs in the data directory and at `guitu dlq list`."
        )
        self.awaited = awaited


def _short(seen: object) -> str:
    """Enough to know where it stood; a list by its length and its last item."""
    if isinstance(seen, list) and seen:
        return f"{len(seen)}, the last {str(seen[-1])[:SEEN_SHOWN]}"
    return str(seen)[:SEEN_SHOWN]


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
