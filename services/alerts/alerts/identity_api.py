"""HTTP of the identity vault: names, phones and photo, for a stated purpose, every reading audited."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response

from alerts import vault
from alerts.access import Commander, Leader, access_case_to_change
from alerts.models import ForgetIn, ForgetOut, IdentityIn
from contracts.base import ShortText
from guitu.problem import Problem, refusals
from guitu.service import Runtime

PURPOSE_MIN = 3


def identity_router(runtime: Runtime) -> APIRouter:
    """Keep, read and erase who the child and the family are."""
    router = APIRouter(tags=["identity"])

    @router.put("/cases/{case_id}/identity", status_code=204, responses=refusals(410))
    async def keep(p: Commander, case_id: UUID, said: IdentityIn) -> Response:
        """Seal the whole identity in place of an older one."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            case = await access_case_to_change(tx.conn, p, case_id)
            await vault.keep(tx, runtime.settings, case, said.to_seal())
        return Response(status_code=204)

    @router.patch("/cases/{case_id}/identity", status_code=204, responses=refusals(410))
    async def change(p: Commander, case_id: UUID, said: IdentityIn) -> Response:
        """Seal what is sent beside what is known; what is not sent stays as it is."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            case = await access_case_to_change(tx.conn, p, case_id)
            fields = said.model_dump(include=said.model_fields_set)
            await vault.change(tx, runtime.settings, case, fields)
        return Response(status_code=204)

    @router.get("/cases/{case_id}/identity", responses=refusals(400, 410))
    async def read(
        p: Commander,
        case_id: UUID,
        response: Response,
        purpose: Annotated[ShortText | None, Query()] = None,
        purpose_header: Annotated[ShortText | None, Header(alias="Purpose")] = None,
    ) -> dict[str, Any]:
        """Open the identity; the purpose (header `Purpose` or query `purpose`) goes into the audit log."""
        stated = _stated(purpose or purpose_header)
        response.headers["Cache-Control"] = "no-store"
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            case = await access_case_to_change(tx.conn, p, case_id)
            return await vault.read(tx, runtime.settings, case, stated)

    @router.post("/cases/{case_id}/forget")
    async def forget(p: Leader, case_id: UUID, said: ForgetIn) -> ForgetOut:
        """Destroy the case's key and what it sealed: names, phones and photo are gone for good."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            case = await access_case_to_change(tx.conn, p, case_id)
            await vault.forget(tx, runtime.settings, case, said.reason)
        return ForgetOut(case_id=case_id)

    return router


def _stated(purpose: str | None) -> str:
    if purpose and len(purpose.strip()) >= PURPOSE_MIN:
        return purpose.strip()
    raise Problem(
        400,
        "purpose_missing",
        "Say why the identity is read.",
        "请说明查阅身份信息的用途。",
        "Send a header `Purpose` or a query `purpose` of 3 to 200 characters, e.g. call_parents.",
    )
