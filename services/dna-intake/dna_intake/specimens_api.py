"""The routes of specimens: label, custody, profile."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import JSONResponse

from dna_intake import laboratory, registration, store
from dna_intake.access import CustodyReader, Laboratory, Reader, Registrar, access_region
from dna_intake.domain import custody
from dna_intake.domain.custody import LEGAL, ChainBroken, Link
from dna_intake.identity import blinded, link_of
from dna_intake.intake import readings, store_readings
from dna_intake.intake.rows import ReadingAnswer, ReadingList, ReadingShown
from dna_intake.models import (
    CustodyAnswer,
    EnterProfile,
    MoveAnswer,
    MoveSpecimen,
    ProfileAnswer,
    RegisterSpecimen,
    SealChangeAnswer,
    SpecimenAnswer,
    SpecimenList,
    SpecimenRow,
)
from dna_intake.practice import practice_of
from dna_intake.refusals import barcode_of_label, not_found
from dna_intake.shown import shown
from guitu import idempotency
from guitu.auth import Principal
from guitu.problem import refusals
from guitu.service import Runtime
from guitu.vault import master_key

_OF_THE_PERSON = ("linked_to_case", "relation", "registered_sex")
"""What an answer that is kept for a retry leaves to the specimen's row, where expunging erases it."""
_TO_WAIT = "The reading is kept: it waits for a second person's, or the agreed profile is held."


def specimens_router(runtime: Runtime) -> APIRouter:
    """Everything that happens to a specimen."""
    router = APIRouter(tags=["specimens"])
    _add_reading(router, runtime)

    @router.post("/specimens", status_code=201, responses=refusals(404, 409))
    async def register(
        p: Registrar,
        request: Request,
        wanted: RegisterSpecimen,
        idempotency_key: Annotated[str | None, Header(max_length=255)] = None,
    ) -> SpecimenAnswer:
        """Give a specimen its pseudonymous id and barcode; with an Idempotency-Key a retry adds none."""
        access_region(p, wanted.region_code)
        practice = practice_of(runtime.settings)
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            if idempotency_key:
                body = blinded(practice.master, await request.body())
                stored = await idempotency.once(tx, p.subject, idempotency_key, body)
                if stored is not None:
                    return await _answered_before(tx.conn, stored.body)
            answer = await _described(tx.conn, await registration.register(tx, wanted, practice))
            if idempotency_key:
                kept = answer.model_dump(mode="json", exclude=set(_OF_THE_PERSON))
                await idempotency.remember(
                    tx, p.subject, idempotency_key, idempotency.StoredAnswer(201, kept)
                )
            return answer

    @router.post("/specimens/{specimen_id}/moves", responses=refusals(409))
    async def move(p: Laboratory, specimen_id: UUID, step: MoveSpecimen) -> SpecimenAnswer:
        """Move a specimen one legal step on; the last move sent again is answered the same."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            moved = await laboratory.move(tx, specimen_id, step, practice_of(runtime.settings))
            return await _described(tx.conn, moved)

    @router.post(
        "/specimens/{specimen_id}/profile",
        status_code=201,
        response_model=ProfileAnswer,
        responses=refusals(409) | {202: {"model": ReadingAnswer, "description": _TO_WAIT}},
    )
    async def profile(p: Laboratory, specimen_id: UUID, sent: EnterProfile) -> ProfileAnswer | JSONResponse:
        """Give one person's reading of a quality-checked specimen; it is sealed, and never given back.

        201 when two people agree and the profile is entered; 202 while it waits for the second reading, or is held.
        """
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            outcome = await readings.read(tx, specimen_id, sent, practice_of(runtime.settings))
        # Only now: readings that differ are kept, so their refusal must not roll them back.
        answer = readings.told(outcome)
        if isinstance(answer, ProfileAnswer):
            return answer
        return JSONResponse(answer.model_dump(mode="json"), 202)

    @router.get("/specimens/{specimen_id}/readings", responses=refusals(404))
    async def read_by(p: Laboratory, specimen_id: UUID) -> ReadingList:
        """Who has read the profile, and when; never what they read."""
        async with runtime.read(region=p.region_code) as conn:
            if await store.specimen(conn, specimen_id) is None:
                raise not_found("specimen", "检材")
            found = await store_readings.readings(conn, specimen_id)
        return ReadingList(readings=[ReadingShown(**row.model_dump()) for row in found])

    return router


def _add_reading(router: APIRouter, runtime: Runtime) -> None:
    @router.get("/specimens")
    async def find(
        p: Reader,
        barcode: Annotated[str | None, Query(max_length=40)] = None,
        case_id: UUID | None = None,
    ) -> SpecimenList:
        """The specimen under a scanned label, or the specimens of a case, which is audited."""
        if barcode is None and case_id is not None:
            return await _of_case(runtime, p, case_id)
        async with runtime.read(region=p.region_code) as conn:
            found = (
                await store.specimen_with_barcode(conn, barcode_of_label(barcode))
                if barcode is not None
                else None
            )
        return SpecimenList(specimens=[shown(found)] if found else [])

    @router.get("/specimens/{specimen_id}")
    async def specimen(p: Reader, specimen_id: UUID) -> SpecimenAnswer:
        """Where a specimen is, where it may go, and its chain of custody."""
        async with runtime.read(region=p.region_code) as conn:
            row = await store.specimen(conn, specimen_id)
            if row is None:
                raise not_found("specimen", "检材")
            return await _described(conn, row)

    @router.get("/specimens/{specimen_id}/custody")
    async def verify(p: CustodyReader, specimen_id: UUID) -> CustodyAnswer:
        """Does the chain hold? A broken one is an answer, not an error, and is audited."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            row = await laboratory.lock(tx, specimen_id)
            successor = await store.successor_of(tx.conn, specimen_id)
            answer = _verified(row, await store.chain(tx.conn, specimen_id), successor)
            tx.audit("dna.custody_verified", subject=specimen_id, intact=answer.intact)
            return answer


