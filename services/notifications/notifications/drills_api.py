"""HTTP of drills: start one, and see how the last ones went."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from guitu.problem import refusals
from guitu.service import Runtime
from notifications import store_drills
from notifications.access import Acting, Staff
from notifications.drills import start_drill

LISTED_MAX = 1_000


def drills_router(runtime: Runtime) -> APIRouter:
    """POST /sites/{site_id}/drill, GET /drills."""
    router = APIRouter(tags=["drills"])

    @router.post("/sites/{site_id}/drill", status_code=202, responses=refusals(404, 409))
    async def drill(site_id: UUID, principal: Acting) -> dict[str, Any]:
        """Send one SMS, marked as an exercise, to the site's contact on duty."""
        async with runtime.tx(actor=principal.subject, region=principal.region_code) as tx:
            return await start_drill(tx, principal, site_id)

    @router.get("/drills")
    async def drills(
        principal: Staff, limit: Annotated[int, Query(ge=1, le=LISTED_MAX)] = 100
    ) -> dict[str, Any]:
        """The last drills: when it was sent and delivered, and after how many seconds it was answered."""
        async with runtime.read(region=principal.region_code) as conn:
            return {"drills": [dict(row) for row in await store_drills.drills(conn, limit)]}

    return router
