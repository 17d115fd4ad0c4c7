"""Requests to neighbouring counties: asked where no own unit closes an exit in time, and withdrawn when it is over.

A request is no order: the neighbour decides. Once they say from when they man the exit, it counts as closed from then.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, cast
from uuid import UUID

from contracts.base import CaseId, MutualAidId, Position
from contracts.order import MutualAidRequested, MutualAidWithdrawn, OpenExit, PlanPublished
from dispatch import store_live
from dispatch.domain.problem import Exit, Plan
from dispatch.models import Case, County
from dispatch.models_live import AidRow, AnswerAid
from guitu.tx import Tx

WithdrawnReason = Literal["exit_closed", "found", "false_alarm", "merged", "exercise_over"]


async def ask_neighbours(
    tx: Tx, case: Case, county: County, plan: Plan, published: PlanPublished, child_summary: str
) -> None:
    """Ask about each open exit that leads to a neighbour, once; withdraw what the plan no longer needs.

    Idempotent by (case, neighbour, exit): a later plan with the same open exit asks nothing again, and neither does
    one after a refusal. An exit that only the neighbour closes still needs them.
    """
    asked = await store_live.aid_of_case(tx.conn, case.case_id)
    open_exits = {one.exit_id: one for one in published.open_exits}
    needed = {*open_exits, *plan.aided_exits}
    for row in asked:
        if row.exit_id not in needed:
            await _withdraw(tx, row, "exit_closed")
    known = {(row.neighbour, row.exit_id) for row in asked}
    for way_out in county.exits:
        is_open = open_exits.get(way_out.exit_id)
        if is_open and way_out.neighbour and (way_out.neighbour, way_out.exit_id) not in known:
            await _ask(tx, case, county, way_out, is_open, published, child_summary)


async def release_neighbours(tx: Tx, case_id: UUID, outcome: str) -> None:
    """The case is over: tell every neighbour who was asked."""
    for row in await store_live.aid_of_case(tx.conn, case_id):
        await _withdraw(tx, row, cast(WithdrawnReason, outcome))


def answered(row: AidRow, said: AnswerAid, by: str, tx: Tx) -> AidRow:
    """The request with its answer; the very same object if that was the answer already."""
    state: Literal["accepted", "refused"] = said.answer
    if (row.state, row.manned_from, row.note) == (state, said.manned_from, said.note):
        return row
    return replace(
        row, state=state, manned_from=said.manned_from, note=said.note, answered_by=by, answered_at=tx.now
    )


async def _ask(
    tx: Tx,
    case: Case,
    county: County,
    way_out: Exit,
    is_open: OpenExit,
    published: PlanPublished,
    child_summary: str,
) -> None:
    earliest_at = is_open.earliest_arrival_at
    assert earliest_at is not None, "An exit that nobody reaches is not open."
    row = AidRow(
        request_id=tx.ids.new(),
        case_id=case.case_id,
        region_code=case.region_code,
        exercise=case.exercise,
        case_code=case.case_code,
        neighbour=way_out.neighbour,
        exit_id=way_out.exit_id,
        exit_name_zh=way_out.name_zh,
        exit_name_en=way_out.name_en,
        earliest_arrival_at=earliest_at,
        asked_at=tx.now,
        state="requested",
    )
    nodes = county.network.nodes
    await store_live.add_aid(tx.conn, row)
    tx.publish(
        MutualAidRequested(
            region_code=row.region_code,
            exercise=row.exercise,
            occurred_at=tx.now,
            case_id=case.case_id,
            request_id=MutualAidId(row.request_id),
            neighbour=row.neighbour,
            exit_id=row.exit_id,
            plan_id=published.plan_id,
            case_code=row.case_code,
            exit_name_zh=row.exit_name_zh,
            exit_name_en=row.exit_name_en,
            position=Position(lon=float(nodes.lon[way_out.node]), lat=float(nodes.lat[way_out.node])),
            earliest_arrival_at=earliest_at,
            reason=is_open.reason,
            child_summary=child_summary,
        )
    )
    tx.audit("mutual_aid.requested", subject=row.request_id, neighbour=row.neighbour)


async def _withdraw(tx: Tx, row: AidRow, reason: WithdrawnReason) -> None:
    await store_live.save_aid(
        tx.conn, replace(row, state="withdrawn", withdrawn_at=tx.now, withdrawn_reason=reason)
    )
    tx.publish(
        MutualAidWithdrawn(
            region_code=row.region_code,
            exercise=row.exercise,
            occurred_at=tx.now,
            case_id=CaseId(row.case_id),
            request_id=MutualAidId(row.request_id),
            neighbour=row.neighbour,
            exit_id=row.exit_id,
            case_code=row.case_code,
            reason=reason,
        )
    )
    tx.audit("mutual_aid.withdrawn", subject=row.request_id, reason=reason)
