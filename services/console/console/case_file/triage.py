"""Sightings of all open cases, the newest first, for whoever judges them; by keyboard, or by three buttons."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse

from console.case_file.acts import DONE
from console.case_file.offering import for_forms
from console.door.sessions import Visitor, visitor
from console.rendering import HEADERS, page
from guitu.service import Runtime

Desk = Annotated[Visitor, Depends(visitor("operator", "case_leader"))]
Show = Literal["waiting", "all"]
LISTED_MAX = 200


def sightings_router(runtime: Runtime) -> APIRouter:
    """GET /sightings, and how many are new."""
    router = APIRouter(include_in_schema=False)

    async def listed(who: Visitor, show: Show) -> list[dict[str, Any]]:
        asked = {"open": "true", "unjudged": "true" if show == "waiting" else "false", "limit": LISTED_MAX}
        found: list[dict[str, Any]] = await runtime.state["upstream"].get(
            who, "alerts", "/sightings", **asked
        )
        return found

    @router.get("/sightings")
    async def triage(
        request: Request, who: Desk, show: Show = "waiting", done: Annotated[str, Query(max_length=40)] = ""
    ) -> Response:
        """What waits for a judgement, or everything."""
        rows = await listed(who, show)
        return page(
            request,
            "sightings/triage.html",
            who,
            rows=rows,
            show=show,
            done=DONE.get(done, ""),
            to=f"/sightings?show={show}",
            full=len(rows) == LISTED_MAX,
            **for_forms(who),
        )

    @router.get("/sightings/newest")
    async def newest(who: Desk) -> Response:
        """Which sightings wait, for the page to say how many are not on it yet; nothing moves by itself."""
        rows = await listed(who, "waiting")
        return JSONResponse({"waiting": [row["sighting_id"] for row in rows]}, headers=HEADERS)

    return router
