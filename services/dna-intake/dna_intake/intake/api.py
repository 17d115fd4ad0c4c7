"""The routes of profiles in: files, holds, the elimination list, kits."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import JSONResponse
from starlette.datastructures import UploadFile

from dna_intake.access import Laboratory, access_region
from dna_intake.domain.kits import Kit, str_loci
from dna_intake.identity import blinded
from dna_intake.intake import holds, imports, kits, staff, store_readings, words
from dna_intake.intake.rows import (
    EndHold,
    HoldEnded,
    HoldList,
    ImportAnswer,
    KitAnswer,
    KitList,
    RegisterStaff,
    StaffAnswer,
    StaffList,
)
from dna_intake.intake.sheet import FileRefused
from dna_intake.practice import practice_of
from guitu import idempotency
from guitu.auth import Principal
from guitu.problem import Problem, refusals
from guitu.service import Runtime

_TEXT = {"schema": {"type": "string"}}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "CODIS CMF XML, a genotypes table, or JSON; see docs/profiles_in.md.",
        "content": {
            "application/xml": _TEXT,
            "text/csv": _TEXT,
            "text/tab-separated-values": _TEXT,
            "application/json": {"schema": {"type": "object"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "string", "format": "binary"}},
                    "required": ["file"],
                }
            },
        },
    }
}
KitName = Annotated[str | None, Query(max_length=120, description="Goes before the kit that the file names.")]


def intake_routers(runtime: Runtime) -> list[APIRouter]:
    """Every route of profiles in, but the one of a single reading (`specimens_api`)."""
    return [imports_router(runtime), holds_router(runtime), staff_router(runtime), kits_router()]


def imports_router(runtime: Runtime) -> APIRouter:
    """Files of profiles."""
    router = APIRouter(tags=["profiles in"])

    @router.post(
        "/profile-imports",
        status_code=201,
        responses=refusals(400, 409, 413) | {200: {"model": ImportAnswer}},
        response_model=ImportAnswer,
        openapi_extra=_BODY,
    )
    async def import_profiles(
        p: Laboratory,
        request: Request,
        kit: KitName = None,
        dry_run: bool = False,
        idempotency_key: Annotated[str | None, Header(max_length=255)] = None,
    ) -> JSONResponse:
        """Take every profile of a file as your reading, or nothing of it; the same file again changes nothing.

        201 when taken, 200 for a rehearsal (`dry_run`); 422 lists every row to mend, and no allele.
        """
        raw, content_type = await _file_of(request)
        try:
            read = await imports.prepared(raw, content_type, kit)
            return await _import(runtime, p, raw, read, idempotency_key, dry_run=dry_run)
        except FileRefused as error:
            raise words.file_refused(error) from None
        except imports.DryRun as rehearsal:
            return JSONResponse(rehearsal.answer.model_dump(mode="json"), 200)

    return router


async def _import(
    runtime: Runtime, p: Principal, raw: bytes, read: Any, key: str | None, *, dry_run: bool
) -> JSONResponse:
    practice = practice_of(runtime.settings)
    async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
        if key and not dry_run:
            # Under another kit the same file is another reading.
            taken_as = read[1].kit.encode() + b"|" + raw
            stored = await idempotency.once(tx, p.subject, key, blinded(practice.master, taken_as))
            if stored is not None:
                return JSONResponse(stored.body, stored.status)
        answer = await imports.take_file(tx, raw, read, p.region_code, practice, dry_run=dry_run)
        body = answer.model_dump(mode="json")
        if key:
            await idempotency.remember(tx, p.subject, key, idempotency.StoredAnswer(201, body))
        return JSONResponse(body, 201)


async def _file_of(request: Request) -> tuple[bytes, str]:
    """The file and its type: the body itself, or the part `file` of a form. Raises: Problem 422."""
    content_type = request.headers.get("content-type", "")
    if not content_type.lower().startswith("multipart/form-data"):
        return await request.body(), content_type
    async with request.form(max_files=1, max_fields=4) as form:
        file = form.get("file")
        if isinstance(file, UploadFile):
            return await file.read(), file.content_type or ""
    raise Problem(
        422,
        "file_missing",
        "The form has no part `file` with a file.",
        "表单缺少 file 文件。",
        "Send the file as the part `file`, or as the body itself.",
    )


def holds_router(runtime: Runtime) -> APIRouter:
    """Held profiles."""
    router = APIRouter(tags=["profiles in"])

    @router.get("/profile-holds")
    async def worklist(_: Laboratory, limit: Annotated[int, Query(ge=1, le=200)] = 100) -> HoldList:
        """Profiles that wait for a second person, the oldest first, with the reasons."""
        async with runtime.read(region=_.region_code) as conn:
            return HoldList(holds=await holds.worklist(conn, limit))

    @router.post("/profile-holds/{hold_id}/release", responses=refusals(404, 409))
    async def release(p: Laboratory, hold_id: UUID, sent: EndHold) -> HoldEnded:
        """Let a held profile in; not by one of its readers, and with the reason."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            return await holds.release(tx, hold_id, sent.because, practice_of(runtime.settings))

    @router.post("/profile-holds/{hold_id}/void", responses=refusals(404, 409))
    async def void(p: Laboratory, hold_id: UUID, sent: EndHold) -> HoldEnded:
        """Void a held profile: its readings are deleted, the specimen is typed again or rejected."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            return await holds.void(tx, hold_id, sent.because)

    return router


def staff_router(runtime: Runtime) -> APIRouter:
    """The elimination list."""
    router = APIRouter(tags=["profiles in"])

    @router.post("/staff-profiles", status_code=201, responses=refusals(409))
    async def register(p: Laboratory, sent: RegisterStaff) -> StaffAnswer:
        """Seal a staff member's profile under a code; what is entered from now on is compared with it."""
        access_region(p, sent.region_code)
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            return await staff.register(tx, sent, practice_of(runtime.settings))

    @router.get("/staff-profiles")
    async def list_staff(p: Laboratory) -> StaffList:
        """Whose profiles are compared, by code; never what they are."""
        async with runtime.read(region=p.region_code) as conn:
            return StaffList(staff=[staff.shown(row) for row in await store_readings.staff(conn, 2000)])

    @router.delete("/staff-profiles/{staff_id}", status_code=204, responses=refusals(404))
    async def retire(p: Laboratory, staff_id: UUID) -> None:
        """Delete a staff profile for good."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            await staff.retire(tx, staff_id)

    return router


def kits_router() -> APIRouter:
    """The kits that are known."""
    router = APIRouter(tags=["profiles in"])

    @router.get("/kits")
    async def list_kits(_: Laboratory) -> KitList:
        """Every kit with its loci and the sources of its ladder; join two by " + "."""
        found = {kit.name: kit for kit in kits.kits().values()}
        return KitList(kits=[_kit(found[name]) for name in sorted(found)])

    return router


def _kit(kit: Kit) -> KitAnswer:
    return KitAnswer(
        name=kit.name,
        loci=str_loci(kit),
        left_out=sorted(kit.left_out),
        control=next(iter(kit.controls), None),
        sources=list(kit.sources),
    )
