"""Every SQL statement of dispatch; rows come back as the frozen values of `models`."""
# ruff: noqa: S608 - statements are put together from the column lists below, never from input.

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from contracts.alert import AlertBody, AlertStoodDown
from contracts.base import CaseId, OrderId, PlanId, TravelMode, UnitId
from contracts.order import PlanPublished, Stop
from contracts.sighting import SightingAssessed, SightingReported
from dispatch.domain.orders import Order, OrderState
from dispatch.domain.problem import PlaceId
from dispatch.domain.rows import UnitRow
from dispatch.domain.shifts import Shift
from dispatch.models import Case, OrderRow, Seen, UnitNow

# The first half of the advisory lock's key; the second is the region's code.
_PLANNING = 7_300
_OPEN = "('issued', 'accepted', 'in_position', 'nothing_seen', 'intercepted', 'overdue')"
_LOCK_REGION = "select pg_advisory_xact_lock($1, $2)"
_NEWEST = "select version from network_version where region_code = $1 order by loaded_seq desc limit 1"
_CASE = "case_id, region_code, exercise, case_code, version, alert, plan_number, stood_down_as"
_CASE_BY_ID = f"select {_CASE} from alert_case where case_id = $1 for update"
_PUT_ALERT = """
insert into alert_case (case_id, region_code, exercise, case_code, version, alert)
values ($1, $2, $3, $4, $5, $6)
on conflict (case_id) do update set version = excluded.version, alert = excluded.alert
"""
_STAND_DOWN = """
insert into alert_case (case_id, region_code, exercise, case_code, version, stood_down_as, stood_down_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (case_id) do update set stood_down_as = $6, stood_down_at = $7
where alert_case.stood_down_as is null
"""
_UNPLANNED = """
select c.case_id, c.region_code from alert_case c
where c.plan_number = 0 and c.stood_down_as is null and c.alert is not null
    and exists (select from network_version n where n.region_code = c.region_code)
order by c.case_id limit $1
"""
_REPORT_SIGHTING = """
insert into sighting (sighting_id, case_id, region_code, seen_at, lon, lat, mode)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (sighting_id) do update
set seen_at = excluded.seen_at, lon = excluded.lon, lat = excluded.lat, mode = excluded.mode
where sighting.seen_at is null and sighting.case_id = excluded.case_id
"""
_ASSESS_SIGHTING = """
insert into sighting (sighting_id, case_id, region_code, verdict) values ($1, $2, $3, $4)
on conflict (sighting_id) do update set verdict = excluded.verdict
where sighting.verdict <> excluded.verdict and sighting.case_id = excluded.case_id
"""
# A prank caller must not make planning slow: the newest sightings count.
_SIGHTINGS = """
select sighting_id, seen_at, lon, lat, mode, verdict from sighting
where case_id = $1 and seen_at is not null and verdict <> 'refuted' order by seen_at desc, sighting_id limit 20
"""
_UNITS = f"""
select u.unit_id, u.code, u.name_zh, u.name_en, u.region_code, u.kind, u.base_node, u.post_place_id,
    u.capabilities, u.shift_start_min, u.shift_end_min, u.turnout_s,
    o.case_id as busy_case_id, o.order_id as busy_order_id
from unit u left join interception_order o on o.unit_id = u.unit_id and o.state in {_OPEN}
where u.active and ($1::text = '*' or u.region_code = $1) and ($2::uuid is null or coalesce(o.case_id, $2) = $2)
order by u.code, u.unit_id
"""
_ORDER = """
order_id, case_id, unit_id, place_id, plan_id, region_code, exercise, case_code, respond_by, issued_at,
unit_ready_at, arrive_by, earliest_arrival_at, margin_s, stop, closes, reason_zh, reason_en, child_summary,
history, stand_down_reason, stand_down_cause
"""
_ORDERS_LOCKED = f"select {_ORDER} from interception_order where case_id = $1 order by order_id for update"
_ORDERS_OF_CASE = f"select {_ORDER} from interception_order where case_id = $1 order by issued_at, order_id"
_ORDERS_OPEN = f"""
select {_ORDER} from interception_order where state in {_OPEN} or state = 'stood_down'
order by issued_at desc, order_id limit $1
"""
_ORDER_BY_ID = f"select {_ORDER} from interception_order where order_id = $1"
_SAVE_ORDER = """
update interception_order set state = $2, history = $3, stand_down_reason = $4, stand_down_cause = $5
where order_id = $1
"""
_ADD_ORDER = f"""
insert into interception_order ({_ORDER}, state)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
"""
_ADD_PLAN = """
insert into plan (plan_id, case_id, region_code, plan_number, made_at, published, assignments)
values ($1, $2, $3, $4, $5, $6, $7)
"""
_COUNT_PLAN = "update alert_case set plan_number = $2 where case_id = $1"
_PLAN = """
select made_at, published, assignments from plan
where case_id = $1 and ($2::int is null or plan_number = $2) order by plan_number desc limit 1
"""
_OVERDUE_CASES = """
select distinct case_id, region_code from interception_order
where state = 'issued' and respond_by <= $1 order by case_id limit $2
"""


