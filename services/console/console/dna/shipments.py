"""Boxes between a station and the laboratory: send one, print its list, account for every tube that arrived."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from console.dna.terms import TERMS
from console.door.sessions import Visitor, visitor
from console.files import pdf_of
from console.rendering import page
from console.typed import NOTHING, Typed, may, see, typed, upstream_of
from guitu.problem import Problem

Reader = Annotated[Visitor, Depends(visitor("laboratory", "registry", "operator", "case_leader", "auditor"))]
Registrar = Annotated[Visitor, Depends(visitor("laboratory", "registry", "operator"))]
Laboratory = Annotated[Visitor, Depends(visitor("laboratory"))]


def shipments_router() -> APIRouter:
    """/dna/shipments."""
    router = APIRouter(include_in_schema=False)
    _add_sending(router)

    @router.get("/dna/shipments/{shipment_id}")
    async def shipment(request: Request, who: Reader, shipment_id: UUID, done: str = "") -> Response:
        """A box with its list."""
        return await _one(request, who, shipment_id, done=done)

    @router.post("/dna/shipments/{shipment_id}/list")
    async def printed(request: Request, who: Registrar, shipment_id: UUID) -> Response:
        """The list to sign and to put into the box."""
        path = f"/shipments/{shipment_id}/list.pdf"
        return pdf_of(await upstream_of(request).ask(who, "dna-intake", "GET", path), "shipment.pdf")

    @router.post("/dna/shipments/{shipment_id}/received")
    async def receive(request: Request, who: Laboratory, shipment_id: UUID) -> Response:
        """Account for what was in the box; the outcome of each tube is shown."""
        sent = await typed(request)
        body = sent.some("seal", "location") | {
            "intact": sent("intact") != "no",
            "scans": [_scan(line) for line in sent.lines("scans")],
        }
        path = f"/shipments/{shipment_id}/received"
        try:
            told = await upstream_of(request).send(who, "dna-intake", "POST", path, body)
        except Problem as refused:
            return await _one(request, who, shipment_id, sent=sent, refused=refused)
        return await _one(request, who, shipment_id, outcomes=told["outcomes"])

    return router


def _add_sending(router: APIRouter) -> None:
    @router.get("/dna/shipments")
    async def shipments(request: Request, who: Reader, every: str = "") -> Response:
        """Boxes on their way; with `every` those that arrived, too."""
        return await _all(request, who, every=bool(every))

    @router.post("/dna/shipments")
    async def send(request: Request, who: Registrar) -> Response:
        """Send a box: the same list under the same seal again is the same shipment."""
        sent = await typed(request)
        body = sent.some("seal", "sent_from", "laboratory") | {"barcodes": sent.lines("barcodes")}
        try:
            made = await upstream_of(request).send(who, "dna-intake", "POST", "/shipments", body)
        except Problem as refused:
            return await _all(request, who, sent=sent, refused=refused)
        return see(f"/dna/shipments/{made['id']}", done="sent")


def _scan(line: str) -> dict[str, str]:
    """A line is a barcode, and behind a space the seal that was read on the tube."""
    barcode, _, seal = line.partition(" ")
    return {"barcode": barcode} | ({"seal": seal.strip()} if seal.strip() else {})


async def _all(
    request: Request,
    who: Visitor,
    *,
    every: bool = False,
    sent: Typed = NOTHING,
    refused: Problem | None = None,
) -> Response:
    found = await upstream_of(request).get(who, "dna-intake", "/shipments", open_only=not every)
    return page(
        request,
        "dna/shipments.html",
        who,
        status=refused.status if refused else 200,
        shipments=found["shipments"],
        every=every,
        typed=sent,
        refused=refused,
        terms=TERMS,
        may_register=may(who, "laboratory", "registry", "operator"),
    )


async def _one(
    request: Request,
    who: Visitor,
    shipment_id: UUID,
    *,
    done: str = "",
    sent: Typed = NOTHING,
    refused: Problem | None = None,
    outcomes: Sequence[dict[str, Any]] = (),
) -> Response:
    found = await upstream_of(request).get(who, "dna-intake", f"/shipments/{shipment_id}")
    return page(
        request,
        "dna/shipment.html",
        who,
        status=refused.status if refused else 200,
        shipment=found,
        outcomes=outcomes,
        done=done,
        typed=sent,
        refused=refused,
        terms=TERMS,
        exercise=found["exercise"],
        in_laboratory=may(who, "laboratory"),
        may_register=may(who, "laboratory", "registry", "operator"),
    )
