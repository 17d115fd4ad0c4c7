"""The sweep over the clocks of specimens: what is late is marked and audited, once a step."""

from __future__ import annotations

from dna_intake import store, store_worklist
from dna_intake.laboratory import family_case
from dna_intake.models import SpecimenRow
from dna_intake.practice import Practice, practice_of
from dna_intake.settings import dna_settings
from guitu.service import Runtime
from guitu.tx import Tx


async def mark_specimens_overdue(runtime: Runtime) -> int:
    """Mark and audit specimens whose step is late; returns how many.

    A sample that need not be taken again, because its case is over by now, leaves the worklist instead: only
    here, with the key, does anybody know.
    """
    limit = dna_settings(runtime.settings).overdue_batch
    practice = practice_of(runtime.settings)
    async with runtime.tx(actor=f"guitu.{runtime.service}") as tx:
        late = await store_worklist.mark_overdue(tx.conn, tx.now, limit)
        for row in late:
            if await _case_is_over(tx, row, practice):
                await store.stop_clock(tx.conn, row.id)
                tx.audit("dna.retake_dropped", subject=row.id)
            else:
                assert row.due_at is not None, "What is late has a clock."
                tx.audit(
                    "dna.specimen_overdue", subject=row.id, state=row.state, due_at=row.due_at.isoformat()
                )
    return len(late)


async def _case_is_over(tx: Tx, row: SpecimenRow, practice: Practice) -> bool:
    case_id = family_case(row, practice) if row.state == "rejected" else None
    return case_id is not None and await store.stood_down_as(tx.conn, case_id) is not None
