"""SQL of what changes while a case runs: roads, units, commands, requests to neighbours, wishes to plan again."""
# ruff: noqa: S608 - statements are put together from the column lists below, never from input.

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from dispatch import store
from dispatch.domain.conditions import Condition, Kind
from dispatch.domain.positions import UnitState
from dispatch.models import Case
from dispatch.models_live import AidRow, Command, SetCondition

_CONDITION = "region_code, kind, subject, closed, traffic_factor, until, note, set_by, set_at"
_CONDITIONS = f"""
select {_CONDITION} from road_condition where $1::text = '*' or region_code = $1
order by region_code, kind, subject limit $2
"""
_PUT_CONDITION = f"""
insert into road_condition ({_CONDITION}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (region_code, kind, subject) do update set closed = excluded.closed,
    traffic_factor = excluded.traffic_factor, until = excluded.until, note = excluded.note,
    set_by = excluded.set_by, set_at = excluded.set_at
"""
_DROP_CONDITION = "delete from road_condition where region_code = $1 and kind = $2 and subject = $3"
_REGIONS_DUE = """
select distinct region_code from road_condition where until <= $1 order by region_code limit $2
"""
_EXPIRE = "delete from road_condition where region_code = $1 and until <= $2 returning kind, subject"
_OPEN_CASES = """
select case_id from alert_case
where region_code = $1 and stood_down_as is null and alert is not null and plan_number > 0
order by case_id
"""
# Of several causes the first is kept in front; the plan says all that fit.
_WISH = """
insert into replan_wish (case_id, region_code, cause, asked_at) values ($1, $2, $3, $4)
on conflict (case_id) do update
set cause = case when position(excluded.cause in replan_wish.cause) > 0 then replan_wish.cause
    else left(replan_wish.cause || ' ' || excluded.cause, 200) end
"""
_WISHES = "select case_id, region_code from replan_wish order by asked_at, case_id limit $1"
_TAKE_WISH = "delete from replan_wish where case_id = $1 returning cause"
_STATE = """
unit_id, status, status_note, status_at, status_by, lon, lat, position_at, capabilities
"""
_STATES = f"select {_STATE} from unit_live where $1::text = '*' or region_code = $1"
_STATE_OF = f"select {_STATE} from unit_live where unit_id = $1"
_UNIT_REGION = "select region_code from unit where unit_id = $1 and active"
_UNIT_CODE = "select code from unit where unit_id = $1"
_CASE_OF_UNIT = """
select case_id from interception_order
where unit_id = $1
    and state in ('issued', 'accepted', 'in_position', 'nothing_seen', 'intercepted', 'overdue')
"""
_PUT_STATUS = """
insert into unit_live (unit_id, region_code, status, status_note, status_at, status_by)
values ($1, $2, $3, $4, $5, $6)
on conflict (unit_id) do update set status = excluded.status, status_note = excluded.status_note,
    status_at = excluded.status_at, status_by = excluded.status_by
"""
_PUT_POSITION = """
insert into unit_live (unit_id, region_code, lon, lat, position_at, position_by) values ($1, $2, $3, $4, $5, $6)
on conflict (unit_id) do update set lon = excluded.lon, lat = excluded.lat,
    position_at = excluded.position_at, position_by = excluded.position_by
where unit_live.position_at is null or unit_live.position_at < excluded.position_at
"""
_PUT_CAPABILITIES = """
insert into unit_live (unit_id, region_code, capabilities, capabilities_by) values ($1, $2, $3, $4)
on conflict (unit_id) do update set capabilities = excluded.capabilities, capabilities_by = excluded.capabilities_by
"""
_COMMAND = ", ".join(column.name for column in fields(Command))
_COMMANDS = f"""
select {_COMMAND} from command where case_id = $1 and withdrawn_at is null order by set_at, command_id
"""
_ADD_COMMAND = f"""
insert into command ({_COMMAND}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
_WITHDRAW_COMMAND = """
update command set withdrawn_by = $3, withdrawn_at = $4
where case_id = $1 and command_id = $2 and withdrawn_at is null
"""
_KNOWN_COMMAND = f"select {_COMMAND} from command where case_id = $1 and command_id = $2"
_CASE_REGION = "select region_code from alert_case where case_id = $1"
_CASE_AS_IT_IS = """
select case_id, region_code, exercise, case_code, version, alert, plan_number, stood_down_as
from alert_case where case_id = $1
"""
_AID = ", ".join(column.name for column in fields(AidRow))
_AID_OF_CASE = f"""
select {_AID} from mutual_aid where case_id = $1 and state <> 'withdrawn' order by asked_at, request_id
"""
_AID_LOCKED = f"select {_AID} from mutual_aid where request_id = $1 for update"
_AID_LIST = f"""
select {_AID} from mutual_aid
where ($1::uuid is null and state <> 'withdrawn') or case_id = $1 order by asked_at desc, request_id limit $2
"""
_AID_REGION = "select region_code from mutual_aid where request_id = $1"
_ADD_AID = f"""
insert into mutual_aid ({_AID})
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
"""
_SAVE_AID = """
update mutual_aid set state = $2, manned_from = $3, answered_by = $4, answered_at = $5, note = $6,
    withdrawn_at = $7, withdrawn_reason = $8
