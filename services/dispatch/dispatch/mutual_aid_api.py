"""Requests to neighbouring counties over HTTP: which there are, and what the neighbour answered."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from dispatch import store, store_live
from dispatch.access import Operator, Reader
from dispatch.case_plan import plan_case
from dispatch.command_checks import no_such
from dispatch.models_live import AidAnswer, AidListAnswer, AidRow, AnswerAid
from dispatch.mutual_aid import answered
from dispatch.settings import DispatchSettings, dispatch_settings
from guitu.auth import Principal
from guitu.problem import Problem, refusals
from guitu.service import Runtime
from guitu.tx import Tx


def mutual_aid_router(runtime: Runtime) -> APIRouter:
    """Routes under /mutual-aid."""
    router = APIRouter(tags=["mutual aid"])

    @router.get("/mutual-aid")
    async def requests(
        p: Reader, case_id: UUID | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 200
    ) -> AidListAnswer:
        """All requests of a case; without `case_id` those of every case that are not withdrawn."""
        async with runtime.read(region=p.region_code) as conn:
            rows = await store_live.aid_list(conn, case_id, limit)
        return AidListAnswer(requests=[_answer(row) for row in rows])

    @router.post("/mutual-aid/{request_id}/answer", responses=refusals(409))
    async def answer(p: Operator, request_id: UUID, said: AnswerAid) -> AidAnswer:
        """What the neighbour answered. Accepted: the exit counts as closed from `manned_from`, planned with at once."""
        settings = dispatch_settings(runtime.settings)
        region = await _region(runtime, p, request_id)
        async with runtime.tx(actor=p.subject) as tx:
            row = await _record(tx, region, request_id, said, settings)
        return _answer(row)

    return router


async def _region(runtime: Runtime, p: Principal, request_id: UUID) -> str:
    async with runtime.read(region=p.region_code) as conn:
        region = await store_live.region_of_aid(conn, request_id)
    if region is None:
        raise no_such("request", "协助请求", request_id)
    return region


async def _record(
    tx: Tx, region_code: str, request_id: UUID, said: AnswerAid, settings: DispatchSettings
) -> AidRow:
    await store.lock_region(tx.conn, region_code)
    row = await store_live.aid_locked(tx.conn, request_id)
    if row is None:
        raise no_such("request", "协助请求", request_id)
    if row.state == "withdrawn":
        raise Problem(
            409,
            "request_withdrawn",
            f"The request was withdrawn ({row.withdrawn_reason}); nobody needs to man that exit any more.",
            "该协助请求已撤回。",
            "Tell the neighbour that their units may leave.",
        )
    now_said = answered(row, said, tx.actor, tx)
    if now_said is row:
        return row
    await store_live.save_aid(tx.conn, now_said)
    tx.audit("mutual_aid.answered", subject=request_id, answer=said.answer, manned_from=said.manned_from)
    if now_said.manned_from != row.manned_from:
        case = await store.case(tx.conn, row.case_id)
        if case is not None and case.alert is not None and case.stood_down_as is None:
            words = ("守控", "mans") if said.answer == "accepted" else ("不守控", "does not man")
            cause = (
                f"{row.neighbour}{words[0]}{row.exit_name_zh}。{row.neighbour} {words[1]} "
                f"{row.exit_name_en or row.exit_name_zh}."
            )
            await plan_case(tx, case, "update", settings, cause=cause)
    # The new plan may itself have found that the exit needs nobody any more.
    return await store_live.aid_locked(tx.conn, request_id) or now_said


def _answer(row: AidRow) -> AidAnswer:
    return AidAnswer(**{name: value for name, value in asdict(row).items() if name in AidAnswer.model_fields})
