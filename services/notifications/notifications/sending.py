"""Sends what is queued: claim, commit the attempt, look once more, call the provider, record the outcome.

No exception and no crash makes a second SMS: an outcome that we don't know is looked up at the provider, or told
by its callback, and only what is certainly absent is sent again (rules 9 and 10 of the design).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from guitu.service import Runtime
from guitu.tx import Tx
from notifications import settling, store_sending
from notifications.domain.delivery import Outcome
from notifications.domain.pace import pace_of
from notifications.domain.page_token import page_token_of
from notifications.domain.texts import TextTooLong
from notifications.outside import Outside, outgoing
from notifications.segments import segmentation
from notifications.settings import NotificationSettings
from notifications.store import Row
from notifications.writing import text_of

ACTOR = "guitu.notifications"
STOPPED = Outcome("stopped")
LOOK_UP_AGAIN = timedelta(seconds=5)
CALLBACK_LATE, ASK_AGAIN, ASK_FOR = timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=24)
"""Twilio gives a callback up after 15 s (webhook connection overrides): a minute without one means it is lost."""


@dataclass(frozen=True)
class Claimed:
    """An attempt that is ours, committed, and ready to go."""

    attempt_id: UUID
    token: str
    phone: str
    body: str
    begin_by: datetime


class Sender:
    """The sending part of one process; any number of processes share the queue."""

    def __init__(self, runtime: Runtime, settings: NotificationSettings, provider: Outside) -> None:
        self._runtime, self._settings, self._provider = runtime, settings, provider
        self._pace = pace_of(settings.sms_per_s)
        self._calls: set[asyncio.Task[None]] = set()
        self._ended: list[tuple[UUID, Outcome]] = []

    async def pump(self) -> int:
        """Claim as many due deliveries as there are free places, and begin their calls; returns how many."""
        free = self._settings.sms_in_flight - len(self._calls)
        # A claim costs a transaction whatever its size: wait until a good part of the places is free.
        if self._calls and free < max(1, self._settings.sms_in_flight // 4):
            return 0
        claimed = await self._claim(min(free, self._settings.sms_batch))
        if not claimed:
            return 0
        go = await self._may_go(claimed)
        for item in claimed:
            if item.attempt_id in go:
                self._begin(item)
            else:
                self._end(item.attempt_id, STOPPED)
        return len(claimed)

    async def record(self) -> int:
        """Write the outcomes that have come in, in one transaction; returns how many."""
        batch = self._ended[: self._settings.sms_batch]
        if not batch:
            return 0
        async with self._runtime.tx(actor=ACTOR) as tx:
            await settling.record(tx, dict(batch), self._settings)
        # Only after the commit: if it fails, the same outcomes are written by the next run.
        del self._ended[: len(batch)]
        return len(batch)

    async def drain(self) -> None:
        """Wait for the calls that are out (bounded by their timeout) and record them."""
        while self._calls:
            await asyncio.wait(set(self._calls), timeout=self._settings.sms_timeout_s + 1)
        while await self.record():
            pass

    async def _claim(self, limit: int) -> list[Claimed]:
        async with self._runtime.tx(actor=ACTOR) as tx:
            if self._pace is None:
                return await self._take(tx, limit)
            sender = self._settings.twilio_from
            recent = self._pace.recent(await store_sending.sent_lately(tx.conn, sender), tx.now)
            free = self._pace.free(recent)
            claimed = await self._take(tx, min(limit, free)) if free else []
            if claimed:
                recent.append((tx.now, sum(segmentation(item.body).segments for item in claimed)))
                await store_sending.keep_sent_lately(tx.conn, sender, recent)
        if len(claimed) >= free:
            self._again_in(self._pace.wait_s(recent, tx.now))
        return claimed

    def _again_in(self, seconds: float) -> None:
        """Look again when the budget has something to give; the sweep's own interval is longer than that."""
        wake = self._runtime.wakes.get("sms_send")
        if wake is not None:
            asyncio.get_running_loop().call_later(seconds, wake.set)

    async def _take(self, tx: Tx, limit: int) -> list[Claimed]:
        """Claim, and write an attempt for each; what can't be written is settled at once."""
        rows = await store_sending.claim(tx.conn, limit, tx.now)
        if not rows:
            return []
        notices = await store_sending.notices(tx.conn, list({row["notice_id"] for row in rows}))
        attempts = [(tx.ids.new(), row["id"], row["attempts"], page_token_of(tx.ids.new())) for row in rows]
        lease_until = tx.now + timedelta(seconds=self._settings.lease_s)
        begin_by = lease_until - timedelta(seconds=self._settings.sms_timeout_s)
        await store_sending.add_attempts(tx.conn, self._provider.name, lease_until, tx.now, attempts)
        claimed, unwritable = [], {}
        for row, (attempt_id, _, _, token) in zip(rows, attempts, strict=True):
            try:
                text = text_of(row, notices[row["notice_id"]], self._settings, self._runtime.public_url)
                claimed.append(Claimed(attempt_id, token, row["phone"], text, begin_by))
            except (TextTooLong, KeyError, ValueError) as error:
                # One notice that can't be written must not keep its neighbours from being sent.
                kind = type(error).__name__
                self._runtime.log.error("sms.unwritable", delivery_id=str(row["id"]), error=kind)
                unwritable[attempt_id] = Outcome("rejected", code="unwritable", reason=kind)
        if unwritable:
            await settling.record(tx, unwritable, self._settings)
        return claimed

    async def _may_go(self, claimed: list[Claimed]) -> set[UUID]:
        async with self._runtime.pool.acquire() as conn:
            now = self._runtime.clock.now()
            return await store_sending.may_go(conn, [item.attempt_id for item in claimed], now)

    def _begin(self, item: Claimed) -> None:
        call = asyncio.create_task(self._call(item))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _call(self, item: Claimed) -> None:
        # A process that was stopped here (SIGSTOP, a frozen virtual machine) must not send when it wakes up: its
        # attempt may have been looked up by then, found absent, and sent again.
        if self._runtime.clock.now() > item.begin_by:
            return self._end(item.attempt_id, STOPPED)
        try:
            async with asyncio.timeout(self._settings.sms_timeout_s):
                outcome = await self._provider.send(
                    outgoing(self._runtime.public_url, item.phone, item.body, item.token)
                )
        except TimeoutError:
            outcome = Outcome("unknown", code="timeout")
        except Exception as error:
            self._runtime.log.error(
                "sms.call_failed", attempt_id=str(item.attempt_id), error=type(error).__name__
            )
            outcome = Outcome("unknown", code=type(error).__name__)
        self._end(item.attempt_id, outcome)

    def _end(self, attempt_id: UUID, outcome: Outcome) -> None:
        self._ended.append((attempt_id, outcome))
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


