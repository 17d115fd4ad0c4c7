"""Make the plan of a case anew and let its orders follow, in the transaction that is given.

The caller holds the region's lock, so no two plans give away the same unit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal, cast
from uuid import UUID

from contracts.alert import AlertBody
from contracts.base import OrderId, PlanId, Position, SightingId, UnitId
from contracts.order import OpenExit, OrderOverdue, PlanFigures, PlanPublished, Stop
from dispatch import store
from dispatch.case_now import CaseNow, case_now
from dispatch.domain.orders import HELD_STATES, OrderState, issue, move
from dispatch.domain.plan import plan as first_valid_plan
from dispatch.domain.problem import MARGIN_S, Assignment, Plan, Planner, Reason
from dispatch.domain.sentences import sentence
from dispatch.models import Case, Changes, County, OrderRow, StandDownReason, Trigger
from dispatch.mutual_aid import ask_neighbours
from dispatch.publishing import publish_order, publish_stand_down
from dispatch.settings import DispatchSettings
from guitu.tx import Tx

PLANNER: Planner = first_valid_plan
NOBODY_FOR = timedelta(hours=24)
"""Earliest arrival of an order by command at a place where nobody can come on the known network."""
_SEX = {"male": ("男", "boy"), "female": ("女", "girl"), "unknown": ("性别不详", "child")}


async def plan_case(
    tx: Tx,
    case: Case,
    trigger: Trigger,
    settings: DispatchSettings,
    *,
    sighting_id: UUID | None = None,
    overdue: Sequence[OrderRow] = (),
    cause: str = "",
) -> bool:
    """Plan, settle the orders, publish; False if the region has no network yet (a sweep comes back to it).

    `overdue` are orders that have just become so, not saved yet. `cause` says what changed outside the alert: it
    goes onto the plan, and onto the orders that end because of it.
    """
    late = {row.order_id: row for row in overdue}
    orders = [late.get(row.order_id, row) for row in await store.orders_locked(tx.conn, case.case_id)]
    now = await case_now(tx.conn, case, orders, tx.now, settings)
    if now is None:
        return False
    # Tens of milliseconds on a county's network; the loop goes on with other people's requests.
    plan = await asyncio.to_thread(PLANNER, now.problem)
    await put_into_force(
        tx, now, plan, trigger, settings, sighting_id=sighting_id, overdue=overdue, cause=cause
    )
    return True


async def put_into_force(
    tx: Tx,
    now: CaseNow,
    plan: Plan,
    trigger: Trigger,
    settings: DispatchSettings,
    *,
    sighting_id: UUID | None = None,
    overdue: Sequence[OrderRow] = (),
    cause: str = "",
    figures: PlanFigures | None = None,
) -> PlanPublished:
    """Let the orders follow a plan, and say all of it; what a better plan takes back is in `now.gone`."""
    case, county = now.case, now.county
    changes = settle(plan, now.orders, trigger, now.gone)
    plan_id = PlanId(tx.ids.new())
    new = _new_orders(tx, case, county, plan, changes, plan_id, settings)
    _publish_overdue(tx, case, overdue, new)
    ended = [
        _stand_down(row, "replanned", tx.now, now.gone.get(row.order_id, cause)) for row in changes.replaced
    ]
    ended += [_stand_down(row, "overdue", tx.now) for row in changes.passed_on]
    ended_ids = {row.order_id for row in ended}
    await store.save_orders(tx.conn, [*(row for row in overdue if row.order_id not in ended_ids), *ended])
    published = _plan_fact(tx, now, plan, trigger, plan_id, [*changes.stays, *new], cause, figures)
    await store.add_plan(tx.conn, published, [_in_words(one, county) for one in plan.assignments])
    await store.add_orders(tx.conn, new)
    for row in ended:
        publish_stand_down(tx, row, settings, SightingId(sighting_id) if sighting_id else None)
    tx.publish(published)
    for row in new:
        publish_order(tx, row, settings)
    await ask_neighbours(tx, case, county, plan, published, summary_of(cast(AlertBody, case.alert)))
    tx.audit(
        "plan.published",
        subject=case.case_id,
        trigger=trigger,
        plan_number=published.plan_number,
        **({"cause": cause} if cause else {}),
    )
    return published


def settle(
    plan: Plan, orders: Sequence[OrderRow], trigger: Trigger, gone: Collection[OrderId] = ()
) -> Changes:
    """Which orders stay, which are replaced by the plan, and which unanswered ones another unit has now.

    An overdue order that nobody could take over stays, so that its unit may still accept; only a plan for
    another reason than lateness, in which its place no longer counts, ends it. So does another place for the same
    unit, since nobody gets two. Orders in `gone` cannot stand, whatever their units have answered.
    """
    changes = Changes()
    ordered = {(one.unit_id, one.place_id) for one in plan.assignments}
    manned = {one.place_id for one in plan.assignments}
    sent = {one.unit_id for one in plan.assignments}
    for row in orders:
        if row.order_id in gone:
            changes.replaced.append(row)
        elif row.state in HELD_STATES:
            changes.stays.append(row)
        elif row.state == OrderState.issued:
            stays = (row.unit_id, row.place_id) in ordered
            (changes.stays if stays else changes.replaced).append(row)
        elif row.state == OrderState.overdue:
            if row.place_id in manned:
                changes.passed_on.append(row)
            elif trigger != "overdue" or row.unit_id in sent:
                changes.replaced.append(row)
    return changes


def _new_orders(
    tx: Tx,
    case: Case,
    county: County,
    plan: Plan,
    changes: Changes,
    plan_id: PlanId,
    settings: DispatchSettings,
) -> list[OrderRow]:
    has_order = {row.unit_id for row in changes.stays}
    return [
        _new_order(tx, case, county, one, plan_id, settings)
        for one in plan.assignments
        if one.unit_id not in has_order
    ]


def _new_order(
    tx: Tx, case: Case, county: County, one: Assignment, plan_id: PlanId, settings: DispatchSettings
) -> OrderRow:
    alert = cast(AlertBody, case.alert)
    zero = min(alert.last_seen_at, tx.now)
    ready_at = _at(zero, one.eta_s)
    # Only a command sends a unit where nobody can come; the fact needs a time, and says in words that it is none.
    arrival_at = ready_at + NOBODY_FOR
    if one.earliest_arrival_s is not None:
        arrival_at = _at(zero, one.earliest_arrival_s)
    else:
        assert one.reason.code == "pinned_unreached", "A unit is sent only where somebody may come."
    order_id = OrderId(tx.ids.new())
    margin = timedelta(seconds=MARGIN_S)
    return OrderRow(
        order=issue(order_id, one.unit_id, one.place_id, tx.now + settings.respond_within, tx.now),
        case_id=case.case_id,
        plan_id=plan_id,
        region_code=case.region_code,
        exercise=case.exercise,
        case_code=case.case_code,
        issued_at=tx.now,
        unit_ready_at=ready_at,
        arrive_by=max(ready_at, arrival_at - margin),
        earliest_arrival_at=arrival_at,
        margin_s=NOBODY_FOR.total_seconds() if one.margin_s is None else one.margin_s,
        stop=_stop(county, one),
        closes=one.closes,
        reason_zh=sentence(one.reason, "zh"),
        reason_en=sentence(one.reason, "en"),
        child_summary=summary_of(alert),
    )


def summary_of(alert: AlertBody) -> str:
    """Whom to look for, in a line: what the alert says of the child, which never includes a name."""
    child = alert.child
    zh, en = _SEX[child.sex.value]
    tall = f" · {child.height_cm} cm" if child.height_cm else ""
    vehicle = f" · {alert.vehicle}" if alert.vehicle else ""
    return f"{zh} {child.age_years}岁 ({en}, {child.age_years}){tall} · {child.appearance}{vehicle}"[:2000]


def _stand_down(row: OrderRow, reason: StandDownReason, now: datetime, cause: str = "") -> OrderRow:
    order = row.order
    if reason == "overdue":
        order = move(order, OrderState.reassigned, now)
    order = move(order, OrderState.stood_down, now)
    return replace(row, order=order, stand_down_reason=reason, stand_down_cause=cause)


def _publish_overdue(tx: Tx, case: Case, overdue: Sequence[OrderRow], new: Sequence[OrderRow]) -> None:
    """Say who let the time pass, and who has the place now."""
    next_of: dict[UUID, UnitId] = {row.place_id: row.unit_id for row in new}
    for row in overdue:
        tx.publish(
            OrderOverdue(
                region_code=row.region_code,
                exercise=row.exercise,
                occurred_at=tx.now,
                case_id=case.case_id,
                order_id=row.order_id,
                unit_id=row.unit_id,
                respond_by=row.order.respond_by,
                reassigned_to=next_of.get(row.place_id),
            )
        )
        tx.audit("order.overdue", subject=row.order_id)


def _plan_fact(
    tx: Tx,
    now: CaseNow,
    plan: Plan,
    trigger: Trigger,
    plan_id: PlanId,
    orders: Sequence[OrderRow],
    cause: str,
    figures: PlanFigures | None,
) -> PlanPublished:
    case, county, zero = now.case, now.county, now.zero
    alert = cast(AlertBody, case.alert)
    exits = {way_out.exit_id: way_out for way_out in county.exits}
    open_exits = tuple(
        OpenExit(
            exit_id=one.exit_id,
            name_zh=exits[one.exit_id].name_zh,
            name_en=exits[one.exit_id].name_en,
            earliest_arrival_at=_at(zero, one.earliest_arrival_s),
            reason=_both(one.reason),
        )
        for one in sorted(plan.open_exits, key=lambda one: one.earliest_arrival_s)
    )
    return PlanPublished(
        region_code=case.region_code,
        exercise=case.exercise,
        occurred_at=tx.now,
        case_id=case.case_id,
        plan_id=plan_id,
        plan_number=case.plan_number + 1,
        alert_version=alert.version,
        network_version=county.version,
        trigger=trigger,
        order_ids=tuple(row.order_id for row in orders),
        closed_exits=len(plan.closed_exits),
        open_exits=open_exits,
        units_free=len(plan.free_units),
        cause=cause[:200],
        figures=figures,
    )


def _stop(county: County, one: Assignment) -> Stop:
    place = next(place for place in county.places if place.place_id == one.place_id)
    nodes = county.network.nodes
    position = Position(lon=float(nodes.lon[place.node]), lat=float(nodes.lat[place.node]))
    return Stop(place_id=place.place_id, name_zh=place.name_zh, name_en=place.name_en, position=position)


def _in_words(one: Assignment, county: County) -> dict[str, Any]:
    """An assignment as staff read it; times are seconds after the child was last seen."""
    return {
        "unit_id": str(one.unit_id),
        "stop": _stop(county, one).model_dump(mode="json"),
        "eta_s": one.eta_s,
        "earliest_arrival_s": one.earliest_arrival_s,
        "margin_s": one.margin_s,
        "in_time": one.in_time,
        "closes": [str(exit_id) for exit_id in one.closes],
        "reason": one.reason.code,
        "reason_zh": sentence(one.reason, "zh"),
        "reason_en": sentence(one.reason, "en"),
    }


def _both(reason: Reason) -> str:
    languages: tuple[Literal["zh", "en"], ...] = ("zh", "en")
    return " ".join(sentence(reason, language) for language in languages)[:200]


def _at(zero: datetime, seconds: float) -> datetime:
    return zero + timedelta(seconds=seconds)
