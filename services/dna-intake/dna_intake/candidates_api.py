"""The routes of candidates: see leads, record the second tier, review, reveal."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from dna_intake import candidates, reviews, second_tier, store_candidates
from dna_intake.access import CandidateReader, CaseLeader, Laboratory
from dna_intake.domain.reviews import CandidateState
from dna_intake.matching.matcher import matcher_of
from dna_intake.models_search import (
    AskReveal,
    CandidateAnswer,
    CandidateList,
    CandidateRow,
    GiveReview,
    NewRatio,
    RecordSecondTier,
    ResultAnswer,
    RevealAnswer,
    ReviewAnswer,
)
from dna_intake.practice import practice_of
from dna_intake.refusals import not_found
from dna_intake.settings import dna_settings
from guitu.problem import refusals
from guitu.service import Runtime


def candidates_router(runtime: Runtime) -> APIRouter:
    """Leads, and how they become identifications or not."""
    router = APIRouter(tags=["candidates"])
    _add_reading(router, runtime)
    _add_second_tier(router, runtime)

    @router.post("/candidates/{candidate_id}/reviews", status_code=201, responses=refusals(404, 409))
    async def review(p: Laboratory, candidate_id: UUID, given: GiveReview) -> ReviewAnswer:
        """Give a verdict from the candidate alone; two equal verdicts of two people settle it."""
        practice = practice_of(runtime.settings)
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            return await reviews.review(tx, candidate_id, given.verdict, practice)

    @router.post("/candidates/{candidate_id}/reveal", responses=refusals(404, 409, 429))
    async def reveal(p: CaseLeader, candidate_id: UUID, asked: AskReveal) -> RevealAnswer:
        """Whose case does a confirmed candidate belong to? Logged with the purpose, and limited.

        Takes the candidate's id, or the reference under which the case was told of it.
        """
        practice, a_day = practice_of(runtime.settings), dna_settings(runtime.settings).reveals_a_day
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            return await reviews.reveal(tx, candidate_id, asked.purpose, practice, p.region_code, a_day)

    return router


def _add_reading(router: APIRouter, runtime: Runtime) -> None:
    @router.get("/candidates")
    async def listed(
        p: CandidateReader,
        state: Annotated[list[CandidateState] | None, Query(max_length=6)] = None,
        child_id: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> CandidateList:
        """Leads of the region, the most probable first."""
        async with runtime.read(region=p.region_code) as conn:
            rows = await store_candidates.candidates(conn, state or [], child_id, limit)
            return CandidateList(candidates=await candidates.described(conn, rows))

    @router.get("/candidates/{candidate_id}", responses=refusals(404))
    async def one(p: CandidateReader, candidate_id: UUID) -> CandidateAnswer:
        """A lead: its figures, the markers it is asked for, what they said."""
        async with runtime.read(region=p.region_code) as conn:
            row = await store_candidates.candidate(conn, candidate_id)
            if row is None:
                raise not_found("candidate", "比对线索")
            return (await candidates.described(conn, [row]))[0]


def _add_second_tier(router: APIRouter, runtime: Runtime) -> None:
    @router.post("/candidates/{candidate_id}/second-tier", status_code=201, responses=refusals(404, 409))
    async def record(p: Laboratory, candidate_id: UUID, sent: RecordSecondTier) -> ResultAnswer:
        """Record a Y-STR, mtDNA or further autosomal result; the haplotypes are sealed and never given back."""
        practice = practice_of(runtime.settings)
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:

            async def ratio(row: CandidateRow, added: list[second_tier.Loci]) -> NewRatio:
                return await matcher_of(runtime).ratio(tx.conn, row, added)

            result = await second_tier.record(tx, candidate_id, sent, practice, ratio)
        return ResultAnswer(**result.model_dump(exclude={"candidate_id"}))