async def close_leases(runtime: Runtime) -> int:
    """Sweep: an attempt whose process died has an unknown outcome; it is looked up after the grace."""
    settings: NotificationSettings = runtime.state["settings"]
    async with runtime.tx(actor=ACTOR) as tx:
        over = await store_sending.lease_over(tx.conn, tx.now, settings.sms_batch)
        return await settling.record(tx, dict.fromkeys(over, Outcome("unknown", code="lease_over")), settings)


async def look_up_unknown(runtime: Runtime) -> int:
    """Sweep: ask the provider for attempts with an unknown outcome that are older than the grace."""
    settings: NotificationSettings = runtime.state["settings"]
    now = runtime.clock.now()
    async with runtime.pool.acquire() as conn:
        rows = await store_sending.to_look_up(
            conn, now - timedelta(seconds=settings.grace_s), settings.sms_batch, now - LOOK_UP_AGAIN
        )
    return await _look_up_all(runtime, rows)


async def look_up_without_end(runtime: Runtime) -> int:
    """Sweep: ask for accepted SMS whose final status never came; a provider gives up calling back after a while."""
    settings: NotificationSettings = runtime.state["settings"]
    now = runtime.clock.now()
    async with runtime.pool.acquire() as conn:
        rows = await store_sending.without_end(
            conn, now - CALLBACK_LATE, settings.sms_batch, now - ASK_AGAIN, now - ASK_FOR
        )
    await _look_up_all(runtime, rows)
    # Those without news wait for their next turn, so this sweep never runs again at once.
    return 0


async def _look_up_all(runtime: Runtime, rows: Sequence[Row]) -> int:
    """Ask for each and settle what is known now; returns how many."""
    async with runtime.pool.acquire() as conn:
        notices = await store_sending.notices(conn, list({row["notice_id"] for row in rows}))
        await store_sending.looked_up(conn, [row["attempt_id"] for row in rows], runtime.clock.now())
    found = {}
    for row in rows:
        outcome = await _look_up(runtime, row, notices[row["notice_id"]])
        if outcome is not None:
            found[row["attempt_id"]] = outcome
    if found:
        async with runtime.tx(actor=ACTOR) as tx:
            await settling.record(tx, found, runtime.state["settings"])
    return len(found)


async def _look_up(runtime: Runtime, row: Any, notice: Any) -> Outcome | None:
    """Accepted, absent, or None if the provider could not say."""
    settings: NotificationSettings = runtime.state["settings"]
    provider: Outside = runtime.state["provider"]
    async with runtime.pool.acquire() as conn:
        owned = await store_sending.other_provider_ids(conn, row["phone"], row["attempt_id"])
    body = text_of(row, notice, settings, runtime.public_url)
    with suppress(TimeoutError):
        async with asyncio.timeout(settings.sms_timeout_s * 2):
            return await provider.lookup(
                outgoing(runtime.public_url, row["phone"], body, row["token"]), row["started_at"], owned
            )
    return None
