"""The routes of searches: ask for one with its purpose, see how far it is, and the comparison of all with all."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Query

from dna_intake import candidates, nightly, searching, store, store_candidates, store_search
from dna_intake.access import CandidateReader, Laboratory
from dna_intake.domain.custody import PROFILED
from dna_intake.domain.kin import SearchRelation, kind_of, relations_of
from dna_intake.models import SpecimenRow
from dna_intake.models_search import (
    AskSearch,
    CandidateList,
    RunAnswer,
    RunList,
    SearchAnswer,
    SearchList,
    SearchRow,
    SearchState,
    StartRun,
)
from dna_intake.refusals import not_found
from guitu.problem import Problem, refusals
from guitu.service import Runtime
from guitu.tx import Tx

RUNS_SHOWN = 30


def searches_router(runtime: Runtime) -> APIRouter:
    """Searches by hand, and what the service searches by itself."""
    router = APIRouter(tags=["searches"])

    @router.post("/searches", status_code=202, responses=refusals(404, 409))
    async def ask(p: Laboratory, asked: AskSearch) -> SearchAnswer:
        """Search for a specimen again; logged with the purpose, answered within seconds, see GET /searches/{id}."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            search_id = await _by_hand(tx, asked)
            answer = await _answer(tx.conn, search_id)
        runtime.wake()
        return answer

    @router.get("/searches")
    async def newest(
        p: CandidateReader,
        state: SearchState | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> SearchList:
        """The newest searches of the region, by hand and by themselves, with who asked and why."""
        async with runtime.read(region=p.region_code) as conn:
            found = await store_search.newest_searches(conn, state, limit)
        return SearchList(searches=[_told(row, log) for row, log in found])

    @router.get("/searches/{search_id}", responses=refusals(404))
    async def search(p: CandidateReader, search_id: UUID) -> SearchAnswer:
        """How far a search is, and who asked for it, why."""
        async with runtime.read(region=p.region_code) as conn:
            return await _answer(conn, search_id)

    @router.get("/searches/{search_id}/candidates", responses=refusals(404))
    async def found(
        p: CandidateReader, search_id: UUID, limit: Annotated[int, Query(ge=1, le=200)] = 50
    ) -> CandidateList:
        """All leads of the searched specimen, those of earlier searches included."""
        async with runtime.read(region=p.region_code) as conn:
            row = await _visible(conn, search_id)
            rows = await store_candidates.candidates_of(conn, row.specimen_id, limit)
            return CandidateList(candidates=await candidates.described(conn, rows))

    _add_runs(router, runtime)
    return router


def _add_runs(router: APIRouter, runtime: Runtime) -> None:
    @router.get("/all-against-all")
    async def runs(p: CandidateReader) -> RunList:
        """The latest comparisons of all children with all families, with their progress."""
        async with runtime.read() as conn:
            rows = await store_search.runs(conn, RUNS_SHOWN)
        return RunList(runs=[nightly.as_answer(row) for row in rows])

    @router.post("/all-against-all", status_code=202, responses=refusals(409))
    async def start(p: Laboratory, asked: StartRun) -> RunAnswer:
        """Compare all with all now, without waiting for the night."""
        async with runtime.tx(actor=p.subject) as tx:
            row = await nightly.start(tx, asked.purpose)
        if row is None:
            raise Problem(
                409,
                "already_running",
                "A comparison of all with all is running.",
                "全库比对正在进行。",
                "See GET /all-against-all for its progress.",
            )
        runtime.wake()
        return nightly.as_answer(row)


async def _by_hand(tx: Tx, asked: AskSearch) -> UUID:
    row = await store.specimen(tx.conn, asked.specimen_id)
    if row is None:
        raise not_found("specimen", "检材")
    if row.state not in PROFILED or not await store_search.was_in_index(tx.conn, row.id):
        raise Problem(
            409,
            "not_in_index",
            f"The specimen is {row.state}; only one with an entered profile can be searched for.",
            f"检材状态为{row.state},仅已录入分型的检材可比对。",
            "Enter its profile first.",
        )
    generation = await store_search.newest_generation(tx.conn)
    kind = kind_of(row.category, row.relation, row.registered_sex)
    relations = _relations(row, asked)
    return await searching.ask(tx, row, kind, relations, generation, "manual", asked.purpose)


def _relations(row: SpecimenRow, asked: AskSearch) -> tuple[SearchRelation, ...]:
    kind = kind_of(row.category, row.relation, row.registered_sex)
    try:
        return relations_of(kind, asked.relations)
    except ValueError as error:
        raise Problem(
            422,
            "relation_refused",
            str(error),
            "该检材不能按此亲缘关系比对。",
            "Leave relations out to search for all that apply.",
        ) from None


async def _visible(conn: asyncpg.Connection, search_id: UUID) -> SearchRow:
    row = await store_search.search(conn, search_id)
    if row is None:
        raise not_found("search", "比对")
    return row


async def _answer(conn: asyncpg.Connection, search_id: UUID) -> SearchAnswer:
    row = await _visible(conn, search_id)
    return _told(row, await store_search.log_of(conn, search_id))


def _told(row: SearchRow, log: asyncpg.Record) -> SearchAnswer:
    return SearchAnswer(
        **row.model_dump(include=set(SearchAnswer.model_fields)),
        parts=searching.PARTITIONS,
        parts_done=searching.PARTITIONS - len(row.missing),
        cause=log["cause"],
        purpose=log["purpose"],
        asked_by=log["asked_by"],
    )
