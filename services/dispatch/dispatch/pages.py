"""The order page for the unit's phone: signed link, big buttons; GET never changes anything.

Every step is a plain form. With the script a step that finds no signal is kept on the phone and sent later; a tick
comes from this server only. "Intercepted" asks once more: by a second tap, or by a page of its own.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dispatch import store
from dispatch.domain.orders import IllegalOrderMove, OrderState
from dispatch.handlers import move_order
from dispatch.models import Move, OrderRow
from dispatch.order_page import order_of_page
from dispatch.settings import dispatch_settings
from dispatch.times import BEIJING
from guitu.auth import PageTokenExpired, PageTokenForged
from guitu.phone import Kit
from guitu.service import Runtime

_PAGES = Path(__file__).parent / "pages"
_TEMPLATES = Environment(
    loader=FileSystemLoader(_PAGES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
KIT = Kit((_PAGES / "order.css").read_text(encoding="utf-8"))
_TEMPLATES.globals["kit"] = KIT
TARGETS: dict[str, Move] = {
    "accept": "accepted",
    "in-position": "in_position",
    "nothing-seen": "nothing_seen",
    "intercepted": "intercepted",
    "stand-down-ack": "stand_down_acknowledged",
}
_BUTTONS = (
    ("accept", "接令", "Accept"),
    ("in-position", "到位", "In position"),
    ("nothing-seen", "无异常", "Nothing seen"),
    ("intercepted", "拦截到", "Intercepted"),
)
# Which buttons a state enables; anything else the server refuses as well.
_ENABLED: dict[OrderState, tuple[str, ...]] = {
    OrderState.issued: ("accept",),
    OrderState.overdue: ("accept",),
    OrderState.accepted: ("in-position",),
    OrderState.in_position: ("nothing-seen", "intercepted"),
    OrderState.nothing_seen: ("intercepted",),
}
STATE_WORDS = {
    OrderState.issued: ("待接令", "Waiting for your answer"),
    OrderState.accepted: ("已接令", "Accepted"),
    OrderState.in_position: ("已到位", "In position"),
    OrderState.nothing_seen: ("无异常", "Nothing seen"),
    OrderState.intercepted: ("已拦截", "Intercepted"),
    OrderState.overdue: ("超时未接令", "Overdue"),
    OrderState.reassigned: ("已改派", "Given to another unit"),
    OrderState.stood_down: ("已解除", "Stood down"),
    OrderState.stand_down_acknowledged: ("解除已确认", "Stand-down acknowledged"),
}
# What to do now, for somebody who has no time to think.
_NEXT_STEP = {
    OrderState.issued: ("请立即按“接令”", "Press Accept now"),
    OrderState.overdue: ("已超时,仍可接令", "Late, but you can still accept"),
    OrderState.accepted: ("立即赶往;到了按“到位”", "Go there at once; press In position when you are there"),
    OrderState.in_position: (
        "逐一查看来往人员;找到按“拦截到”",
        "Look at everyone who passes; press Intercepted when you have the child",
    ),
    OrderState.nothing_seen: ("继续查控,直到解除", "Keep looking until you are stood down"),
    OrderState.intercepted: (
        "保护好孩子,等候指挥中心",
        "Keep the child safe and wait for the command centre",
    ),
    OrderState.reassigned: ("无需前往", "You need not go"),
}
_REASONS = {
    "found": ("孩子已找到", "The child was found"),
    "false_alarm": ("误报", "False alarm"),
    "merged": ("已并案", "Merged into another case"),
    "exercise_over": ("演练结束", "The exercise is over"),
    "replanned": ("部署已调整", "The plan changed"),
    "overdue": ("超时,已改派", "No answer in time; another unit has it"),
}
# With the steps that wait on a phone without signal: what each of them makes possible.
_OPENS = {
    "accept": "in-position",
    "in-position": "nothing-seen intercepted",
    "nothing-seen": "intercepted",
    "intercepted": "",
}
SURE = "intercepted"
"""The button that moves the whole net: it is asked about once more."""


def pages_router(runtime: Runtime) -> APIRouter:
    """The routes under /o/{token}."""
    router = APIRouter(
        tags=["order page"],
        default_response_class=HTMLResponse,
        responses=_pages({404: "The link is wrong.", 410: "The link is over."}),
    )

    @router.get("/o/-/phone.mjs", include_in_schema=False)
    async def script(request: Request) -> Response:
        """The pages' script."""
        return KIT.script_file(request)

    @router.get("/o/{token}")
    async def page(request: Request, token: str) -> Response:
        """The order; shows, and changes nothing."""
        return await show(runtime, request, token)

    @router.get("/o/{token}/intercepted", responses=_pages({409: "That is not the next step."}))
    async def are_you_sure(request: Request, token: str) -> Response:
        """Ask once more whether the child is there; for phones without JavaScript. Changes nothing."""
        return await show(runtime, request, token, asks=True)

    @router.post(
        "/o/{token}/{button}",
        status_code=303,
        response_class=RedirectResponse,
        responses=_pages({409: "That is not the next step; the page shows what is."}),
    )
    async def press(request: Request, token: str, button: str) -> Response:
        """A button: one step of the order, then back to its page. Pressing it again changes nothing."""
        if button not in TARGETS:
            return _words(request, "forged", 404)
        return await answer(runtime, request, token, TARGETS[button])

    return router


