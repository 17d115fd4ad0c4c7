"""The case file's page: everything about a case in one place, and the identity only after a stated purpose."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from console.case_file import forms
from console.case_file.acts import DONE
from console.case_file.near import places_of_case
from console.case_file.offering import for_forms
from console.door.sessions import Visitor, visitor
from console.rendering import HEADERS, page
from console.upstream import Upstream
from guitu.problem import Problem
from guitu.service import Runtime

Reader = Annotated[Visitor, Depends(visitor("operator", "case_leader", "auditor"))]
Desk = Annotated[Visitor, Depends(visitor("operator", "case_leader"))]
SHOWN_FOR_S = 60
"""A name on an unattended screen is read by whoever passes."""
OTHERS_MAX = 100


def case_file_page_router(runtime: Runtime) -> APIRouter:
    """Read the file; see the identity; fetch the poster."""
    router = APIRouter(include_in_schema=False)
    upstream = _later(runtime)

    @router.get("/cases/{case_id}/file")
    async def show(
        request: Request, who: Reader, case_id: UUID, done: Annotated[str, Query(max_length=40)] = ""
    ) -> Response:
        """The whole file, without the identity."""
        return await _page(request, upstream(), who, case_id, done)

    @router.post("/cases/{case_id}/identity")
    async def reveal(request: Request, who: Desk, case_id: UUID) -> Response:
        """The file with names and phones for a minute; the purpose goes into the audit log."""
        purpose = forms.text(dict(await request.form()), "purpose")
        try:
            known = await upstream().get(who, "alerts", f"/cases/{case_id}/identity", purpose=purpose)
        except Problem as refused:
            return await _page(request, upstream(), who, case_id, refused=refused, status=refused.status)
        shown = await _page(request, upstream(), who, case_id, identity=known)
        shown.headers["Refresh"] = f"{SHOWN_FOR_S}; url=/cases/{case_id}/file"
        return shown

    @router.get("/cases/{case_id}/poster.pdf")
    async def poster(who: Reader, case_id: UUID) -> Response:
        """The poster as alerts draws it."""
        return await _file(upstream(), who, case_id, "poster.pdf", "application/pdf")

    @router.get("/cases/{case_id}/share.jpg")
    async def share(who: Reader, case_id: UUID) -> Response:
        """The picture to share as alerts draws it."""
        return await _file(upstream(), who, case_id, "share.jpg", "image/jpeg")

    return router


def _later(runtime: Runtime) -> Any:
    def upstream() -> Upstream:
        found: Upstream = runtime.state["upstream"]
        return found

    return upstream


async def _file(upstream: Upstream, who: Visitor, case_id: UUID, name: str, kind: str) -> Response:
    answer = await upstream.ask(who, "alerts", "GET", f"/cases/{case_id}/{name}")
    saved = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(answer.content, media_type=kind, headers=HEADERS | saved)


async def _page(
    request: Request,
    upstream: Upstream,
    who: Visitor,
    case_id: UUID,
    done: str = "",
    *,
    status: int = 200,
    **more: Any,
) -> Response:
    case, file, others = await asyncio.gather(
        upstream.get(who, "alerts", f"/cases/{case_id}"),
        upstream.get(who, "alerts", f"/cases/{case_id}/file"),
        upstream.get(who, "alerts", "/cases", open="true", limit=OTHERS_MAX),
    )
    may_act = who.principal.role != "auditor"
    return page(
        request,
        "case_file/file.html",
        who,
        status=status,
        case=case,
        file=file,
        others=_others(case, others),
        near=await places_of_case(upstream, who, case) if may_act else [],
        may_act=may_act,
        leads=who.principal.role in ("case_leader", "admin"),
        is_open=case["state"] == "open",
        done=DONE.get(done, ""),
        exercise=case["exercise"],
        to=f"/cases/{case_id}/file",
        path=f"/cases/{case_id}/file",
        typed={},
        shown_for_s=SHOWN_FOR_S,
        **({"identity": None, "refused": None} | more),
        **for_forms(who),
    )


def _others(case: dict[str, Any], found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cases that this one could go on as: those that look alike first, then every other open one of its kind."""
    likely = case["possible_duplicates"]
    known = {each["case_id"] for each in likely} | {case["case_id"]}
    rest = [e for e in found if e["case_id"] not in known and e["exercise"] == case["exercise"]]
    return [*likely, *rest]
