"""The audit logs of all services as one list by time, and the check of each chain; nothing of it is kept here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

from console.door.sessions import Visitor
from console.upstream import Upstream
from guitu import audit_api
from guitu.audit_reading import Wanted
from guitu.problem import Problem
from guitu.service import Runtime

Source = Literal["alerts", "dispatch", "dna-intake", "notifications", "console"]
SOURCES: tuple[Source, ...] = get_args(Source)
EXPORTED_MAX = 10_000
"""Lines in a file; more than a person reads, and few enough to be made while they wait."""
_PAGE_OF_FILE = 1_000
Json = dict[str, Any]


@dataclass(frozen=True)
class Away:
    """A service whose part is missing, and why."""

    source: Source
    refused: Problem


@dataclass(frozen=True)
class Merged:
    """Lines of several services, newest first."""

    lines: Sequence[Json]
    next_before: str | None
    away: Sequence[Away]


@dataclass(frozen=True)
class Asker:
    """Somebody who reads the logs, and the ways to them."""

    who: Visitor
    runtime: Runtime

    async def lines(self, source: Source, wanted: Wanted) -> list[Json]:
        """One service's lines. Raises: Problem."""
        if source == "console":
            found: Json = (await audit_api.entries_for(self.runtime, self.who.principal, wanted)).model_dump(
                mode="json"
            )
        else:
            found = await self._upstream.get(self.who, source, "/audit/entries", **_query(wanted))
        return [line | {"source": source} for line in found["entries"]]

    async def check(self, source: Source, known: str | None) -> Json:
        """Whether one service's chain holds, and where the seal `known` stands in it. Raises: Problem."""
        if source == "console":
            found = await audit_api.check_for(self.runtime, self.who.principal, known)
            return found.model_dump(mode="json")
        asked = {"known": known} if known else {}
        answer: Json = await self._upstream.get(self.who, source, "/audit/check", **asked)
        return answer

    @property
    def _upstream(self) -> Upstream:
        found: Upstream = self.runtime.state["upstream"]
        return found


async def merged(asker: Asker, sources: Sequence[Source], wanted: Wanted) -> Merged:
    """The newest lines of these services together, at most `wanted.limit`; a service that is away is named.

    Ids are made in the order of time in every service, so one id says where to go on in all of them.
    """
    found, away = await _of_each(sources, lambda source: asker.lines(source, wanted))
    lines = sorted((line for each in found.values() for line in each), key=_newest_first, reverse=True)
    shown = lines[: wanted.limit]
    is_more = len(lines) > wanted.limit or any(len(each) == wanted.limit for each in found.values())
    return Merged(shown, shown[-1]["id"] if shown and is_more else None, away)


async def checked(asker: Asker, known: str | None = None) -> tuple[dict[Source, Json], Sequence[Away]]:
    """The check of every service's chain; `known` is a seal that somebody noted down."""
    return await _of_each(SOURCES, lambda source: asker.check(source, known))


async def whole_file(
    asker: Asker, sources: Sequence[Source], wanted: Wanted
) -> AsyncIterator[tuple[Sequence[Json], Sequence[Away]]]:
    """All lines for a file, a page after another, newest first; at most EXPORTED_MAX."""
    asked, count = replace(wanted, limit=_PAGE_OF_FILE), 0
    while count < EXPORTED_MAX:
        page = await merged(asker, sources, asked)
        yield page.lines, page.away
        count += len(page.lines)
        if page.next_before is None:
            return
        asked = replace(asked, before=UUID(page.next_before))


async def _of_each(
    sources: Sequence[Source], ask: Callable[[Source], Awaitable[Any]]
) -> tuple[dict[Source, Any], Sequence[Away]]:
    answers = await asyncio.gather(*(ask(source) for source in sources), return_exceptions=True)
    found: dict[Source, Any] = {}
    away = []
    for source, answer in zip(sources, answers, strict=True):
        if isinstance(answer, Problem):
            away.append(Away(source, answer))
        elif isinstance(answer, BaseException):
            raise answer
        else:
            found[source] = answer
    return found, away


def _newest_first(line: Json) -> str:
    return str(line["id"])


def _query(wanted: Wanted) -> Json:
    return {name: _text(value) for name, value in vars(wanted).items() if value is not None}


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
