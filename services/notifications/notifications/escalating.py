"""Silence: without an answer in time the next contact is asked, then somebody is called, then the command centre acts.

Many at once, as after an alert to 10,000 sites that nobody reads at night: so each step is one statement for all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from contracts.notice import NoticeEscalated
from guitu.service import Runtime
from guitu.tx import Tx
from notifications import handlers, settling, store_escalating, tasks
from notifications.domain import recipients
from notifications.providers.protocol import Channel
from notifications.senders import Senders
from notifications.store import Row

ESCALATIONS_A_RUN = 200
HELD_UP_FOR = timedelta(seconds=30)
Step = Literal["next_contact", "voice", "command_centre"]


@dataclass(frozen=True)
class Next:
    """What follows an unanswered delivery: `planned` is the next one as `store.add_deliveries` takes it."""

    row: Row
    to: Step
    planned: tuple[Any, ...] | None = None


async def escalate_unanswered(runtime: Runtime) -> int:
    """Sweep: whoever did not answer in time is passed on; returns how many were due."""
    senders: Senders = runtime.state["senders"]
    async with runtime.tx(actor="guitu.notifications") as tx:
        rows = await store_escalating.unanswered(tx.conn, tx.now, ESCALATIONS_A_RUN)
        held = {row["id"] for row in rows if _is_held_up(row, senders, tx.now)}
        if held:
            # The provider is away: the next contact's SMS would wait beside this one, and an alarm says so already.
            await store_escalating.ask_again_at(tx.conn, sorted(held), tx.now + HELD_UP_FOR)
        if due := [row for row in rows if row["id"] not in held]:
            await _escalate(tx, due, voice=senders.has("voice"))
    return len(rows)


def _is_held_up(row: Row, senders: Senders, now: datetime) -> bool:
    waits = row["state"] in ("queued", "sending", "unknown") and row["expires_at"] > now
    return bool(waits and senders.all_rest(row["channel"], now))


async def _escalate(tx: Tx, rows: Sequence[Row], *, voice: bool) -> None:
    await _go_on(tx, await _steps(tx, rows, voice=voice))


async def pass_on(tx: Tx, row: Row, to: Step) -> UUID | None:
    """A person does not wait until time is up: the next contact, a call, or the command centre's own people, now.

    `row` is a delivery of an open case, locked. Returns the delivery that follows; None if nobody is left to ask that
    way (then nothing has changed), or if people of the command centre call.
    """
    step = Next(row, to)
    if to != "command_centre":
        find = store_escalating.next_contacts if to == "next_contact" else store_escalating.contacts_to_call
        contact = (await find(tx.conn, [row["id"]], tx.now)).get(row["id"])
        if contact is None:
            return None
        step = Next(row, to, _planned(tx, row, contact, "voice" if to == "voice" else "sms"))
    await _go_on(tx, [step])
    return step.planned[0] if step.planned else None


async def _go_on(tx: Tx, steps: Sequence[Next]) -> None:
    marks = [(tx.ids.new(), step.row["id"], step.to, step.row["region_code"]) for step in steps]
    await store_escalating.escalated(tx.conn, marks, tx.now)
    going_on = [step for step in steps if step.row["stood_down_at"] is None]
    queued = await _ask(tx, going_on)
    await tasks.call_sites(tx, [step.row["id"] for step in going_on if step.to == "command_centre"])
    for step in going_on:
        asked = step.planned[0] if step.planned and step.planned[0] in queued else None
        fields = settling.fact_fields(step.row, tx)
        tx.publish(NoticeEscalated(**fields, to=step.to, next_delivery_id=asked))


async def _steps(tx: Tx, rows: Sequence[Row], *, voice: bool) -> list[Next]:
    """The next contact by SMS, else a call to the first who takes calls, else the command centre's own people."""
    ids = [row["id"] for row in rows if row["stood_down_at"] is None]
    contacts = await store_escalating.next_contacts(tx.conn, ids, tx.now)
    silent = [each for each in ids if each not in contacts]
    called = await store_escalating.contacts_to_call(tx.conn, silent, tx.now) if voice and silent else {}
    return [_next(tx, row, contacts, called) for row in rows]


def _next(tx: Tx, row: Row, contacts: Mapping[UUID, Row], called: Mapping[UUID, Row]) -> Next:
    if row["id"] in contacts:
        return Next(row, "next_contact", _planned(tx, row, contacts[row["id"]], "sms"))
    if row["id"] in called:
        return Next(row, "voice", _planned(tx, row, called[row["id"]], "voice"))
    return Next(row, "command_centre")


def _planned(tx: Tx, row: Row, contact: Row, channel: Channel) -> tuple[Any, ...]:
    return handlers.delivery_row(
        tx,
        contact["contact_id"],
        contact["site_id"],
        contact["unit_id"],
        recipients.ESCALATION_PRIORITY,
        row["distance_km"],
        contact["codes"],
        channel,
        exercise=row["exercise"],
    )


async def _ask(tx: Tx, steps: Sequence[Next]) -> set[UUID]:
    """Queue what is planned, notice by notice; returns the ids of the deliveries that are new."""
    by_notice: dict[tuple[UUID, Any], list[tuple[Any, ...]]] = {}
    for step in steps:
        if step.planned is not None:
            by_notice.setdefault((step.row["notice_id"], step.row["kind"]), []).append(step.planned)
    queued: set[UUID] = set()
    for (notice_id, kind), planned in by_notice.items():
        queued |= await handlers.queue(tx, notice_id, kind, planned)
    return queued
