"""The HTTP face of dispatch for staff: orders and plans here; roads, units, commands and neighbours each apart.

The units' own pages are in `pages`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from dispatch import store, store_network
from dispatch.access import Operator, Reader
from dispatch.command_checks import no_such
from dispatch.commands_api import commands_router
from dispatch.conditions_api import conditions_router
from dispatch.domain.orders import IllegalOrderMove, OrderState
from dispatch.handlers import move_order
from dispatch.models import (
    MoveOrder,
    OrderAnswer,
    OrdersAnswer,
    PlanAnswer,
    order_answer,
)
from dispatch.mutual_aid_api import mutual_aid_router
from dispatch.network_api import network_router
from dispatch.outlook_api import outlook_router
from dispatch.pages import pages_router
from dispatch.preview_api import preview_router
from dispatch.units_api import units_router
from dispatch.units_files_api import units_files_router
from guitu.problem import Problem, refusals
from guitu.service import Runtime


def routers(runtime: Runtime) -> Sequence[APIRouter]:
    """Every route of the service."""
    return (
        staff_router(runtime),
        units_router(runtime),
        units_files_router(runtime),
        conditions_router(runtime),
        commands_router(runtime),
        mutual_aid_router(runtime),
        outlook_router(runtime),
        preview_router(runtime),
        network_router(runtime),
        pages_router(runtime),
    )


def staff_router(runtime: Runtime) -> APIRouter:
    """Orders and plans, for the command centre."""
    router = APIRouter(tags=["dispatch"])

    @router.get("/orders")
    async def orders(
        p: Reader, case_id: UUID | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 200
    ) -> OrdersAnswer:
        """All orders of a case; without `case_id` those that somebody must still do something about."""
        async with runtime.read(region=p.region_code) as conn:
            rows = await (store.orders_of_case(conn, case_id) if case_id else store.orders_open(conn, limit))
        waiting = [row.order_id for row in rows if row.state == OrderState.stood_down]
        return OrdersAnswer(orders=[order_answer(row) for row in rows], stand_downs_unacknowledged=waiting)

    @router.post("/orders/{order_id}/moves", responses=refusals(409))
    async def moves(p: Operator, order_id: UUID, asked: MoveOrder) -> OrderAnswer:
        """Enter what a unit answered by radio; repeating it changes nothing."""
        try:
            async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
                row = await move_order(tx, order_id, asked.move)
        except IllegalOrderMove as refused:
            raise _illegal(refused) from None
        if row is None:
            raise no_such("order", "指令", order_id)
        return order_answer(row)

    @router.get("/plans", responses=refusals(404))
    async def plans(
        p: Reader, case_id: UUID, number: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None
    ) -> PlanAnswer:
        """The newest plan of a case, with the exits that are still open; with `number` an earlier one."""
        async with runtime.read(region=p.region_code) as conn:
            found = await store.newest_plan(conn, case_id, number)
            if found is None:
                raise no_such("plan of case", "该案件的方案", case_id)
            plan = found["published"]
            schematic = await store_network.is_schematic(conn, plan["region_code"], plan["network_version"])
        return PlanAnswer(
            made_at=found["made_at"], plan=plan, assignments=found["assignments"], schematic=schematic
        )

    return router


def _illegal(refused: IllegalOrderMove) -> Problem:
    zh = f"指令当前状态为 {refused.state.value},不能变为 {refused.target.value}。"
    return Problem(
        409, "order_move_refused", str(refused), zh, "Read the order again and send a move it allows."
    )
