"""HTTP of the case file, and of the sightings of all cases."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response

from alerts import case_file, store_file
from alerts.access import Commander, Reader, access_case, access_case_to_change
from alerts.models_file import (
    CaseFileOut,
    EntryOut,
    HandOverIn,
    NoteIn,
    ReviewIn,
    SightingLineOut,
    TaskForceIn,
    TaskIn,
    TaskMoveIn,
    TaskOut,
)
from alerts.settings import AlertSettings
from guitu import idempotency
from guitu.auth import Principal
from guitu.idempotency import StoredAnswer
from guitu.service import Runtime
from guitu.tx import Tx

Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]


def case_file_router(runtime: Runtime, settings: AlertSettings) -> APIRouter:
    """Read the file, write into it."""
    router = APIRouter(tags=["case file"])

    @router.get("/cases/{case_id}/file")
    async def read(p: Reader, case_id: UUID) -> CaseFileOut:
        """Notes, task force, tasks, next review, and what may be published; never the identity."""
        async with runtime.read(region=p.region_code) as conn:
            case = await access_case(conn, p, case_id)
            return await case_file.of_case(conn, case, runtime.public_url)

    @router.post("/cases/{case_id}/notes", status_code=201, response_model=EntryOut)
    async def note(p: Commander, case_id: UUID, said: NoteIn, request: Request, key: Key = None) -> Any:
        """Add a note; the family's names are replaced in it. An Idempotency-Key makes a retry harmless."""

        async def add(tx: Tx) -> EntryOut:
            case = await access_case_to_change(tx.conn, p, case_id)
            return EntryOut(case_id=case_id, entry_id=await case_file.note(tx, case, said.words, settings))

        return await _once(runtime, p, key, b"note" + case_id.bytes + await request.body(), add)

    @router.post("/cases/{case_id}/hand-over", status_code=201, response_model=EntryOut)
    async def hand_over(
        p: Commander, case_id: UUID, said: HandOverIn, request: Request, key: Key = None
    ) -> Any:
        """Let another person lead, and say what that person must know."""

        async def add(tx: Tx) -> EntryOut:
            case = await access_case_to_change(tx.conn, p, case_id)
            return EntryOut(
                case_id=case_id, entry_id=await case_file.hand_over(tx, case, said.to, said.words, settings)
            )

        return await _once(runtime, p, key, b"hand-over" + case_id.bytes + await request.body(), add)

    @router.put("/cases/{case_id}/task-force", status_code=204)
    async def task_force(p: Commander, case_id: UUID, said: TaskForceIn) -> Response:
        """Who works on the case, in place of who did; the same again changes nothing."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            await case_file.set_task_force(
                tx, await access_case_to_change(tx.conn, p, case_id), said, settings
            )
        return Response(status_code=204)

    @router.put("/cases/{case_id}/review", status_code=204)
    async def review(p: Commander, case_id: UUID, said: ReviewIn) -> Response:
        """When somebody looks at the whole case again; an unsolved case is never closed, only reviewed."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            await case_file.set_review(tx, await access_case_to_change(tx.conn, p, case_id), said.next_on)
        return Response(status_code=204)

    return router


def tasks_router(runtime: Runtime, settings: AlertSettings) -> APIRouter:
    """What is to be done."""
    router = APIRouter(tags=["case file"])

    @router.post("/cases/{case_id}/tasks", status_code=201, response_model=EntryOut)
    async def give(p: Commander, case_id: UUID, said: TaskIn, request: Request, key: Key = None) -> Any:
        """Write down a task; an Idempotency-Key makes a retry harmless."""

        async def add(tx: Tx) -> EntryOut:
            case = await access_case_to_change(tx.conn, p, case_id)
            return EntryOut(case_id=case_id, entry_id=await case_file.give_task(tx, case, said, settings))

        return await _once(runtime, p, key, b"task" + case_id.bytes + await request.body(), add)

    @router.post("/cases/{case_id}/tasks/{task_id}")
    async def move(p: Commander, case_id: UUID, task_id: UUID, said: TaskMoveIn) -> TaskOut:
        """Tick a task off, drop it, open it again, or give it to somebody else; only what is sent changes."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            case = await access_case_to_change(tx.conn, p, case_id)
            return await case_file.move_task(tx, case, task_id, said, settings)

    return router


def triage_router(runtime: Runtime) -> APIRouter:
    """The sightings of all cases, for who judges them."""
    router = APIRouter(tags=["sightings"])

    @router.get("/sightings")
    async def sightings(
        p: Reader,
        open_only: Annotated[bool, Query(alias="open")] = True,
        unjudged: Annotated[bool, Query()] = False,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> list[SightingLineOut]:
        """The newest first; `open=false` takes closed cases in, `unjudged=true` leaves out what was judged."""
        async with runtime.read(region=p.region_code) as conn:
            rows = await store_file.sightings(conn, open_only, unjudged, limit)
        return [SightingLineOut(**dict(row)) for row in rows]

    return router


async def _once(
    runtime: Runtime, p: Principal, key: str | None, raw: bytes, add: Callable[[Tx], Awaitable[EntryOut]]
) -> Any:
    """Add an entry, or give what the same key got before."""
    async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
        stored = await idempotency.once(tx, p.subject, key, raw) if key else None
        if stored is not None:
            return stored.body
        answer = (await add(tx)).model_dump(mode="json")
        if key:
            await idempotency.remember(tx, p.subject, key, StoredAnswer(201, answer))
    return answer
