"""The audit viewer: who did what in every service, whether the past was changed, and the lines as a file."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from console.audit.log import SOURCES, Asker, Source, checked, merged, whole_file
from console.audit.words import action_words
from console.door.sessions import Visitor, visitor
from console.rendering import BEIJING, HEADERS, beijing, page
from console.words import words
from guitu.audit_reading import Wanted
from guitu.service import Runtime

PAGE = 100
_BOM = "\ufeff"
_COLUMNS = (
    "time_beijing",
    "service",
    "actor",
    "action",
    "action_in_words",
    "subject",
    "details",
    "sealed_as",
)
_SEAL = re.compile("[0-9a-f]{64}")
_RISKY = ("=", "+", "-", "@", "\t", "\r")
Auditor = Annotated[Visitor, Depends(visitor("auditor"))]


@dataclass(frozen=True)
class Asked:
    """The filter as it was typed: text, since what can't be read is shown again with what is wrong."""

    services: Annotated[Sequence[Source], Query()] = ()
    actor: str = ""
    action: str = ""
    subject: str = ""
    since: str = ""
    until: str = ""
    before: str = ""


def asked(
    service: Annotated[list[Source] | None, Query()] = None,
    actor: str = "",
    action: str = "",
    subject: str = "",
    since: str = "",
    until: str = "",
    before: str = "",
) -> Asked:
    """The filter of the address."""
    texts = (text.strip().replace("\x00", "") for text in (actor, action, subject, since, until, before))
    return Asked(tuple(service or SOURCES), *texts)


Filter = Annotated[Asked, Depends(asked)]


def audit_router(runtime: Runtime) -> APIRouter:
    """The viewer, the check of the chains, and the file."""
    router = APIRouter(include_in_schema=False)

    @router.get("/audit")
    async def log(request: Request, who: Auditor, filter_: Filter) -> Response:
        """The newest lines of all services, or those that the filter leaves."""
        wanted, wrong = wanted_by(filter_)
        found = await merged(Asker(who, runtime), filter_.services, wanted) if not wrong else None
        return page(request, "audit/log.html", who, **_said(filter_, who), wrong=wrong, found=found)

    @router.get("/audit/chains")
    async def chains(request: Request, who: Auditor, known: str = "") -> Response:
        """Compute every chain again and look for a noted seal; it reads only, though that it was made is logged."""
        noted = known.strip().lower()[:100]
        is_seal = bool(_SEAL.fullmatch(noted))
        results, away = await checked(Asker(who, runtime), noted if is_seal else None)
        said: dict[str, Any] = {"results": results, "away": away, "noted": noted, "is_seal": is_seal}
        return page(request, "audit/chains.html", who, checked_at=runtime.clock.now(), **said)

    @router.get("/audit.csv")
    async def file(request: Request, who: Auditor, filter_: Filter) -> Response:
        """The same lines as a file, at most 10,000."""
        wanted, wrong = wanted_by(filter_)
        if wrong:
            return page(
                request, "audit/log.html", who, status=422, **_said(filter_, who), wrong=wrong, found=None
            )
        named = {"Content-Disposition": 'attachment; filename="audit.csv"'}
        rows = _rows(Asker(who, runtime), filter_, wanted)
        return StreamingResponse(rows, media_type="text/csv; charset=utf-8", headers=HEADERS | named)

    return router


def wanted_by(filter_: Asked) -> tuple[Wanted, set[str]]:
    """What to ask the services for, and which fields can't be read."""
    read: dict[str, Any] = {}
    wrong: set[str] = set()
    for name, reader in (("subject", UUID), ("before", UUID), ("since", _moment), ("until", _moment)):
        try:
            text = getattr(filter_, name)
            read[name] = reader(text) if text else None
        except ValueError:
            wrong.add(name)
    texts = {name: getattr(filter_, name)[:100] or None for name in ("actor", "action")}
    return Wanted(**({} if wrong else read), **texts, limit=PAGE), wrong


def _moment(text: str) -> datetime:
    """A time as the form sends it; without a zone it is Beijing's."""
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=BEIJING)


def _said(filter_: Asked, who: Visitor) -> dict[str, Any]:
    _ = words(who.language)
    return {"asked": filter_, "sources": SOURCES, "in_words": lambda action: action_words(action, _)}


async def _rows(asker: Asker, filter_: Asked, wanted: Wanted) -> AsyncIterator[str]:
    """Lines of the file. A service that is away is a line too: a file must not look whole when it is not."""
    _ = words(asker.who.language)
    yield _BOM + _line(_COLUMNS)
    missing: set[str] = set()
    async for lines, away in whole_file(asker, filter_.services, wanted):
        for each in away:
            if each.source not in missing:
                missing.add(each.source)
                yield _line(
                    ("", each.source, "", "", _("This service did not answer; its lines are missing."))
                )
        for line in lines:
            yield _line(_cells(line, action_words(line["action"], _)))


def _cells(line: dict[str, Any], in_words: str) -> Sequence[object]:
    details = json.dumps(line["details"], ensure_ascii=False, sort_keys=True)
    when = beijing(line["at"], "%Y-%m-%d %H:%M:%S")
    return (
        when, line["source"], line["actor"], line["action"], in_words, line["subject"], details, line["sealed_as"],
    )  # fmt: skip


def _line(cells: Sequence[object]) -> str:
    """One line; a cell that a spreadsheet would take for a formula gets an apostrophe before it."""
    texts = ["" if cell is None else str(cell) for cell in cells]
    written = io.StringIO()
    csv.writer(written).writerow([f"'{text}" if text.startswith(_RISKY) else text for text in texts])
    return written.getvalue()
