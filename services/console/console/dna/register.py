"""A label for a new specimen: whose family, which case, and that the giver signed the consent form."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from console.dna.terms import TERMS
from console.door.sessions import Visitor, visitor
from console.rendering import page
from console.typed import NOTHING, Typed, see, typed, upstream_of
from guitu.problem import Problem

Registrar = Annotated[Visitor, Depends(visitor("laboratory", "registry", "operator"))]


def register_router() -> APIRouter:
    """/dna/specimens/new."""
    router = APIRouter(include_in_schema=False)

    @router.get("/dna/specimens/new")
    async def ask(
        request: Request, who: Registrar, case_id: UUID | None = None, resample_of: UUID | None = None
    ) -> Response:
        """The form, filled with the case or with the lost specimen that is taken again."""
        known: dict[str, list[str]] = {}
        if case_id:
            known = {"case_id": [str(case_id)], "category": ["parent_of_missing_child"]}
        if resample_of:
            lost = await upstream_of(request).get(who, "dna-intake", f"/specimens/{resample_of}")
            known |= {"resample_of": [str(resample_of)]}
            known |= {name: [lost[name]] for name in ("category", "region_code")}
            known |= {n: [lost[n]] for n in ("relation", "registered_sex") if lost[n]}
        return await _form(request, who, Typed(known))

    @router.post("/dna/specimens")
    async def register(request: Request, who: Registrar) -> Response:
        """Give it a label; the page of the specimen follows, where the label is printed."""
        sent = await typed(request)
        try:
            made = await upstream_of(request).send(
                who, "dna-intake", "POST", "/specimens", _body(sent, who), key=sent("key") or None
            )
        except Problem as refused:
            return await _form(request, who, sent, refused)
        return see(f"/dna/specimens/{made['id']}", done="registered")

    return router


def _body(sent: Typed, who: Visitor) -> dict[str, Any]:
    """What was filled in. A relation is left out for a child, to whom it can't belong."""
    names = ["category", "case_id", "registered_sex", "resample_of"]
    if sent("category") == "parent_of_missing_child":
        names.append("relation")
    region = sent("region_code") or who.principal.region_code
    marks = {"consent": sent.ticked("consent"), "exercise": sent.ticked("exercise")}
    return sent.some(*names) | marks | {"region_code": region}


async def _form(
    request: Request, who: Visitor, sent: Typed = NOTHING, refused: Problem | None = None
) -> Response:
    """The form with the cases whose parents' samples are due."""
    due = await upstream_of(request).get(who, "dna-intake", "/requests")
    region = who.principal.region_code
    return page(
        request,
        "dna/register.html",
        who,
        status=refused.status if refused else 200,
        typed=sent,
        refused=refused,
        due=due["sample_requests"],
        terms=TERMS,
        region="" if region == "*" else region,
    )