def _pages(says: dict[int, str]) -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI document: these answers are pages for people, too."""
    page = {"text/html": {"schema": {"type": "string"}}}
    return {status: {"description": text, "content": page} for status, text in says.items()}


async def show(
    runtime: Runtime, request: Request, token: str, *, refused: bool = False, asks: bool = False
) -> Response:
    """The page of the order that the token names, or why there is none; with `asks` the question before "intercepted".

    With `refused`, or where there is nothing to ask about, it says what can be done instead (409).
    """
    found = _order_id(runtime, request, token)
    if isinstance(found, Response):
        return found
    async with runtime.read() as conn:
        row = await store.order(conn, found)
    if row is None:
        return _words(request, "forged", 404)
    may_ask = asks and SURE in _ENABLED.get(row.state, ())
    refused = refused or (asks and not may_ask)
    view = order_view(row, token, refused, runtime.clock.now())
    return _html(request, "sure.html" if may_ask else "order.html", 409 if refused else 200, **view)


async def answer(runtime: Runtime, request: Request, token: str, target: Move) -> Response:
    """Move the order and lead back to its page (303), or show the page with what can be done instead (409)."""
    found = _order_id(runtime, request, token)
    if isinstance(found, Response):
        return found
    try:
        async with runtime.tx(actor=f"order-page:{found}") as tx:
            row = await move_order(tx, found, target)
    except IllegalOrderMove:
        return await show(runtime, request, token, refused=True)
    if row is None:
        return _words(request, "forged", 404)
    return RedirectResponse(f"/o/{token}", 303, KIT.headers)


def order_view(row: OrderRow, token: str, refused: bool, now: datetime) -> dict[str, Any]:
    """What the page says; times are Beijing time, to the minute that has begun."""
    enabled = _ENABLED.get(row.state, ())
    return {
        "row": row,
        "token": token,
        "refused": refused,
        "state": STATE_WORDS[row.state],
        "next_step": _NEXT_STEP.get(row.state, ("", "")),
        "why": _REASONS.get(row.stand_down_reason or "", ("", "")),
        "buttons": [(name, zh, en, name in enabled, _OPENS[name]) for name, zh, en in _BUTTONS],
        "done_at": _clock(row.order.history[-1][1], now),
        "over": row.state in (OrderState.stood_down, OrderState.stand_down_acknowledged),
        "to_acknowledge": row.state == OrderState.stood_down,
        "answer_by": _clock(row.order.respond_by, now) if row.state == OrderState.issued else "",
        "arrive_by": _clock(row.arrive_by, now),
        "earliest": _clock(row.earliest_arrival_at, now),
    }


def _order_id(runtime: Runtime, request: Request, token: str) -> Any:
    """The order's id, or the page that says why the link is no good."""
    settings = dispatch_settings(runtime.settings)
    now = runtime.clock.now()
    try:
        return order_of_page(settings.signing_key, token, now, settings.page_opens_for.total_seconds())
    except PageTokenExpired:
        return _words(request, "expired", 410)
    except PageTokenForged:
        return _words(request, "forged", 404)


def _words(request: Request, kind: str, status: int) -> Response:
    return _html(request, "no_order.html", status, kind=kind)


def _html(request: Request, template: str, status: int, **view: Any) -> Response:
    return KIT.page(_TEMPLATES.get_template(template).render(**view), status, request)


def _clock(moment: datetime, now: datetime) -> str:
    """Hour and minute; the day only if it is not today."""
    local = moment.astimezone(BEIJING)
    is_today = local.date() == now.astimezone(BEIJING).date()
    return local.strftime("%H:%M" if is_today else "%m-%d %H:%M")
