"""One person's reading of a profile: typed in once, sealed by the owner, and never given back."""

from __future__ import annotations

import re
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from console.dna.terms import TERMS
from console.door.sessions import Visitor, visitor
from console.rendering import page
from console.typed import NOTHING, Typed, see, typed, upstream_of
from guitu.problem import Problem

Laboratory = Annotated[Visitor, Depends(visitor("laboratory"))]
SEX = "Amelogenin"
BETWEEN = re.compile(r"[\s,;/、,]+")
"""Between two alleles, as people type them."""
Json = dict[str, Any]


def readings_router() -> APIRouter:
    """/dna/specimens/{id}/reading."""
    router = APIRouter(include_in_schema=False)

    @router.get("/dna/specimens/{specimen_id}/reading")
    async def ask(request: Request, who: Laboratory, specimen_id: UUID) -> Response:
        """The form: one field a locus of the kits that are chosen."""
        chosen = [name for name in request.query_params.getlist("kit") if name][:2]
        return await _form(request, who, specimen_id, chosen)

    @router.post("/dna/specimens/{specimen_id}/reading")
    async def read(request: Request, who: Laboratory, specimen_id: UUID) -> Response:
        """Give it in. A refusal shows what was typed to the one who typed it, in this answer only."""
        sent = await typed(request)
        kits = sent.every("kit")[:2]
        try:
            answer = await upstream_of(request).ask(
                who, "dna-intake", "POST", f"/specimens/{specimen_id}/profile", body=_body(sent, kits)
            )
        except Problem as refused:
            return await _form(request, who, specimen_id, kits, sent, refused)
        done = "entered" if answer.status_code == 201 else str(answer.json()["outcome"])
        return see(f"/dna/specimens/{specimen_id}", done=done)

    return router


def _body(sent: Typed, kits: list[str]) -> Json:
    loci = {
        name.removeprefix("locus "): [one for one in BETWEEN.split(sent(name)) if one]
        for name in sent.fields
        if name.startswith("locus ") and sent(name)
    }
    return {
        "kit": " + ".join(kits),
        "loci": loci,
        "off_ladder_confirmed": _names(sent("off_ladder_confirmed")),
        "tri_allelic_confirmed": _names(sent("tri_allelic_confirmed")),
    }


def _names(text: str) -> list[str]:
    return [one for one in BETWEEN.split(text) if one]


async def _form(
    request: Request,
    who: Visitor,
    specimen_id: UUID,
    chosen: list[str],
    sent: Typed = NOTHING,
    refused: Problem | None = None,
) -> Response:
    upstream = upstream_of(request)
    specimen = await upstream.get(who, "dna-intake", f"/specimens/{specimen_id}")
    kits: list[Json] = (await upstream.get(who, "dna-intake", "/kits"))["kits"]
    loci = dict.fromkeys(locus for kit in kits if kit["name"] in chosen for locus in kit["loci"])
    return page(
        request,
        "dna/reading.html",
        who,
        status=refused.status if refused else 200,
        specimen=specimen,
        kits=[kit["name"] for kit in kits],
        chosen=chosen,
        loci=[SEX, *loci] if loci else [],
        typed=sent,
        refused=refused,
        terms=TERMS,
        exercise=specimen["exercise"],
    )
