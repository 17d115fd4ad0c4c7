"""Boxes from a station to the laboratory: a list with a seal goes out, and every tube of it is accounted for.

Each function takes an open transaction and saves state, audit and facts in it; a refusal is a Problem.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from dna_intake import store_shipments, store_worklist
from dna_intake.domain.barcode import BarcodeMisread, read_barcode
from dna_intake.domain.custody import Link, MoveOutOfTime, next_move
from dna_intake.domain.shipments import Listed, Outcome, Scan, outcome_of
from dna_intake.laboratory import record
from dna_intake.models import SpecimenRow
from dna_intake.practice import Practice
from dna_intake.refusals import moment_refused, not_found
from dna_intake.shipment_models import (
    ItemRow,
    ReceiveShipment,
    ScannedTube,
    SendShipment,
    ShipmentRow,
)
from guitu.problem import Problem
from guitu.tx import Tx


async def send(tx: Tx, wanted: SendShipment) -> ShipmentRow:
    """Send a box; the same list under the same seal again is the same shipment.

    All or nothing. Raises: Problem 404 for labels that are not known here, 409 for specimens that can't travel
    or a seal that was used, 422 for misread labels and for a box of several regions or half an exercise.
    """
    barcodes = _read(wanted.barcodes)
    rows = await store_shipments.lock_with_barcodes(tx.conn, barcodes)
    _all_known(barcodes, rows)
    region_code, exercise = _one_kind(rows)
    before = await store_shipments.shipment_under_seal(tx.conn, region_code, wanted.seal)
    if before is not None:
        return await _same(tx, before, wanted, rows)
    await _may_travel(tx, rows)
    row = ShipmentRow(
        id=tx.ids.new(),
        region_code=region_code,
        exercise=exercise,
        seal=wanted.seal,
        sent_from=wanted.sent_from,
        laboratory=wanted.laboratory,
        state="sent",
        sent_at=tx.now,
        sent_by=tx.actor,
    )
    if not await store_shipments.add_shipment(tx.conn, row, [each.id for each in rows]):
        raise _seal_in_use()
    tx.audit("dna.shipment_sent", subject=row.id, specimens=len(rows))
    return row


def _read(scanned: Sequence[str]) -> list[str]:
    barcodes, misread = [], []
    for position, text in enumerate(scanned):
        try:
            barcodes.append(read_barcode(text))
        except BarcodeMisread:
            misread.append(position)
    if misread:
        problem = Problem(
            422,
            "barcode_misread",
            f"{len(misread)} of {len(scanned)} labels were misread; nothing was sent.",
            f"{len(scanned)}个条码中有{len(misread)}个校验不符,未登记。",
            "Scan the labels at these positions again (counted from 0).",
        )
        problem.extra = {"positions": misread}
        raise problem
    if len(set(barcodes)) < len(barcodes):
        raise Problem(
            422,
            "listed_twice",
            "A label is on the list twice.",
            "清单中有重复条码。",
            "Scan each tube once; if two tubes bear one label, keep both and ask who printed it.",
        )
    return barcodes


def _all_known(barcodes: Sequence[str], rows: Sequence[SpecimenRow]) -> None:
    unknown = sorted(set(barcodes) - {row.barcode for row in rows})
    if unknown:
        problem = not_found("specimen", "检材")
        problem.extra = {"barcodes": unknown}
        raise problem


def _one_kind(rows: Sequence[SpecimenRow]) -> tuple[str, bool]:
    kinds = {(row.region_code, row.exercise) for row in rows}
    if len(kinds) > 1:
        raise Problem(
            422,
            "mixed_box",
            "A box holds specimens of one region, and of an exercise only or of none.",
            "同一箱内检材须属同一地区,演练检材不得与真实检材混装。",
            "Make a list and a box for each.",
        )
    return next(iter(kinds))


async def _same(
    tx: Tx, before: ShipmentRow, wanted: SendShipment, rows: Sequence[SpecimenRow]
) -> ShipmentRow:
    listed = {item.specimen_id for item in await store_shipments.items_of(tx.conn, before.id)}
    places = (before.sent_from, before.laboratory) == (wanted.sent_from, wanted.laboratory)
    if places and listed == {row.id for row in rows}:
        return before
    raise _seal_in_use()


def _seal_in_use() -> Problem:
    return Problem(
        409,
        "seal_in_use",
        "Another box bears this seal.",
        "该封签号已用于另一箱。",
        "Read the seal again; each number is used once. A list that was sent can't be changed.",
    )


async def _may_travel(tx: Tx, rows: Sequence[SpecimenRow]) -> None:
    boxed = await store_shipments.on_their_way(tx.conn, [row.id for row in rows])
    troubles = []
    for row in rows:
        if row.state != "collected":
            says = f"It is {row.state}; only collected ones travel.", f"状态为{row.state},仅已采集的可送检。"
        elif row.id in boxed:
            says = f"It is in the box {boxed[row.id]} already.", f"已在箱{boxed[row.id]}中。"
        else:
            continue
        troubles.append({"barcode": row.barcode, "says_en": says[0], "says_zh": says[1]})
    if troubles:
        problem = Problem(
            409,
            "cannot_travel",
            f"{len(troubles)} of {len(rows)} specimens can't be sent; nothing was.",
            f"{len(rows)}份检材中有{len(troubles)}份不能送检,未登记。",
            "Take these out of the box and send the list of the others.",
        )
        problem.extra = {"specimens": troubles}
        raise problem


async def receive(
    tx: Tx, shipment_id: UUID, found: ReceiveShipment, practice: Practice
) -> tuple[dict[UUID, Outcome], list[tuple[int, str | None]]]:
    """Account for a box: an outcome for each specimen of its list, and the other scans with their positions.

    All that was received moves in this one transaction. The same again changes nothing; a tube that turns up
    later is received by scanning it. Raises: Problem 404, 409 if the box was found differently before, 422 for
    a moment that can't be.
    """
    row = await store_shipments.shipment(tx.conn, shipment_id, lock=True)
    if row is None:
        raise not_found("shipment", "交接单")
    row = _opened(tx, row, found)
    scans, read = _sorted_out(found.scans)
    rows = await store_shipments.lock_listed(tx.conn, row.id)
    items = await store_shipments.items_of(tx.conn, row.id)
    outcomes = {i.specimen_id: _outcome(i, scans.get(i.barcode), row) for i in items}
    await store_shipments.remember_received(tx.conn, row)
    await _move_on(tx, [rows[i.specimen_id] for i in items if _arrives(i, outcomes)], found, practice)
    news = await store_shipments.set_outcomes(tx.conn, row.id, outcomes, tx.now)
    await _tell(tx, row, news, practice)
    listed = {item.barcode for item in items}
    extras = [(position, code) for position, code in enumerate(read) if code not in listed]
    await _keep_extras(tx, row, [code for _, code in extras if code is not None])
    return outcomes, extras


def _opened(tx: Tx, row: ShipmentRow, found: ReceiveShipment) -> ShipmentRow:
    intact = found.intact and found.seal == row.seal
    if row.received_at is None:
        opened = {"received_at": tx.now, "received_by": tx.actor}
        return row.model_copy(update=opened | {"seal_found": found.seal, "seal_intact": intact})
    if (row.seal_found, row.seal_intact) != (found.seal, intact):
        raise Problem(
            409,
            "opened_before",
            "The box was opened before and its seal was found otherwise.",
            "该箱已开箱登记,封签记录与此不同。",
            "Send seal and intact as they were first recorded (GET /shipments/{id}), with the tubes found since.",
        )
    return row


_TWO_SEALS = "two seals"
"""What no seal can be (`models.Seal`), so that it is never the recorded one."""


def _sorted_out(scans: Sequence[ScannedTube]) -> tuple[dict[str, Scan], list[str | None]]:
    """Scans by barcode, and what each said, None if it was misread; of two of one tube that with a seal counts.

    Two with different seals are two tubes under one label: no seal speaks for either.
    """
    known: dict[str, Scan] = {}
    read: list[str | None] = []
    for scan in scans:
        try:
            barcode = read_barcode(scan.barcode)
        except BarcodeMisread:
            read.append(None)
            continue
        read.append(barcode)
        before = known[barcode].seal if barcode in known else ""
        if before and scan.seal and before != scan.seal:
            known[barcode] = Scan(barcode, _TWO_SEALS)
        elif not before:
            known[barcode] = Scan(barcode, scan.seal or "")
    return known, read


def _outcome(item: ItemRow, scan: Scan | None, row: ShipmentRow) -> Outcome:
    listed = Listed(item.state, item.seal, item.outcome)
    return outcome_of(listed, scan, box_intact=bool(row.seal_intact))


def _arrives(item: ItemRow, outcomes: dict[UUID, Outcome]) -> bool:
    return outcomes[item.specimen_id] == "received" != item.outcome


async def _move_on(tx: Tx, rows: Sequence[SpecimenRow], found: ReceiveShipment, practice: Practice) -> None:
    """Move all that arrived. Their cases hear nothing new: the samples were taken already."""
    last = await store_shipments.last_links(tx.conn, [row.id for row in rows])
    for row in rows:
        await _received(tx, row, last[row.id], found, practice)


async def _received(tx: Tx, row: SpecimenRow, last: Link, found: ReceiveShipment, practice: Practice) -> None:
    try:
        following = next_move(
            last.move,
            "received",
            at=found.at,
            now=tx.now,
            actor=tx.actor,
            seal=last.move.seal,
            location=found.location,
        )
    except MoveOutOfTime as error:
        raise moment_refused(error) from None
    await record(tx, row, last, following, practice)


async def _tell(tx: Tx, row: ShipmentRow, news: dict[UUID, Outcome], practice: Practice) -> None:
    """Audit what is news, each once, and bring forward the clocks of what did not arrive."""
    if not news:
        return
    counts = {outcome: list(news.values()).count(outcome) for outcome in sorted(set(news.values()))}
    tx.audit("dna.shipment_received", subject=row.id, intact=row.seal_intact, **counts)
    open_now = {each: became for each, became in news.items() if became in ("missing", "seal_refused")}
    for specimen_id, became in sorted(open_now.items()):
        tx.audit(f"dna.specimen_{became}", subject=specimen_id, shipment_id=str(row.id))
    await store_worklist.hurry(tx.conn, list(open_now), tx.now + practice.missing_due_after)


async def _keep_extras(tx: Tx, row: ShipmentRow, barcodes: Sequence[str]) -> None:
    fresh = await store_shipments.add_extras(tx.conn, row, sorted(set(barcodes)), tx.now)
    if fresh:
        tx.audit("dna.shipment_extra", subject=row.id, barcodes=fresh)
