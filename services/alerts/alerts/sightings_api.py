"""HTTP of sightings: the operator's own, and the judgement of any."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Request

from alerts import sightings
from alerts.access import Commander, access_case_to_change
from alerts.models import AssessmentIn, AssessmentOut, SightingIn, SightingOut
from alerts.settings import AlertSettings
from guitu import idempotency
from guitu.idempotency import StoredAnswer
from guitu.problem import refusals
from guitu.service import Runtime

Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]


def sightings_router(runtime: Runtime, settings: AlertSettings) -> APIRouter:
    """What somebody saw, and what a person thinks of it."""
    router = APIRouter(tags=["sightings"], responses=refusals(409))

    @router.post("/cases/{case_id}/sightings", status_code=201, response_model=SightingOut)
    async def report(p: Commander, case_id: UUID, said: SightingIn, request: Request, key: Key = None) -> Any:
        """Keep a sighting told to the command centre; an Idempotency-Key makes a retry harmless."""
        raw = case_id.bytes + await request.body()
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            stored = await idempotency.once(tx, p.subject, key, raw) if key else None
            if stored is not None:
                return stored.body
            case = await access_case_to_change(tx.conn, p, case_id)
            answer = SightingOut(
                case_id=case_id, sighting_id=await sightings.report(tx, case, said, settings)
            )
            if key:
                body = answer.model_dump(mode="json")
                await idempotency.remember(tx, p.subject, key, StoredAnswer(201, body))
        return answer

    @router.post("/cases/{case_id}/sightings/{sighting_id}/assessment")
    async def assess(p: Commander, case_id: UUID, sighting_id: UUID, said: AssessmentIn) -> AssessmentOut:
        """Judge a sighting: credible, uncertain or refuted; a refuted one no longer moves the plan."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            case = await access_case_to_change(tx.conn, p, case_id)
            await sightings.assess(tx, case, sighting_id, said, settings)
        return AssessmentOut(case_id=case_id, sighting_id=sighting_id, verdict=said.verdict)

    return router
