"""Sends what is queued: claim, commit the attempt, look once more, call the provider, record the outcome.

No exception and no crash makes a second SMS: an outcome that we don't know is looked up at the provider, or told
by its callback, and only what is certainly absent is sent again (rules 9 and 10 of the design).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from guitu.service import Runtime
from guitu.tx import Tx
from notifications import settling, store_sending, templates
from notifications.composing import compose, segments_of
from notifications.domain.delivery import Outcome
from notifications.domain.page_token import page_token_of
from notifications.domain.texts import TextTooLong
from notifications.outside import Outgoing
from notifications.senders import Line, Senders
from notifications.settings import NotificationSettings
from notifications.store import Row
from notifications.templates import Templates

ACTOR = "guitu.notifications"
STOPPED = Outcome("stopped")
HELD_S, UNDER_WAY_S = 10.0, 60.0
"""Seconds of a sender's budget that a provider may hold; what it took longer ago without a word is not counted."""


@dataclass(frozen=True)
class Claimed:
    """An attempt that is ours, committed, and ready to go."""

    attempt_id: UUID
    message: Outgoing
    begin_by: datetime


class Sender:
    """The sending part of one process; any number of processes share the queue."""

    def __init__(self, runtime: Runtime, settings: NotificationSettings, senders: Senders) -> None:
        self._runtime, self._settings, self._senders = runtime, settings, senders
        self._ended: list[tuple[UUID, str, Outcome]] = []

    async def pump(self) -> int:
        """Claim as many due deliveries as there are free places, and begin their calls; returns how many."""
        await self._senders.learn(self._runtime)
        return sum([await self._pump(line) for line in self._senders])

    async def _pump(self, line: Line) -> int:
        free = self._settings.sms_in_flight - len(line.calls)
        # A claim costs a transaction whatever its size: wait until a good part of the places is free. A sender that
        # has to prove itself again gets one message at a time.
        if line.calls and (line.health.trips or free < max(1, self._settings.sms_in_flight // 4)):
            return 0
        free = line.health.places(self._runtime.clock.now(), min(free, self._settings.sms_batch))
        claimed = await self._claim(line, free) if free else []
        if not claimed:
            return 0
        go = await self._may_go(claimed)
        for item in claimed:
            if item.attempt_id in go:
                self._begin(line, item)
            else:
                self._end(line, item.attempt_id, STOPPED)
        return len(claimed)

    async def record(self) -> int:
        """Write the outcomes that have come in, in one transaction; returns how many."""
        batch = self._ended[: self._settings.sms_batch]
        if not batch:
            return 0
        try:
            await self._record(batch)
        except store_sending.MessageOfAnother:
            for one in batch:
                await self._record_alone(one)
        # Only after the commit: if it fails, the same outcomes are written by the next run.
        del self._ended[: len(batch)]
        return len(batch)

    async def _record(self, batch: Sequence[tuple[UUID, str, Outcome]]) -> None:
        by_sender: dict[str, list[Outcome]] = {}
        for _, sender, outcome in batch:
            by_sender.setdefault(sender, []).append(outcome)
        async with self._runtime.tx(actor=ACTOR) as tx:
            await settling.record(tx, {item: outcome for item, _, outcome in batch}, self._settings)
            await self._senders.judge(tx, by_sender)

    async def _record_alone(self, one: tuple[UUID, str, Outcome]) -> None:
        """The provider named one message for two attempts: that one's outcome is unknown, its neighbours' are not."""
        attempt_id, sender, _ = one
        try:
            await self._record([one])
        except store_sending.MessageOfAnother:
            self._runtime.log.error("sms.message_of_another", attempt_id=str(attempt_id), sender=sender)
            await self._record([(attempt_id, sender, Outcome("unknown", code="message_of_another"))])

    async def drain(self) -> None:
        """Wait for the calls that are out (bounded by their timeout) and record them."""
        while calls := {call for line in self._senders for call in line.calls}:
            await asyncio.wait(calls, timeout=self._settings.sms_timeout_s + 1)
        while await self.record():
            pass

    async def _claim(self, line: Line, limit: int) -> list[Claimed]:
        held = await templates.current(self._runtime)
        async with self._runtime.tx(actor=ACTOR) as tx:
            if line.pace is None:
                return await self._take(tx, line, limit, held)
            sender, pace = line.spec.name, line.pace
            recent = pace.recent(await store_sending.sent_lately(tx.conn, sender), tx.now)
            free = min(pace.free(recent), await self._room(tx, line))
            claimed = await self._take(tx, line, min(limit, free), held) if free else []
            if claimed:
                recent.append((tx.now, sum(segments_of(line, item.message) for item in claimed)))
                await store_sending.keep_sent_lately(tx.conn, sender, recent)
        if len(claimed) >= free:
            self._again_in(pace.wait_s(recent, tx.now))
        return claimed

    async def _room(self, tx: Tx, line: Line) -> int:
        """How many segments more the provider may hold: ten seconds' worth, so that a stand-down overtakes.

        A provider that reports nothing back says nothing about what it holds; then only the pace counts.
        """
        since = tx.now - timedelta(seconds=UNDER_WAY_S)
        held, reports = await store_sending.under_way(tx.conn, line.spec.name, since)
        most = max(1, round(line.spec.per_s * HELD_S))
        return max(0, most - held) if reports else most

    def _again_in(self, seconds: float) -> None:
        """Look again when the budget has something to give; the sweep's own interval is longer than that."""
        wake = self._runtime.wakes.get("sms_send")
        if wake is not None:
            asyncio.get_running_loop().call_later(seconds, wake.set)

    async def _take(self, tx: Tx, line: Line, limit: int, held: Templates) -> list[Claimed]:
        """Claim, and write an attempt with its text for each; what can't be written is settled at once."""
        rows = await store_sending.claim(tx.conn, line.spec, limit, tx.now)
        if not rows:
            return []
        notices = await store_sending.notices(tx.conn, list({row["notice_id"] for row in rows}))
        lease_until = tx.now + timedelta(seconds=self._settings.lease_s)
        begin_by = lease_until - timedelta(seconds=self._settings.sms_timeout_s)
        claimed, unwritable, attempts = [], {}, []
        for row in rows:
            attempt_id, token = tx.ids.new(), page_token_of(tx.ids.new())
            message = self._message(line, row, notices[row["notice_id"]], token, held, tx.now)
            if isinstance(message, Outgoing):
                claimed.append(Claimed(attempt_id, message, begin_by))
            else:
                unwritable[attempt_id] = message
            body = message.body if isinstance(message, Outgoing) else ""
            attempts.append((attempt_id, row["id"], row["attempts"], token, body))
        await store_sending.add_attempts(tx.conn, line.spec, lease_until, tx.now, attempts)
        if unwritable:
            await settling.record(tx, unwritable, self._settings)
        return claimed

    def _message(
        self, line: Line, row: Row, notice: Row, token: str, held: Templates, now: datetime
    ) -> Outgoing | Outcome:
        """The message, or what became of an attempt that can't be written."""
        url = self._runtime.public_url
        try:
            return compose(
                line, row, notice, token, settings=self._settings, public_url=url, held=held, now=now
            )
        except (TextTooLong, KeyError, ValueError) as error:
            # One notice that can't be written must not keep its neighbours from being sent.
            kind = type(error).__name__
            self._runtime.log.error("sms.unwritable", delivery_id=str(row["id"]), error=kind)
            return Outcome("rejected", code="unwritable", reason=kind)

    async def _may_go(self, claimed: list[Claimed]) -> set[UUID]:
        async with self._runtime.pool.acquire() as conn:
            now = self._runtime.clock.now()
            return await store_sending.may_go(conn, [item.attempt_id for item in claimed], now)

    def _begin(self, line: Line, item: Claimed) -> None:
        wait_s = line.spacing.wait_s(asyncio.get_running_loop().time(), segments_of(line, item.message))
        call = asyncio.create_task(self._call(line, item, wait_s))
        line.calls.add(call)
        call.add_done_callback(line.calls.discard)

    async def _call(self, line: Line, item: Claimed, wait_s: float) -> None:
        segments, loop = segments_of(line, item.message), asyncio.get_running_loop()
        while wait_s > 0 or (wait_s := line.spacing.hold_s(loop.time(), segments)) > 0:
            await asyncio.sleep(wait_s)
            wait_s = 0.0
        # A process that was stopped here (SIGSTOP, a frozen virtual machine) must not send when it wakes up: its
        # attempt may have been looked up by then, found absent, and sent again.
        if self._runtime.clock.now() > item.begin_by:
            return self._end(line, item.attempt_id, STOPPED)
        try:
            async with asyncio.timeout(self._settings.sms_timeout_s):
                outcome = await line.outside.send(item.message)
        except TimeoutError:
            outcome = Outcome("unknown", code="timeout")
        except Exception as error:
            self._runtime.log.error(
                "sms.call_failed", attempt_id=str(item.attempt_id), error=type(error).__name__
            )
            outcome = Outcome("unknown", code=type(error).__name__)
        self._end(line, item.attempt_id, outcome)

    def _end(self, line: Line, attempt_id: UUID, outcome: Outcome) -> None:
        self._ended.append((attempt_id, line.spec.name, outcome))
        for sweep in ("sms_record", "sms_send"):
            if sweep in self._runtime.wakes:
                self._runtime.wakes[sweep].set()


async def send_due(runtime: Runtime) -> int:
    """Sweep: begin calls for what is due."""
    done: int = await runtime.state["sender"].pump()
    return done


async def record_ended(runtime: Runtime) -> int:
    """Sweep: write the outcomes of calls."""
    done: int = await runtime.state["sender"].record()
    return done
