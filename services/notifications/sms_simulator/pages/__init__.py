"""The inbox page: what the phones show, for a person who watches a demo; it works without JavaScript."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from itertools import islice
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Form
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sms_simulator.carrier import Carrier
from sms_simulator.intake import BODY_MAX, E164, SENDER
from sms_simulator.message import Message
from sms_simulator.phone_call import PhoneCall

_HERE = Path(__file__).parent
_SHOWN = 100
_CALLS_SHOWN = 20
_KEYS = tuple("1234567890*#")
_LINK = re.compile(r"(https?://[^\s<>\"']+)")
_BEIJING = timezone(timedelta(hours=8))
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; form-action 'self'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def add_pages(app: FastAPI, carrier: Carrier) -> None:
    """Serve the inbox at `/`, with its style and its reply form."""
    pages = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined)
    pages.globals.update(keys=("1", "2", "9"))
    pages.filters.update(pieces=_pieces, beijing=_beijing)

    def render(name: str, status: int = 200, **values: object) -> HTMLResponse:
        return HTMLResponse(pages.get_template(name).render(**values), status, _HEADERS)

    @app.get("/", include_in_schema=False)
    async def inbox(phone: str = "") -> HTMLResponse:
        if phone and not E164.match(phone):
            return render("problem.html", 422, problem="这不是手机号码。That is not a phone number.")
        if phone:
            return render(
                "phone.html",
                phone=phone,
                messages=carrier.mailbox.thread(phone)[:_SHOWN],
                ours=_ours(carrier, phone),
            )
        newest = list(islice(carrier.mailbox.newest(), _SHOWN))
        calls = list(islice(carrier.calls.newest(), _CALLS_SHOWN))
        return render("inbox.html", messages=newest, total=len(carrier.mailbox.messages), calls=calls)

    @app.post("/press", include_in_schema=False, response_model=None)
    async def press(
        sid: Annotated[str, Form()] = "", key: Annotated[str, Form()] = ""
    ) -> HTMLResponse | RedirectResponse:
        call = carrier.calls.get(sid)
        if key not in _KEYS or call is None or not carrier.calls.press(call, key):
            return render(
                "problem.html", 422, problem="这通电话已结束。This call is over, or that is no key."
            )
        return RedirectResponse("/", 303)

    @app.post("/reply", include_in_schema=False, response_model=None)
    async def reply(
        phone: Annotated[str, Form()] = "",
        ours: Annotated[str, Form()] = "",
        body: Annotated[str, Form()] = "",
    ) -> HTMLResponse | RedirectResponse:
        if not E164.match(phone) or not SENDER.match(ours) or not 0 < len(body) <= BODY_MAX:
            problem = (
                f"请填写 1 至 {BODY_MAX} 字的回复。Write 1 to {BODY_MAX} characters, to a number of ours."
            )
            return render("problem.html", 422, problem=problem)
        await carrier.receive(phone, ours, body)
        return RedirectResponse(f"/?phone=%2B{phone[1:]}", 303)

    @app.get("/inbox.css", include_in_schema=False)
    async def style() -> FileResponse:
        return FileResponse(_HERE / "inbox.css", media_type="text/css")

    @app.get("/inbox.js", include_in_schema=False)
    async def script() -> FileResponse:
        return FileResponse(_HERE / "inbox.js", media_type="text/javascript")


def _ours(carrier: Carrier, phone: str) -> str:
    """Return the number of ours that a reply goes to: the one of the newest message of this phone."""
    for message in carrier.mailbox.thread(phone):
        return message.to if message.direction == "inbound" else message.sender
    return carrier.rules.service_sender


def _pieces(text: str) -> list[tuple[bool, str]]:
    """Split a text into links (True) and the words between them, so that the template can escape both."""
    return [(index % 2 == 1, piece) for index, piece in enumerate(_LINK.split(text)) if piece]


def _beijing(message: Message | PhoneCall) -> str:
    return datetime.fromtimestamp(message.created_at, _BEIJING).strftime("%m-%d %H:%M:%S")
