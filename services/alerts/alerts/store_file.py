"""SQL of the case file: notes, task force, tasks and the next review; and the sightings of all cases for triage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

_TASK = """
insert into case_task (
    id, case_id, region_code, what, who, due_at, state, given_by, given_at, changed_by, changed_at)
values ($1, $2, $3, $4, $5, $6, 'open', $7, $8, $7, $8)
"""
_TASK_MOVED = """
update case_task set state = $3, who = $4, due_at = $5, changed_by = $6, changed_at = $7 where id = $1 and case_id = $2
"""
_TASK_COLUMNS = "id as task_id, what, who, due_at, state, given_by, given_at, changed_by, changed_at"
_TASKS = f"""
select {_TASK_COLUMNS} from case_task where case_id = $1
order by state <> 'open', due_at nulls last, given_at limit $2
"""  # noqa: S608 - a constant list of columns.
_TASK_OF = f"select {_TASK_COLUMNS} from case_task where id = $1 and case_id = $2 for update"  # noqa: S608 - the same.
_MEMBERS = """
insert into task_force_member (case_id, person, region_code, leads, since)
select $1, t.person, $2, t.person is not distinct from $3, $4 from unnest($5::text[]) as t (person)
on conflict (case_id, person) do update set leads = excluded.leads
"""
_REVIEW = """
insert into case_review (case_id, region_code, next_on, set_by, set_at) values ($1, $2, $3, $4, $5)
on conflict (case_id) do update
set next_on = excluded.next_on, set_by = excluded.set_by, set_at = excluded.set_at
where case_review.next_on <> excluded.next_on
"""
# The newest of each case first, so that a case with very many can't hide those of another.
_SIGHTINGS = """
select c.id as case_id, c.case_code, c.state as case_state, c.exercise, s.id as sighting_id, s.seen_at, s.place,
    s.mode, s.note, s.channel, s.site_id, s.unit_id, s.reported_at, s.verdict, s.verdict_reason, s.assessed_at
from case_file c
cross join lateral (
    select * from sighting where case_id = c.id and (verdict is null or not $2) order by reported_at desc limit $3) s
where c.state = 'open' or not $1
order by s.reported_at desc, s.id limit $3
"""


async def add_note(
    conn: asyncpg.Connection,
    id_: UUID,
    case_id: UUID,
    region: str,
    kind: str,
    words: str,
    by: str,
    at: datetime,
) -> None:
    """Add a note; nothing changes one afterwards."""
    sql = """
    insert into case_note (id, case_id, region_code, kind, words, author, at) values ($1, $2, $3, $4, $5, $6, $7)
    """
    await conn.execute(sql, id_, case_id, region, kind, words, by, at)


async def notes_of(conn: asyncpg.Connection, case_id: UUID, limit: int) -> list[asyncpg.Record]:
    """The newest notes first."""
    sql = """
    select id as note_id, kind, words, author, at from case_note
    where case_id = $1 order by at desc, id desc limit $2
    """
    return list(await conn.fetch(sql, case_id, limit))


async def blank_words(conn: asyncpg.Connection, case_id: UUID) -> None:
    """The case's identity is forgotten: free texts may name somebody all the same."""
    await conn.execute("update case_note set words = '' where case_id = $1", case_id)
    await conn.execute("update case_task set what = '' where case_id = $1", case_id)


async def set_members(
    conn: asyncpg.Connection,
    case_id: UUID,
    region: str,
    leader: str | None,
    people: Sequence[str],
    now: datetime,
) -> None:
    """Exactly these people, one of whom may lead."""
    await conn.execute("update task_force_member set leads = false where case_id = $1", case_id)
    sql = "delete from task_force_member where case_id = $1 and person <> all ($2::text[])"
    await conn.execute(sql, case_id, list(people))
    await conn.execute(_MEMBERS, case_id, region, leader, now, list(people))


async def members_of(conn: asyncpg.Connection, case_id: UUID) -> list[asyncpg.Record]:
    """The leader first."""
    sql = """
    select person, leads, since from task_force_member where case_id = $1 order by leads desc, since, person
    """
    return list(await conn.fetch(sql, case_id))


async def add_task(
    conn: asyncpg.Connection,
    id_: UUID,
    case_id: UUID,
    region: str,
    task: dict[str, Any],
    by: str,
    at: datetime,
) -> None:
    """Give a task."""
    await conn.execute(_TASK, id_, case_id, region, task["what"], task["who"], task["due_at"], by, at)


async def task(conn: asyncpg.Connection, case_id: UUID, task_id: UUID) -> dict[str, Any] | None:
    """A task, locked until the transaction ends."""
    row = await conn.fetchrow(_TASK_OF, task_id, case_id)
    return dict(row) if row else None


async def move_task(
    conn: asyncpg.Connection, case_id: UUID, task: dict[str, Any], by: str, at: datetime
) -> None:
    """Keep what became of a locked task."""
    what = task["state"], task["who"], task["due_at"]
    await conn.execute(_TASK_MOVED, task["task_id"], case_id, *what, by, at)


async def tasks_of(conn: asyncpg.Connection, case_id: UUID, limit: int) -> list[asyncpg.Record]:
    """Open tasks first, the one that is due soonest before the others."""
    return list(await conn.fetch(_TASKS, case_id, limit))


async def set_review(
    conn: asyncpg.Connection, case_id: UUID, region: str, next_on: date, by: str, at: datetime
) -> bool:
    """Keep the day of the next review; False if it is that day already."""
    return bool(await conn.execute(_REVIEW, case_id, region, next_on, by, at) == "INSERT 0 1")


async def review_of(conn: asyncpg.Connection, case_id: UUID) -> date | None:
    """The day of the next review."""
    found: date | None = await conn.fetchval("select next_on from case_review where case_id = $1", case_id)
    return found


async def sightings(
    conn: asyncpg.Connection, open_only: bool, unjudged_only: bool, limit: int
) -> list[asyncpg.Record]:
    """The newest sightings of all cases."""
    return list(await conn.fetch(_SIGHTINGS, open_only, unjudged_only, limit))
