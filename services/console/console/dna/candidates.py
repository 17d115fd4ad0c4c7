"""Leads: what they are worth, what two people make of them, each from the lead alone, and whose case one is."""

from __future__ import annotations

import re
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from console.dna.terms import CANDIDATES, TERMS
from console.door.sessions import Visitor, visitor
from console.rendering import page
from console.typed import NOTHING, Typed, may, see, typed, upstream_of
from guitu.problem import Problem

Laboratory = Annotated[Visitor, Depends(visitor("laboratory"))]
LeadReader = Annotated[Visitor, Depends(visitor("laboratory", "auditor"))]
CaseLeader = Annotated[Visitor, Depends(visitor("case_leader"))]
OPEN = ("open", "in_review", "second_tier")
_WORDS = re.compile(r"[\s,;/、,]+")


def candidates_router() -> APIRouter:
    """/dna/candidates and /dna/reveal."""
    router = APIRouter(include_in_schema=False)
    _add_reveal(router)

    @router.get("/dna/candidates")
    async def candidates(request: Request, who: LeadReader, state: str = "") -> Response:
        """Leads, the most probable first; those that wait for somebody unless another state is asked for."""
        states = [state] if state in CANDIDATES else list(OPEN)
        found = await upstream_of(request).get(who, "dna-intake", "/candidates", state=states, limit=100)
        return page(request, "dna/candidates.html", who, **found, state=state, terms=TERMS)

    @router.get("/dna/candidates/{candidate_id}")
    async def candidate(request: Request, who: LeadReader, candidate_id: UUID, done: str = "") -> Response:
        """One lead with its figures and the markers it asks for."""
        return await _one(request, who, candidate_id, done=done)

    @router.post("/dna/candidates/{candidate_id}/reviews")
    async def review(request: Request, who: Laboratory, candidate_id: UUID) -> Response:
        """A verdict from the lead alone; what others said is not told before the round is settled."""
        sent = await typed(request)
        path = f"/candidates/{candidate_id}/reviews"
        try:
            told = await upstream_of(request).send(who, "dna-intake", "POST", path, sent.some("verdict"))
        except Problem as refused:
            return await _one(request, who, candidate_id, sent=sent, refused=refused)
        return see(f"/dna/candidates/{candidate_id}", done="settled" if told["settled"] else "reviewed")

    @router.post("/dna/candidates/{candidate_id}/second-tier")
    async def record(request: Request, who: Laboratory, candidate_id: UUID) -> Response:
        """A further marker's result; the haplotypes are sealed by the owner and never given back."""
        sent = await typed(request)
        path = f"/candidates/{candidate_id}/second-tier"
        try:
            await upstream_of(request).send(who, "dna-intake", "POST", path, _result(sent))
        except Problem as refused:
            return await _one(request, who, candidate_id, sent=sent, refused=refused)
        return see(f"/dna/candidates/{candidate_id}", done="recorded")

    return router


def _add_reveal(router: APIRouter) -> None:
    @router.get("/dna/reveal")
    async def ask(request: Request, who: CaseLeader) -> Response:
        """A case leader asks whose case a confirmed lead belongs to."""
        return page(request, "dna/reveal.html", who, typed=NOTHING, refused=None, found=None)

    @router.post("/dna/reveal")
    async def reveal(request: Request, who: CaseLeader) -> Response:
        """Open the wall with a purpose. The answer is this page alone: no address leads to it again."""
        sent = await typed(request)
        try:
            path = f"/candidates/{UUID(sent('reference'))}/reveal"
            found = await upstream_of(request).send(who, "dna-intake", "POST", path, sent.some("purpose"))
        except (Problem, ValueError) as error:
            refused = error if isinstance(error, Problem) else _no_reference()
            told = {"typed": sent, "refused": refused, "found": None}
            return page(request, "dna/reveal.html", who, status=refused.status, **told)
        return page(request, "dna/reveal.html", who, typed=NOTHING, refused=None, found=found)


def _no_reference() -> Problem:
    return Problem(
        422,
        "reference_unreadable",
        "That is not the reference of a lead.",
        "线索编号格式不正确。",
        "Copy the reference from the case's DNA line.",
    )


def _result(sent: Typed) -> dict[str, Any]:
    """The fields of the marker that was chosen."""
    marker = sent("marker")
    if marker == "mtdna":
        numbers = sent.some("sequenced_first", "sequenced_last")
        names = ("child_variants", "relative_variants")
        return {"marker": marker} | numbers | {n: [w for w in _WORDS.split(sent(n)) if w] for n in names}
    people = {name: _haplotype(sent.lines(name)) for name in ("child", "relative", "spouse") if sent(name)}
    return {"marker": marker} | people


def _haplotype(lines: list[str]) -> dict[str, list[str]]:
    """A line is a locus and its alleles: `DYS391 10`, `D2S441 11 14`."""
    parts = [[one for one in _WORDS.split(line) if one] for line in lines]
    return {words[0]: words[1:] for words in parts if words}


async def _one(
    request: Request,
    who: Visitor,
    candidate_id: UUID,
    *,
    done: str = "",
    sent: Typed = NOTHING,
    refused: Problem | None = None,
) -> Response:
    found = await upstream_of(request).get(who, "dna-intake", f"/candidates/{candidate_id}")
    return page(
        request,
        "dna/candidate.html",
        who,
        status=refused.status if refused else 200,
        lead=found,
        done=done,
        typed=sent,
        refused=refused,
        terms=TERMS,
        exercise=found["exercise"],
        in_laboratory=may(who, "laboratory"),
        is_open=found["state"] in OPEN,
    )
