"""Status callbacks, settled together: one transaction for all that wait, each answered only after its commit.

A notice to 10,000 sites brings 30,000 callbacks within a minute; a transaction for each would cost more than the
sending. A callback that comes alone waits for nobody.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from guitu.problem import Problem
from guitu.service import Runtime
from notifications import answers
from notifications.domain.delivery import Outcome
from notifications.settings import NotificationSettings

BATCH_MAX = 100
WAITING_MAX = 5_000


@dataclass(frozen=True)
class Came:
    """A callback whose signature was checked; `event_key` is the same for every repetition of it."""

    token: str
    event_key: str
    outcome: Outcome


Waiting = tuple[Came, "asyncio.Future[bool]"]


class Statuses:
    """The callbacks of one process that wait for their commit."""

    def __init__(self, runtime: Runtime, settings: NotificationSettings) -> None:
        self._runtime, self._settings = runtime, settings
        self._waiting: deque[Waiting] = deque()
        self._draining: asyncio.Task[None] | None = None

    async def settle(self, came: Came) -> bool:
        """Apply a callback once; returns after the commit, False if no attempt has its token.

        Raises: Problem 503 when too many wait; what the database raises, and then nothing was stored.
        """
        if len(self._waiting) >= WAITING_MAX:
            raise Problem(503, "too_many_waiting", "Too many callbacks wait; send it again.", "请稍后重试。")
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((came, done))
        if self._draining is None or self._draining.done():
            # A task of its own: a caller that hangs up must not take the others' transaction with it.
            self._draining = asyncio.create_task(self._drain())
        return await done

    async def _drain(self) -> None:
        while self._waiting:
            batch = self._next()
            try:
                await self._commit(batch)
            except Exception:
                for one in batch:
                    await self._alone(one)

    def _next(self) -> list[Waiting]:
        """The oldest that wait, one an attempt: the second status of an attempt builds on the first."""
        batch: list[Waiting] = []
        left: list[Waiting] = []
        seen: set[str] = set()
        while self._waiting and len(batch) < BATCH_MAX:
            item = self._waiting.popleft()
            (left if item[0].token in seen else batch).append(item)
            seen.add(item[0].token)
        self._waiting.extendleft(reversed(left))
        return batch

    async def _alone(self, item: Waiting) -> None:
        """One that can't be settled must not keep its neighbours from it."""
        try:
            await self._commit([item])
        except Exception as error:
            if not item[1].done():
                item[1].set_exception(error)

    async def _commit(self, batch: Sequence[Waiting]) -> None:
        async with self._runtime.tx(actor="provider") as tx:
            given = [(came.token, came.event_key, came.outcome) for came, _ in batch]
            known = await answers.statuses_came(tx, given, self._settings)
        for came, done in batch:
            if not done.done():
                done.set_result(came.token in known)
