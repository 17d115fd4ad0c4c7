"""The second look at plans: weigh the newest plan of a case beside the service, and put a better one into force.

First orders never wait for it. It runs in a process of its own with a deadline; if that dies or hangs, the plan in
force stands and the board says so. What comes back is used only if nothing has changed meanwhile: same plan, same
orders.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import numpy as np

from contracts.order import PlanAhead, PlanFigures, PlanPublished
from dispatch import store, store_live, store_second_look
from dispatch.case_now import CaseNow, case_now
from dispatch.case_plan import plan_case, put_into_force
from dispatch.domain.orders import HELD_STATES, OrderState
from dispatch.domain.weighing import Limits, Question, Weighed, weigh
from dispatch.models import OrderRow
from dispatch.observations import evidence_of
from dispatch.settings import DispatchSettings, dispatch_settings
from dispatch.times import second_of_day, weekday_of
from guitu.service import Runtime
from guitu.tx import Tx
from guitu.worker import Worker, WorkerTrouble

SUMS_MORE_S = 8.0
"""Besides the optimiser's own time: drawing the routes, the guarantee, and a machine that does something else."""
TRIES_MAX = 3
TRY_AGAIN_AFTER = timedelta(seconds=2)
LOOKS_FOR = timedelta(hours=24)
"""After its first plan a case is looked at again as time passes; later only when something happens."""
WORTH_SAYING = 0.005
"""A change of the probability by less than half a point alone is no news."""

STAYS = "重新核算，部署不变。Weighed anew; the orders stay as they are."
"""Said with new figures alone: otherwise the plan would seem to come from an update of the alert."""

_Trigger = Literal["update", "answer"]


@dataclass(frozen=True, eq=False)
class _Look:
    """What was asked about, so that an answer to something else is not used."""

    now: CaseNow
    trigger: _Trigger
    tries: int

    def still_holds(self, plan_number: int, orders: list[OrderRow]) -> bool:
        """Whether the plan and every order are as they were."""
        before = {row.order_id: row.state for row in self.now.orders}
        return self.now.case.plan_number == plan_number and before == {
            row.order_id: row.state for row in orders
        }


async def look_at_plans(runtime: Runtime) -> int:
    """Sweep: the next case that is due; returns how many were."""
    settings = dispatch_settings(runtime.settings)
    look = await _next(runtime, settings)
    if look is None:
        return 0
    worker: Worker = runtime.state["weigher"]
    try:
        found = await worker.run(
            weigh, asked_of(look.now, settings), deadline_s=settings.second_look_s + SUMS_MORE_S
        )
    except WorkerTrouble as trouble:
        runtime.log.error("plan.second_look", case_id=str(look.now.case.case_id), trouble=str(trouble)[:300])
        await _could_not(runtime, settings, look, trouble)
        return 1
    async with runtime.tx(actor=f"guitu.{runtime.service}") as tx:
        await _take(tx, look, found, settings)
    return 1


def asked_of(now: CaseNow, settings: DispatchSettings) -> Question:
    """The case as the second look takes it."""
    alert = now.case.alert
    assert alert is not None, "A case without an alert has no plan."
    return Question(
        problem=now.problem,
        timetable=now.county.timetable.on(weekday_of(now.zero)),
        clock_s=second_of_day(now.zero),
        last_seen=now.last_seen(),
        mode=alert.suspected_mode,
        age_years=alert.child.age_years,
        evidence=evidence_of(now, settings.checkpoint_detection),
        worth=_worth(now, settings),
        limits=Limits(
            routes=settings.second_look_routes,
            deadline_s=settings.second_look_s,
            work=settings.second_look_s,
            detection=settings.checkpoint_detection,
            sending_worth=settings.sending_worth,
            seed=int(now.case.case_id.int % 2**31),
        ),
    )


def figures_of(found: Weighed, at: datetime) -> PlanFigures:
    """For the fact, rounded to what a sample of routes can tell."""
    return PlanFigures(
        verdict=found.containment.kind,
        intercepted=_share(found.value),
        low=_share(found.low),
        high=_share(found.high),
        bound=_share(found.value + max(0.0, found.bound - found.chosen_value)),
        gap=round(found.gap, 4),
        proven=found.proven,
        ahead=tuple(
            PlanAhead(at=at + timedelta(minutes=one.minutes), met=_share(one.met), away=_share(one.away))
            for one in found.ahead
        ),
        trouble=found.trouble,
    )


def _share(value: float) -> float:
    return round(min(1.0, max(0.0, float(value))), 4)


async def _next(runtime: Runtime, settings: DispatchSettings) -> _Look | None:
    async with runtime.read() as conn:
        now_at = runtime.clock.now()
        due = await store_second_look.due(
            conn, now_at, now_at - timedelta(seconds=settings.second_look_after_s)
        )
        if due is None:
            return None
        case_id, trigger, tries = due
        case = await store_live.case_as_it_is(conn, case_id)
        if case is None or case.alert is None:
            return None
        orders = await store.orders_of_case(conn, case_id)
        now = await case_now(conn, case, orders, now_at, settings)
    return _Look(now, trigger, tries) if now is not None else None


