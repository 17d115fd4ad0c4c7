"""What the laboratory does: register a specimen, move it on, enter its profile. One function a command.

Each takes an open transaction and saves state, audit and facts in it; a refusal is a Problem.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from contracts.base import CaseId, SpecimenId
from contracts.dna import CustodyMoved, SampleRegistered
from dna_intake import store
from dna_intake.domain.barcode import barcode_of
from dna_intake.domain.custody import (
    IllegalMove,
    Link,
    Move,
    MoveOutOfTime,
    first_move,
    link,
    next_move,
    repeats,
)
from dna_intake.models import MoveSpecimen, RegisterSpecimen, SampleRow, SpecimenRow
from dna_intake.refusals import illegal_move, not_found
from dna_intake.requests import follow_case
from guitu.problem import Problem
from guitu.tx import Tx

BARCODES_TRIED_MAX = 3


async def register(tx: Tx, wanted: RegisterSpecimen) -> SpecimenRow:
    """Give a specimen its pseudonymous id and its barcode.

    Raises: Problem 404 for a case that is not known here, 409 for one that needs no sample any more, 422 for
    another region than the case's.
    """
    sample = await _request_served(tx, wanted) if wanted.case_id else None
    row = await _add(tx, wanted, exercise=sample.exercise if sample else wanted.exercise)
    first = link(b"", row.id, first_move(tx.now, tx.actor, row.region_code))
    await store.append_move(tx.conn, row, first)
    tx.publish(
        SampleRegistered(
            region_code=row.region_code,
            exercise=row.exercise,
            occurred_at=tx.now,
            case_id=CaseId(row.case_id) if row.case_id else None,
            specimen_id=SpecimenId(row.id),
            category=row.category,
        )
    )
    tx.audit("dna.specimen_registered", subject=row.id, category=row.category)
    return row


async def _request_served(tx: Tx, wanted: RegisterSpecimen) -> SampleRow:
    assert wanted.case_id is not None
    sample = await store.lock_sample_request(tx.conn, wanted.case_id)
    if sample is None:
        raise not_found("case with a sample request", "有采样要求的案件")
    if sample.state == "cancelled":
        raise Problem(
            409,
            "sample_not_needed",
            f"The case needs no sample any more ({sample.cancelled_because}).",
            "该案件已无需采样。",
            "Take no sample; if one is needed for another reason, register it without case_id.",
        )
    if sample.region_code != wanted.region_code:
        raise Problem(
            422,
            "region_differs",
            f"The case belongs to region {sample.region_code}, not {wanted.region_code}.",
            f"案件属于{sample.region_code},不是{wanted.region_code}。",
            "Send the region_code of the case.",
        )
    return sample


async def _add(tx: Tx, wanted: RegisterSpecimen, *, exercise: bool) -> SpecimenRow:
    for _ in range(BARCODES_TRIED_MAX):
        row = SpecimenRow(
            id=tx.ids.new(),
            barcode=barcode_of(tx.ids.new().int),
            category=wanted.category,
            case_id=wanted.case_id,
            region_code=wanted.region_code,
            exercise=exercise,
            state="registered",
            moves=1,
            registered_at=tx.now,
        )
        if await store.add_specimen(tx.conn, row):
            return row
    raise AssertionError(f"{BARCODES_TRIED_MAX} random barcodes of 50 bits in a row were taken.")


async def move(tx: Tx, specimen_id: UUID, step: MoveSpecimen, due_after: timedelta) -> SpecimenRow:
    """Move a specimen one legal step on; the last move sent once more changes nothing.

    Raises: Problem 404, 409 with the legal moves, 422 for a moment that can't be.
    """
    row = await lock(tx, specimen_id)
    last = (await store.chain(tx.conn, specimen_id))[-1]
    if repeats(last.move, step.to_state, at=step.at, seal=step.seal, location=step.location):
        return row
    if step.to_state == "entered":
        raise illegal_move(IllegalMove(row.state, "entered"))
    following = _following(tx, last.move, step)
    return await go(tx, row, last, following, due_after)


async def lock(tx: Tx, specimen_id: UUID) -> SpecimenRow:
    """The specimen, locked. Raises: Problem 404."""
    row = await store.lock_specimen(tx.conn, specimen_id)
    if row is None:
        raise not_found("specimen", "检材")
    return row


def _following(tx: Tx, last: Move, step: MoveSpecimen) -> Move:
    try:
        return next_move(
            last,
            step.to_state,
            at=step.at,
            now=tx.now,
            actor=tx.actor,
            seal=step.seal,
            location=step.location,
        )
    except IllegalMove as error:
        raise illegal_move(error) from None
    except MoveOutOfTime as error:
        raise Problem(
            422,
            "moment_refused",
            f"The moment of the move can't be: {error}",
            "流转时间不合理。",
            "Send when it happened, with its time zone, or leave `at` out for now.",
        ) from None


async def go(tx: Tx, row: SpecimenRow, last: Link, following: Move, due_after: timedelta) -> SpecimenRow:
    """Record a legal move of a locked specimen, with all that follows from it."""
    await store.append_move(tx.conn, row, link(last.hash, row.id, following))
    if following.to_state == "expunged":
        await store.expunge_profile(tx.conn, row.id, tx.now)
    tx.publish(
        CustodyMoved(
            region_code=row.region_code,
            exercise=row.exercise,
            occurred_at=tx.now,
            case_id=CaseId(row.case_id) if row.case_id else None,
            specimen_id=SpecimenId(row.id),
            from_state=row.state,
            to_state=following.to_state,
        )
    )
    tx.audit("dna.custody_moved", subject=row.id, from_state=row.state, to_state=following.to_state)
    if row.case_id is not None and row.category == "parent_of_missing_child":
        await follow_case(tx, row.case_id, due_after)
    return row.model_copy(update={"state": following.to_state, "moves": following.seq})
