"""HTTP of tasks. The one place that shows phone numbers, to those who must call and to nobody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from guitu.problem import ApiModel, Problem, refusals
from guitu.service import Runtime
from guitu.tx import Tx
from notifications import answers, store, store_tasks
from notifications.access import Acting, Staff
from notifications.domain.task_words import TaskResult, words_for
from notifications.store import Row

CALLERS = frozenset({"operator", "case_leader"})
LISTED_MAX = 1_000


class DoneIn(ApiModel):
    """How a task ended."""

    result: TaskResult
    note: str = Field(default="", max_length=2000)


def tasks_router(runtime: Runtime) -> APIRouter:
    """What people in the command centre have to do about notices, limited to their region."""
    router = APIRouter(prefix="/tasks", tags=["tasks"])

    @router.get("")
    async def tasks(
        principal: Staff,
        open: bool = True,
        limit: Annotated[int, Query(ge=1, le=LISTED_MAX)] = 200,
    ) -> dict[str, Any]:
        """Tasks, the most urgent first, each with what to do and, for those who call, whom to call."""
        async with runtime.read(region=principal.region_code) as conn:
            rows = await store_tasks.listed(conn, only_open=open, limit=limit)
            may_call = principal.role in CALLERS
            waiting = [row for row in rows if row["done_at"] is None]
            phones = _by_place(await store_tasks.contacts_of(conn, waiting) if may_call else [])
        now = runtime.clock.now()
        return {"tasks": [_shown(row, now, phones, may_call=may_call) for row in rows]}

    @router.post("/{task_id}/done", responses=refusals(404, 409))
    async def done(principal: Acting, task_id: UUID, said: DoneIn) -> dict[str, Any]:
        """Record what came of it; saying the same again is harmless, something else is refused."""
        async with runtime.tx(actor=principal.subject, region=principal.region_code) as tx:
            task = await store_tasks.lock(tx.conn, task_id)
            if task is None:
                raise _no_such_task()
            if task["done_at"] is None:
                await _finish(tx, task, said, principal.subject)
            elif task["result"] != said.result:
                raise _done_otherwise(task)
            row = await store_tasks.one(tx.conn, task_id)
            assert row is not None, "It is locked by this transaction."
        return _shown(row, tx.now, {}, may_call=True)

    return router


async def _finish(tx: Tx, task: Row, said: DoneIn, by: str) -> None:
    # NUL can't be stored; without it a person's words stay.
    note = said.note.replace("\x00", "")
    await store_tasks.done(tx.conn, task["id"], tx.now, by, said.result, note)
    tx.audit("task.done", subject=task["id"], kind=task["kind"], result=said.result)
    delivery = await store.by_id(tx.conn, task["delivery_id"]) if task["delivery_id"] else None
    if delivery is None or said.result not in ("reached_acknowledged", "reached_sighting"):
        return
    # Who tells what they saw has got the notice, too.
    await answers.acknowledge(tx, delivery["id"], "operator")
    if said.result == "reached_sighting":
        answers.report_sighting(tx, delivery, note, tx.now, "operator")


Phones = Mapping[UUID, Sequence[Row]]


def _by_place(contacts: Sequence[Row]) -> dict[UUID, list[Row]]:
    found: dict[UUID, list[Row]] = {}
    for row in contacts:
        found.setdefault(row["site_id"] or row["unit_id"], []).append(row)
    return found


def _shown(row: Row, now: datetime, phones: Phones, *, may_call: bool) -> dict[str, Any]:
    words = words_for(row["kind"], row["notice_kind"])
    fields = dict(row)
    reply = fields.pop("reply")
    shown = fields | {
        "what_zh": words.zh,
        "what_en": words.en,
        "overdue": row["done_at"] is None and row["due_at"] < now,
    }
    if not may_call:
        return shown
    contacts = phones.get(row["site_id"] or row["unit_id"], ())
    return shown | {"reply": reply, "contacts": [_contact(each) for each in contacts]}


def _contact(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in ("label", "role", "phone", "language")}


def _no_such_task() -> Problem:
    return Problem(
        404,
        "no_such_task",
        "There is no such task in your region.",
        "没有这项任务。",
        "GET /tasks lists those there are.",
    )


def _done_otherwise(task: Row) -> Problem:
    return Problem(
        409,
        "task_done_otherwise",
        f"This task was done before, with the result {task['result']}.",
        "该任务已处理,结果不同。",
        "Look at it with GET /tasks?open=false; a new result needs a new task.",
    )
