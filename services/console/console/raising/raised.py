"""After an alert was raised: what goes on now, who may be the same child, and 30 s to take it back."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from console.door.sessions import Visitor, visitor
from console.raising import raising
from console.rendering import HEADERS, page
from guitu.service import Runtime

Desk = Annotated[Visitor, Depends(visitor("operator", "case_leader"))]


def raised_router(runtime: Runtime) -> APIRouter:
    """`/alerts/raised/{case_id}` and the way back."""
    router = APIRouter(include_in_schema=False)

    @router.get("/alerts/raised/{case_id}")
    async def raised(request: Request, who: Desk, case_id: UUID) -> Response:
        """It is raised, or taken back."""
        case = await runtime.state["upstream"].get(who, "alerts", f"/cases/{case_id}")
        left_s = raising.seconds_left(case, runtime.clock.now())
        return page(request, "raise/raised.html", who, case=case, left_s=left_s, exercise=case["exercise"])

    @router.post("/alerts/raised/{case_id}/undo")
    async def undo(who: Desk, case_id: UUID) -> Response:
        """Take it back: everybody who was told is told that it was a false alarm."""
        await raising.take_back(runtime.state["upstream"], who, case_id, runtime.clock.now())
        return RedirectResponse(f"/alerts/raised/{case_id}", 303, HEADERS)

    return router
