"""The commander's hand: pins, forbids and places by hand, each with its price before it is confirmed.

A command is checked against what stands, stored, and planned with at once; the same command again is the same row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import asyncpg

from contracts.base import OrderId, UnitId
from dispatch import case_plan, command_checks, store, store_live
from dispatch.case_now import CaseNow
from dispatch.command_checks import Scene
from dispatch.counties import county_of
from dispatch.domain.problem import Plan
from dispatch.domain.weighing import weigh
from dispatch.live import live_of, taken_back, with_places_by_hand
from dispatch.models import Case, OrderRow
from dispatch.models_live import Command, PutForbid, PutPin, WhatIf
from dispatch.questions import question
from dispatch.second_look import SUMS_MORE_S, asked_of
from dispatch.settings import DispatchSettings
from guitu.problem import Problem
from guitu.tx import Tx
from guitu.worker import Worker, WorkerTrouble


@dataclass(frozen=True)
class Trial:
    """A plan that is not published, with what it would do to the orders."""

    plan: Plan
    ended: tuple[OrderId, ...]
    newly_ordered: tuple[UnitId, ...]


@dataclass(frozen=True)
class Price:
    """The plan of this moment without and with the commands asked about; times count from `zero`."""

    scene: Scene
    before: Trial
    after: Trial
    zero: datetime


async def pin(tx: Tx, case_id: UUID, asked: PutPin, settings: DispatchSettings) -> Command:
    """Send a unit to a place by command and plan again; a second pin of a unit replaces its first.

    Raises: Problem, with what stands in the way and how to mend it.
    """
    scene = await _locked(tx, case_id, settings)
    wanted = command_checks.pin_of(scene, asked, tx.ids.new(), tx.actor, tx.now)
    if same := _standing(scene.commands, wanted):
        return same
    command_checks.refuse_pin(scene, wanted, tx.now)
    for old in scene.commands:
        if old.kind == "pin" and old.unit_id == wanted.unit_id:
            await store_live.withdraw_command(tx.conn, case_id, old.command_id, tx.actor, tx.now)
            tx.audit("command.withdrawn", subject=case_id, command_id=old.command_id)
    cause = command_checks.in_words(replace(scene, commands=(*scene.commands, wanted)), wanted)
    return await _confirm(tx, scene.case, wanted, cause, settings)


async def forbid(tx: Tx, case_id: UUID, asked: PutForbid, settings: DispatchSettings) -> Command:
    """Rule out a unit, a place, or one at the other, for this case, and plan again. Raises: Problem."""
    scene = await _locked(tx, case_id, settings)
    wanted = command_checks.forbid_of(scene, asked, tx.ids.new(), tx.actor, tx.now)
    if same := _standing(scene.commands, wanted):
        return same
    command_checks.refuse_forbid(scene, wanted)
    return await _confirm(tx, scene.case, wanted, command_checks.in_words(scene, wanted), settings)


async def withdraw(tx: Tx, case_id: UUID, kind: str, command_id: UUID, settings: DispatchSettings) -> bool:
    """Take a command back and plan again; False if it was taken back before. Raises: Problem 404."""
    scene = await _locked(tx, case_id, settings)
    known = await store_live.command(tx.conn, case_id, command_id)
    if known is None or known.kind != kind:
        raise command_checks.no_such(kind, "指挥指令", command_id)
    if not await store_live.withdraw_command(tx.conn, case_id, command_id, tx.actor, tx.now):
        return False
    tx.audit("command.withdrawn", subject=case_id, command_id=command_id)
    words = command_checks.in_words(scene, known)
    await case_plan.plan_case(tx, scene.case, "update", settings, cause=f"撤回:Taken back: {words}"[:200])
    return True


async def price(
    conn: asyncpg.Connection,
    case_id: UUID,
    asked: WhatIf,
    new_ids: Sequence[UUID],
    now: datetime,
    settings: DispatchSettings,
    worker: Worker | None = None,
) -> Price:
    """What the plan would be with these commands, beside what it would be now; reads only.

    Both are planned anew, so that the difference is the commands' and not that of the minutes since the last plan.
    With a worker both have a second look, on the same routes: the price is in probability, too.
    Raises: Problem, as the command itself would.
    """
    scene = await scene_of(conn, case_id, now, settings)
    unknown = set(asked.withdraw) - {one.command_id for one in scene.commands}
    if unknown:
        raise command_checks.no_such("standing command", "有效指挥指令", min(unknown))
    trial = replace(
        scene, commands=tuple(one for one in scene.commands if one.command_id not in asked.withdraw)
    )
    ids = iter(new_ids)
    for wish in asked.forbids:
        wanted = command_checks.forbid_of(trial, wish, next(ids), "what-if", now)
        command_checks.refuse_forbid(trial, wanted)
        trial = replace(trial, commands=(*trial.commands, wanted))
    for wish_pin in asked.pins:
        wanted = command_checks.pin_of(trial, wish_pin, next(ids), "what-if", now)
        command_checks.refuse_pin(trial, wanted, now)
        trial = replace(trial, commands=(*_without_pin(trial.commands, wanted.unit_id), wanted))
    before = await _try(conn, scene, now, worker)
    after = await _try(conn, trial, now, worker)
    assert scene.case.alert is not None, "A scene has an alert."
    return Price(trial, before, after, min(scene.case.alert.last_seen_at, now))


async def scene_of(
    conn: asyncpg.Connection,
    case_id: UUID,
    now: datetime,
    settings: DispatchSettings,
    known: tuple[Case | None, list[OrderRow]] | None = None,
) -> Scene:
    """Everything a command is checked against. Raises: Problem 404 or 409, if the case cannot be commanded."""
    if known is None:
        known = (
            await store_live.case_as_it_is(conn, case_id),
            await store.orders_of_case(conn, case_id),
        )
    case, orders = known
    if case is None or case.alert is None:
        raise command_checks.no_such("case", "案件", case_id)
    if case.stood_down_as is not None:
        raise Problem(
            409,
            "case_over",
            f"Case {case_id} was stood down ({case.stood_down_as}); nobody is sent for it any more.",
            "案件已解除,不再派警。",
            "Raise a new alert if the child is missing again.",
        )
    county = await county_of(conn, case.region_code)
    if county is None:
        raise command_checks.no_network(
            case.region_code, "Load it with `guitu seed`, then send the command again."
        )
    live = await live_of(conn, case_id, case.region_code, county, now, settings)
    units = await store.units(conn, case.region_code)
    return Scene(case, county, tuple(units), tuple(orders), live, live.commands, settings)


async def _locked(tx: Tx, case_id: UUID, settings: DispatchSettings) -> Scene:
    """The scene with the region locked, so that what was checked still holds when it is planned."""
    region_code = await store_live.region_of_case(tx.conn, case_id)
    if region_code is None:
        raise command_checks.no_such("case", "案件", case_id)
    await store.lock_region(tx.conn, region_code)
    case = await store.case(tx.conn, case_id)
    return await scene_of(
        tx.conn, case_id, tx.now, settings, (case, await store.orders_locked(tx.conn, case_id))
    )


async def _confirm(tx: Tx, case: Case, wanted: Command, cause: str, settings: DispatchSettings) -> Command:
    await store_live.add_command(tx.conn, wanted)
    tx.audit(
        f"command.{wanted.kind}",
        subject=wanted.case_id,
        command_id=wanted.command_id,
        unit_id=wanted.unit_id,
        place_id=wanted.place_id,
    )
    await case_plan.plan_case(tx, case, "update", settings, cause=cause)
    return wanted


async def _try(conn: asyncpg.Connection, scene: Scene, at: datetime, worker: Worker | None) -> Trial:
    """Plan without telling anybody."""
    case, orders = scene.case, scene.orders
    assert case.alert is not None, "A scene has an alert."
    live = replace(scene.live, commands=scene.commands)
    county = with_places_by_hand(scene.county, live.commands)
    units = [unit for unit in scene.units if unit.busy_case_id in (None, case.case_id)]
    sightings = await store.sightings(conn, case.case_id)
    problem = question(county, case.alert, sightings, units, orders, at, live)
    gone = taken_back(orders, county, units, live)
    now = CaseNow(case, county, orders, tuple(sightings), problem, gone, at)
    plan = await _planned(now, scene.settings, worker)
    changes = case_plan.settle(plan, orders, "update", gone)
    has_order = {row.unit_id for row in changes.stays}
    return Trial(
        plan,
        tuple(row.order_id for row in (*changes.replaced, *changes.passed_on)),
        tuple(one.unit_id for one in plan.assignments if one.unit_id not in has_order),
    )


async def _planned(now: CaseNow, settings: DispatchSettings, worker: Worker | None) -> Plan:
    """The plan after its second look; where that fails, the first one, which has no probability."""
    if worker is not None:
        try:
            found = await worker.run(
                weigh, asked_of(now, settings), deadline_s=settings.second_look_s + SUMS_MORE_S
            )
            return found.plan
        except WorkerTrouble:
            pass
    return await asyncio.to_thread(case_plan.PLANNER, now.problem)


def _standing(commands: Iterable[Command], wanted: Command) -> Command | None:
    return next((one for one in commands if one.commands_the_same(wanted)), None)


def _without_pin(commands: Sequence[Command], unit_id: UUID | None) -> tuple[Command, ...]:
    return tuple(one for one in commands if not (one.kind == "pin" and one.unit_id == unit_id))
