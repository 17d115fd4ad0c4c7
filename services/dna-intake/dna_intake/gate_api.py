"""The routes of the registration gate: ask, look, close."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Header, Query, Request, Response

from dna_intake import gate, store_gate
from dna_intake.access import GateReader, Office
from dna_intake.domain.gate import SAYS_EN, SAYS_ZH, Finding, GateDecision
from dna_intake.gate import Told
from dna_intake.models_gate import (
    AskGate,
    CloseGate,
    DecisionRow,
    GateAnswer,
    GateDecisionAnswer,
    GateHistory,
    GateList,
    GatePanel,
    GateRow,
)
from dna_intake.refusals import not_found
from dna_intake.settings import DnaSettings, dna_settings
from guitu import idempotency
from guitu.problem import refusals
from guitu.service import Runtime
from guitu.tx import Tx

DECISIONS_MAX = 200
"""Of a request, as they are shown: the newest."""
Reference = Annotated[str | None, Query(max_length=40, pattern=r"^[A-Za-z0-9/_-]*$")]


def gate_router(runtime: Runtime) -> APIRouter:
    """May this child be registered?"""
    router = APIRouter(tags=["gate"])
    settings = dna_settings(runtime.settings)
    _add_reading(router, runtime, settings)

    @router.post(
        "/gate-requests",
        status_code=201,
        responses=refusals(404, 409) | {200: {"model": GateAnswer, "description": "It was asked before."}},
    )
    async def ask(
        p: Office,
        request: Request,
        response: Response,
        asked: AskGate,
        idempotency_key: Annotated[str | None, Header(max_length=255)] = None,
    ) -> GateAnswer:
        """Ask for a child; the same reference for the same specimen is the same request, answered as it stands now."""
        body = await request.body()
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            told = await _asked_with_key(tx, p.subject, idempotency_key, body, settings)
            if told is None:
                told = await gate.ask(tx, asked, settings)
                if idempotency_key:
                    # The id and not the answer: repeated later, a clear might not be true any more.
                    kept = idempotency.StoredAnswer(201, {"request_id": str(told.row.id)})
                    await idempotency.remember(tx, p.subject, idempotency_key, kept)
            if not told.created:
                response.status_code = 200
            return answer(told, runtime)

    @router.post("/gate-requests/{request_id}/close", responses=refusals(409))
    async def close(p: Office, request_id: UUID, wanted: CloseGate) -> GateAnswer:
        """Say what became of it; `registered` is taken only while the gate says clear. Repeated, it changes nothing."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            return answer(await gate.close(tx, request_id, wanted, settings), runtime)

    return router


async def _asked_with_key(
    tx: Tx, subject: str, key: str | None, body: bytes, settings: DnaSettings
) -> Told | None:
    stored = await idempotency.once(tx, subject, key, body) if key else None
    if stored is None:
        return None
    row = await store_gate.request(tx.conn, UUID(stored.body["request_id"]))
    if row is None:
        raise not_found("gate request", "落户核查请求")
    return await gate.tell(tx, row, settings)


def _add_reading(router: APIRouter, runtime: Runtime, settings: DnaSettings) -> None:
    @router.get("/gate-requests")
    async def listed(
        p: GateReader,
        specimen_id: UUID | None = None,
        office_reference: Reference = None,
        decision: GateDecision | None = None,
        is_open: bool | None = None,
        overdue: bool = False,
        before: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
    ) -> GateList:
        """Requests, the newest first, each as it stands now; a page with fewer than `limit` may have a next one."""
        async with runtime.read(region=p.region_code) as conn:
            rows = await store_gate.listed(
                conn,
                runtime.clock.now(),
                limit,
                before=before,
                specimen_id=specimen_id,
                office_reference=office_reference,
                decision=decision,
                is_open=is_open,
                overdue=overdue,
            )
            told = [Told(row, await _now(conn, row, settings, runtime)) for row in rows]
        answers = [answer(one, runtime) for one in told if decision in (None, one.finding.decision)]
        return GateList(gate_requests=answers, next=rows[-1].id if len(rows) == limit else None)

    @router.get("/gate-requests/{request_id}")
    async def one(p: GateReader, request_id: UUID) -> GateHistory:
        """What the gate says now, and every decision before; ask this right before a child is registered."""
        async with runtime.read(region=p.region_code) as conn:
            row = await store_gate.request(conn, request_id)
            if row is None:
                raise not_found("gate request", "落户核查请求")
            finding = await gate.standing_of(conn, row, settings, runtime)
            history = await store_gate.decisions(conn, request_id, DECISIONS_MAX)
        now = answer(Told(row, finding), runtime)
        return GateHistory(**now.model_dump(), decisions=[_in_words(one) for one in history])


async def _now(conn: asyncpg.Connection, row: GateRow, settings: DnaSettings, runtime: Runtime) -> Finding:
    """As it stands now. A hold or a block needs no second look in a list: the sweep keeps it within seconds."""
    if row.decision != "clear":
        return row.standing
    return await gate.standing_of(conn, row, settings, runtime)


def answer(told: Told, runtime: Runtime) -> GateAnswer:
    """A request with what may be told of it, in words."""
    row, found = told.row, told.finding
    kept: dict[str, Any] = row.model_dump(include=set(_KEPT))
    overdue = row.closed_at is None and found.deadline is not None and found.deadline < runtime.clock.now()
    return GateAnswer(
        **kept,
        request_id=row.id,
        decision=found.decision,
        reason=found.reason,
        reason_en=SAYS_EN[found.reason],
        reason_zh=SAYS_ZH[found.reason],
        deadline=found.deadline,
        overdue=overdue,
        valid_until=found.valid_until,
        index_generation=found.generation,
        recorded=found == row.standing,
    )


_KEPT = (
    "specimen_id",
    "office_reference",
    "region_code",
    "exercise",
    "kind",
    "subscription_id",
    "asked_at",
    "decided_at",
    "closed_at",
    "outcome",
)


def _in_words(row: DecisionRow) -> GateDecisionAnswer:
    panel = (
        GatePanel(kit=row.kit, loci_typed=row.loci_typed) if row.kit and row.loci_typed is not None else None
    )
    return GateDecisionAnswer(
        **row.model_dump(
            include={"seq", "decision", "reason", "deadline", "valid_until", "searched_through"}
        ),
        reason_en=SAYS_EN[row.reason],
        reason_zh=SAYS_ZH[row.reason],
        index_generation=row.generation,
        panel=panel,
        table_sha256=row.table_sha256,
        decided_at=row.decided_at,
    )
