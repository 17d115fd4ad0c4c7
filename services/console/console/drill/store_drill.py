"""SQL of drills: runs, their steps, and the lease under which one process acts for a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

LEASE = timedelta(seconds=60)
Row = Mapping[str, Any]

_ADD_RUN = """
insert into drill_run (id, region_code, scenario, title_zh, title_en, speed, state, started_by, started_as,
    started_at, memory)
values ($1, $2, $3, $4, $5, $6, 'running', $7, $8, $9, '{}')
on conflict (id) do nothing
"""
_ADD_STEP = """
insert into drill_step (run_id, number, region_code, step, state, due_at) values ($1, $2, $3, $4, 'waiting', $5)
"""
# Two who start at once would each not see the other's run.
_ONE_STARTS = "select pg_advisory_xact_lock($1, $2)"
_STARTING = 7_212
_OPEN = """
select count(*) from drill_run where region_code = $1 and state in ('running', 'stopping') and id <> $2
"""
# One after another: a step is due only when all before it are over, so no two processes act for one run. A clock that
# was set back by hours must not let a drill stand still for them: no step waits longer than its script says, no lease
# is longer than LEASE.
_CLAIM = """
with next as (
    select s.run_id, s.number from drill_step s join drill_run r on r.id = s.run_id
    where s.state = 'waiting'
      and (s.due_at <= $1 or s.due_at > $1 + interval '1 minute'
          + make_interval(secs => coalesce((s.step->>'wait_s')::float, 0) / r.speed))
      and (s.leased_until is null or s.leased_until < $1 or s.leased_until > $1 + 2 * ($3::timestamptz - $1))
      and not exists (select 1 from drill_step e
          where e.run_id = s.run_id and e.number < s.number and e.state = 'waiting')
    order by s.due_at limit 1 for update of s skip locked
)
update drill_step s set lease = $2, leased_until = $3, began_at = least(s.began_at, $1)
from next, drill_run r where s.run_id = next.run_id and s.number = next.number and r.id = s.run_id
returning s.run_id, s.number, s.step, s.began_at, s.picked, s.lease, r.region_code, r.state as run_state, r.speed,
    r.started_by, r.started_as, r.case_id, r.case_code, r.memory
"""
_PICKED = (
    "update drill_step set picked = $4 where run_id = $1 and number = $2 and lease = $3 and state = 'waiting'"
)
_AGAIN = """
update drill_step set due_at = $4, lease = null, leased_until = null, happened = $5
where run_id = $1 and number = $2 and lease = $3 and state = 'waiting'
"""
_OVER = """
update drill_step set state = $4, happened = $5, ended_at = $6, lease = null, leased_until = null
where run_id = $1 and number = $2 and lease = $3 and state = 'waiting'
"""
_REMEMBER = """
update drill_run set case_id = coalesce($2, case_id), case_code = coalesce($3, case_code), memory = memory || $4
where id = $1
"""
_NEXT = """
select number, step, due_at from drill_step where run_id = $1 and state = 'waiting' order by number limit 1
"""
_DUE = "update drill_step set due_at = $3 where run_id = $1 and number = $2 and due_at is null"
_LOCK = "select * from drill_run where id = $1 for update"
_SKIP = """
update drill_step set state = 'skipped', ended_at = $2
where run_id = $1 and state = 'waiting'
    and (leased_until is null or leased_until < $2 or leased_until > $2 + 2 * $3::interval)
