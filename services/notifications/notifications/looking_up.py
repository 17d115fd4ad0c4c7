"""What became of attempts that nobody answered: leases that ran out, unknown outcomes, receipts that never came.

Never a second SMS on silence: the provider is asked after the grace, and only what is certainly absent is sent again;
what it can't say for too long is given up, and sent once more only where a life may depend on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from guitu.service import Runtime
from notifications import settling, store_sending
from notifications.composing import address_of
from notifications.domain.delivery import Outcome
from notifications.outside import outgoing
from notifications.senders import Senders
from notifications.sending import ACTOR
from notifications.settings import NotificationSettings
from notifications.store import Row

LOOK_UP_AGAIN = timedelta(seconds=5)
ASKED_AT_LEAST = 3
CALLBACK_LATE, ASK_AGAIN, ASK_FOR = timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=24)
"""Twilio gives a callback up after 15 s (webhook connection overrides): a minute without one means it is lost."""


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


async def give_up_unknown(runtime: Runtime) -> int:
    """Sweep: an outcome that stays unknown although the provider was asked is given up, counted and marked.

    Asked means that we heard that it can't say: a process that dies in the middle of its look-ups has not asked.
    """
    settings: NotificationSettings = runtime.state["settings"]
    longest = timedelta(seconds=settings.grace_s + settings.sms_unknown_max_s)
    async with runtime.tx(actor=ACTOR) as tx:
        over = await store_sending.to_give_up(tx.conn, tx.now - longest, settings.sms_batch, ASKED_AT_LEAST)
        given_up = dict.fromkeys(over, Outcome("given_up", code="unknown", reason="nobody can say"))
        done = await settling.record(tx, given_up, settings)
        for attempt_id in over:
            tx.audit("notice.unknown_given_up", subject=attempt_id)
    return done


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
    if not rows:
        return 0
    async with runtime.pool.acquire() as conn:
        await store_sending.looked_up(conn, [row["attempt_id"] for row in rows], runtime.clock.now())
    found = {}
    for row in rows:
        outcome = await _look_up(runtime, row)
        if outcome is not None:
            found[row["attempt_id"]] = outcome
    nobody_knows = [row["attempt_id"] for row in rows if row["attempt_id"] not in found]
    async with runtime.tx(actor=ACTOR) as tx:
        await settling.record(tx, found, runtime.state["settings"])
        await store_sending.could_not_say(tx.conn, nobody_knows)
    return len(found)


async def _look_up(runtime: Runtime, row: Any) -> Outcome | None:
    """Accepted, absent, or None if the provider could not say."""
    settings: NotificationSettings = runtime.state["settings"]
    senders: Senders = runtime.state["senders"]
    line = senders.named(row["sender"])
    if line is None:
        return None
    async with runtime.pool.acquire() as conn:
        owned = await store_sending.other_provider_ids(conn, row["phone"], row["attempt_id"])
    message = outgoing(runtime.public_url, address_of(row), row["body"], row["token"], channel=row["channel"])
    with suppress(TimeoutError):
        async with asyncio.timeout(settings.sms_timeout_s * 2):
            return await line.outside.lookup(message, row["started_at"], owned)
    return None
