"""Pages from templates: both languages, Beijing time, addresses of assets that change with their content."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from console.sessions import Visitor, language_of
from console.words import words

HERE = Path(__file__).parent
BEIJING = ZoneInfo("Asia/Shanghai")
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
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
    """A whole page; `_` is the language's words, `who` the person at the screen or None."""
    language = who.language if who else language_of(request)
    context = {"_": words(language), "language": language, "who": who, "path": request.url.path} | said
    return HTMLResponse(ENVIRONMENT.get_template(template).render(context), status, HEADERS)


def beijing(moment: datetime | str | None, form: str = "%H:%M:%S") -> str:
    """A time as people here read it; a dash if there is none. Text is read as ISO 8601."""
    if moment is None:
        return "–"
    read = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return read.astimezone(BEIJING).strftime(form)


@lru_cache(maxsize=64)
def asset(name: str) -> str:
    """The address of a file under `static/`, which changes when its content does."""
    mark = sha256((HERE / "static" / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={mark}"


ENVIRONMENT.filters["beijing"] = beijing
ENVIRONMENT.globals["asset"] = asset
