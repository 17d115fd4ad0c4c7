"""The case file (案卷): what the people of a case write for each other, who leads, and what is to be done.

Words go in without the names that the vault holds; topics hear that something was written, never what. An unsolved
case is never closed: its file stays open to notes and tasks after the stand-down too, for a trial or a search for
the parents goes on.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Literal
from uuid import UUID

import asyncpg

from alerts import photos, store, store_file, store_publication, vault
from alerts.domain import publishing
from alerts.domain.case import Case
from alerts.domain.publishing import Publication
from alerts.models import nameless_text
from alerts.models_file import CaseFileOut, PublicationOut, TaskForceIn, TaskIn, TaskMoveIn, TaskOut
from alerts.refusals import not_found
from alerts.settings import AlertSettings
from contracts.case_file import CaseNoted, TaskChanged
from guitu.problem import Problem
from guitu.tx import Tx

NOTES_SHOWN = 200
TASKS_SHOWN = 200
Kind = Literal["note", "hand_over", "task_force", "review", "photo", "publication"]


async def of_case(conn: asyncpg.Connection, case: Case, home: str) -> CaseFileOut:
    """Everything in the file; of the identity only whether there is one. `home` is our public address."""
    people = await store_file.members_of(conn, case.id)
    published = await store_publication.of_case(conn, case.id)
    return CaseFileOut(
        case_id=case.id,
        notes=[dict(row) for row in await store_file.notes_of(conn, case.id, NOTES_SHOWN)],
        leader=next((row["person"] for row in people if row["leads"]), None),
        members=[row["person"] for row in people if not row["leads"]],
        tasks=[TaskOut(**dict(row)) for row in await store_file.tasks_of(conn, case.id, TASKS_SHOWN)],
        next_review_on=await store_file.review_of(conn, case.id),
        identity=await _identity(conn, case.id),
        photo=await photos.state(conn, case.id),
        publication=publication_out(case, published, home) if published else None,
    )


async def _identity(conn: asyncpg.Connection, case_id: UUID) -> Literal["none", "kept", "forgotten"]:
    row = await store.identity(conn, case_id)
    if row is None:
        return "none"
    return "forgotten" if row["forgotten_at"] else "kept"


def publication_out(case: Case, kept: Publication, home: str) -> PublicationOut:
    """A publication as staff see it."""
    shown = kept.model_dump(exclude={"token"})
    return PublicationOut(**shown, public_url=f"{home}/p/{kept.token}", open=publishing.is_open(case, kept))


async def note(tx: Tx, case: Case, words: str, settings: AlertSettings, kind: Kind = "note") -> UUID:
    """Add a note, without the family's names."""
    entry_id = tx.ids.new()
    told = await _nameless(tx, case, words, settings)
    where = entry_id, case.id, case.region_code
    await store_file.add_note(tx.conn, *where, kind, told, tx.actor, tx.now)
    tx.audit("case.noted", subject=case.id, entry_id=str(entry_id), kind=kind)
    tell(tx, case, kind, entry_id)
    return entry_id


async def hand_over(tx: Tx, case: Case, to: str, words: str, settings: AlertSettings) -> UUID:
    """Another person leads from now on; what that person must know stands in the file."""
    to = await _nameless(tx, case, to, settings)
    people = await store_file.members_of(tx.conn, case.id)
    others = [row["person"] for row in people if row["person"] != to]
    await store_file.set_members(tx.conn, case.id, case.region_code, to, [to, *others], tx.now)
    return await note(tx, case, f"{to}: {words}", settings, "hand_over")


