"""Held profiles: a second person, who read none of it, looks at the reasons and lets it in or voids it."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from dna_intake import store
from dna_intake.intake import store_readings, words
from dna_intake.intake.readings import agreed, let_in, search_follows
from dna_intake.intake.rows import HoldAnswer, HoldEnded, HoldRow
from dna_intake.laboratory import lock
from dna_intake.practice import Practice
from dna_intake.refusals import not_found
from guitu.problem import Problem
from guitu.tx import Tx


async def worklist(conn: asyncpg.Connection, limit: int) -> list[HoldAnswer]:
    """What waits for a second person, the oldest first."""
    return [await _described(conn, hold) for hold in await store_readings.open_holds(conn, limit)]


async def _described(conn: asyncpg.Connection, hold: HoldRow) -> HoldAnswer:
    row = await store.specimen(conn, hold.specimen_id)
    assert row is not None, "A hold that is visible has a visible specimen."
    found = await store_readings.readings(conn, hold.specimen_id)
    return HoldAnswer(
        id=hold.id,
        specimen_id=row.id,
        barcode=row.barcode,
        region_code=row.region_code,
        held_at=hold.held_at,
        read_by=[each.read_by for each in found if each.state == "open"],
        reasons=[words.shown(reason) for reason in hold.reasons],
    )


async def release(tx: Tx, hold_id: UUID, because: str, practice: Practice) -> HoldEnded:
    """Let a held profile in; the reason is kept with the hold and in the audit log's entry.

    Raises: Problem 404, 409 for one of its readers, or if it has ended otherwise.
    """
    hold, repeated = await _open(tx, hold_id, "released")
    if not repeated:
        row = await lock(tx, hold.specimen_id)
        typed, readers = await agreed(tx, hold.specimen_id, practice.master)
        _not_a_reader(tx, readers)
        await _end(tx, hold, "released", because)
        outcome = await let_in(tx, row, typed, practice)
        await search_follows(tx, [outcome])
    return HoldEnded(hold_id=hold.id, specimen_id=hold.specimen_id, ended_as="released")


async def void(tx: Tx, hold_id: UUID, because: str) -> HoldEnded:
    """Void a held profile: its readings are deleted, and the specimen is typed again, or rejected.

    Raises: Problem 404, 409 if it has ended otherwise.
    """
    hold, repeated = await _open(tx, hold_id, "void")
    if not repeated:
        await store_readings.end_readings(tx.conn, hold.specimen_id, "void", tx.now)
        await _end(tx, hold, "void", because)
    return HoldEnded(hold_id=hold.id, specimen_id=hold.specimen_id, ended_as="void")


async def _open(tx: Tx, hold_id: UUID, wanted: str) -> tuple[HoldRow, bool]:
    """The hold with its specimen locked; True if it has ended as wanted already."""
    found = await store_readings.hold(tx.conn, hold_id)
    if found is None:
        raise not_found("held profile", "暂缓录入的分型")
    await lock(tx, found.specimen_id)
    found = await store_readings.hold(tx.conn, hold_id)
    assert found is not None, "Holds are never deleted."
    if found.ended_as not in (None, wanted):
        raise Problem(
            409,
            "hold_ended",
            f"This hold has ended: {found.ended_as}.",
            "该暂缓录入已处理完毕。",
            "See GET /specimens/{id} for where the specimen is now.",
        )
    return found, found.ended_as is not None


def _not_a_reader(tx: Tx, readers: list[str]) -> None:
    if tx.actor in readers:
        raise Problem(
            409,
            "reader_cannot_release",
            "You read this profile; a held profile is let in by somebody who did not.",
            "您参与过该分型判读,须由未参与者核查放行。",
            "Ask a colleague to look at GET /profile-holds.",
        )


async def _end(tx: Tx, hold: HoldRow, ended_as: str, because: str) -> None:
    await store_readings.end_hold(tx.conn, hold.specimen_id, tx.now, tx.actor, ended_as, because)
    reasons = [reason.code for reason in hold.reasons]
    tx.audit(f"dna.hold_{ended_as}", subject=hold.specimen_id, hold=str(hold.id), reasons=reasons)