async def lock_region(conn: asyncpg.Connection, region_code: str) -> None:
    """Be the only one who plans in this region until the commit; taken before any row of it is locked."""
    await conn.execute(_LOCK_REGION, _PLANNING, int(region_code))


async def newest_version(conn: asyncpg.Connection, region_code: str) -> str | None:
    """The network version that counts; None before `guitu seed`."""
    version: str | None = await conn.fetchval(_NEWEST, region_code)
    return version


async def case(conn: asyncpg.Connection, case_id: UUID) -> Case | None:
    """A case, locked for the rest of the transaction."""
    return case_of(await conn.fetchrow(_CASE_BY_ID, case_id))


def case_of(record: asyncpg.Record | None) -> Case | None:
    """The case that a row says, if there is one."""
    if record is None:
        return None
    fields = dict(record)
    alert = AlertBody.model_validate(fields["alert"]) if fields["alert"] else None
    return Case(**(fields | {"alert": alert}))


async def put_alert(conn: asyncpg.Connection, alert: AlertBody) -> None:
    """Remember the newest version of an alert."""
    body = alert.model_dump(mode="json", include=set(AlertBody.model_fields))
    await conn.execute(
        _PUT_ALERT, alert.case_id, alert.region_code, alert.exercise, alert.case_code, alert.version, body
    )


async def stand_down_case(conn: asyncpg.Connection, fact: AlertStoodDown) -> bool:
    """Remember that a case is over, known before or not; False if it was over already."""
    status = await conn.execute(
        _STAND_DOWN,
        fact.case_id,
        fact.region_code,
        fact.exercise,
        fact.case_code,
        fact.version,
        fact.outcome,
        fact.occurred_at,
    )
    return bool(status == "INSERT 0 1")


async def unplanned_cases(conn: asyncpg.Connection, limit: int) -> list[tuple[UUID, str]]:
    """Cases without a plan whose region has a network by now, with the region."""
    return [(r["case_id"], r["region_code"]) for r in await conn.fetch(_UNPLANNED, limit)]


async def report_sighting(conn: asyncpg.Connection, fact: SightingReported) -> bool:
    """Remember a sighting; False if it was known."""
    position = fact.place.position
    status = await conn.execute(
        _REPORT_SIGHTING,
        fact.sighting_id,
        fact.case_id,
        fact.region_code,
        fact.seen_at,
        position.lon,
        position.lat,
        fact.mode.value,
    )
    return bool(status == "INSERT 0 1")


async def assess_sighting(conn: asyncpg.Connection, fact: SightingAssessed) -> bool:
    """Remember what a person thinks of a sighting; False if that is no news."""
    status = await conn.execute(
        _ASSESS_SIGHTING, fact.sighting_id, fact.case_id, fact.region_code, fact.verdict
    )
    return bool(status == "INSERT 0 1")


async def sightings(conn: asyncpg.Connection, case_id: UUID) -> list[Seen]:
    """The case's sightings that nobody refuted, the newest 20."""
    records = await conn.fetch(_SIGHTINGS, case_id)
    return [Seen(**(dict(record) | {"mode": TravelMode(record["mode"])})) for record in records]


async def units(conn: asyncpg.Connection, region_code: str) -> list[UnitNow]:
    """The units of a region (`*`: of every region) and what they are busy with."""
    return [_unit(record) for record in await conn.fetch(_UNITS, region_code, None)]


async def units_free_for(conn: asyncpg.Connection, region_code: str, case_id: UUID) -> list[UnitNow]:
    """The units of a region that no other case has."""
    return [_unit(record) for record in await conn.fetch(_UNITS, region_code, case_id)]


async def orders_locked(conn: asyncpg.Connection, case_id: UUID) -> list[OrderRow]:
    """All orders of a case, locked for the rest of the transaction."""
    return [_order(record) for record in await conn.fetch(_ORDERS_LOCKED, case_id)]


