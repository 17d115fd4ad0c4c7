"""The routes of the notice page: GET shows, POST acts; the token in the address is the whole permission."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse

from guitu.problem import Problem
from guitu.service import Runtime
from notifications import answers, store
from notifications.access import access_page, no_such_page
from notifications.pages import HEADERS, notice_page
from notifications.settings import NotificationSettings
from notifications.store import Row

ACTOR = "site.page"


def pages_router(runtime: Runtime, settings: NotificationSettings) -> APIRouter:
    """GET /n/{token}, POST /n/{token}/ack, POST /n/{token}/sighting."""
    router = APIRouter(tags=["notice page"])

    def valid(row: Row | None) -> Row:
        oldest = runtime.clock.now() - timedelta(days=settings.notice_page_days)
        if row is None or row["queued_at"] < oldest:
            raise no_such_page()
        return row

    @router.get("/n/{token}", response_class=HTMLResponse)
    async def show(token: str, said: Annotated[Literal["", "ack", "sighting"], Query()] = "") -> HTMLResponse:
        """Show the notice; never acknowledges."""
        async with runtime.read() as conn:
            row = valid(await store.by_page(conn, access_page(token)))
        return notice_page(row, said)

    @router.post("/n/{token}/ack", response_class=RedirectResponse, status_code=303)
    async def acknowledge(token: str) -> RedirectResponse:
        """Acknowledge (签收); a second time changes nothing."""
        async with runtime.tx(actor=ACTOR) as tx:
            row = valid(await store.by_page(tx.conn, access_page(token)))
            await answers.acknowledge(tx, row["id"], "page")
        return _back(token, "ack")

    @router.post("/n/{token}/sighting", response_class=RedirectResponse, status_code=303)
    async def sighting(
        token: str,
        note: Annotated[str, Form(min_length=1, max_length=1000)],
        seen_at: Annotated[str, Form(max_length=8)] = "",
    ) -> RedirectResponse:
        """Report what was seen at this site, now or at a time of today."""
        async with runtime.tx(actor=ACTOR) as tx:
            row = valid(await store.by_page(tx.conn, access_page(token)))
            if row["stood_down_at"] is None:
                moment = answers.seen_at_from(tx.now, _clock_time(seen_at))
                answers.report_sighting(tx, row, note.strip() or "-", moment, "page")
                await answers.acknowledge(tx, row["id"], "page")
        return _back(token, "sighting")

    return router


def _back(token: str, said: str) -> RedirectResponse:
    return RedirectResponse(f"../{token}?said={said}", status_code=303, headers=HEADERS)


def _clock_time(text: str) -> time | None:
    if not text.strip():
        return None
    try:
        return time.fromisoformat(text.strip()).replace(tzinfo=None)
    except ValueError:
        raise Problem(
            422,
            "bad_time",
            "The time must be HH:MM.",
            "时间格式应为 时:分,例如 14:20。",
            "Leave the time empty if it was just now.",
        ) from None
