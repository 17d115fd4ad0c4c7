"""What comes back: statuses, replies, page answers, and silence. Each runs in one transaction of its caller."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Literal
from uuid import UUID

from contracts.base import Place, Position, SightingId, SiteId, UnitId
from contracts.notice import NoticeAcknowledged, NoticeEscalated
from contracts.sighting import SightingReported
from guitu.service import Runtime
from guitu.tx import Tx
from notifications import alarms, handlers, settling, store, store_sending, tasks
from notifications.domain import recipients
from notifications.domain.delivery import Outcome
from notifications.domain.replies import OpenNotice, read_reply
from notifications.domain.texts import BEIJING
from notifications.providers.protocol import Channel, InboundSms
from notifications.senders import Senders
from notifications.settings import NotificationSettings
from notifications.store import Row
from notifications.templates import Templates
from notifications.writing import several_open_text

ESCALATIONS_A_RUN = 50
HELD_UP_FOR = timedelta(seconds=30)


async def statuses_came(
    tx: Tx, came: Sequence[tuple[str, str, Outcome]], settings: NotificationSettings
) -> set[str]:
    """Apply callbacks (token, event key, outcome), each once, one an attempt; returns the tokens that are known."""
    attempts = await store_sending.attempts_of_tokens(tx.conn, [token for token, _, _ in came])
    events = [
        (key, attempts[token], outcome.status, outcome.code)
        for token, key, outcome in came
        if token in attempts
    ]
    fresh = await store_sending.add_events(tx.conn, events, tx.now) if events else set()
    new = {attempts[token]: outcome for token, key, outcome in came if key in fresh and token in attempts}
    if new:
        await settling.record(tx, new, settings)
    return set(attempts)


async def reply_came(
    tx: Tx, sms: InboundSms, settings: NotificationSettings, templates: Templates | None = None
) -> str:
    """Keep the SMS, act on its meaning; returns the text to answer with, empty for no answer.

    Only an ambiguous acknowledgement is answered: an answer to everything would answer other machines for ever.
    """
    contact = await store.contact_of(tx.conn, sms.sender)
    inbound_id = tx.ids.new()
    contact_id = contact["contact_id"] if contact else None
    if not await store.add_inbound(
        tx.conn, inbound_id, sms.provider_id, contact_id, sms.sender, sms.body, tx.now
    ):
        return ""
    if contact is None:
        return await _means(tx, inbound_id, "unknown_number", None)
    rows = {row["id"]: row for row in await store.open_notices_of(tx.conn, sms.sender, tx.now)}
    notices = [
        OpenNotice(row["id"], row["case_code"], row["ack_code"], row["acknowledged_at"] is not None)
        for row in rows.values()
    ]
    meaning = read_reply(sms.body, notices)
    await _means(tx, inbound_id, meaning.kind, meaning.delivery_id)
    if meaning.kind in ("none", "sighting"):
        await tasks.open_task(tx, "read_reply", inbound_id=inbound_id)
    if meaning.kind == "ack" and meaning.delivery_id:
        await acknowledge(tx, meaning.delivery_id, "sms")
    elif meaning.kind == "sighting" and meaning.delivery_id:
        report_sighting(tx, rows[meaning.delivery_id], sms.body, tx.now, "sms")
    elif meaning.kind == "opt_out":
        tx.audit("contact.opted_out", subject=contact_id)
        await alarms.duty_number_opted_out(tx, contact["contact_id"])
    elif meaning.kind == "ambiguous":
        codes = [(notice.case_code, notice.ack_code) for notice in notices if not notice.answered]
        return several_open_text(codes, contact["language"], settings, templates)
    return ""


async def _means(tx: Tx, inbound_id: UUID, meaning: str, delivery_id: UUID | None) -> str:
    await store.inbound_means(tx.conn, inbound_id, meaning, delivery_id)
    return ""


async def acknowledge(tx: Tx, delivery_id: UUID, channel: Literal["sms", "page", "operator"]) -> int:
    """A person confirmed: this notice and the same recipient's earlier ones of the case, each once."""
    rows = await store.acknowledge(tx.conn, delivery_id, tx.now)
    for row in rows:
        exercise = await store.is_exercise(tx.conn, row["notice_id"])
        fields = settling.fact_fields({**row, "exercise": exercise}, tx)
        tx.publish(NoticeAcknowledged(**fields, channel=channel))
    if rows:
        await tasks.answered(tx, rows)
        tx.audit("notice.acknowledged", subject=delivery_id, channel=channel)
    return len(rows)