async def orders_of_case(conn: asyncpg.Connection, case_id: UUID) -> list[OrderRow]:
    """All orders of a case, the oldest first."""
    return [_order(record) for record in await conn.fetch(_ORDERS_OF_CASE, case_id)]


async def orders_open(conn: asyncpg.Connection, limit: int) -> list[OrderRow]:
    """Orders that somebody must still do something about, stand-downs to acknowledge included."""
    return [_order(record) for record in await conn.fetch(_ORDERS_OPEN, limit)]


async def order(conn: asyncpg.Connection, order_id: UUID) -> OrderRow | None:
    """One order, if it is visible."""
    record = await conn.fetchrow(_ORDER_BY_ID, order_id)
    return _order(record) if record else None


async def lock_order(conn: asyncpg.Connection, order_id: UUID) -> OrderRow | None:
    """One order, locked, so that two taps on a button are one after the other."""
    record = await conn.fetchrow(f"{_ORDER_BY_ID} for update", order_id)
    return _order(record) if record else None


async def save_orders(conn: asyncpg.Connection, rows: Sequence[OrderRow]) -> None:
    """Store the states of orders that moved."""
    if rows:
        await conn.executemany(
            _SAVE_ORDER,
            [
                (
                    *(row.order_id, row.state.value, _history(row.order)),
                    *(row.stand_down_reason, row.stand_down_cause),
                )
                for row in rows
            ],
        )


async def add_orders(conn: asyncpg.Connection, rows: Sequence[OrderRow]) -> None:
    """Add new orders; the unique index refuses a second open order of a unit."""
    if rows:
        await conn.executemany(_ADD_ORDER, [_columns(row) for row in rows])


async def add_plan(
    conn: asyncpg.Connection, plan: PlanPublished, assignments: Sequence[dict[str, Any]]
) -> None:
    """Add a plan and count it in its case."""
    await conn.execute(
        _ADD_PLAN,
        plan.plan_id,
        plan.case_id,
        plan.region_code,
        plan.plan_number,
        plan.occurred_at,
        plan.model_dump(mode="json"),
        list(assignments),
    )
    await conn.execute(_COUNT_PLAN, plan.case_id, plan.plan_number)


async def newest_plan(
    conn: asyncpg.Connection, case_id: UUID, number: int | None = None
) -> asyncpg.Record | None:
    """made_at, published and assignments of the newest plan of a case, or of the one with this number."""
    return await conn.fetchrow(_PLAN, case_id, number)


async def overdue_cases(conn: asyncpg.Connection, now: datetime, limit: int) -> list[tuple[UUID, str]]:
    """Cases with an order whose unit let its time to answer pass, with the region."""
    return [(r["case_id"], r["region_code"]) for r in await conn.fetch(_OVERDUE_CASES, now, limit)]


def _history(order: Order) -> list[list[str]]:
    return [[state.value, at.isoformat()] for state, at in order.history]


def _columns(row: OrderRow) -> tuple[Any, ...]:
    return (
        *(row.order_id, row.case_id, row.unit_id, row.place_id, row.plan_id, row.region_code, row.exercise),
        *(row.case_code, row.order.respond_by, row.issued_at, row.unit_ready_at, row.arrive_by),
        *(row.earliest_arrival_at, row.margin_s, row.stop.model_dump(mode="json"), list(row.closes)),
        *(row.reason_zh, row.reason_en, row.child_summary, _history(row.order), row.stand_down_reason),
        *(row.stand_down_cause, row.state.value),
    )


def _order(record: asyncpg.Record) -> OrderRow:
    fields = dict(record)
    history = tuple((OrderState(state), datetime.fromisoformat(at)) for state, at in fields.pop("history"))
    order = Order(
        OrderId(fields.pop("order_id")),
        UnitId(fields.pop("unit_id")),
        PlaceId(fields.pop("place_id")),
        fields.pop("respond_by"),
        history,
    )
    fields["stop"] = Stop.model_validate(fields["stop"])
    fields["closes"] = tuple(fields["closes"])
    fields["case_id"], fields["plan_id"] = CaseId(fields["case_id"]), PlanId(fields["plan_id"])
    return OrderRow(order=order, **fields)


def _unit(record: asyncpg.Record) -> UnitNow:
    fields = dict(record)
    busy_case_id, busy_order_id = fields.pop("busy_case_id"), fields.pop("busy_order_id")
    shift = Shift(fields.pop("shift_start_min"), fields.pop("shift_end_min"))
    fields["capabilities"] = frozenset(fields["capabilities"])
    return UnitNow(UnitRow(shift=shift, **fields), busy_case_id, busy_order_id)
