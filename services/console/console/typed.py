"""What a person typed into a form: sent on as the owner wants it, and given back as it was when that is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import RedirectResponse
from starlette.datastructures import UploadFile

from console.door.sessions import Visitor
from console.rendering import HEADERS
from console.upstream import Upstream
from guitu.problem import Problem

BEIJING = ZoneInfo("Asia/Shanghai")
UNKNOWN_FROM = 500
"""From this status on nobody knows whether the command was carried out: the same key must be sent again."""


@dataclass(frozen=True)
class Typed:
    """The fields of a form; a template asks `typed("barcode")` and gets text, empty if there was none."""

    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __call__(self, name: str, default: str = "") -> str:
        """What was typed, without spaces around it."""
        values = self.fields.get(name)
        return values[0].strip() if values else default

    def every(self, name: str) -> list[str]:
        """All values of a field that may be there many times, such as ticked rows."""
        return [value.strip() for value in self.fields.get(name, ()) if value.strip()]

    def ticked(self, name: str) -> bool:
        """Was this box ticked?"""
        return bool(self(name))

    def lines(self, name: str) -> list[str]:
        """The lines of a larger field that say something; a scanner ends each with a new line."""
        return [line.strip() for line in self(name).splitlines() if line.strip()]

    def some(self, *names: str) -> dict[str, Any]:
        """The fields that were filled in, for a body in which an empty one would be wrong."""
        return {name: self(name) for name in names if self(name)}

    def moment(self, name: str) -> str | None:
        """A date and time field, read as Beijing time; what can't be read goes on as it is, and is refused there."""
        text = self(name)
        try:
            return datetime.fromisoformat(text).replace(tzinfo=BEIJING).isoformat() if text else None
        except ValueError:
            return text

    def key_after(self, refused: Problem | None) -> str:
        """The key of the form that is shown again: the old one while nobody knows what became of the command."""
        return self("key") if refused is not None and refused.status >= UNKNOWN_FROM else ""


NOTHING = Typed()


async def typed(request: Request) -> Typed:
    """What the form says; files are left to who wants them."""
    fields: dict[str, list[str]] = {}
    for name, value in (await request.form()).multi_items():
        if isinstance(value, str):
            fields.setdefault(name, []).append(value)
    return Typed(fields)


async def file_of(request: Request, name: str) -> tuple[str, bytes, str] | None:
    """A file as it is sent on: name, content, type; None if none was chosen."""
    sent = (await request.form()).get(name)
    if not isinstance(sent, UploadFile) or not sent.filename:
        return None
    return sent.filename, await sent.read(), sent.content_type or "application/octet-stream"


def see(path: str, **query: str | None) -> RedirectResponse:
    """Look there now, after a command was carried out."""
    said = urlencode({name: value for name, value in query.items() if value})
    return RedirectResponse(f"{path}?{said}" if said else path, 303, HEADERS)


def upstream_of(request: Request) -> Upstream:
    """The way to the owners."""
    found: Upstream = request.app.state.runtime.state["upstream"]
    return found


def may(who: Visitor, *roles: str) -> bool:
    """Would the owner let this role do it? For what a page offers; the owner decides. Admin may what anybody may."""
    return who.principal.role in (*roles, "admin")


def no_file() -> Problem:
    """422: the form came without its file."""
    return Problem(
        422, "no_file", "No file was chosen.", "未选择文件。", "Choose a file, then press the button again."
    )