"""
_END = "update drill_run set state = $2, ended_at = $3 where id = $1 and ended_at is null"
_STOPPING = "update drill_run set state = 'stopping' where id = $1 and state = 'running'"
_RUNS = "select * from drill_run order by started_at desc limit $1"
_RUN = "select * from drill_run where id = $1"
_STEPS = "select * from drill_step where run_id = $1 order by number"
_LAST = "select max(number) from drill_step where run_id = $1"


async def add_run(conn: asyncpg.Connection, run: tuple[Any, ...], steps: Sequence[dict[str, Any]]) -> bool:
    """Store a run with its steps, the first one due at once; False if the run is there already."""
    if await conn.execute(_ADD_RUN, *run) != "INSERT 0 1":
        return False
    run_id, region_code, started_at = run[0], run[1], run[8]
    rows = [
        (run_id, number, region_code, step, None if number else started_at)
        for number, step in enumerate(steps)
    ]
    await conn.executemany(_ADD_STEP, rows)
    return True


async def other_runs(conn: asyncpg.Connection, region_code: str, run_id: UUID) -> int:
    """How many other drills of a region go on; nobody else starts one there until the transaction ends."""
    await conn.execute(_ONE_STARTS, _STARTING, int(region_code))
    return int(await conn.fetchval(_OPEN, region_code, run_id))


async def claim(conn: asyncpg.Connection, now: datetime, lease: UUID) -> Row | None:
    """Take the next due step under a lease, with everything of its run that acting for it needs."""
    return await _one(conn, _CLAIM, now, lease, now + LEASE)


async def keep_picked(conn: asyncpg.Connection, run_id: UUID, number: int, lease: UUID, picked: Any) -> bool:
    """Write down whom the step is about; False if the lease is somebody else's by now."""
    said: str = await conn.execute(_PICKED, run_id, number, lease, picked)
    return said == "UPDATE 1"


async def look_again(
    conn: asyncpg.Connection, run_id: UUID, number: int, lease: UUID, at: datetime, happened: Any
) -> None:
    """What is expected is not there yet."""
    await conn.execute(_AGAIN, run_id, number, lease, at, happened)


async def end_step(
    conn: asyncpg.Connection, run_id: UUID, number: int, lease: UUID, state: str, happened: Any, now: datetime
) -> bool:
    """The step is over; False if the lease is somebody else's by now."""
    said: str = await conn.execute(_OVER, run_id, number, lease, state, happened, now)
    return said == "UPDATE 1"


async def remember(
    conn: asyncpg.Connection,
    run_id: UUID,
    case_id: UUID | None,
    case_code: str | None,
    memory: dict[str, Any],
) -> None:
    """What later steps need of this one."""
    await conn.execute(_REMEMBER, run_id, case_id, case_code, memory)


async def next_step(conn: asyncpg.Connection, run_id: UUID) -> Row | None:
    """The first step that is not over; None at the end of the run."""
    return await _one(conn, _NEXT, run_id)


async def make_due(conn: asyncpg.Connection, run_id: UUID, number: int, at: datetime) -> None:
    """When a step is done, unless that is fixed already."""
    await conn.execute(_DUE, run_id, number, at)


async def lock_run(conn: asyncpg.Connection, run_id: UUID) -> Row | None:
    """The run, locked until the transaction ends."""
    return await _one(conn, _LOCK, run_id)


async def stop(conn: asyncpg.Connection, run: Row, step: dict[str, Any], now: datetime) -> None:
    """Skip what nobody acts for at this moment, and end with one more step."""
    await conn.execute(_STOPPING, run["id"])
    await stop_rest(conn, run["id"], now)
    number = int(await conn.fetchval(_LAST, run["id"])) + 1
    await conn.execute(_ADD_STEP, run["id"], number, run["region_code"], step, now)


async def stop_rest(conn: asyncpg.Connection, run_id: UUID, now: datetime) -> None:
    """Skip what nobody acts for at this moment."""
    await conn.execute(_SKIP, run_id, now, LEASE)


async def end_run(conn: asyncpg.Connection, run_id: UUID, state: str, now: datetime) -> None:
    """The run is over."""
    await conn.execute(_END, run_id, state, now)


async def runs(conn: asyncpg.Connection, limit: int) -> list[Row]:
    """The newest runs first."""
    return list(await conn.fetch(_RUNS, limit))


async def run_of(conn: asyncpg.Connection, run_id: UUID) -> tuple[Row, list[Row]] | None:
    """A run with its steps, if it is visible."""
    run = await _one(conn, _RUN, run_id)
    return (run, list(await conn.fetch(_STEPS, run_id))) if run else None


async def _one(conn: asyncpg.Connection, statement: str, *values: Any) -> Row | None:
    found: Row | None = await conn.fetchrow(statement, *values)
    return found
