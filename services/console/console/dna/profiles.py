"""Profiles in: a file of readings with every row that must be mended, and held profiles for a second person."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from console.dna.terms import TERMS
from console.door.sessions import Visitor, visitor
from console.rendering import page
from console.typed import NOTHING, Typed, file_of, no_file, see, typed, upstream_of
from guitu.problem import Problem

Laboratory = Annotated[Visitor, Depends(visitor("laboratory"))]


def profiles_router() -> APIRouter:
    """/dna/profiles."""
    router = APIRouter(include_in_schema=False)

    @router.get("/dna/profiles")
    async def profiles(request: Request, who: Laboratory, done: str = "") -> Response:
        """Take a file; what is held."""
        return await _page(request, who, done=done)

    @router.post("/dna/profiles/import")
    async def take(request: Request, who: Laboratory) -> Response:
        """Rehearse the file, or take every profile of it as this person's reading, or nothing of it."""
        sent, file = await typed(request), await file_of(request, "file")
        try:
            if file is None:
                raise no_file()
            answer = await upstream_of(request).ask(
                who,
                "dna-intake",
                "POST",
                "/profile-imports",
                query={"kit": sent("kit") or None, "dry_run": str(sent("act") != "take").lower()},
                files={"file": file},
                key=sent("key") or None,
            )
        except Problem as refused:
            return await _page(request, who, sent=sent, refused=refused)
        return await _page(request, who, imported=answer.json(), sent=sent)

    @router.post("/dna/holds/{hold_id}/{ending}")
    async def end(request: Request, who: Laboratory, hold_id: UUID, ending: str) -> Response:
        """Let a held profile in, or void it, with the reason; not by one of its readers."""
        sent = await typed(request)
        ended = "release" if ending == "release" else "void"
        path, body = f"/profile-holds/{hold_id}/{ended}", {"because": sent("because")}
        try:
            await upstream_of(request).send(who, "dna-intake", "POST", path, body)
        except Problem as refused:
            return await _page(request, who, sent=sent, refused=refused, hold=hold_id)
        return see("/dna/profiles", done=ended)

    return router


async def _page(
    request: Request,
    who: Visitor,
    *,
    done: str = "",
    sent: Typed = NOTHING,
    refused: Problem | None = None,
    imported: dict[str, Any] | None = None,
    hold: UUID | None = None,
) -> Response:
    upstream = upstream_of(request)
    holds = await upstream.get(who, "dna-intake", "/profile-holds")
    kits = await upstream.get(who, "dna-intake", "/kits")
    return page(
        request,
        "dna/profiles.html",
        who,
        status=refused.status if refused else 200,
        holds=holds["holds"],
        kits=[kit["name"] for kit in kits["kits"]],
        imported=imported,
        done=done,
        typed=sent,
        refused=refused,
        refused_hold=str(hold) if hold else "",
        terms=TERMS,
    )