async def set_task_force(tx: Tx, case: Case, said: TaskForceIn, settings: AlertSettings) -> None:
    """Keep the whole task force; the same again changes nothing."""
    names = await vault.kept_names(tx, settings, case)
    leader = nameless_text(said.leader, *names) if said.leader else None
    members = [nameless_text(person, *names) for person in said.members]
    people = list(dict.fromkeys([*filter(None, [leader]), *members]))
    before = [(row["person"], row["leads"]) for row in await store_file.members_of(tx.conn, case.id)]
    if sorted(before) == sorted((person, person == leader) for person in people):
        return
    await store_file.set_members(tx.conn, case.id, case.region_code, leader, people, tx.now)
    tx.audit("case.task_force", subject=case.id, members=len(people))
    tell(tx, case, "task_force", tx.ids.new())


async def give_task(tx: Tx, case: Case, said: TaskIn, settings: AlertSettings) -> UUID:
    """Write down what is to be done."""
    task_id = tx.ids.new()
    names = await vault.kept_names(tx, settings, case)
    task = said.model_dump() | {
        "what": nameless_text(said.what, *names),
        "who": nameless_text(said.who, *names),
    }
    await store_file.add_task(tx.conn, task_id, case.id, case.region_code, task, tx.actor, tx.now)
    _task_told(tx, case, task_id, "open")
    return task_id


async def move_task(tx: Tx, case: Case, task_id: UUID, said: TaskMoveIn, settings: AlertSettings) -> TaskOut:
    """Give a task to another person, set another time, tick it off or open it again. Raises: Problem 404."""
    before = await store_file.task(tx.conn, case.id, task_id)
    if before is None:
        raise not_found("task", "任务")
    after = before | said.model_dump(exclude_unset=True)
    if said.who:
        after |= {"who": await _nameless(tx, case, said.who, settings)}
    if after != before:
        after |= {"changed_by": tx.actor, "changed_at": tx.now}
        await store_file.move_task(tx.conn, case.id, after, tx.actor, tx.now)
        _task_told(tx, case, task_id, after["state"])
    return TaskOut(**after)


async def set_review(tx: Tx, case: Case, next_on: date) -> None:
    """Keep the day on which somebody looks at the whole case again. Raises: Problem 422 for a day gone by."""
    # A day of grace: it is tomorrow in Beijing while it is today in UTC.
    if next_on < tx.now.date():
        raise _day_gone(next_on)
    if await store_file.set_review(tx.conn, case.id, case.region_code, next_on, tx.actor, tx.now):
        tx.audit("case.review_set", subject=case.id, next_on=next_on.isoformat())
        tell(tx, case, "review", tx.ids.new())


def tell(tx: Tx, case: Case, kind: Kind, entry_id: UUID) -> None:
    """Let the board know, and the timeline; never the words."""
    who = {"region_code": case.region_code, "exercise": case.exercise, "case_id": case.id}
    fact = CaseNoted(**who, occurred_at=tx.now, entry_id=entry_id, kind=kind)
    _told(tx, case, fact, {"entry_id": str(entry_id), "kind": kind})


def _task_told(tx: Tx, case: Case, task_id: UUID, state: Literal["open", "done", "dropped"]) -> None:
    who = {"region_code": case.region_code, "exercise": case.exercise, "case_id": case.id}
    fact = TaskChanged(**who, occurred_at=tx.now, task_id=task_id, state=state)
    tx.audit("case.task", subject=case.id, task_id=str(task_id), state=state)
    _told(tx, case, fact, {"task_id": str(task_id), "state": state})


def _told(tx: Tx, case: Case, fact: CaseNoted | TaskChanged, details: dict[str, Any]) -> None:
    tx.publish(fact)
    store.timeline_entry(tx, case.id, case.region_code, tx.now, fact.type_, details)


async def _nameless(tx: Tx, case: Case, words: str, settings: AlertSettings) -> str:
    child, parents = await vault.kept_names(tx, settings, case)
    return nameless_text(words, child, parents)


def _day_gone(next_on: date) -> Problem:
    return Problem(
        422,
        "review_in_past",
        f"The next review can't be on {next_on.isoformat()}: that day is over.",
        f"下次复核日期{next_on.isoformat()}已过。",
        "Choose today or a later day.",
    )
