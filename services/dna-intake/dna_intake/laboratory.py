"""What the laboratory does with a specimen: move it on, enter its profile, note what a search found.

Each function takes an open transaction and saves state, audit and facts in it; a refusal is a Problem.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from contracts.base import SpecimenId
from contracts.dna import CustodyMoved
from dna_intake import searching, store, store_gate, store_search
from dna_intake.domain.custody import (
    IllegalMove,
    Link,
    Move,
    MoveOutOfTime,
    PaperState,
    SealRefused,
    State,
    as_told,
    link,
    next_move,
    repeats,
)
from dna_intake.identity import open_case
from dna_intake.intake import store_readings
from dna_intake.models import MoveSpecimen, SpecimenRow
from dna_intake.practice import Practice
from dna_intake.refusals import illegal_move, moment_refused, not_found, seal_refused
from dna_intake.requests import follow_case
from guitu.tx import Tx

EXPUNGED = {"case_link": None, "case_sealed": None, "relation": None, "registered_sex": None}
"""What is gone of a specimen that was expunged (`store.expunge_person`)."""


async def move(tx: Tx, specimen_id: UUID, step: MoveSpecimen, practice: Practice) -> SpecimenRow:
    """Move a specimen one legal step on; the last move sent once more changes nothing.

    Raises: Problem 404, 409 with the legal moves or for another seal than the recorded one, 422 for a moment
    that can't be.
    """
    if step.to_state in ("withdrawn", "expunged"):
        # An answer locks its search, then the specimen. The other way round, each would wait for the other.
        await store_search.lock_waiting(tx.conn, specimen_id)
    row = await lock(tx, specimen_id)
    last = (await store.chain(tx.conn, specimen_id))[-1]
    if repeats(
        last.move,
        step.to_state,
        at=step.at,
        seal=step.seal or "",
        location=step.location,
        new_seal=step.new_seal or "",
        reason=step.reason or "",
    ):
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
            seal=step.seal or "",
            location=step.location,
            new_seal=step.new_seal or "",
            reason=step.reason or "",
        )
    except IllegalMove as error:
        raise illegal_move(error) from None
    except MoveOutOfTime as error:
        raise moment_refused(error) from None
    except SealRefused as error:
        raise seal_refused(error) from None


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
    await store.append_move(tx.conn, row, link(last.hash, row.id, following), None)
    tx.later(store_gate.WAKE, row.id, tx.now)
    tx.audit("dna.specimen_stepped", subject=row.id, from_state=row.state, to_state=to_state)
    return _after(row, following, None)


def _on_paper(tx: Tx, last: Move, to_state: State) -> Move:
    now = max(tx.now, last.moved_at)
    return next_move(last, to_state, at=None, now=now, actor=tx.actor, seal=last.seal, location=last.location)


async def go(tx: Tx, row: SpecimenRow, last: Link, following: Move, practice: Practice) -> SpecimenRow:
    """Record a legal move of a locked specimen, with all that follows from it for its case."""
    case_id = family_case(row, practice)
    after = await record(tx, row, last, following, practice)
    if case_id is not None:
        await follow_case(tx, case_id, practice)
    if following.to_state in ("withdrawn", "expunged"):
        # After the case: the index's counter is taken last, as by who enters a profile of the same case.
        await searching.profile_expunged(tx, row)
    return after


def family_case(row: SpecimenRow, practice: Practice) -> UUID | None:
    """The case whose requests follow this specimen; None for a specimen that no request waits for."""
    return open_case(practice.master, row) if row.of_a_family else None


async def record(tx: Tx, row: SpecimenRow, last: Link, following: Move, practice: Practice) -> SpecimenRow:
    """Record a legal move of a locked specimen; who calls it lets the case follow (`go` does both)."""
    due_at = await _due(tx, row, following, practice)
    await store.append_move(tx.conn, row, link(last.hash, row.id, following), due_at)
    tx.later(store_gate.WAKE, row.id, tx.now)
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
    why = {"reason": following.reason} if following.reason else {}
    tx.audit("dna.custody_moved", subject=row.id, from_state=row.state, to_state=following.to_state, **why)
    if row.state == "collected":
        await store.leave_boxes(tx.conn, row.id, tx.now)
    if following.to_state in ("rejected", "withdrawn", "expunged"):
        await store_readings.end_intake(tx.conn, row.id, tx.now, tx.actor)
    if following.to_state == "expunged":
        await store.expunge_profile(tx.conn, row.id, tx.now)
        await store.expunge_person(tx.conn, row.id)
        await store_readings.forget_in_holds(tx.conn, row.id)
        await store_search.forget_kind(tx.conn, row.id)
        row = row.model_copy(update=EXPUNGED)
    return _after(row, following, due_at)


async def _due(tx: Tx, row: SpecimenRow, following: Move, practice: Practice) -> datetime | None:
    """The clock of the next step; nobody has to take a sample again for a case that is over."""
    if following.to_state == "rejected":
        case_id = family_case(row, practice)
        if case_id is not None and await store.stood_down_as(tx.conn, case_id):
            return None
    return practice.due(following.to_state, following.moved_at)


def _after(row: SpecimenRow, following: Move, due_at: datetime | None) -> SpecimenRow:
    now = {"state": following.to_state, "moves": following.seq, "due_at": due_at, "overdue_at": None}
    return row.model_copy(update=now)
