"""HTTP of photo and publication: what may leave the vault, for whom, and only while the alert is open."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from alerts import case_file, photos, posters, publication
from alerts.access import Commander, PhotoReader, Reader, access_case, access_case_to_change
from alerts.case_file import publication_out
from alerts.models_file import PublicationIn, PublicationOut
from alerts.settings import AlertSettings
from guitu.problem import refusals
from guitu.service import Runtime

NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_PICTURE: dict[str, Any] = {
    "required": True,
    "content": dict.fromkeys(("image/jpeg", "image/png", "image/webp"), _BYTES),
}


def _file(kind: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": "The file.", "content": {kind: _BYTES}}}


def publication_router(runtime: Runtime, settings: AlertSettings) -> APIRouter:
    """Add the photo; record and withdraw the consent."""
    router = APIRouter(tags=["publication"])

    @router.put(
        "/cases/{case_id}/photo",
        status_code=204,
        responses=refusals(410, 413, 422),
        openapi_extra={"requestBody": _PICTURE},
    )
    async def add_photo(p: Commander, case_id: UUID, request: Request) -> Response:
        """Keep the photo (JPEG, PNG or WebP as the body) in the vault, beside what the identity has already."""
        photo = await request.body()
        async with runtime.read(region=p.region_code) as conn:
            await access_case(conn, p, case_id)
        await photos.check(runtime, photo)
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            case = await access_case_to_change(tx.conn, p, case_id)
            await photos.add(tx, settings, case, photo)
            case_file.tell(tx, case, "photo", tx.ids.new())
        return Response(status_code=204)

    @router.put("/cases/{case_id}/publication", responses=refusals(409))
    async def record(p: Commander, case_id: UUID, said: PublicationIn) -> PublicationOut:
        """Say what may be published, by whose consent; the photo is released to those who were told, too."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            case = await access_case_to_change(tx.conn, p, case_id)
            kept = await publication.record(tx, case, said.consent(), settings)
            return publication_out(case, kept, runtime.public_url)

    @router.delete("/cases/{case_id}/publication", status_code=204)
    async def withdraw(p: Commander, case_id: UUID) -> Response:
        """Take everything back that was published; posters that hang somewhere lead to a thank you."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            await publication.withdraw(tx, await access_case_to_change(tx.conn, p, case_id))
        return Response(status_code=204)

    return router


def released_router(runtime: Runtime, settings: AlertSettings) -> APIRouter:
    """What was released: the notice's photo, the poster, the picture to share."""
    router = APIRouter(tags=["publication"])

    @router.get(
        "/cases/{case_id}/notice-photo",
        response_class=Response,
        responses=_file("image/webp") | refusals(410),
    )
    async def notice_photo(p: PhotoReader, case_id: UUID) -> Response:
        """The small photo (14 KB at most) for the notice page; 404 while not released, 410 after the end."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            case = await access_case(tx.conn, p, case_id)
            photo = await publication.released_photo(tx, settings, case)
        return Response(photo, media_type="image/webp", headers=NO_STORE)

    @router.get(
        "/cases/{case_id}/poster.pdf",
        response_class=Response,
        responses=_file("application/pdf") | refusals(409, 503),
    )
    async def poster(p: Reader, case_id: UUID) -> Response:
        """The poster to print, A4, Chinese and English; each one drawn is audited."""
        drawn = await posters.drawn(runtime, settings, p, case_id, "poster")
        return Response(drawn, media_type="application/pdf", headers=NO_STORE)

    @router.get(
        "/cases/{case_id}/share.jpg",
        response_class=Response,
        responses=_file("image/jpeg") | refusals(409, 503),
    )
    async def share(p: Reader, case_id: UUID) -> Response:
        """The picture to share, 1080 x 1440, 250 KB at most; each one drawn is audited."""
        drawn = await posters.drawn(runtime, settings, p, case_id, "share")
        return Response(drawn, media_type="image/jpeg", headers=NO_STORE)

    return router
