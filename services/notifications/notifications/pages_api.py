"""The routes of the notice page: GET shows, POST acts; the token in the address is the whole permission.

Whatever goes wrong is answered with a page for people, never with a document for programs. Each POST may come twice:
phones repeat what they could not hear the answer of.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from contracts.sighting import spoken_number
from guitu import idempotency
from guitu.idempotency import StoredAnswer
from guitu.pg import TRANSIENT
from guitu.phone import PRIVATE
from guitu.service import Runtime
from guitu.tx import Tx
from notifications import answers
from notifications.access import NoSuchPage, access_page
from notifications.domain.delivery import ALERT_KINDS
from notifications.domain.opening import is_person
from notifications.domain.page_sighting import Typed, clock_time
from notifications.pages import KIT, no_such_notice, notice_page
from notifications.photos import Photos
from notifications.settings import NotificationSettings
from notifications.store import Row

ACTOR = "site.page"
WITH_PHOTO = frozenset({*ALERT_KINDS, "nil_report"})
_PAGE = {"text/html": {"schema": {"type": "string"}}}
WRONG_LINK: dict[int | str, dict[str, Any]] = {
    404: {"description": "The link is wrong or over.", "content": _PAGE}
}
NOT_TAKEN: dict[int | str, dict[str, Any]] = {
    422: {"description": "The page again, with what was typed and why it was not taken.", "content": _PAGE}
}
PHOTO: dict[int | str, dict[str, Any]] = {
    200: {"description": "The photo.", "content": {"image/webp": {"schema": {"type": "string"}}}},
    410: {"description": "The case is over; the photo is gone.", "content": _PAGE},
}
Number = Annotated[str, Query(pattern="^([0-9A-F]{6})?$", description="The sighting's number, to be shown.")]


def pages_router(runtime: Runtime, settings: NotificationSettings) -> APIRouter:
    """GET /n/{token}, its photo, POST /n/{token}/ack, POST /n/{token}/sighting."""
    router = APIRouter(tags=["notice page"], responses=WRONG_LINK)
    home = urlsplit(runtime.public_url).path.rstrip("/")

    def oldest() -> datetime:
        return runtime.clock.now() - timedelta(days=settings.notice_page_days)

    async def read(token: str) -> Row:
        async with runtime.read() as conn:
            return await access_page(conn, token, oldest())

    _add_reading(router, runtime, settings, home, read)
    _add_acting(router, runtime, home, oldest)
    return router


def _add_reading(
    router: APIRouter,
    runtime: Runtime,
    settings: NotificationSettings,
    home: str,
    read: Callable[[str], Awaitable[Row]],
) -> None:
    @router.get("/n/-/phone.mjs", include_in_schema=False)
    async def script(request: Request) -> Response:
        """The page's script."""
        return KIT.script_file(request)

    @router.get("/n/{token}", response_class=HTMLResponse)
    async def show(
        request: Request,
        token: str,
        said: Annotated[Literal["", "ack", "sighting"], Query()] = "",
        number: Number = "",
    ) -> Response:
        """Show the notice; never acknowledges. That a person opened it first is said once."""
        try:
            row = await read(token)
        except NoSuchPage:
            return no_such_notice(request)
        if row["opened_at"] is None and is_person(request.headers):
            await _say_opened(runtime, row)
        photo = await _photo(runtime, row) is not None
        days = settings.notice_page_days
        return notice_page(request, row, home, days, said=said, number=number, photo=photo)

    @router.get("/n/{token}/photo", response_class=Response, responses=PHOTO)
    async def photo(request: Request, token: str) -> Response:
        """The released photo, small enough for any line; gone with the case's end."""
        try:
            row = await read(token)
        except NoSuchPage:
            return no_such_notice(request)
        if row["stood_down_at"] is not None:
            return no_such_notice(request, 410)
        found = await _photo(runtime, row)
        if found is None:
            return no_such_notice(request)
        return Response(found, media_type="image/webp", headers=PRIVATE)


def _add_acting(router: APIRouter, runtime: Runtime, home: str, oldest: Callable[[], datetime]) -> None:
    @router.post("/n/{token}/ack", response_class=RedirectResponse, status_code=303)
    async def acknowledge(request: Request, token: str) -> Response:
        """Acknowledge (签收); a second time changes nothing."""
        try:
            async with runtime.tx(actor=ACTOR) as tx:
                row = await access_page(tx.conn, token, oldest())
                await answers.acknowledge(tx, row["id"], "page")
        except NoSuchPage:
            return no_such_notice(request)
        return _back(home, token, "ack")

    @router.post("/n/{token}/sighting", response_class=RedirectResponse, status_code=303, responses=NOT_TAKEN)
    async def sighting(
        request: Request,
        token: str,
        what: Annotated[str, Form()] = "",
        note: Annotated[str, Form()] = "",
        ago: Annotated[str, Form(description="Minutes before the press: 0, 5 or 15.")] = "",
        seen_at: Annotated[str, Form(description="Or a time of day, HH:MM.")] = "",
        waited_s: Annotated[str, Form(description="Seconds that the phone had no signal.")] = "",
        key: Annotated[str, Form(description="Of the page that was shown; repeats are one sighting.")] = "",
    ) -> Response:
        """Report what was seen at this site, with the number that it is called by."""
        typed = Typed(what, note, ago, seen_at, waited_s, key)
        try:
            async with runtime.tx(actor=ACTOR) as tx:
                row = await access_page(tx.conn, token, oldest())
                if typed.trouble:
                    return notice_page(request, row, home, refused=typed.trouble, typed=typed.shortened())
                number = await _take_sighting(tx, row, typed)
        except NoSuchPage:
            return no_such_notice(request)
        return _back(home, token, "sighting", number)


async def _take_sighting(tx: Tx, row: Row, typed: Typed) -> str:
    """Say it once, which also acknowledges; returns its number, empty where nothing is looked for any more."""
    if row["stood_down_at"] is not None:
        return ""
    page = f"page:{row['id']}"
    told = await idempotency.once(tx, page, typed.once, b"sighting") if typed.key else None
    if told is not None:
        return str(told.body["number"])
    number = ""
    if row["kind"] != "drill":
        number = spoken_number(answers.report_sighting(tx, row, typed.words, _seen_at(typed, tx.now), "page"))
    await answers.acknowledge(tx, row["id"], "page")
    if typed.key:
        await idempotency.remember(tx, page, typed.once, StoredAnswer(303, {"number": number}))
    return number


def _seen_at(typed: Typed, now: datetime) -> datetime:
    pressed, shown = now - typed.pressed_ago, clock_time(typed.seen_at)
    return answers.seen_at_from(pressed, shown) if shown else pressed - typed.ago_min


async def _say_opened(runtime: Runtime, row: Row) -> None:
    # What people must read matters more than that they did: the page comes also where this can't be written now.
    with suppress(*TRANSIENT):
        async with runtime.tx(actor=ACTOR) as tx:
            await answers.opened(tx, row)


async def _photo(runtime: Runtime, row: Row) -> bytes | None:
    photos: Photos | None = runtime.state.get("photos")
    if photos is None or row["kind"] not in WITH_PHOTO:
        return None
    if row["stood_down_at"] is not None:
        photos.forget(row["case_id"])
        return None
    return await photos.of(row["case_id"])


def _back(home: str, token: str, said: str, number: str = "") -> RedirectResponse:
    told = f"&number={number}" if number else ""
    return RedirectResponse(f"{home}/n/{token}?said={said}{told}", status_code=303, headers=KIT.headers)