where request_id = $1
"""


async def conditions(conn: asyncpg.Connection, region_code: str, limit: int = 5000) -> list[SetCondition]:
    """What is known of the region's roads (`*`: of every region), expired or not."""
    records = await conn.fetch(_CONDITIONS, region_code, limit)
    return [_condition(record) for record in records]


async def put_condition(conn: asyncpg.Connection, one: SetCondition) -> None:
    """Store a condition in place of the one before on the same road."""
    said = one.condition
    await conn.execute(
        _PUT_CONDITION,
        *(one.region_code, said.kind, said.subject, said.closed, said.traffic_factor),
        *(said.until, said.note, one.set_by, one.set_at),
    )


async def drop_condition(conn: asyncpg.Connection, region_code: str, kind: Kind, subject: str) -> bool:
    """The road is as it should be; False if nothing was known against it."""
    return bool(await conn.execute(_DROP_CONDITION, region_code, kind, subject) == "DELETE 1")


async def regions_with_expired(conn: asyncpg.Connection, now: datetime, limit: int) -> list[str]:
    """Regions where a condition's time is over."""
    return [record["region_code"] for record in await conn.fetch(_REGIONS_DUE, now, limit)]


async def expire_conditions(
    conn: asyncpg.Connection, region_code: str, now: datetime
) -> list[tuple[str, str]]:
    """Remove what is over; kind and subject of each."""
    rows = await conn.fetch(_EXPIRE, region_code, now)
    return sorted((row["kind"], row["subject"]) for row in rows)


async def wish_replans(conn: asyncpg.Connection, region_code: str, cause: str, now: datetime) -> int:
    """Have every open case of the region that has a plan planned again; how many those are."""
    cases = [record["case_id"] for record in await conn.fetch(_OPEN_CASES, region_code)]
    await conn.executemany(_WISH, [(case_id, region_code, cause[:200], now) for case_id in cases])
    return len(cases)


async def wishes(conn: asyncpg.Connection, limit: int) -> list[tuple[UUID, str]]:
    """Cases to plan again, the longest waiting first, with the region."""
    return [(r["case_id"], r["region_code"]) for r in await conn.fetch(_WISHES, limit)]


async def take_wish(conn: asyncpg.Connection, case_id: UUID) -> str | None:
    """Take a case off the list; its cause, or None if somebody else was faster."""
    cause: str | None = await conn.fetchval(_TAKE_WISH, case_id)
    return cause


async def unit_states(conn: asyncpg.Connection, region_code: str) -> dict[UUID, UnitState]:
    """What was last heard of the region's units (`*`: of all); units never heard of are not in it."""
    return {record["unit_id"]: _state(record) for record in await conn.fetch(_STATES, region_code)}


async def unit_state(conn: asyncpg.Connection, unit_id: UUID) -> UnitState:
    """What was last heard of one unit."""
    record = await conn.fetchrow(_STATE_OF, unit_id)
    return _state(record) if record else UnitState()


async def region_of_unit(conn: asyncpg.Connection, unit_id: UUID) -> str | None:
    """The unit's region, if there is such a unit and it is visible."""
    region: str | None = await conn.fetchval(_UNIT_REGION, unit_id)
    return region


async def code_of_unit(conn: asyncpg.Connection, unit_id: UUID) -> str:
    """What the unit is called on the radio."""
    return str(await conn.fetchval(_UNIT_CODE, unit_id))


async def case_of_unit(conn: asyncpg.Connection, unit_id: UUID) -> UUID | None:
    """The case of the unit's open order, if it has one."""
    case_id: UUID | None = await conn.fetchval(_CASE_OF_UNIT, unit_id)
    return case_id


async def put_status(
    conn: asyncpg.Connection, unit_id: UUID, region_code: str, status: str, note: str, by: str, now: datetime
) -> None:
    """Store a unit's status."""
    await conn.execute(_PUT_STATUS, unit_id, region_code, status, note, now, by)


