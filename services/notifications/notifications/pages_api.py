"""The routes of the notice page: GET shows, POST acts; the token in the address is the whole permission.

Whatever goes wrong is answered with a page for people, never with a document for programs.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, time, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from guitu.pg import TRANSIENT
from guitu.service import Runtime
from notifications import answers
from notifications.access import NoSuchPage, access_page
from notifications.domain.opening import is_person
from notifications.pages import HEADERS, no_such_notice, notice_page
from notifications.settings import NotificationSettings
from notifications.store import Row

ACTOR = "site.page"
NOTE_MAX = 1000
_PAGE = {"text/html": {"schema": {"type": "string"}}}
WRONG_LINK: dict[int | str, dict[str, Any]] = {
    404: {"description": "The link is wrong or over.", "content": _PAGE}
}
NOT_TAKEN: dict[int | str, dict[str, Any]] = {
    422: {"description": "The page again, with what was typed and why it was not taken.", "content": _PAGE}
}


def pages_router(runtime: Runtime, settings: NotificationSettings) -> APIRouter:
    """GET /n/{token}, POST /n/{token}/ack, POST /n/{token}/sighting."""
    router = APIRouter(tags=["notice page"], responses=WRONG_LINK)
    home = urlsplit(runtime.public_url).path.rstrip("/")

    def oldest() -> datetime:
        return runtime.clock.now() - timedelta(days=settings.notice_page_days)

    @router.get("/n/{token}", response_class=HTMLResponse)
    async def show(
        request: Request, token: str, said: Annotated[Literal["", "ack", "sighting"], Query()] = ""
    ) -> Response:
        """Show the notice; never acknowledges. That a person opened it first is said once."""
        try:
            async with runtime.read() as conn:
                row = await access_page(conn, token, oldest())
        except NoSuchPage:
            return no_such_notice()
        if row["opened_at"] is None and is_person(request.headers):
            await _say_opened(runtime, row)
        return notice_page(row, home, said)

    @router.post("/n/{token}/ack", response_class=RedirectResponse, status_code=303)
    async def acknowledge(token: str) -> Response:
        """Acknowledge (签收); a second time changes nothing."""
        try:
            async with runtime.tx(actor=ACTOR) as tx:
                row = await access_page(tx.conn, token, oldest())
                await answers.acknowledge(tx, row["id"], "page")
        except NoSuchPage:
            return no_such_notice()
        return _back(home, token, "ack")

    @router.post("/n/{token}/sighting", response_class=RedirectResponse, status_code=303, responses=NOT_TAKEN)
    async def sighting(
        token: str, note: Annotated[str, Form()] = "", seen_at: Annotated[str, Form()] = ""
    ) -> Response:
        """Report what was seen at this site, now or at a time of today."""
        try:
            async with runtime.tx(actor=ACTOR) as tx:
                row = await access_page(tx.conn, token, oldest())
                refused = _refused(note, seen_at)
                if refused:
                    return notice_page(row, home, refused=refused, typed=(note, seen_at))
                if row["stood_down_at"] is None:
                    moment = answers.seen_at_from(tx.now, _clock_time(seen_at))
                    if row["kind"] != "drill":
                        answers.report_sighting(tx, row, note.strip(), moment, "page")
                    await answers.acknowledge(tx, row["id"], "page")
        except NoSuchPage:
            return no_such_notice()
        return _back(home, token, "sighting")

    return router


async def _say_opened(runtime: Runtime, row: Row) -> None:
    # What people must read matters more than that they did: the page comes also where this can't be written now.
    with suppress(*TRANSIENT):
        async with runtime.tx(actor=ACTOR) as tx:
            await answers.opened(tx, row)


def _back(home: str, token: str, said: str) -> RedirectResponse:
    return RedirectResponse(f"{home}/n/{token}?said={said}", status_code=303, headers=HEADERS)


def _refused(note: str, seen_at: str) -> str:
    """Why a sighting can't be taken, as a key of `pages.REFUSED`; empty if it can."""
    if not note.strip():
        return "no_note"
    if len(note) > NOTE_MAX:
        return "long_note"
    try:
        _clock_time(seen_at)
    except ValueError:
        return "bad_time"
    return ""


def _clock_time(text: str) -> time | None:
    """Read HH:MM; nothing means now. Raises: ValueError."""
    return time.fromisoformat(text.strip()).replace(tzinfo=None) if text.strip() else None
