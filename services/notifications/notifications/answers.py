"""What comes back: statuses, replies, page answers, and silence. Each runs in one transaction of its caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Literal
from uuid import UUID

from contracts.base import Place, Position, SightingId, SiteId, UnitId
from contracts.notice import NoticeAcknowledged, NoticeNilReported, NoticeOpened
from contracts.sighting import SightingReported
from guitu.tx import Tx
from notifications import (
    alarms,
    nil_reports,
    settling,
    store,
    store_directory,
    store_replies,
    store_sending,
    tasks,
)
from notifications.domain.delivery import Outcome
from notifications.domain.replies import Meaning, MeaningKind, OpenNotice, codes_in, read_reply
from notifications.domain.texts import BEIJING
from notifications.providers.protocol import InboundSms
from notifications.settings import NotificationSettings
from notifications.store import Row
from notifications.templates import Templates
from notifications.writing import several_open_text

AcknowledgedBy = Literal["sms", "page", "voice", "webhook", "operator"]
Pressed = Literal["acknowledged", "asked", "nothing"]


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

    Only an ambiguous answer is answered: an answer to everything would answer other machines for ever.
    """
    contact, found = await _who_wrote(tx, sms)
    inbound_id = tx.ids.new()
    contact_id = contact["contact_id"] if contact else None
    if not await store_replies.add_inbound(
        tx.conn, inbound_id, sms.provider_id, contact_id, sms.sender, sms.body, tx.now
    ):
        return ""
    if contact is None:
        return await _means(tx, inbound_id, "unknown_number", None)
    rows = {row["id"]: row for row in found}
    notices = [_open_notice(row) for row in found]
    meaning = read_reply(sms.body, notices)
    await _means(tx, inbound_id, meaning.kind, meaning.delivery_id)
    if _needs_reading(meaning, rows):
        await tasks.open_task(tx, "read_reply", inbound_id=inbound_id)
    if meaning.kind == "ambiguous":
        return several_open_text(_open_codes(notices), contact["language"], settings, templates)
    if meaning.delivery_id:
        await _answered(tx, meaning.kind, rows[meaning.delivery_id], sms)
    elif meaning.kind in ("opt_out", "opt_in"):
        await _opted(tx, meaning.kind, sms.sender)
    return ""


async def _who_wrote(tx: Tx, sms: InboundSms) -> tuple[Row | None, list[Row]]:
    """The contact, and what the words can mean: one notice if they name its attempt, else all that are open."""
    if sms.client_ref:
        row = await store_replies.notice_of_attempt(tx.conn, sms.client_ref, sms.sender)
        return row, [row] if row else []
    contact = await store_replies.contact_of(tx.conn, sms.sender)
    if contact is None:
        return None, []
    return contact, await store_replies.open_notices_of(tx.conn, sms.sender, codes_in(sms.body), tx.now)


def _needs_reading(meaning: Meaning, rows: Mapping[UUID, Row]) -> bool:
    """What may be a sighting reaches a person; whatever is said to a drill only shows that it was heard."""
    if meaning.kind == "sighting" and meaning.delivery_id:
        return bool(rows[meaning.delivery_id]["kind"] != "drill")
    return meaning.kind == "none"


def _open_notice(row: Row) -> OpenNotice:
    answered, drill = row["acknowledged_at"] is not None, row["kind"] == "drill"
    return OpenNotice(row["id"], row["case_code"], row["ack_code"], answered, drill)


async def _answered(tx: Tx, kind: MeaningKind, row: Row, sms: InboundSms) -> None:
    """A reply that means one notice; whatever else is said to a drill shows that it was heard."""
    channel: Literal["sms", "webhook"] = "webhook" if sms.client_ref else "sms"
    if kind == "nil_report":
        await nil_report(tx, row, channel)
    elif kind == "sighting" and row["kind"] != "drill":
        report_sighting(tx, row, sms.body, tx.now, channel)
    else:
        await acknowledge(tx, row["id"], channel)


async def _opted(tx: Tx, kind: MeaningKind, phone: str) -> None:
    """A number said that it wants no more SMS, or wants them again."""
    if kind == "opt_in":
        for contact in await store_directory.opt_in(tx.conn, phone):
            tx.audit("contact.opted_in", subject=contact["contact_id"])
        return
    for contact in await store_directory.opt_out(tx.conn, phone, tx.now):
        tx.audit("contact.opted_out", subject=contact["contact_id"])
        await opted_out(tx, contact)


async def opted_out(tx: Tx, contact: Row) -> None:
    """This contact is told no more: what it has not answered goes to the next one at once, and somebody must look."""
    asked = await store_replies.ask_another(tx.conn, [contact["contact_id"]], tx.now)
    tx.audit("contact.others_asked", subject=contact["contact_id"], deliveries=asked)
    await alarms.duty_number_opted_out(tx, contact["contact_id"])


async def _means(tx: Tx, inbound_id: UUID, meaning: str, delivery_id: UUID | None) -> str:
    await store_replies.inbound_means(tx.conn, inbound_id, meaning, delivery_id)
    return ""


def _open_codes(notices: list[OpenNotice]) -> list[tuple[str, str]]:
    """Case and code of what still waits, or of all if nothing does: the newest of each case."""
    waiting = [notice for notice in notices if not notice.answered] or notices
    newest = {notice.case_code: notice.ack_code for notice in reversed(waiting)}
    return list(reversed(newest.items()))


async def acknowledge(tx: Tx, delivery_id: UUID, channel: AcknowledgedBy) -> int:
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


async def opened(tx: Tx, row: Row) -> None:
    """Its page was opened; only the first time is a fact, and it never acknowledges."""
    if await store.opened(tx.conn, row["id"], tx.now):
        tx.publish(NoticeOpened(**settling.fact_fields(row, tx)))


async def key_pressed(tx: Tx, delivery: Row, key: str) -> Pressed:
    """A key in a call: 1 acknowledges, 9 asks for a person; returns what it did."""
    if key == "1":
        await acknowledge(tx, delivery["id"], "voice")
        return "acknowledged"
    if key == "9":
        await asks_for_person(tx, delivery)
        return "asked"
    return "nothing"


async def asks_for_person(tx: Tx, delivery: Row) -> None:
    """Somebody wants to talk to the command centre."""
    await tasks.open_task(tx, "person_asked", delivery_id=delivery["id"])
    tx.audit("notice.person_asked", subject=delivery["id"])


async def nil_report(tx: Tx, row: Row, channel: AcknowledgedBy) -> None:
    """A person looked and saw nothing until now; that acknowledges, too, and is said each time."""
    await acknowledge(tx, row["id"], channel)
    await nil_reports.heard(tx, row["id"])
    fields = settling.fact_fields(row, tx)
    tx.publish(NoticeNilReported(**fields, seen_nothing_until=tx.now, channel=channel))
    tx.audit("notice.nil_reported", subject=row["id"], channel=channel)


def report_sighting(
    tx: Tx, row: Row, note: str, seen_at: datetime, channel: Literal["sms", "page", "operator", "webhook"]
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


def seen_at_from(now: datetime, clock_time: time | None) -> datetime:
    """The latest moment, not after `now`, at which clocks in Beijing showed this time; `now` without one."""
    if clock_time is None:
        return now
    local = now.astimezone(BEIJING)
    seen = local.replace(hour=clock_time.hour, minute=clock_time.minute, second=0, microsecond=0)
    return seen if seen <= local else seen - timedelta(days=1)
