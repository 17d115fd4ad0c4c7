"""Tasks of the command centre: what no machine can do any more, opened once and never lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from guitu.service import Runtime
from guitu.tx import Tx
from notifications import store_tasks
from notifications.domain.task_words import WORDS, TaskKind
from notifications.store import STOP_KINDS, Row

ACTOR = "guitu.notifications"
OPENED_A_RUN = 100
LOOK_BACK = timedelta(days=1)
"""How far back a stand-down that failed is looked for; the sweep runs every few seconds."""


async def open_task(
    tx: Tx, kind: TaskKind, *, delivery_id: UUID | None = None, inbound_id: UUID | None = None
) -> UUID | None:
    """Open a task about exactly one of these; None if there is one already. Region and case follow from it."""
    if delivery_id is not None:
        assert inbound_id is None, "A task is about one thing."
        return next(iter(await _open_for_deliveries(tx, kind, [delivery_id])), None)
    assert inbound_id is not None, "A task is about something."
    task_id, due_at = tx.ids.new(), tx.now + WORDS[kind].within
    if not await store_tasks.open_for_reply(tx.conn, task_id, kind, tx.now, due_at, inbound_id):
        return None
    tx.audit("task.opened", subject=task_id, kind=kind)
    return task_id


async def call_sites(tx: Tx, delivery_ids: Sequence[UUID]) -> None:
    """People call the sites of these deliveries, however many at once; one task each."""
    await _open_for_deliveries(tx, "call_site", delivery_ids)


async def _open_for_deliveries(tx: Tx, kind: TaskKind, delivery_ids: Sequence[UUID]) -> list[UUID]:
    if not delivery_ids:
        return []
    rows = [(tx.ids.new(), delivery_id) for delivery_id in delivery_ids]
    opened = await store_tasks.open_for_deliveries(tx.conn, kind, tx.now, tx.now + WORDS[kind].within, rows)
    for task_id in opened:
        tx.audit("task.opened", subject=task_id, kind=kind)
    return opened


async def case_over(tx: Tx, case_id: UUID) -> None:
    """Nobody has to be called about this case any more; what people wrote is still read."""
    if ended := await store_tasks.end_of_case(tx.conn, case_id, tx.now, ACTOR):
        tx.audit("tasks.stood_down", subject=case_id, ended=ended)


async def answered(tx: Tx, rows: Sequence[Row]) -> None:
    """These deliveries were acknowledged: a call to their sites is no longer needed."""
    if ended := await store_tasks.end_answered(tx.conn, [row["id"] for row in rows], tx.now, ACTOR):
        tx.audit("tasks.acknowledged_after_all", subject=rows[0]["case_id"], ended=ended)


async def call_about_failed_stops(runtime: Runtime) -> int:
    """Sweep: who was told to search and can't be told to stop by SMS is called by a person."""
    async with runtime.tx(actor=ACTOR) as tx:
        failed = await store_tasks.stops_not_told(tx.conn, STOP_KINDS, tx.now - LOOK_BACK, OPENED_A_RUN)
        await call_sites(tx, failed)
        return len(failed)