async def put_position(
    conn: asyncpg.Connection, unit_id: UUID, region_code: str, lon: float, lat: float, at: datetime, by: str
) -> bool:
    """Store a unit's position; False if one as new was known."""
    status = await conn.execute(_PUT_POSITION, unit_id, region_code, lon, lat, at, by)
    return bool(status == "INSERT 0 1")


async def put_capabilities(
    conn: asyncpg.Connection, unit_id: UUID, region_code: str, capabilities: Sequence[str] | None, by: str
) -> None:
    """Store what a unit can do now; None: what the county's files say."""
    named = None if capabilities is None else list(capabilities)
    await conn.execute(_PUT_CAPABILITIES, unit_id, region_code, named, by)


async def commands(conn: asyncpg.Connection, case_id: UUID) -> list[Command]:
    """The commands of a case that stand, the oldest first."""
    return [Command(**dict(record)) for record in await conn.fetch(_COMMANDS, case_id)]


async def command(conn: asyncpg.Connection, case_id: UUID, command_id: UUID) -> Command | None:
    """One command, standing or withdrawn."""
    record = await conn.fetchrow(_KNOWN_COMMAND, case_id, command_id)
    return Command(**dict(record)) if record else None


async def add_command(conn: asyncpg.Connection, one: Command) -> None:
    """Add a command; the unique index refuses a second pin of a unit."""
    await conn.execute(_ADD_COMMAND, *(getattr(one, column.name) for column in fields(Command)))


async def withdraw_command(
    conn: asyncpg.Connection, case_id: UUID, command_id: UUID, by: str, now: datetime
) -> bool:
    """Take a command back; False if it does not stand."""
    return bool(await conn.execute(_WITHDRAW_COMMAND, case_id, command_id, by, now) == "UPDATE 1")


async def region_of_case(conn: asyncpg.Connection, case_id: UUID) -> str | None:
    """The case's region, if it is known and visible."""
    region: str | None = await conn.fetchval(_CASE_REGION, case_id)
    return region


async def case_as_it_is(conn: asyncpg.Connection, case_id: UUID) -> Case | None:
    """A case, not locked: for questions that change nothing."""
    return store.case_of(await conn.fetchrow(_CASE_AS_IT_IS, case_id))


async def aid_of_case(conn: asyncpg.Connection, case_id: UUID) -> list[AidRow]:
    """The requests of a case that are not withdrawn."""
    return [AidRow(**dict(record)) for record in await conn.fetch(_AID_OF_CASE, case_id)]


async def aid_list(conn: asyncpg.Connection, case_id: UUID | None, limit: int) -> list[AidRow]:
    """All requests of a case, or of every case those that are not withdrawn; the newest first."""
    return [AidRow(**dict(record)) for record in await conn.fetch(_AID_LIST, case_id, limit)]


async def aid_locked(conn: asyncpg.Connection, request_id: UUID) -> AidRow | None:
    """One request, locked, so that two answers are one after the other."""
    record = await conn.fetchrow(_AID_LOCKED, request_id)
    return AidRow(**dict(record)) if record else None


async def region_of_aid(conn: asyncpg.Connection, request_id: UUID) -> str | None:
    """The region that asked, if the request is known and visible."""
    region: str | None = await conn.fetchval(_AID_REGION, request_id)
    return region


async def add_aid(conn: asyncpg.Connection, row: AidRow) -> None:
    """Add a request; the unique index refuses a second one about the same exit."""
    await conn.execute(_ADD_AID, *(getattr(row, column.name) for column in fields(AidRow)))


async def save_aid(conn: asyncpg.Connection, row: AidRow) -> None:
    """Store what became of a request."""
    await conn.execute(
        _SAVE_AID,
        *(row.request_id, row.state, row.manned_from, row.answered_by, row.answered_at, row.note),
        *(row.withdrawn_at, row.withdrawn_reason),
    )


def _condition(record: asyncpg.Record) -> SetCondition:
    named: dict[str, Any] = dict(record)
    region_code, set_by, set_at = (named.pop(name) for name in ("region_code", "set_by", "set_at"))
    return SetCondition(region_code, Condition(**named), set_by, set_at)


def _state(record: asyncpg.Record) -> UnitState:
    named: dict[str, Any] = dict(record)
    named.pop("unit_id")
    if named["capabilities"] is not None:
        named["capabilities"] = frozenset(named["capabilities"])
    return UnitState(**named)
