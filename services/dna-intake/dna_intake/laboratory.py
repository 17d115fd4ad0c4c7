"""What the laboratory does: register a specimen, move it on, enter its profile. One function a command.

Each takes an open transaction and saves state, audit and facts in it; a refusal is a Problem.
"""

from __future__ import annotations

from uuid import UUID

from contracts.base import SpecimenId
from contracts.dna import CustodyMoved, SampleRegistered
from dna_intake import searching, store
from dna_intake.domain.barcode import barcode_of
from dna_intake.domain.custody import (
    IllegalMove,
    Link,
    Move,
    MoveOutOfTime,
    PaperState,
    State,
    as_told,
    first_move,
    link,
    next_move,
    repeats,
)
from dna_intake.identity import link_of, open_case, seal_case
from dna_intake.intake import store_readings
from dna_intake.models import MoveSpecimen, RegisterSpecimen, SampleRow, SpecimenRow
from dna_intake.practice import Practice
from dna_intake.refusals import illegal_move, not_found
from dna_intake.requests import follow_case
from guitu.problem import Problem
from guitu.tx import Tx

BARCODES_TRIED_MAX = 3


async def register(tx: Tx, wanted: RegisterSpecimen, practice: Practice) -> SpecimenRow:
    """Give a specimen its pseudonymous id and its barcode.

    Raises: Problem 404 for a case that is not known here, 409 for one that needs no sample any more, 422 for
    another region than the case's.
    """
    sample = await _request_served(tx, wanted) if wanted.case_id else None
    row = await _add(tx, wanted, practice.master, exercise=sample.exercise if sample else wanted.exercise)
    first = link(b"", row.id, first_move(tx.now, tx.actor, row.region_code))
    await store.append_move(tx.conn, row, first)
    tx.publish(
        SampleRegistered(
            region_code=row.region_code,
            exercise=row.exercise,
            occurred_at=tx.now,
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


async def _add(tx: Tx, wanted: RegisterSpecimen, master: bytes, *, exercise: bool) -> SpecimenRow:
    for _ in range(BARCODES_TRIED_MAX):
        specimen_id, case_id = tx.ids.new(), wanted.case_id
        row = SpecimenRow(
            id=specimen_id,
            barcode=barcode_of(tx.ids.new().int),
            category=wanted.category,
            case_link=link_of(master, case_id) if case_id else None,
            case_sealed=seal_case(master, specimen_id, case_id) if case_id else None,
            relation=wanted.relation,
            registered_sex=wanted.registered_sex,
            region_code=wanted.region_code,
            exercise=exercise,
            state="registered",
            moves=1,
            registered_at=tx.now,
        )
        if await store.add_specimen(tx.conn, row):
            return row
    raise AssertionError(f"{BARCODES_TRIED_MAX} random barcodes of 50 bits in a row were taken.")


async def move(tx: Tx, specimen_id: UUID, step: MoveSpecimen, practice: Practice) -> SpecimenRow:
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
    return await go(tx, row, last, following, practice)


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


async def mark_entered(tx: Tx, row: SpecimenRow, practice: Practice) -> SpecimenRow:
    """The profile of a locked specimen is in: a step on paper that its case hears of. Raises: IllegalMove."""
    last = (await store.chain(tx.conn, row.id))[-1]
    return await go(tx, row, last, _on_paper(tx, last.move, "entered"), practice)


async def step_on_paper(tx: Tx, row: SpecimenRow, to_state: PaperState) -> SpecimenRow:
    """What a search or a review means for a specimen; the tube stays where it is, and no case hears of it.

    The specimen is locked and read again, so that its chain has one writer; the same step again changes nothing.
    Raises: IllegalMove; Problem 404, if the specimen is out of sight.
    """
    row = await lock(tx, row.id)
    if row.state == to_state:
        return row
    last = (await store.chain(tx.conn, row.id))[-1]
    following = _on_paper(tx, last.move, to_state)
    await store.append_move(tx.conn, row, link(last.hash, row.id, following))
    tx.audit("dna.specimen_stepped", subject=row.id, from_state=row.state, to_state=to_state)
    return row.model_copy(update={"state": to_state, "moves": following.seq})


def _on_paper(tx: Tx, last: Move, to_state: State) -> Move:
    now = max(tx.now, last.moved_at)
    return next_move(last, to_state, at=None, now=now, actor=tx.actor, seal=last.seal, location=last.location)


async def go(tx: Tx, row: SpecimenRow, last: Link, following: Move, practice: Practice) -> SpecimenRow:
    """Record a legal move of a locked specimen, with all that follows from it."""
    await store.append_move(tx.conn, row, link(last.hash, row.id, following))
    tx.publish(
        CustodyMoved(
            region_code=row.region_code,
            exercise=row.exercise,
            occurred_at=tx.now,
            specimen_id=SpecimenId(row.id),
            from_state=as_told(row.state),
            to_state=as_told(following.to_state),
        )
    )
    tx.audit("dna.custody_moved", subject=row.id, from_state=row.state, to_state=following.to_state)
    case_id = open_case(practice.master, row) if row.of_a_family else None
    if case_id is not None:
        await follow_case(tx, case_id, practice)
    if following.to_state in ("rejected", "withdrawn", "expunged"):
        await store_readings.end_intake(tx.conn, row.id, tx.now, tx.actor)
    if following.to_state in ("withdrawn", "expunged"):
        await searching.profile_expunged(tx, row)
    if following.to_state == "expunged":
        await store.expunge_profile(tx.conn, row.id, tx.now)
        await store.expunge_person(tx.conn, row.id)
    return row.model_copy(update={"state": following.to_state, "moves": following.seq})