def _worth(now: CaseNow, settings: DispatchSettings) -> dict[Any, float]:
    """What each order that may be changed is worth; a pinned unit's and an interceptor's may not."""
    worth = {
        OrderState.issued: settings.issued_worth,
        OrderState.accepted: settings.accepted_worth,
        OrderState.in_position: settings.in_position_worth,
        OrderState.nothing_seen: settings.in_position_worth,
    }
    return {
        row.unit_id: worth[row.state]
        for row in now.orders
        if row.state in worth and row.order_id not in now.gone and row.unit_id not in now.problem.pins
    }


async def _take(tx: Tx, look: _Look, found: Weighed, settings: DispatchSettings) -> None:
    """Put the better plan into force, or only keep its figures where nothing else has changed."""
    before = look.now
    await store.lock_region(tx.conn, before.case.region_code)
    case = await store.case(tx.conn, before.case.case_id)
    orders = await store.orders_locked(tx.conn, before.case.case_id)
    if case is None or case.stood_down_as is not None or not look.still_holds(case.plan_number, orders):
        # Whatever came in between has its own plan, or ends the case; that one is due for its own look.
        return
    figures = figures_of(found, before.at)
    newest = await store.newest_plan(tx.conn, case.case_id)
    said = PlanPublished.model_validate(newest["published"]).figures if newest else None
    number = case.plan_number
    changed = _changes_orders(found, orders)
    if changed or _news(said, figures):
        cause = _cause(found) if changed else STAYS
        now = replace(
            before,
            case=case,
            orders=tuple(orders),
            gone=before.gone | dict.fromkeys(_moved(found, orders), cause),
        )
        published = await put_into_force(
            tx, now, found.plan, look.trigger, settings, cause=cause, figures=figures
        )
        number = published.plan_number
    await store_second_look.put_proof(tx.conn, case.case_id, number, proof_of(found))
    await store_second_look.looked(tx.conn, case.case_id, await _again_at(tx, case.case_id, settings))


def _moved(found: Weighed, orders: list[OrderRow]) -> list[Any]:
    """Accepted orders that the better plan takes back: they gain more elsewhere than they are worth."""
    sent = {(one.unit_id, one.place_id) for one in found.plan.assignments}
    return [
        row.order_id for row in orders if row.state in HELD_STATES and (row.unit_id, row.place_id) not in sent
    ]


def _changes_orders(found: Weighed, orders: list[OrderRow]) -> bool:
    stand = {
        (row.unit_id, row.place_id)
        for row in orders
        if row.state in HELD_STATES or row.state == OrderState.issued
    }
    return stand != {(one.unit_id, one.place_id) for one in found.plan.assignments}


def _news(said: PlanFigures | None, figures: PlanFigures) -> bool:
    if said is None or (said.verdict, said.proven, said.trouble) != (
        figures.verdict,
        figures.proven,
        figures.trouble,
    ):
        return True
    return abs(said.intercepted - figures.intercepted) >= WORTH_SAYING


def _cause(found: Weighed) -> str:
    before, after = (round(100 * share) for share in (found.before, found.value))
    zh = f"优化方案：预计拦截概率由{before}%升至{after}%。"
    return f"{zh}Better plan: it meets {after} % of the likely ways, not {before} %."


async def _again_at(tx: Tx, case_id: UUID, settings: DispatchSettings) -> datetime | None:
    every = settings.second_look_every
    first_at = await store_second_look.first_planned_at(tx.conn, case_id)
    if every is None or first_at is None or tx.now - first_at > LOOKS_FOR:
        return None
    return tx.now + every


async def _could_not(
    runtime: Runtime, settings: DispatchSettings, look: _Look, trouble: WorkerTrouble
) -> None:
    """Try again a little later; after that the plan in force stands, and the board says why it was not looked at."""
    case = look.now.case
    async with runtime.tx(actor=f"guitu.{runtime.service}") as tx:
        if look.tries + 1 < TRIES_MAX:
            again_at = tx.now + TRY_AGAIN_AFTER
            await store_second_look.failed(tx.conn, case.case_id, case.plan_number, again_at)
            return
        await store.lock_region(tx.conn, case.region_code)
        known = await store.case(tx.conn, case.case_id)
        if known is None or known.stood_down_as is not None or known.plan_number != case.plan_number:
            return
        zh = f"方案优化未完成({trouble.reason})，现行方案继续有效。"
        cause = f"{zh}The second look {trouble.reason}; the plan in force stands."
        await plan_case(tx, known, "update", settings, cause=cause)
        tx.audit("plan.not_looked_at", subject=case.case_id, trouble=trouble.reason)
        await store_second_look.looked(tx.conn, case.case_id, await _again_at(tx, case.case_id, settings))


def proof_of(found: Weighed) -> dict[str, Any]:
    """What the look found, as JSON: node and unit numbers are those of its question."""
    return {
        "verdict": _plain(asdict(found.containment)),
        "chosen_value": found.chosen_value,
        "bound": found.bound,
        "proven": found.proven,
        "before": found.before,
        "routes": found.routes,
        "meets": {str(unit_id): share for unit_id, share in found.meets},
    }


def _plain(value: Any) -> Any:
    """Numbers of numpy as Python's; what is infinite is nothing that JSON can say."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
