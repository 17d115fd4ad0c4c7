"""What happens on each fact: who is told, who is no longer told. One function a message.

Facts may come out of order: a case that was stood down stays so, and an alert that comes late tells only sites
that heard nothing yet, with the newest picture there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any
from uuid import UUID

from contracts.alert import AlertBody, AlertRaised, AlertStoodDown, AlertUpdated, AreaWidened
from contracts.base import DeliveryId, NoticeId, Position, SiteId, UnitId
from contracts.notice import NoticeKind, NoticeQueued, kind_fields
from contracts.order import InterceptionOrdered, OrderStoodDown
from guitu.tx import Tx
from notifications import alarms, store, store_auditing, tasks
from notifications.domain import recipients
from notifications.domain.page_token import page_token_of
from notifications.domain.replies import ack_code_of
from notifications.providers.protocol import Channel
from notifications.store import Row

TOGETHER = 1_000
"""Deliveries that are stored by one statement."""
LEAVES_AFTER = 2
"""Steps of the loop until a statement is on its way: the task's first, and the one in which uvloop writes."""
PLACE_CHANGED = frozenset({"last_seen_place", "place"})


Delivery = tuple[Any, ...]
"""A delivery as `store.add_deliveries` takes it."""


async def on_alert_raised(tx: Tx, fact: AlertRaised) -> None:
    """Tell every site in the ring, nearest first."""
    case = await _seen(tx, fact)
    if case is not None:
        await _tell(tx, case, fact, "raised", await _new_in_ring(tx, fact))


async def on_area_widened(tx: Tx, fact: AreaWidened) -> None:
    """Tell only the sites that are new in the wider ring."""
    case = await _seen(tx, fact)
    if case is not None:
        await _tell(tx, case, fact, "widened", await _new_in_ring(tx, fact))


async def on_alert_updated(tx: Tx, fact: AlertUpdated) -> None:
    """Tell those who were told, if the change matters to them; a new place also brings new sites in its ring.

    What still waits to be sent is replaced: one SMS with the new picture instead of two.
    """
    case = await _seen(tx, fact)
    if case is None or case["version"] > fact.version or not recipients.update_matters(fact.changed):
        return
    told = [_again(row) for row in await store.told(tx.conn, fact.case_id, tx.now)]
    new = await _new_in_ring(tx, fact) if PLACE_CHANGED & set(fact.changed) else iter(())
    await store.cancel_queued(tx.conn, fact.case_id, store.ALERT_KINDS)
    await _tell(tx, case, fact, "updated", chain(told, new))


async def on_alert_stood_down(tx: Tx, fact: AlertStoodDown) -> None:
    """Nothing that waits is sent any more; exactly those who may have got an SMS are told that it is over."""
    if not await store.see_stand_down(tx.conn, fact, tx.now):
        return
    await store.cancel_queued(tx.conn, fact.case_id, [*store.ALERT_KINDS, "order", "nil_report"])
    await store.expect_no_answers(tx.conn, fact.case_id)
    await tasks.case_over(tx, fact.case_id)
    case = {"case_id": fact.case_id, "region_code": fact.region_code, "exercise": fact.exercise}
    content = {"case_code": fact.case_code, "outcome": fact.outcome}
    notice_id = tx.ids.new()
    if await store.add_notice(tx.conn, notice_id, case, fact.version, "stood_down", "", content, tx.now):
        await stand_down_told(tx, [fact.case_id])
    tx.audit("notices.stood_down", subject=fact.case_id, outcome=fact.outcome)


async def stand_down_told(tx: Tx, case_ids: Sequence[UUID]) -> None:
    """Add a stand-down for everyone who may have got an SMS of these cases and has none yet.

    Called at the stand-down and again when a sending that was under way settles afterwards.
    """
    for notice in await store.stand_down_notices(tx.conn, case_ids):
        rows = await store.to_stand_down(tx.conn, [notice["case_id"]])
        planned = [
            recipients.Recipient(
                row["contact_id"], row["site_id"], row["distance_km"], recipients.STAND_DOWN_PRIORITY, ()
            )
            for row in rows
        ]
        await queue(tx, notice["id"], "stood_down", _rows_of(tx, planned, exercise=notice["exercise"]))


