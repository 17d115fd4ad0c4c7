"""The live streams over HTTP (server-sent events): a case's board and the list of cases.

Protocol, for the page's script:

- `GET /cases/{id}/live?after=SEQ` where SEQ is `Board.seq` of the page that is shown; on a reconnect the browser's own
  `Last-Event-ID` wins. `GET /cases/live?after=SEQ` is the same for the list.
- `patch` (its id is the new SEQ): `{"seq", "at", "facts_at", "rows": [{"part", "key", "html", "sort", "map"}],
  "timeline": [{"key", "html"}], "head": "<html>" | null}`. A row replaces the one with id `{part}-{key}`, or is new;
  a timeline entry comes once and only once. `map` is null for what is not on the map.
- `beat` every 5 s: `{"at", "facts_at", "seq"}`. None for 10 s means that the page is old: cover it, and say as of when.
- `resync`: the page is too old to be patched. The stream ends: close it, load the page, open a new one.
- `ended`: the session is over or may not see this any more. The stream ends; lead the person to the login.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response
from sse_starlette import EventSourceResponse

from console.board import store_board
from console.county.directory import directory_of
from console.door.sessions import NotLoggedIn, Visitor, visitor
from console.live.hub import Hub, Listener
from console.live.of_board import BoardChannel
from console.live.of_list import ListChannel
from console.rendering import HEADERS
from guitu.auth import in_scope
from guitu.pg import TRANSIENT
from guitu.problem import Problem
from guitu.service import Runtime

RETRY_MS = 1_000
WATCHER = visitor("operator", "case_leader", "auditor")
Watcher = Annotated[Visitor, Depends(WATCHER)]
LastEventId = Annotated[str | None, Header()]
ENDED = b"event: ended\ndata: {}\n\n"


def live_router(runtime: Runtime) -> APIRouter:
    """GET /cases/live and GET /cases/{case_id}/live."""
    router = APIRouter(include_in_schema=False)

    @router.get("/cases/live")
    async def of_list(
        request: Request, who: Watcher, after: int = 0, last_event_id: LastEventId = None
    ) -> Response:
        """The list of the person's region, live."""
        region = who.principal.region_code
        channel = ListChannel(region)
        listener = await hub_of(runtime).join(
            channel, who.language, _place(last_event_id, after), who.principal.subject
        )
        return _stream(_events(runtime, request, who, listener, region))

    @router.get("/cases/{case_id}/live")
    async def of_case(
        request: Request, who: Watcher, case_id: UUID, after: int = 0, last_event_id: LastEventId = None
    ) -> Response:
        """One case's board, live."""
        region = await access_case(runtime, who, case_id)
        directory = await directory_of(runtime.state["upstream"], who, region)
        hub = hub_of(runtime)
        channel = hub.channel_of(("board", str(case_id))) or BoardChannel(case_id, directory)
        listener = await hub.join(channel, who.language, _place(last_event_id, after), who.principal.subject)
        return _stream(_events(runtime, request, who, listener, region))

    return router


def hub_of(runtime: Runtime) -> Hub:
    """The hub of this process."""
    hub: Hub = runtime.state["hub"]
    return hub


async def access_case(runtime: Runtime, who: Visitor, case_id: UUID) -> str:
    """The region of a case that the person may see. Raises: Problem 404, also for another region's case."""
    async with runtime.read(region=who.principal.region_code) as conn:
        row = await store_board.case(conn, case_id)
    if row is None or not in_scope(who.principal, row["region_code"]):
        raise Problem(
            404,
            "case_not_found",
            "There is no such case in your region, or its alert has not been read yet.",
            "本辖区没有该案件,或警情尚未送达。",
            "Look at the list of cases; a case that was raised just now is there within a second.",
        )
    return str(row["region_code"])


def _place(last_event_id: str | None, after: int) -> int:
    """Where a stream goes on; what is no number of ours can't be told apart from an old one."""
    if last_event_id is None:
        return after
    return int(last_event_id) if last_event_id.isascii() and last_event_id.isdigit() else -1


def _stream(events: AsyncIterator[bytes]) -> Response:
    return EventSourceResponse(events, headers=HEADERS | {"X-Accel-Buffering": "no"}, ping=15)


async def _events(
    runtime: Runtime, request: Request, who: Visitor, listener: Listener, region: str
) -> AsyncIterator[bytes]:
    """What one stream says, until it ends: missed patches, then patches and beats as they come."""
    hub, loop = hub_of(runtime), asyncio.get_running_loop()
    try:
        yield f"retry: {RETRY_MS}\n\n".encode()
        if listener.first:
            yield listener.first
        next_beat_s = loop.time()
        while not listener.over:
            event = await _next(listener, next_beat_s)
            if event is None:
                next_beat_s = loop.time() + hub.beat_s
                if not await _still_may(runtime, request, who, listener, region):
                    yield ENDED
                    return
                event = hub.beat()
            if event:
                yield event
    finally:
        hub.leave(listener)


async def _next(listener: Listener, until_s: float) -> bytes | None:
    """The next event; None when it is time for a beat."""
    try:
        async with asyncio.timeout_at(until_s):
            return await listener.waiting.get()
    except TimeoutError:
        return None


async def _still_may(
    runtime: Runtime, request: Request, who: Visitor, listener: Listener, region: str
) -> bool:
    """Is the session what it was? Its token also keeps the channel's names fresh."""
    try:
        now = await WATCHER(request)
    except (NotLoggedIn, Problem):
        return False
    except TRANSIENT:
        return True
    if now.principal != who.principal:
        return False
    if isinstance(listener.channel, BoardChannel):
        names = await directory_of(runtime.state["upstream"], now, region)
        if listener.channel.learn(names):
            hub_of(runtime).read_anew(listener.channel.key)
    return True
