"""The commander's hand over HTTP: see the price, then pin, forbid, place by hand, or take it back."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from dispatch import commanding, store, store_live
from dispatch.access import Operator, Reader, access_case
from dispatch.command_checks import Scene
from dispatch.commanding import Price, Trial
from dispatch.counties import county_of
from dispatch.domain.orders import OrderState
from dispatch.live import with_places_by_hand
from dispatch.models import County, OrderRow
from dispatch.models_live import (
    COMMANDS_ASKED_MAX,
    ChangedAnswer,
    Command,
    CommandAnswer,
    CommandsAnswer,
    PlanOutline,
    PutForbid,
    PutPin,
    UnmetPin,
    WhatIf,
    WhatIfAnswer,
)
from dispatch.plan_outline import outline_of
from dispatch.settings import dispatch_settings
from guitu.auth import Principal
from guitu.problem import refusals
from guitu.service import Runtime

_OVER = (OrderState.reassigned, OrderState.stood_down, OrderState.stand_down_acknowledged)


def commands_router(runtime: Runtime) -> APIRouter:
    """Routes under /cases/{case_id}; every command is planned with before it is answered."""
    router = APIRouter(tags=["commands"])

    @router.get("/cases/{case_id}/commands")
    async def commands(p: Reader, case_id: UUID) -> CommandsAnswer:
        """The commands that stand, and which order each pin has become."""
        await access_case(runtime, p, case_id)
        return CommandsAnswer(commands=await _standing(runtime, case_id))

    @router.post("/cases/{case_id}/what-if", responses=refusals(409))
    async def what_if(p: Operator, case_id: UUID, asked: WhatIf) -> WhatIfAnswer:
        """The price of commands, before they are given: the plan without and with them. Changes nothing."""
        await access_case(runtime, p, case_id)
        ids = [runtime.ids.new() for _ in range(2 * COMMANDS_ASKED_MAX)]
        async with runtime.read() as conn:
            found = await commanding.price(
                conn,
                case_id,
                asked,
                ids,
                runtime.clock.now(),
                dispatch_settings(runtime.settings),
                runtime.state.get("pricer"),
            )
        return price_answer(found)

    @router.post("/cases/{case_id}/pins", responses=refusals(409))
    async def pin(p: Operator, case_id: UUID, asked: PutPin) -> CommandAnswer:
        """Send a unit to a place, listed or set by hand; the same again changes nothing, another place replaces it."""
        await access_case(runtime, p, case_id)
        async with runtime.tx(actor=p.subject) as tx:
            command = await commanding.pin(tx, case_id, asked, dispatch_settings(runtime.settings))
        return await _one(runtime, command)

    @router.post("/cases/{case_id}/forbids", responses=refusals(409))
    async def forbid(p: Operator, case_id: UUID, asked: PutForbid) -> CommandAnswer:
        """Rule out a unit at a place, a place, or a unit for this case; the same again changes nothing."""
        await access_case(runtime, p, case_id)
        async with runtime.tx(actor=p.subject) as tx:
            command = await commanding.forbid(tx, case_id, asked, dispatch_settings(runtime.settings))
        return await _one(runtime, command)

    @router.delete("/cases/{case_id}/pins/{command_id}", responses=refusals(409))
    async def unpin(p: Operator, case_id: UUID, command_id: UUID) -> ChangedAnswer:
        """Take a pin back; its order ends if the plan has no other use for it, unless the unit has accepted."""
        return await _withdraw(runtime, p, case_id, "pin", command_id)

    @router.delete("/cases/{case_id}/forbids/{command_id}", responses=refusals(409))
    async def allow_again(p: Operator, case_id: UUID, command_id: UUID) -> ChangedAnswer:
        """What was ruled out may be used again."""
        return await _withdraw(runtime, p, case_id, "forbid", command_id)

    return router


async def _withdraw(
    runtime: Runtime, p: Principal, case_id: UUID, kind: str, command_id: UUID
) -> ChangedAnswer:
    await access_case(runtime, p, case_id)
    async with runtime.tx(actor=p.subject) as tx:
        changed = await commanding.withdraw(
            tx, case_id, kind, command_id, dispatch_settings(runtime.settings)
        )
    return ChangedAnswer(changed=changed, cases_replanned=int(changed))


async def _standing(runtime: Runtime, case_id: UUID) -> list[CommandAnswer]:
    async with runtime.read() as conn:
        found = await store_live.commands(conn, case_id)
        orders = await store.orders_of_case(conn, case_id)
        region = await store_live.region_of_case(conn, case_id)
        county = await county_of(conn, region) if region else None
    return [_command(one, found, orders, county) for one in found]


async def _one(runtime: Runtime, command: Command) -> CommandAnswer:
    standing = await _standing(runtime, command.case_id)
    found = next((one for one in standing if one.command_id == command.command_id), None)
    # Somebody else may have taken it back between the two transactions; it was given all the same.
    return found or _command(command, [command], [], None)


def _command(
    one: Command, standing: list[Command], orders: list[OrderRow], county: County | None
) -> CommandAnswer:
    places = with_places_by_hand(county, standing).places if county else ()
    place = next((place for place in places if place.place_id == one.place_id), None)
    open_there = [row for row in orders if row.place_id == one.place_id and row.state not in _OVER]
    # The pinned unit's own order before that of whoever stands in for it.
    open_there.sort(key=lambda row: (row.unit_id != one.unit_id, row.issued_at, row.order_id))
    order = open_there[0] if open_there and one.kind == "pin" else None
    return CommandAnswer(
        command_id=one.command_id,
        kind=one.kind,
        unit_id=one.unit_id,
        place_id=one.place_id,
        place_zh=place.name_zh if place else one.by_hand_name,
        place_en=place.name_en if place else one.by_hand_name,
        by_hand=one.by_hand_node is not None,
        note=one.note,
        set_by=one.set_by,
        set_at=one.set_at,
        order_id=order.order_id if order else None,
        order_unit_id=order.unit_id if order else None,
        order_state=order.state if order else None,
    )


def price_answer(found: Price) -> WhatIfAnswer:
    """The price as a commander reads it."""
    before, after = found.before.plan, found.after.plan
    was_open = {one.exit_id for one in before.open_exits}
    is_open = {one.exit_id for one in after.open_exits}
    change = None
    if before.value is not None and after.value is not None:
        change = after.value - before.value
    return WhatIfAnswer(
        before=_outline(found, found.before),
        after=_outline(found, found.after),
        opens=[one.exit_id for one in after.open_exits if one.exit_id not in was_open],
        closes=[one.exit_id for one in before.open_exits if one.exit_id not in is_open],
        intercepted_change=change,
        orders_ended=list(found.after.ended),
        units_newly_ordered=list(found.after.newly_ordered),
        pins_unmet=[UnmetPin(unit_id=unit_id, place_id=place_id) for unit_id, place_id in after.pins_unmet],
    )


def _outline(found: Price, trial: Trial) -> PlanOutline:
    scene: Scene = found.scene
    return outline_of(trial.plan, with_places_by_hand(scene.county, scene.commands), found.zero)