async def on_interception_ordered(tx: Tx, fact: InterceptionOrdered) -> None:
    """Text the unit its order, with the page's link where its route takes one."""
    case = await store.see_order(tx.conn, fact)
    if case["stood_down_at"] is not None or await store.order_is_over(tx.conn, fact.case_id, fact.order_id):
        return
    content = {
        "place_zh": fact.stop.name_zh,
        "place_en": fact.stop.name_en,
        "arrive_by": fact.arrive_by,
        "lon": fact.stop.position.lon,
        "lat": fact.stop.position.lat,
        "summary": fact.child_summary,
        "page_path": fact.page_path,
        "case_code": fact.case_code,
    }
    await _tell_unit(tx, case, fact, "order", content)


async def on_order_stood_down(tx: Tx, fact: OrderStoodDown) -> None:
    """Tell the unit that it may leave, if its order was, or may have been, sent; else never send the order."""
    case = await store.see_order(tx.conn, fact)
    ordered = await store.order_delivery(tx.conn, fact.case_id, fact.order_id)
    await store.cancel_order(tx.conn, fact.case_id, fact.order_id)
    content = {"stood_down": fact.reason, "page_path": fact.page_path, "case_code": fact.case_code}
    if ordered is None or ordered["state"] in ("queued", "cancelled"):
        # The unit has heard nothing. The notice without recipients keeps an order that comes late from being sent.
        await store.add_notice(
            tx.conn,
            tx.ids.new(),
            case,
            case["version"],
            "order_stood_down",
            str(fact.order_id),
            content,
            tx.now,
        )
        return
    await _tell_unit(tx, case, fact, "order_stood_down", content)


async def _seen(tx: Tx, fact: AlertBody) -> Row | None:
    """The case with its newest picture, locked; None if it is over."""
    case = await store.see_alert(tx.conn, fact, fact.model_dump(mode="json"))
    return None if case["stood_down_at"] is not None else case


async def _new_in_ring(tx: Tx, fact: AlertBody) -> Iterator[recipients.Recipient]:
    rows = await store.sites_not_told(
        tx.conn, fact.case_id, fact.exercise, recipients.latitudes_of(fact.ring), tx.now
    )
    candidates = (
        recipients.Candidate(
            row["contact_id"], row["site_id"], Position(lon=row["lon"], lat=row["lat"]), tuple(row["codes"])
        )
        for row in rows
    )
    return recipients.in_ring(candidates, fact.ring)


def _again(row: Row) -> recipients.Recipient:
    return recipients.Recipient(
        row["contact_id"], row["site_id"], row["distance_km"], recipients.UPDATE_PRIORITY, tuple(row["codes"])
    )


async def _tell(
    tx: Tx, case: Row, fact: AlertBody, kind: NoticeKind, told: Iterable[recipients.Recipient]
) -> None:
    """Queue one notice for all of them, with the newest picture of the case."""
    notice_id = tx.ids.new()
    if not await store.add_notice(tx.conn, notice_id, case, fact.version, kind, "", case["picture"], tx.now):
        return
    rows = _rows_of(tx, told, exercise=case["exercise"])
    queued = len(await queue(tx, notice_id, kind, rows))
    if not queued:
        await alarms.nobody_told(tx, case)
    tx.audit(f"notices.{kind}", subject=fact.case_id, version=fact.version, recipients=queued)


