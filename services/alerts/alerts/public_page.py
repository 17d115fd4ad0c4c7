"""The page that posters lead to: what is known while the child is missed, a thank you afterwards.

Anybody may open it; the token in its address is the whole permission. It has no script, changes nothing, and is
kept by nobody: what was withdrawn is gone with the next look.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from alerts import photos, poster_words, store, store_publication, vault
from alerts.domain import publishing
from alerts.domain.case import Case
from alerts.domain.publishing import Publication
from alerts.settings import AlertSettings
from guitu.service import Runtime

HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noimageindex",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
}
_PAGE = {"text/html": {"schema": {"type": "string"}}}
_PICTURE = {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}
_pages = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
)


def public_router(runtime: Runtime, settings: AlertSettings) -> APIRouter:
    """GET /p/{token} and its photo."""
    router = APIRouter(tags=["public page"])
    home = urlsplit(runtime.public_url).path.rstrip("/")

    @router.get(
        "/p/{token}",
        response_class=HTMLResponse,
        responses={404: {"description": "The link is wrong.", "content": _PAGE}},
    )
    async def show(token: str) -> Response:
        """What is known, while the alert is open and published; a thank you afterwards."""
        async with runtime.read() as conn:
            found = await _found(conn, token)
            if found is None:
                return _page("wrong.html", 404)
            case, kept = found
            if not publishing.is_open(case, kept):
                return _page("over.html", case_code=case.case_code, exercise=case.exercise)
            return await _open_page(conn, settings, case, kept, home)

    @router.get(
        "/p/{token}/photo",
        response_class=Response,
        responses={
            200: {"description": "The photo.", "content": _PICTURE},
            404: {"description": "The link is wrong, or there is no photo."},
            410: {"description": "It is over, and the photo is gone."},
        },
    )
    async def photo(token: str) -> Response:
        """The photo, while it may be shown."""
        async with runtime.read() as conn:
            found = await _found(conn, token)
            if found is None:
                return Response(status_code=404, headers=HEADERS)
            if not publishing.is_open(*found):
                return Response(status_code=410, headers=HEADERS)
            picture = await _picture(conn, settings, *found)
        if picture is None:
            return Response(status_code=404, headers=HEADERS)
        return Response(picture, media_type="image/jpeg", headers=HEADERS)

    return router


async def _found(conn: asyncpg.Connection, token: str) -> tuple[Case, Publication] | None:
    kept = await store_publication.by_token(conn, token)
    case = await store.case(conn, kept.case_id) if kept else None
    return (case, kept) if case and kept else None


async def _picture(
    conn: asyncpg.Connection, settings: AlertSettings, case: Case, kept: Publication
) -> bytes | None:
    if not publishing.shows_photo(case, kept):
        return None
    return await photos.rendition(conn, settings, case.id, "poster")


async def _open_page(
    conn: asyncpg.Connection, settings: AlertSettings, case: Case, kept: Publication, home: str
) -> HTMLResponse:
    name = await _name(conn, settings, case) if kept.name else ""
    has_photo = await _picture(conn, settings, case, kept) is not None
    return _page(
        "published.html",
        case_code=case.case_code,
        exercise=case.exercise,
        lines=poster_words.facts_of(case, name),
        photo=f"{home}/p/{kept.token}/photo" if has_photo else "",
        publisher=(settings.publisher_zh, settings.publisher_en),
        phone=settings.publication_phone,
        police_case_number=kept.police_case_number,
        words=poster_words,
    )


async def _name(conn: asyncpg.Connection, settings: AlertSettings, case: Case) -> str:
    """The name that the family allowed to be published. Not audited: it is public, and so is every look at it."""
    row = await store.identity(conn, case.id)
    if row is None or row["forgotten_at"] is not None:
        return ""
    return str(vault.opened_identity(settings, case, row).get("child_name", ""))


def _page(template: str, status: int = 200, **said: object) -> HTMLResponse:
    return HTMLResponse(_pages.get_template(template).render(**said), status, HEADERS)