async def _of_case(runtime: Runtime, p: Principal, case_id: UUID) -> SpecimenList:
    """Only who knows the case may cross the wall this way; the audit row names the case and no specimen."""
    link = link_of(master_key(runtime.settings.vault_key), case_id)
    async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
        found = await store.specimens_of(tx.conn, link)
        tx.audit("dna.specimens_of_case_read", subject=case_id, specimens=len(found))
    return SpecimenList(specimens=[shown(row) for row in found])


async def _answered_before(conn: asyncpg.Connection, kept: dict[str, Any]) -> SpecimenAnswer:
    row = await store.specimen(conn, UUID(kept["id"]))
    if row is None:
        raise not_found("specimen", "检材")
    return SpecimenAnswer.model_validate(kept | shown(row).model_dump(include=set(_OF_THE_PERSON)))


def _verified(row: SpecimenRow, chain: list[Link], successor: UUID | None) -> CustodyAnswer:
    answer = CustodyAnswer(
        specimen_id=row.id,
        intact=True,
        moves=len(chain),
        seal_changes=[SealChangeAnswer(**asdict(change)) for change in custody.seal_changes(chain)],
        resample_of=row.resample_of,
        resampled_as=successor,
    )
    try:
        custody.verify(row.id, row.state, row.moves, chain)
    except ChainBroken as broken:
        return answer.model_copy(update={"intact": False, "broken_at": broken.seq, "says": broken.says})
    return answer


async def _described(conn: asyncpg.Connection, row: SpecimenRow) -> SpecimenAnswer:
    links = await store.chain(conn, row.id)
    return SpecimenAnswer(
        **shown(row).model_dump(),
        legal_moves=list(LEGAL[row.state]),
        chain=[_as_answer(found) for found in links],
    )


def _as_answer(found: Link) -> MoveAnswer:
    move = found.move
    return MoveAnswer(
        seq=move.seq,
        from_state=move.from_state,
        to_state=move.to_state,
        moved_at=move.moved_at,
        recorded_at=move.recorded_at,
        actor=move.actor,
        seal=move.seal,
        seal_found=move.seal_found,
        reason=move.reason,
        location=move.location,
        hash=found.hash.hex(),
    )
