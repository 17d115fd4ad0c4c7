"""One function a fact: load, decide, save state, audit and facts in the transaction that is given.

Every one that may plan takes the region's lock first, before any row, so that two of them never wait for
each other and never give away the same unit.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from contracts.alert import AlertBody, AlertStoodDown
from contracts.sighting import SightingAssessed, SightingReported
from dispatch import store, store_second_look
from dispatch.case_plan import plan_case
from dispatch.domain.orders import OrderState, move
from dispatch.models import Case, Move, OrderRow
from dispatch.mutual_aid import release_neighbours
from dispatch.publishing import publish_move, publish_stand_down
from dispatch.settings import DispatchSettings
from guitu.tx import Tx

_STANDS = (
    OrderState.issued,
    OrderState.accepted,
    OrderState.in_position,
    OrderState.nothing_seen,
    OrderState.intercepted,
    OrderState.overdue,
)


async def when_alert_stands(tx: Tx, alert: AlertBody, settings: DispatchSettings) -> None:
    """Remember the version; plan if the case has no plan yet, or if whereabouts changed.

    Every version repeats the whole picture, so any of them starts the plan if the first was lost. Versions
    that are not newer, and those of a case that is over, change nothing.
    """
    await store.lock_region(tx.conn, alert.region_code)
    known = await store.case(tx.conn, alert.case_id)
    if known is not None and (known.stood_down_as is not None or alert.version <= known.version):
        return
    await store.put_alert(tx.conn, alert)
    if known is not None and known.plan_number and not _moved(known, alert):
        return
    case = replace(known, alert=alert, version=alert.version) if known else _new_case(alert)
    await plan_case(tx, case, "update" if case.plan_number else "alert", settings)


async def when_alert_stood_down(tx: Tx, fact: AlertStoodDown, settings: DispatchSettings) -> None:
    """End every open order of the case; if the alert was not seen yet, it never becomes one."""
    await store.lock_region(tx.conn, fact.region_code)
    if not await store.stand_down_case(tx.conn, fact):
        return
    ended = [
        replace(row, order=move(row.order, OrderState.stood_down, tx.now), stand_down_reason=fact.outcome)
        for row in await store.orders_locked(tx.conn, fact.case_id)
        if row.state in _STANDS
    ]
    await store.save_orders(tx.conn, ended)
    for row in ended:
        publish_stand_down(tx, row, settings)
    await release_neighbours(tx, fact.case_id, fact.outcome)
    # After the orders, as a unit's answer does: else each could wait for the other.
    await store_second_look.look_no_more(tx.conn, fact.case_id)


async def when_sighting_reported(tx: Tx, fact: SightingReported, settings: DispatchSettings) -> None:
    """Plan again at once, before anybody assessed it: one more place where they may start from."""
    await store.lock_region(tx.conn, fact.region_code)
    if await store.report_sighting(tx.conn, fact):
        case = await _planned_case(tx, fact.case_id, fact.region_code)
        if case is not None:
            await plan_case(tx, case, "sighting", settings, sighting_id=fact.sighting_id)


async def when_sighting_assessed(tx: Tx, fact: SightingAssessed, settings: DispatchSettings) -> None:
    """A refuted sighting no longer counts, a credible one replaces what is older: plan again."""
    await store.lock_region(tx.conn, fact.region_code)
    if await store.assess_sighting(tx.conn, fact) and fact.verdict != "uncertain":
        case = await _planned_case(tx, fact.case_id, fact.region_code)
        if case is not None:
            await plan_case(tx, case, "assessment", settings, sighting_id=fact.sighting_id)


async def move_order(tx: Tx, order_id: UUID, target: Move) -> OrderRow | None:
    """What a unit answered, on its page or by radio; the same answer twice is one fact.

    Returns None if there is no such order. Raises: IllegalOrderMove.
    """
    row = await store.lock_order(tx.conn, order_id)
    if row is None:
        return None
    order = move(row.order, OrderState(target), tx.now)
    if order is row.order:
        return row
    moved = replace(row, order=order)
    await store.save_orders(tx.conn, [moved])
    publish_move(tx, moved)
    await store_second_look.look_again(tx.conn, moved.case_id, tx.now)
    return moved


async def _planned_case(tx: Tx, case_id: UUID, region_code: str) -> Case | None:
    """The case, if it stands and its alert is known; otherwise the alert's own plan will see the sighting."""
    case = await store.case(tx.conn, case_id)
    if case is None or case.alert is None or case.stood_down_as is not None:
        return None
    if case.region_code != region_code:
        # Somebody saw the child in the next county; the units are those of the case's own.
        await store.lock_region(tx.conn, case.region_code)
    return case


def _new_case(alert: AlertBody) -> Case:
    return Case(
        case_id=alert.case_id,
        region_code=alert.region_code,
        exercise=alert.exercise,
        case_code=alert.case_code,
        version=alert.version,
        alert=alert,
        plan_number=0,
        stood_down_as=None,
    )


def _moved(known: Case, alert: AlertBody) -> bool:
    """Whether place, time or way of travelling changed: what the plan starts from."""
    before = known.alert
    return (
        before is None
        or before.last_seen_place.position != alert.last_seen_place.position
        or before.last_seen_at != alert.last_seen_at
        or before.suspected_mode != alert.suspected_mode
    )
