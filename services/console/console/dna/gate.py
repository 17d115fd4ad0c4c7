"""The registration gate (落户关): may this child be registered? What it says now, why, and what it said before."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from console.door.sessions import Visitor, visitor
from console.rendering import page
from console.typed import NOTHING, Typed, may, see, typed, upstream_of
from console.words import marked
from guitu.problem import Problem

Office = Annotated[Visitor, Depends(visitor("registry", "operator"))]
GateReader = Annotated[
    Visitor, Depends(visitor("registry", "operator", "laboratory", "case_leader", "auditor"))
]
SHOWN_MAX = 50
DECISIONS: dict[str, tuple[str, str]] = {
    "clear": ("good", marked("May be registered")),
    "hold": ("wait", marked("Hold: not yet")),
    "blocked": ("bad", marked("Do not register")),
}
KINDS: dict[str, str] = {
    "household_registration": marked("Household registration"),
    "adoption": marked("Adoption"),
}
OUTCOMES: dict[str, str] = {
    "registered": marked("Registered by the office"),
    "given_up": marked("Given up by the office"),
    "lapsed": marked("Lapsed"),
}
FILTERS = ("open", "overdue", "clear", "hold", "blocked", "every")


def gate_router() -> APIRouter:
    """/gate."""
    router = APIRouter(include_in_schema=False)

    @router.get("/gate")
    async def requests(
        request: Request, who: GateReader, show: str = "open", before: UUID | None = None, barcode: str = ""
    ) -> Response:
        """Ask for a child; requests, the newest first."""
        sent = Typed({"barcode": [barcode[:40]]})
        return await _page(request, who, show if show in FILTERS else "open", before=before, sent=sent)

    @router.post("/gate")
    async def ask(request: Request, who: Office) -> Response:
        """Ask the gate; the same reference for the same child leads to the same request."""
        sent = await typed(request)
        body = sent.some("barcode", "office_reference", "kind")
        try:
            told = await upstream_of(request).send(
                who, "dna-intake", "POST", "/gate-requests", body, key=sent("key") or None
            )
        except Problem as refused:
            return await _page(request, who, "open", sent=sent, refused=refused)
        return see(f"/gate/{told['request_id']}")

    @router.get("/gate/{request_id}")
    async def one(request: Request, who: GateReader, request_id: UUID, done: str = "") -> Response:
        """What the gate says at this moment, and every decision before."""
        return await _one(request, who, request_id, done=done)

    @router.post("/gate/{request_id}/close")
    async def close(request: Request, who: Office, request_id: UUID) -> Response:
        """What became of it; `registered` is taken only while the gate says clear."""
        sent = await typed(request)
        path = f"/gate-requests/{request_id}/close"
        try:
            await upstream_of(request).send(who, "dna-intake", "POST", path, sent.some("outcome"))
        except Problem as refused:
            return await _one(request, who, request_id, refused=refused)
        return see(f"/gate/{request_id}", done="closed")

    return router


async def _page(
    request: Request,
    who: Visitor,
    show: str,
    *,
    before: UUID | None = None,
    sent: Typed = NOTHING,
    refused: Problem | None = None,
) -> Response:
    asked = {
        "is_open": None if show == "every" else True,
        "overdue": show == "overdue",
        "decision": show if show in DECISIONS else None,
        "before": str(before) if before else None,
    }
    found = await upstream_of(request).get(who, "dna-intake", "/gate-requests", **asked, limit=SHOWN_MAX)
    return page(
        request,
        "gate/requests.html",
        who,
        status=refused.status if refused else 200,
        requests=found["gate_requests"],
        further=found["next"],
        show=show,
        filters=FILTERS,
        typed=sent,
        refused=refused,
        decisions=DECISIONS,
        kinds=KINDS,
        outcomes=OUTCOMES,
        may_ask=may(who, "registry", "operator"),
    )


async def _one(
    request: Request, who: Visitor, request_id: UUID, *, done: str = "", refused: Problem | None = None
) -> Response:
    found = await upstream_of(request).get(who, "dna-intake", f"/gate-requests/{request_id}")
    return page(
        request,
        "gate/request.html",
        who,
        status=refused.status if refused else 200,
        asked=found,
        refused=refused,
        done=done,
        decisions=DECISIONS,
        kinds=KINDS,
        outcomes=OUTCOMES,
        exercise=found["exercise"],
        may_close=may(who, "registry", "operator"),
    )
