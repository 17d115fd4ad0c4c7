"""The live hub of a process: reads what changed, draws it once a language, and hands it to everybody who listens.

Numbers of `change` become visible in their order (see `store_projection.IN_ORDER`), so "all after N" has no gap, in
whatever process it is asked. A listener joins at the number that the hub has reached and is told apart what lies
between its own number and that one; so nothing is lost or told twice over any number of cut connections.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import asyncpg

from console.live import store_live
from console.live.snapshots import snapshot
from console.words import Language
from guitu.pg import TRANSIENT
from guitu.problem import Problem
from guitu.service import Runtime

TURN_S = 0.1
"""Changes of this time are one patch: faster is nothing that people see, and 50 consoles draw it."""
BEAT_S = 5.0
CHANGES_MAX = 5_000
CATCH_UP_MAX = 2_000
"""Who is further behind reads the page anew, which is cheaper."""
QUEUE_MAX = 64
LISTENERS_MAX = 500
LISTENERS_OF_ONE_MAX = 100
"""Of one person: what they left open, or what never closed, must not take the place of all others."""
SILENT_S = 3.0
"""After so long without a look at the database, beats stop: a page must not show old news as new."""
KEPT = timedelta(hours=24)
EXIT_HUB_DIED = 72
RESYNC = b"event: resync\ndata: {}\n\n"

Json = dict[str, Any]
Change = Mapping[str, Any]


class Channel(Protocol):
    """What some listeners look at: a case, or the list of a region."""

    key: tuple[str, str]

    def concerns(self, change: Change) -> bool:
        """Is that change shown here?"""

    async def missed(self, conn: asyncpg.Connection, after: int, upto: int) -> Sequence[Change]:
        """The changes between two numbers, CATCH_UP_MAX + 1 at most."""

    def wants_head(self, changes: Sequence[Change], at_s: float) -> bool:
        """Is what sums up the page due now, with these changes or after some before?"""

    async def patch(
        self, conn: asyncpg.Connection, changes: Sequence[Change], languages: set[Language], head: bool = True
    ) -> dict[Language, Json]:
        """What those changes look like now, in each language."""


@dataclass(eq=False)
class Listener:
    """One stream: what waits for it, bounded; `behind` when it must read the page anew, `over` once it was told so."""

    channel: Channel
    language: Language
    subject: str = ""
    first: bytes | None = None
    behind: bool = False
    waiting: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(QUEUE_MAX))

    @property
    def over(self) -> bool:
        """Nothing comes after a resync."""
        return self.behind and self.waiting.empty()

    def offer(self, event: bytes) -> None:
        """Add an event, or give up on a reader who is too slow."""
        try:
            self.waiting.put_nowait(event)
        except asyncio.QueueFull:
            self.resync()

    def resync(self) -> None:
        """Let it read the page anew; what waits is in that page."""
        self.end()
        self.waiting.put_nowait(RESYNC)

    def end(self) -> None:
        """Say nothing more; whoever still reads comes back by itself, with the last number it heard."""
        self.behind, self.first = True, None
        while not self.waiting.empty():
            self.waiting.get_nowait()


class Hub:
    """All listeners of this process and the place in the stream that they have reached."""

    def __init__(self, runtime: Runtime, turn_s: float = TURN_S, beat_s: float = BEAT_S) -> None:
        self._runtime, self._turn_s, self.beat_s = runtime, turn_s, beat_s
        self._listeners: dict[tuple[str, str], set[Listener]] = {}
        self._of_one: dict[str, dict[Listener, None]] = {}
        self._turning = asyncio.Lock()
        self.position: int | None = None
        self.facts_at: datetime | None = None
        self._looked_at = 0.0

    @property
    def listeners(self) -> int:
        """How many streams are open."""
        return sum(map(len, self._listeners.values()))

    @property
    def sees(self) -> bool:
        """Did it look at the database lately?"""
        return asyncio.get_running_loop().time() - self._looked_at < SILENT_S

    async def run(self) -> None:
        """Hand on what changes, until cancelled. A database that is away is waited for."""
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            try:
                async with self._turning:
                    await self._turn()
            except TRANSIENT as error:
                self._runtime.log.warning("live.waits", error=type(error).__name__)
                await asyncio.sleep(0.5)
            await asyncio.sleep(max(0.01, self._turn_s - (loop.time() - begun)))

    async def join(self, channel: Channel, language: Language, after: int, subject: str = "") -> Listener:
        """Listen from the change after `after` on. Raises: Problem 503 when there are too many.

        Who has too many gives up their oldest for the new one.
        """
        self._make_room(subject)
        if self.listeners >= LISTENERS_MAX:
            raise _full()
        async with self._turning:
            # Only now the hub is as far as `after` for sure: whoever knows that number saw its commit.
            await self._turn()
            upto = self.position or 0
            # One channel for all of a page's listeners: it remembers what it owes them.
            listener = Listener(self.channel_of(channel.key) or channel, language, subject)
            self._of_one.setdefault(subject, {})[listener] = None
            self._listeners.setdefault(channel.key, set()).add(listener)
        try:
            missed = await self._missed(listener, after, upto)
        except BaseException:
            self.leave(listener)
            raise
        if missed == RESYNC:
            listener.resync()
        else:
            listener.first = missed
        return listener

    def channel_of(self, key: tuple[str, str]) -> Channel | None:
        """The channel that others listen to already."""
        listeners = self._listeners.get(key)
        return next(iter(listeners)).channel if listeners else None

    def read_anew(self, key: tuple[str, str]) -> None:
        """Let everybody who listens to this channel read the page anew."""
        self._anew(self._listeners.get(key, ()))

    def leave(self, listener: Listener) -> None:
        """The stream ended."""
        kept = self._listeners.get(listener.channel.key, set())
        kept.discard(listener)
        if not kept:
            self._listeners.pop(listener.channel.key, None)
        of_one = self._of_one.get(listener.subject, {})
        of_one.pop(listener, None)
        if not of_one:
            self._of_one.pop(listener.subject, None)

    def _make_room(self, subject: str) -> None:
        """A stream that nobody reads can't be told from one that is quiet, so the oldest goes and not the newest."""
        of_one = self._of_one.get(subject, {})
        while len(of_one) >= LISTENERS_OF_ONE_MAX:
            oldest = next(iter(of_one))
            oldest.end()
            self.leave(oldest)

    async def _missed(self, listener: Listener, after: int, upto: int) -> bytes | None:
        """What happened between the listener's page and the hub's place; RESYNC if that can't be told."""
        async with snapshot(self._runtime, "*") as conn:
            oldest, _, _ = await store_live.span(conn)
            if after < oldest - 1 or after > upto:
                return RESYNC
            changes = await listener.channel.missed(conn, after, upto)
            if len(changes) > CATCH_UP_MAX or any(change["part"] == "rebuilt" for change in changes):
                return RESYNC
            if not changes:
                return None
            drawn = await listener.channel.patch(conn, changes, {listener.language})
        return self._event(upto, drawn[listener.language])

    async def _turn(self) -> None:
        """Read the next changes and offer them to whoever they concern."""
        async with snapshot(self._runtime, "*") as conn:
            if self.position is None:
                _, self.position, self.facts_at = await store_live.span(conn)
            changes = await store_live.changes_after(conn, self.position, CHANGES_MAX)
            self._looked_at = asyncio.get_running_loop().time()
            if changes:
                self.position = changes[-1]["seq"]
                self.facts_at = max(
                    [c["fact_at"] for c in changes] + ([self.facts_at] if self.facts_at else [])
                )
            if any(change["part"] == "rebuilt" for change in changes):
                return self._everybody_anew()
            for listeners in list(self._listeners.values()):
                await self._hand_on(conn, changes, listeners)

    async def _hand_on(
        self, conn: asyncpg.Connection, changes: Sequence[Change], listeners: set[Listener]
    ) -> None:
        channel = next(iter(listeners)).channel
        mine = [change for change in changes if channel.concerns(change)]
        awake = [listener for listener in listeners if not listener.behind]
        head = channel.wants_head(mine, self._looked_at)
        if not awake or not (mine or head):
            return
        try:
            drawn = await channel.patch(conn, mine, {listener.language for listener in awake}, head)
        except TRANSIENT:
            # The place is passed already: all who listen, not only these, would miss what follows here.
            self._everybody_anew()
            raise
        except Exception:
            self._runtime.log.error("live.undrawn", channel=channel.key[0], exc_info=True)
            return self._anew(awake)
        events = {language: self._event(self.position or 0, said) for language, said in drawn.items()}
        for listener in awake:
            listener.offer(events[listener.language])

    @staticmethod
    def _anew(listeners: Iterable[Listener]) -> None:
        for listener in listeners:
            listener.resync()

    def _everybody_anew(self) -> None:
        for listeners in self._listeners.values():
            self._anew(listeners)

    def _event(self, seq: int, said: Json) -> bytes:
        """A patch as it goes over the wire; its id is where the stream goes on."""
        facts_at = self.facts_at.isoformat() if self.facts_at else None
        common = {"seq": seq, "at": self._runtime.clock.now().isoformat(), "facts_at": facts_at}
        body = json.dumps(common | said, ensure_ascii=False, separators=(",", ":"))
        return f"id: {seq}\nevent: patch\ndata: {body}\n\n".encode()

    def beat(self) -> bytes | None:
        """The server's clock and the age of its picture; None while it does not see the database."""
        if not self.sees:
            return None
        facts_at = self.facts_at.isoformat() if self.facts_at else None
        body = {"at": self._runtime.clock.now().isoformat(), "facts_at": facts_at, "seq": self.position}
        return f"event: beat\ndata: {json.dumps(body)}\n\n".encode()


@asynccontextmanager
async def open_hub(runtime: Runtime) -> AsyncIterator[Hub]:
    """The hub of this process, running; the process ends with it, since a page without news lies."""
    hub = runtime.state["hub"] = Hub(runtime)
    task = asyncio.create_task(hub.run())
    task.add_done_callback(lambda ended: _died(runtime, ended))
    try:
        yield hub
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def forget_old_changes(runtime: Runtime) -> int:
    """A sweep: who comes back after KEPT reads the page anew, so older changes are nobody's news."""
    async with runtime.tx(actor="guitu.console") as tx:
        return await store_live.prune(tx.conn, tx.now - KEPT, CHANGES_MAX)


def _died(runtime: Runtime, ended: asyncio.Task[None]) -> None:
    if not ended.cancelled():
        runtime.log.error("live.died", exc_info=ended.exception())
        os._exit(EXIT_HUB_DIED)


def _full() -> Problem:
    return Problem(
        503,
        "too_many_streams",
        f"{LISTENERS_MAX} live pages are open here already.",
        f"实时页面已达{LISTENERS_MAX}个上限。",
        "Close some, or start another console process beside this one.",
    )
