"""What the laboratory does next: the worklist, the scan of a label, the samples that are due, sheets of labels."""

from __future__ import annotations

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
SHOWN_MAX = 200


def worklist_router() -> APIRouter:
    """/dna, its scan field, and what is printed from it."""
    router = APIRouter(include_in_schema=False)

    @router.get("/dna")
    async def worklist(request: Request, who: Reader, state: str = "", overdue: str = "") -> Response:
        """What waits for a step, the most overdue first."""
        return await _page(request, who, state, overdue=bool(overdue))

    @router.get("/dna/find")
    async def find(request: Request, who: Reader, barcode: str = "") -> Response:
        """A scanned label leads to its specimen; one that is not known here says so and keeps what was read."""
        try:
            found = await upstream_of(request).get(who, "dna-intake", "/specimens", barcode=barcode[:40])
        except Problem as refused:
            return await _page(request, who, refused=refused, read=barcode[:40])
        if not found["specimens"]:
            return await _page(request, who, refused=_unknown(), read=barcode[:40])
        return see(f"/dna/specimens/{found['specimens'][0]['id']}")

    @router.get("/dna/cases/{case_id}")
    async def of_case(request: Request, who: Reader, case_id: UUID) -> Response:
        """The specimens of a case, and what its requests wait for; the look is audited by the owner."""
        upstream = upstream_of(request)
        requests = await upstream.get(who, "dna-intake", "/requests", case_id=str(case_id))
        found = await upstream.get(who, "dna-intake", "/specimens", case_id=str(case_id))
        told: dict[str, Any] = requests | found | {"case_id": case_id, "terms": TERMS}
        told |= {"may_register": may(who, "laboratory", "registry", "operator")}
        exercise = any(one["exercise"] for one in requests["sample_requests"])
        return page(request, "dna/case.html", who, **told, exercise=exercise)

    @router.post("/dna/labels")
    async def labels(request: Request, who: Registrar) -> Response:
        """A sheet of labels of the ticked specimens; each printing is audited by the owner."""
        sent = await typed(request)
        numbers = {name: _whole(sent(name)) for name in ("skip", "copies") if sent(name)}
        body = {"specimen_ids": sent.every("specimen"), "layout": sent("layout", "sheet")} | numbers
        try:
            answer = await upstream_of(request).ask(who, "dna-intake", "POST", "/labels", body=body)
        except Problem as refused:
            return await _page(request, who, refused=refused, sent=sent)
        return pdf_of(answer, "labels.pdf")

    return router


async def _page(
    request: Request,
    who: Visitor,
    state: str = "",
    *,
    overdue: bool = False,
    refused: Problem | None = None,
    read: str = "",
    sent: Typed = NOTHING,
) -> Response:
    upstream = upstream_of(request)
    work = await upstream.get(
        who, "dna-intake", "/worklist", state=state or None, overdue_only=overdue, limit=SHOWN_MAX
    )
    due = await upstream.get(who, "dna-intake", "/requests", limit=SHOWN_MAX)
    return page(
        request,
        "dna/worklist.html",
        who,
        status=refused.status if refused else 200,
        work=work,
        due=due["sample_requests"],
        state=state,
        overdue=overdue,
        refused=refused,
        read=read,
        typed=sent,
        terms=TERMS,
        may_register=may(who, "laboratory", "registry", "operator"),
    )


def _whole(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() else text


def _unknown() -> Problem:
    return Problem(
        404,
        "label_unknown",
        "No specimen of your region has this label.",
        "本辖区没有该条码的检材。",
        "Compare the label with the screen; ask the station if it belongs to another region.",
    )
