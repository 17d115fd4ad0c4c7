"""Searches: by hand with a purpose, and what the service searched by itself; the comparison of all with all."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from console.dna.terms import TERMS
from console.door.sessions import Visitor, visitor
from console.rendering import page
from console.typed import NOTHING, Typed, may, see, typed, upstream_of
from guitu.problem import Problem

Laboratory = Annotated[Visitor, Depends(visitor("laboratory"))]
LeadReader = Annotated[Visitor, Depends(visitor("laboratory", "auditor"))]


def searches_router() -> APIRouter:
    """/dna/searches."""
    router = APIRouter(include_in_schema=False)

    @router.get("/dna/searches")
    async def searches(request: Request, who: LeadReader, barcode: str = "", done: str = "") -> Response:
        """The newest searches and comparisons."""
        return await _page(request, who, Typed({"barcode": [barcode[:40]]}), done=done)

    @router.post("/dna/searches")
    async def ask(request: Request, who: Laboratory) -> Response:
        """Search for the specimen under a label again, and say why."""
        sent = await typed(request)
        upstream = upstream_of(request)
        try:
            found = await upstream.get(who, "dna-intake", "/specimens", barcode=sent("barcode"))
            if not found["specimens"]:
                raise _unknown()
            body = {"specimen_id": found["specimens"][0]["id"], "purpose": sent("purpose")}
            made = await upstream.send(who, "dna-intake", "POST", "/searches", body)
        except Problem as refused:
            return await _page(request, who, sent, refused)
        return see(f"/dna/searches/{made['id']}")

    @router.post("/dna/all-against-all")
    async def start(request: Request, who: Laboratory) -> Response:
        """Compare all with all now, without waiting for the night."""
        sent = await typed(request)
        body = {"purpose": sent("all_purpose")}
        try:
            await upstream_of(request).send(who, "dna-intake", "POST", "/all-against-all", body)
        except Problem as refused:
            return await _page(request, who, sent, refused)
        return see("/dna/searches", done="started")

    @router.get("/dna/searches/{search_id}")
    async def search(request: Request, who: LeadReader, search_id: UUID) -> Response:
        """How far a search is, who asked and why, and the leads of its specimen."""
        upstream = upstream_of(request)
        found = await upstream.get(who, "dna-intake", f"/searches/{search_id}")
        leads = await upstream.get(who, "dna-intake", f"/searches/{search_id}/candidates")
        return page(request, "dna/search.html", who, search=found, **leads, terms=TERMS)

    return router


def _unknown() -> Problem:
    return Problem(
        404,
        "label_unknown",
        "No specimen of your region has this label.",
        "本辖区没有该条码的检材。",
        "Scan the label again.",
    )


async def _page(
    request: Request, who: Visitor, sent: Typed = NOTHING, refused: Problem | None = None, done: str = ""
) -> Response:
    upstream = upstream_of(request)
    found = await upstream.get(who, "dna-intake", "/searches", limit=50)
    runs = await upstream.get(who, "dna-intake", "/all-against-all")
    return page(
        request,
        "dna/searches.html",
        who,
        status=refused.status if refused else 200,
        searches=found["searches"],
        runs=runs["runs"][:7],
        typed=sent,
        refused=refused,
        done=done,
        terms=TERMS,
        in_laboratory=may(who, "laboratory"),
    )
