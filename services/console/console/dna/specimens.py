"""One specimen: where it is, where it may go, its chain of custody, its label."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from console.dna.terms import TERMS, TUBE
from console.door.sessions import Visitor, visitor
from console.files import pdf_of
from console.rendering import page
from console.typed import NOTHING, Typed, may, see, typed, upstream_of
from guitu.problem import Problem

Reader = Annotated[Visitor, Depends(visitor("laboratory", "registry", "operator", "case_leader", "auditor"))]
Registrar = Annotated[Visitor, Depends(visitor("laboratory", "registry", "operator"))]
Laboratory = Annotated[Visitor, Depends(visitor("laboratory"))]
CustodyReader = Annotated[Visitor, Depends(visitor("laboratory", "case_leader", "auditor"))]


def specimens_router() -> APIRouter:
    """/dna/specimens/{id}."""
    router = APIRouter(include_in_schema=False)

    @router.get("/dna/specimens/{specimen_id}")
    async def specimen(request: Request, who: Reader, specimen_id: UUID, done: str = "") -> Response:
        """Where it is, what is next, and every step so far."""
        return await _page(request, who, specimen_id, done=done)

    @router.post("/dna/specimens/{specimen_id}/moves")
    async def move(request: Request, who: Laboratory, specimen_id: UUID) -> Response:
        """Move it one legal step on."""
        sent = await typed(request)
        body = sent.some("to_state", "seal", "new_seal", "location", "reason")
        if sent("at"):
            body["at"] = sent.moment("at")
        try:
            await upstream_of(request).send(
                who, "dna-intake", "POST", f"/specimens/{specimen_id}/moves", body
            )
        except Problem as refused:
            return await _page(request, who, specimen_id, sent=sent, refused=refused)
        return see(f"/dna/specimens/{specimen_id}", done="moved")

    @router.post("/dna/specimens/{specimen_id}/label")
    async def label(request: Request, who: Registrar, specimen_id: UUID) -> Response:
        """One label for a label printer; the printing is audited by the owner."""
        path = f"/specimens/{specimen_id}/label.pdf"
        return pdf_of(await upstream_of(request).ask(who, "dna-intake", "GET", path), "label.pdf")

    @router.post("/dna/specimens/{specimen_id}/custody")
    async def custody(request: Request, who: CustodyReader, specimen_id: UUID) -> Response:
        """Does the chain hold? The question is audited by the owner."""
        path = f"/specimens/{specimen_id}/custody"
        checked = await upstream_of(request).get(who, "dna-intake", path)
        return await _page(request, who, specimen_id, checked=checked)

    return router


async def _page(
    request: Request,
    who: Visitor,
    specimen_id: UUID,
    *,
    done: str = "",
    sent: Typed = NOTHING,
    refused: Problem | None = None,
    checked: dict[str, Any] | None = None,
) -> Response:
    upstream = upstream_of(request)
    found = await upstream.get(who, "dna-intake", f"/specimens/{specimen_id}")
    readings = None
    if may(who, "laboratory"):
        readings = await upstream.get(who, "dna-intake", f"/specimens/{specimen_id}/readings")
    return page(
        request,
        "dna/specimen.html",
        who,
        status=refused.status if refused else 200,
        specimen=found,
        steps=[state for state in found["legal_moves"] if state in TUBE],
        readings=readings["readings"] if readings else [],
        last=found["chain"][-1],
        checked=checked,
        done=done,
        typed=sent,
        refused=refused,
        terms=TERMS,
        exercise=found["exercise"],
        in_laboratory=may(who, "laboratory"),
        may_register=may(who, "laboratory", "registry", "operator"),
        may_check=may(who, "laboratory", "case_leader", "auditor"),
        may_ask_gate=may(who, "registry", "operator"),
    )
