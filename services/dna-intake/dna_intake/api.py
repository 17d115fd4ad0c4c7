"""The HTTP face of dna-intake: parse, check role, call the handler, answer."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from dna_intake import store
from dna_intake.access import Reader
from dna_intake.candidates_api import candidates_router
from dna_intake.domain.requests import sentence_en, sentence_zh
from dna_intake.gate_api import gate_router
from dna_intake.intake.api import intake_routers
from dna_intake.labels_api import labels_router
from dna_intake.models import CrossMatchAnswer, CrossMatchRow, RequestsAnswer
from dna_intake.refusals import not_found
from dna_intake.searches_api import searches_router
from dna_intake.shipments_api import shipments_router
from dna_intake.specimens_api import specimens_router
from dna_intake.webhooks_api import webhooks_router
from dna_intake.worklist_api import worklist_router
from guitu.service import Runtime


def routers(runtime: Runtime) -> list[APIRouter]:
    """Every route of the service."""
    return [
        requests_router(runtime),
        specimens_router(runtime),
        *intake_routers(runtime),
        searches_router(runtime),
        candidates_router(runtime),
        worklist_router(runtime),
        labels_router(runtime),
        shipments_router(runtime),
        gate_router(runtime),
        webhooks_router(runtime),
    ]


def requests_router(runtime: Runtime) -> APIRouter:
    """What a case waits for."""
    router = APIRouter(tags=["requests"])

    @router.get("/requests")
    async def requests(
        p: Reader, case_id: UUID | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 200
    ) -> RequestsAnswer:
        """The requests of one case; without `case_id` the open sample requests, the most urgent first."""
        async with runtime.read(region=p.region_code) as conn:
            if case_id is not None:
                samples = await store.sample_requests_of(conn, case_id)
            else:
                samples = await store.open_sample_requests(conn, limit)
            found = await store.cross_matches_of(conn, [case_id] if case_id else [s.case_id for s in samples])
        return RequestsAnswer(sample_requests=samples, cross_match_requests=[in_words(row) for row in found])

    @router.get("/cross-match-requests/{request_id}")
    async def cross_match(p: Reader, request_id: UUID) -> CrossMatchAnswer:
        """What a comparison waits for, honestly, in both languages."""
        async with runtime.read(region=p.region_code) as conn:
            row = await store.cross_match(conn, request_id)
        if row is None:
            raise not_found("cross-matching request", "比对请求")
        return in_words(row)

    return router


def in_words(row: CrossMatchRow) -> CrossMatchAnswer:
    """The row, with sentences for people."""
    return CrossMatchAnswer(
        **row.model_dump(),
        says_en=sentence_en(row.waits_for, row.state),
        says_zh=sentence_zh(row.waits_for, row.state),
    )
