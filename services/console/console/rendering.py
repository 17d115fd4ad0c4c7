"""Pages from templates: both languages, Beijing time, ages, and what stands around every page."""

from __future__ import annotations

import gzip
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from console.assets import asset, script
from console.door.sessions import Visitor, language_of
from console.navigation import ROLE_NAMES, places_of
from console.settings import console_settings
from console.words import Words, marked, words

HERE = Path(__file__).parent
BEIJING = ZoneInfo("Asia/Shanghai")
SQUEEZED_FROM = 1_400
"""Bytes; below it fits into one packet anyway."""
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}
_AGES = {
    ("s", True): marked("{n} s ago"),
    ("min", True): marked("{n} min ago"),
    ("h", True): marked("{n} h ago"),
    ("d", True): marked("{n} d ago"),
    ("s", False): marked("in {n} s"),
    ("min", False): marked("in {n} min"),
    ("h", False): marked("in {n} h"),
    ("d", False): marked("in {n} d"),
}
ENVIRONMENT = Environment(
    loader=FileSystemLoader(HERE / "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(
    request: Request, template: str, who: Visitor | None = None, *, status: int = 200, **said: Any
) -> HTMLResponse:
    """A whole page; `_` is the language's words, `who` the person at the screen or None, `now` the clock's time.

    Give `exercise=True` where what is shown is an exercise: the page is framed and says so.
    """
    runtime = request.app.state.runtime
    language = who.language if who else language_of(request)
    around = {
        "_": words(language),
        "language": language,
        "who": who,
        "path": request.url.path,
        "now": runtime.clock.now(),
        "exercise": False,
        "places": places_of(who.principal.role, console_settings(runtime.settings)) if who else (),
        "banner": getattr(request.state, "banner", None),
    }
    text = ENVIRONMENT.get_template(template).render(around | said)
    return squeezed(request, HTMLResponse(text, status, HEADERS))


def squeezed(request: Request, answer: HTMLResponse) -> HTMLResponse:
    """The same answer in fewer bytes, for who can read it.

    A page holds no secret that is the same twice (the CSRF token is masked), so its length tells nothing (BREACH).
    """
    body = bytes(answer.body)
    if len(body) >= SQUEEZED_FROM and "gzip" in request.headers.get("accept-encoding", ""):
        answer.body = gzip.compress(body, 5, mtime=0)
        answer.headers["Content-Encoding"] = "gzip"
        answer.headers["Content-Length"] = str(len(answer.body))
    answer.headers["Vary"] = "Accept-Encoding, Cookie"
    return answer


def beijing(moment: datetime | str | None, form: str = "%H:%M:%S") -> str:
    """A time as people here read it; a dash if there is none. Text is read as ISO 8601."""
    return "–" if moment is None else _moment(moment).astimezone(BEIJING).strftime(form)


def iso(moment: datetime | str) -> str:
    """A time for machines: `<time datetime>`."""
    return _moment(moment).isoformat()


def age(moment: datetime | str, now: datetime, said: Words) -> str:
    """How long ago, in the words of the page: `3 min ago`, `in 40 s`."""
    seconds = (now - _moment(moment)).total_seconds()
    amount, unit = _amount(abs(seconds))
    return said(_AGES[unit, seconds >= 0], n=amount)


def _amount(seconds: float) -> tuple[int, str]:
    """The largest whole unit: 90 s are seconds, then minutes up to 2 h, hours up to 2 d (as in ground.mjs)."""
    for limit, size, unit in ((90, 1, "s"), (7_200, 60, "min"), (172_800, 3_600, "h")):
        if seconds < limit:
            return int(seconds // size), unit
    return int(seconds // 86_400), "d"


def _moment(moment: datetime | str) -> datetime:
    return datetime.fromisoformat(moment) if isinstance(moment, str) else moment


@pass_context
def _script(context: Context, name: str) -> Markup:
    return script(name, context["language"])


@pass_context
def _age(context: Context, moment: datetime | str) -> str:
    return age(moment, context["now"], context["_"])


def _without(named: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in named.items() if key != name}


def new_key() -> str:
    """An Idempotency-Key for a form, made when it is rendered: sending it twice does the thing once."""
    return str(uuid4())


ENVIRONMENT.filters |= {"beijing": beijing, "iso": iso, "age": _age, "rejectkey": _without}
ENVIRONMENT.globals |= {"asset": asset, "script": _script, "new_key": new_key, "role_names": ROLE_NAMES}