async def _tell_unit(tx: Tx, case: Row, fact: Any, kind: NoticeKind, content: dict[str, Any]) -> None:
    contact = await store.unit_contact(tx.conn, fact.unit_id, case["exercise"], tx.now)
    if contact is None:
        # The order page and the console still have it; a unit without a contact must be visible to somebody.
        tx.audit("notices.unit_without_contact", subject=fact.unit_id, kind=kind)
        await alarms.unit_without_contact(tx, case, fact.unit_id)
        return
    notice_id = tx.ids.new()
    if not await store.add_notice(
        tx.conn, notice_id, case, case["version"], kind, str(fact.order_id), content, tx.now
    ):
        return
    row = delivery_row(
        tx,
        contact["contact_id"],
        None,
        fact.unit_id,
        recipients.ORDER_PRIORITY,
        0.0,
        contact["codes"],
        exercise=case["exercise"],
    )
    await queue(tx, notice_id, kind, [row])


def _rows_of(tx: Tx, told: Iterable[recipients.Recipient], *, exercise: bool) -> Iterator[tuple[Any, ...]]:
    for r in told:
        yield delivery_row(
            tx,
            r.contact_id,
            r.site_id,
            None,
            r.priority,
            r.distance_km,
            r.open_codes,
            exercise=exercise,
        )


def delivery_row(
    tx: Tx,
    contact_id: UUID,
    site_id: UUID | None,
    unit_id: UUID | None,
    priority: int,
    distance_km: float,
    open_codes: Sequence[str],
    channel: Channel = "sms",
    *,
    exercise: bool,
    again: int = 0,
) -> tuple[Any, ...]:
    """A new delivery as `store.add_deliveries` takes it, with its code and its page's token."""
    code = ack_code_of(tx.ids.new(), open_codes)
    token = page_token_of(tx.ids.new())
    priority = recipients.urgency(priority, exercise=exercise)
    return (tx.ids.new(), contact_id, site_id, unit_id, priority, distance_km, code, token, channel, again)


async def queue(tx: Tx, notice_id: UUID, kind: NoticeKind, rows: Iterable[Delivery]) -> set[UUID]:
    """Store deliveries and say so; returns the ids of those that are new.

    In parts: while the database stores one, the facts of the part before and the rows of the next are made. For 10,000
    sites each side takes half a second, and people wait.
    """
    waiting = iter(rows)
    part, stored, new = list(islice(waiting, TOGETHER)), list[Delivery](), set[UUID]()
    if not part:
        await store_auditing.planned(tx.conn, notice_id, 0)
        return new
    common = await store.notice_common(tx.conn, notice_id)
    added: set[UUID] = set()
    while part or stored:
        storing = asyncio.create_task(_store(tx, notice_id, part))
        try:
            for _ in range(LEAVES_AFTER):
                await asyncio.sleep(0)
            for row in stored:
                if row[0] in added:
                    tx.publish(_queued(tx, notice_id, kind, common, row))
            stored, part = part, list(islice(waiting, TOGETHER))
        finally:
            added = await storing
        new |= added
    await store_auditing.planned(tx.conn, notice_id, len(new))
    return new


async def _store(tx: Tx, notice_id: UUID, part: Sequence[Delivery]) -> set[UUID]:
    """The facts that are ready, if they are many; then the next deliveries. Returns those that are new."""
    if len(tx.pending.facts) >= TOGETHER:
        await tx.write_facts()
    return await store.add_deliveries(tx.conn, notice_id, part, tx.now)


def _queued(tx: Tx, notice_id: UUID, kind: NoticeKind, common: Row, row: Delivery) -> NoticeQueued:
    delivery_id, _, site_id, unit_id, priority, *_ = row
    return NoticeQueued(
        region_code=common["region_code"],
        exercise=common["exercise"],
        occurred_at=tx.now,
        case_id=common["case_id"],
        delivery_id=DeliveryId(delivery_id),
        notice_id=NoticeId(notice_id),
        **kind_fields(kind),
        alert_version=common["version"],
        priority=priority,
        site_id=SiteId(site_id) if site_id else None,
        unit_id=UnitId(unit_id) if unit_id else None,
    )
