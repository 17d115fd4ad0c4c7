"""The list of cases: what is open, worst first; what is over, newest first; a case by its code."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse

from console.board import store_board
from console.cases import store_cases
from console.cases.lines import CaseLine, case_line
from console.cases.words import OUTCOMES, SEXES, TIERS
from console.door.sessions import Visitor, visitor
from console.live.age import age_of
from console.live.snapshots import snapshot
from console.rendering import HEADERS, page
from guitu.service import Runtime

OPEN_MAX = 200
ENDED_SHOWN = 50
FOUND_MAX = 50
Watcher = Annotated[Visitor, Depends(visitor("operator", "case_leader", "auditor"))]
NAMES: dict[str, Any] = {"outcomes": OUTCOMES, "tiers": TIERS, "sexes": SEXES}


def cases_router(runtime: Runtime) -> APIRouter:
    """GET /cases."""
    router = APIRouter(include_in_schema=False)

    @router.get("/cases")
    async def cases(
        request: Request,
        who: Watcher,
        code: Annotated[str, Query(max_length=20)] = "",
        before: datetime | None = None,
    ) -> Response:
        """All cases of the region; `code` finds one, `before` turns the page of those that are over."""
        async with snapshot(runtime, who.principal.region_code) as conn:
            seq, as_of = await store_board.position(conn)
            wanted = code.strip()
            found = await store_cases.found_by_code(conn, wanted, FOUND_MAX) if wanted else []
            open_rows = await store_cases.open_cases(conn, OPEN_MAX)
            ended_rows = await store_cases.ended_cases(conn, ENDED_SHOWN + 1, before)
        if len(found) == 1:
            return RedirectResponse(f"/cases/{UUID(str(found[0]['case_id']))}", 303, HEADERS)
        return page(
            request,
            "cases/list.html",
            who,
            seq=seq,
            as_of=as_of,
            code=wanted,
            found=[case_line(row) for row in found],
            open_lines=worst_first([case_line(row) for row in open_rows]),
            ended_lines=[case_line(row) for row in ended_rows[:ENDED_SHOWN]],
            older=ended_rows[ENDED_SHOWN - 1]["raised_at"] if len(ended_rows) > ENDED_SHOWN else None,
            before=before,
            age=await age_of(runtime),
            **NAMES,
        )

    return router


def worst_first(lines: list[CaseLine]) -> list[CaseLine]:
    """What wants to be looked at most, and of two alike the newer one."""
    return sorted(lines, key=lambda line: (-line.badness, -line.case.raised_at.timestamp()))