def report_sighting(
    tx: Tx, row: Row, note: str, seen_at: datetime, channel: Literal["sms", "page", "operator"]
) -> SightingId:
    """Somebody at the delivery's site saw something; the place is the site's, or the order's for a unit."""
    sighting_id = SightingId(tx.ids.new())
    tx.publish(
        SightingReported(
            region_code=row["region_code"],
            exercise=row["exercise"],
            occurred_at=tx.now,
            case_id=row["case_id"],
            sighting_id=sighting_id,
            seen_at=seen_at,
            place=_place_of(row),
            # PostgreSQL stores no NUL; dropping it keeps a person's words where refusing would lose them.
            note=note.replace("\x00", "")[:2000],
            channel=channel,
            site_id=SiteId(row["site_id"]) if row["site_id"] else None,
            unit_id=UnitId(row["unit_id"]) if row["unit_id"] else None,
        )
    )
    tx.audit("sighting.reported", subject=row["case_id"], sighting_id=str(sighting_id), channel=channel)
    return sighting_id


def _place_of(row: Row) -> Place:
    if row["site_id"]:
        position = Position(lon=row["lon"], lat=row["lat"])
        return Place(position=position, name=row["name_zh"], township_code=row["township_code"])
    content = row["content"]
    return Place(position=Position(lon=content["lon"], lat=content["lat"]), name=content["place_zh"])


async def escalate_unanswered(runtime: Runtime) -> int:
    """Sweep: without an answer in time the next contact is asked, or the command centre takes over."""
    senders: Senders = runtime.state["senders"]
    async with runtime.tx(actor="guitu.notifications") as tx:
        rows = await store.unanswered(tx.conn, tx.now, ESCALATIONS_A_RUN)
        held = [row["id"] for row in rows if _is_held_up(row, senders, tx.now)]
        if held:
            # The provider is away: the next contact's SMS would wait beside this one, and an alarm says so already.
            await store.ask_again_at(tx.conn, held, tx.now + HELD_UP_FOR)
        for row in rows:
            if row["id"] not in held:
                await _escalate(tx, row, voice=senders.has("voice"))
        return len(rows)


def _is_held_up(row: Row, senders: Senders, now: datetime) -> bool:
    waits = row["state"] in ("queued", "sending", "unknown") and row["expires_at"] > now
    return bool(waits and senders.all_rest(row["channel"], now))


async def _escalate(tx: Tx, row: Row, *, voice: bool) -> None:
    """The next contact by SMS, then a call to the first who takes calls, then the command centre's own people."""
    over = row["stood_down_at"] is not None
    contact = None if over else await store.next_contact(tx.conn, row, tx.now)
    called = await store.contact_to_call(tx.conn, row, tx.now) if voice and not over and not contact else None
    to: Literal["next_contact", "voice", "command_centre"] = (
        "next_contact" if contact else "voice" if called else "command_centre"
    )
    await store.escalated(tx.conn, tx.ids.new(), row, to, tx.now)
    if over:
        return
    next_id = await _ask_next(tx, row, contact or called, "voice" if called else "sms")
    if to == "command_centre":
        await tasks.open_task(tx, "call_site", delivery_id=row["id"])
    tx.publish(NoticeEscalated(**settling.fact_fields(row, tx), to=to, next_delivery_id=next_id))


async def _ask_next(tx: Tx, row: Row, contact: Row | None, channel: Channel) -> UUID | None:
    if contact is None:
        return None
    delivery = handlers.delivery_row(
        tx,
        contact["contact_id"],
        contact["site_id"],
        contact["unit_id"],
        recipients.urgency(recipients.ESCALATION_PRIORITY, exercise=row["exercise"]),
        row["distance_km"],
        contact["codes"],
        channel,
    )
    await handlers.queue(tx, row["notice_id"], row["kind"], [delivery])
    next_id: UUID = delivery[0]
    return next_id


def seen_at_from(now: datetime, clock_time: time | None) -> datetime:
    """The latest moment, not after `now`, at which clocks in Beijing showed this time; `now` without one."""
    if clock_time is None:
        return now
    local = now.astimezone(BEIJING)
    seen = local.replace(hour=clock_time.hour, minute=clock_time.minute, second=0, microsecond=0)
    return seen if seen <= local else seen - timedelta(days=1)
