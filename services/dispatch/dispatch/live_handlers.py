"""What a change of roads or units does: store it, and plan again what it touches.

Changes that concern every case are wishes that a timer takes one by one, so that a request never waits for twenty
plans. What concerns the unit of one order is planned at once, in the same transaction.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from dispatch import store, store_live
from dispatch.case_plan import plan_case
from dispatch.domain.conditions import Condition, Kind
from dispatch.domain.positions import UnitStatus
from dispatch.models_live import SetCondition
from dispatch.settings import DispatchSettings, dispatch_settings
from guitu.service import Runtime
from guitu.tx import Tx

Names = tuple[str, str]
"""What people call it, in Chinese and in English."""
_STATUS_ZH = {"available": "可用", "busy": "另有任务", "off_duty": "下班", "broken_down": "故障"}


async def set_condition(tx: Tx, region_code: str, condition: Condition, names: Names) -> tuple[bool, int]:
    """Store how a road is; whether that was news, and how many cases are planned again.

    `names` are what people call it. The same said twice, or a new note or time alone, plans nothing.
    """
    await store.lock_region(tx.conn, region_code)
    known = {
        (one.condition.kind, one.condition.subject): one.condition
        for one in await store_live.conditions(tx.conn, region_code)
    }
    before = known.get((condition.kind, condition.subject))
    if before == condition:
        return False, 0
    await store_live.put_condition(tx.conn, SetCondition(region_code, condition, tx.actor, tx.now))
    tx.audit(
        "condition.set",
        kind=condition.kind,
        road=condition.subject,
        closed=condition.closed,
        traffic_factor=condition.traffic_factor,
        until=condition.until,
    )
    in_force = before is not None and (before.until is None or before.until > tx.now)
    if before is not None and in_force and before.says_the_same(condition):
        return True, 0
    if condition.closed:
        zh, en = "封闭", "is closed"
    else:
        share = round(condition.traffic_factor * 100)
        zh, en = f"车速降至{share}%", f"is driven at {share} % of its speed"
    cause = f"{names[0]}{zh}。{names[1]} {en}."
    return True, await store_live.wish_replans(tx.conn, region_code, cause, tx.now)


async def clear_condition(
    tx: Tx, region_code: str, kind: Kind, subject: str, names: Names
) -> tuple[bool, int]:
    """The road is as usual again; clearing it twice is no error."""
    await store.lock_region(tx.conn, region_code)
    if not await store_live.drop_condition(tx.conn, region_code, kind, subject):
        return False, 0
    tx.audit("condition.cleared", kind=kind, road=subject)
    cause = f"{names[0]}恢复正常。{names[1]} is as usual again."
    return True, await store_live.wish_replans(tx.conn, region_code, cause, tx.now)


async def expire_conditions(runtime: Runtime) -> int:
    """Remove conditions whose time is over and plan again; returns how many there were."""
    settings = dispatch_settings(runtime.settings)
    now = runtime.clock.now()
    async with runtime.read() as conn:
        regions = await store_live.regions_with_expired(conn, now, settings.sweep_cases)
    return sum([await _expire(runtime, region_code, now) for region_code in regions])


async def _expire(runtime: Runtime, region_code: str, now: datetime) -> int:
    async with runtime.tx(actor=f"guitu.{runtime.service}") as tx:
        await store.lock_region(tx.conn, region_code)
        over = await store_live.expire_conditions(tx.conn, region_code, now)
        for kind, subject in over:
            tx.audit("condition.expired", kind=kind, road=subject)
        if over:
            cause = f"{len(over)}条路况已到期。The time of {len(over)} road conditions is over."
            await store_live.wish_replans(tx.conn, region_code, cause, tx.now)
    runtime.wake()
    return len(over)


async def replan_wished(runtime: Runtime) -> int:
    """Plan the cases again that a changed road or unit concerns; returns how many were taken."""
    settings = dispatch_settings(runtime.settings)
    async with runtime.read() as conn:
        cases = await store_live.wishes(conn, settings.sweep_cases)
    return sum([await _replan(runtime, settings, case_id, region) for case_id, region in cases])


async def _replan(runtime: Runtime, settings: DispatchSettings, case_id: UUID, region_code: str) -> int:
    async with runtime.tx(actor=f"guitu.{runtime.service}") as tx:
        await store.lock_region(tx.conn, region_code)
        case = await store.case(tx.conn, case_id)
        cause = await store_live.take_wish(tx.conn, case_id)
        if cause is None:
            return 0
        if case is not None and case.alert is not None and case.stood_down_as is None:
            await plan_case(tx, case, "update", settings, cause=cause)
    return 1


async def set_status(
    tx: Tx, unit_id: UUID, region_code: str, status: UnitStatus, note: str, settings: DispatchSettings
) -> tuple[bool, int]:
    """Store whether a unit can be sent; whether that was news, and how many cases are planned again.

    An open order of a unit that is not available any more is replaced at once, accepted or not.
    """
    await store.lock_region(tx.conn, region_code)
    before = await store_live.unit_state(tx.conn, unit_id)
    if (before.status, before.status_note) == (status, note) and before.status_at is not None:
        return False, 0
    await store_live.put_status(tx.conn, unit_id, region_code, status, note, tx.actor, tx.now)
    tx.audit("unit.status", subject=unit_id, status=status)
    if before.status == status:
        return True, 0
    code = await store_live.code_of_unit(tx.conn, unit_id)
    cause = f"警力{code}{_STATUS_ZH[status]}。Unit {code} is {status.replace('_', ' ')}."
    if status == "available":
        return True, await store_live.wish_replans(tx.conn, region_code, cause, tx.now)
    return True, await _replan_case_of(tx, unit_id, cause, settings)


async def set_capabilities(
    tx: Tx, unit_id: UUID, region_code: str, capabilities: list[str] | None, settings: DispatchSettings
) -> tuple[bool, int]:
    """Store what a unit can do now (None: what the files say); an order that it can't carry out is replaced."""
    await store.lock_region(tx.conn, region_code)
    wanted = None if capabilities is None else frozenset(capabilities)
    if (await store_live.unit_state(tx.conn, unit_id)).capabilities == wanted:
        return False, 0
    named = None if wanted is None else sorted(wanted)
    await store_live.put_capabilities(tx.conn, unit_id, region_code, named, tx.actor)
    tx.audit("unit.capabilities", subject=unit_id, capabilities=named)
    code = await store_live.code_of_unit(tx.conn, unit_id)
    cause = f"警力{code}能力变更。What unit {code} can do has changed."
    at_once = await _replan_case_of(tx, unit_id, cause, settings)
    return True, at_once or await store_live.wish_replans(tx.conn, region_code, cause, tx.now)


async def _replan_case_of(tx: Tx, unit_id: UUID, cause: str, settings: DispatchSettings) -> int:
    """Plan the case again that the unit has an open order of; 0 if it has none."""
    case_id = await store_live.case_of_unit(tx.conn, unit_id)
    case = await store.case(tx.conn, case_id) if case_id else None
    if case is None or case.alert is None or case.stood_down_as is not None:
        return 0
    return int(await plan_case(tx, case, "update", settings, cause=cause))
