"""Timers over rows: orders nobody answered, and cases that waited for the county's network."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from dispatch import store
from dispatch.case_plan import plan_case
from dispatch.domain.orders import OrderState, is_due, move
from dispatch.settings import DispatchSettings, dispatch_settings
from guitu.service import Runtime


async def pass_on_overdue(runtime: Runtime) -> int:
    """Give orders that nobody answered in time to the next unit; returns how many were overdue."""
    settings = dispatch_settings(runtime.settings)
    async with runtime.read() as conn:
        cases = await store.overdue_cases(conn, runtime.clock.now(), settings.sweep_cases)
    return sum([await _pass_on(runtime, settings, case_id, region) for case_id, region in cases])


async def _pass_on(runtime: Runtime, settings: DispatchSettings, case_id: UUID, region_code: str) -> int:
    async with runtime.tx(actor=f"guitu.{runtime.service}") as tx:
        await store.lock_region(tx.conn, region_code)
        case = await store.case(tx.conn, case_id)
        rows = await store.orders_locked(tx.conn, case_id)
        late = [
            replace(row, order=move(row.order, OrderState.overdue, tx.now))
            for row in rows
            if is_due(row.order, tx.now)
        ]
        if case is None or case.alert is None or not late:
            return 0
        planned = await plan_case(tx, case, "overdue", settings, overdue=late)
    return len(late) if planned else 0


async def plan_waiting(runtime: Runtime) -> int:
    """Plan cases that were raised before `guitu seed` had loaded the region's network."""
    settings = dispatch_settings(runtime.settings)
    async with runtime.read() as conn:
        cases = await store.unplanned_cases(conn, settings.sweep_cases)
    return sum([await _plan(runtime, settings, case_id, region) for case_id, region in cases])


async def _plan(runtime: Runtime, settings: DispatchSettings, case_id: UUID, region_code: str) -> int:
    async with runtime.tx(actor=f"guitu.{runtime.service}") as tx:
        await store.lock_region(tx.conn, region_code)
        case = await store.case(tx.conn, case_id)
        if case is None or case.alert is None or case.plan_number or case.stood_down_as:
            return 0
        return int(await plan_case(tx, case, "alert", settings))
