"""Things to do later, in one heap with one timer: thousands of messages must not mean thousands of tasks."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from itertools import count

_BATCH = 500  # Actions in one go before the loop may serve requests again.


class Schedule:
    """Runs actions at loop times, in order; equal times in order of arrival. Needs a running loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None

    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        """Run `action` once, `delay_s` seconds from now."""
        due = self._loop.time() + delay_s
        heapq.heappush(self._heap, (due, next(self._order), action))
        if self._heap[0][0] == due:
            self._arm()

    def __len__(self) -> int:
        return len(self._heap)

    def clear(self) -> None:
        """Drop everything still to do."""
        self._heap.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._heap[0][0], self._run_due) if self._heap else None

    def _run_due(self) -> None:
        self._timer = None
        now = self._loop.time()
        for _ in range(_BATCH):
            if not self._heap or self._heap[0][0] > now:
                break
            heapq.heappop(self._heap)[2]()
        self._arm()
