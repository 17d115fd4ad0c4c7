"""What the map of a case asks for: the county under it, where units stand, how far the child can be by when."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from console.board.area import AHEAD_MAX, Reach, reach_of
from console.board.case import region_and_exercise
from console.board.map_base import At, Bases, packed
from console.door.sessions import Visitor, visitor
from console.live.stream import access_case
from console.rendering import HEADERS, page
from console.settings import console_settings
from console.upstream import Upstream
from guitu.service import Runtime

Json = dict[str, Any]
Reader = Annotated[Visitor, Depends(visitor("operator", "case_leader", "auditor"))]
Ahead = Annotated[int, Query(ge=0, le=AHEAD_MAX)]
_UNIT = "code", "name_zh", "name_en", "on_duty", "status"


def map_router(runtime: Runtime) -> APIRouter:
    """Data for the map, and its twin in words."""
    router = APIRouter(include_in_schema=False)
    bases = Bases(console_settings(runtime.settings).map_outlines)

    @router.get("/map/{region_code}.json")
    async def base(request: Request, who: Reader, region_code: str) -> Response:
        """The county: outline, roads, towns, places, ways out."""
        return _json(request, (await bases.of(_upstream(runtime), who, region_code)).body)

    @router.get("/cases/{case_id}/units.json")
    async def units(request: Request, who: Reader, case_id: UUID) -> Response:
        """The person's units: where each was last or starts from, whether it can be sent, what it is busy with."""
        region = await access_case(runtime, who, case_id)
        nodes = (await bases.of(_upstream(runtime), who, region)).nodes
        rows = await _upstream(runtime).get(who, "dispatch", "/units")
        return _json(request, packed([unit for row in rows if (unit := _unit(row, case_id, nodes))]))

    @router.get("/cases/{case_id}/reach.json")
    async def reach_data(request: Request, who: Reader, case_id: UUID, ahead: Ahead = 0) -> Response:
        """How far they can have come: the four areas, and the one of `ahead` minutes from now, as GeoJSON."""
        return _json(request, packed((await _reach(runtime, bases, who, case_id, ahead)).as_json()))

    @router.get("/cases/{case_id}/reach")
    async def reach_page(request: Request, who: Reader, case_id: UUID, ahead: Ahead = 15) -> Response:
        """The same in words: which towns can be reached by when."""
        _, exercise = await region_and_exercise(runtime, who, case_id)
        found = await _reach(runtime, bases, who, case_id, ahead)
        return page(
            request, "board/reach.html", who, exercise=exercise, case_id=case_id, reach=found, ahead=ahead
        )

    return router


async def _reach(runtime: Runtime, bases: Bases, who: Visitor, case_id: UUID, ahead: int) -> Reach:
    region = await access_case(runtime, who, case_id)
    towns = (await bases.of(_upstream(runtime), who, region)).towns
    return await reach_of(_upstream(runtime), who, case_id, ahead, towns, runtime.clock.now())


def _unit(row: Mapping[str, Any], case_id: UUID, nodes: Mapping[str, At]) -> Json | None:
    """A unit with a known position; None for one that is off duty or nowhere on the map."""
    at = nodes.get(row["start_node"] or row["base_node"]) if row["lon"] is None else [row["lon"], row["lat"]]
    busy = row["busy_case_id"]
    if at is None or not (row["on_duty"] or busy):
        return None
    state = ("here" if busy == str(case_id) else "elsewhere") if busy else ""
    return {name: row[name] for name in _UNIT} | {"at": at, "busy": state}


def _json(request: Request, body: bytes) -> Response:
    """JSON with a tag, and small on the wire; a browser asks again each time, since a county's roads can change."""
    tag = f'"{sha256(body).hexdigest()[:20]}"'
    headers = HEADERS | {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding, Cookie"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        body, headers = gzip.compress(body, 6, mtime=0), headers | {"Content-Encoding": "gzip"}
    return Response(body, media_type="application/json", headers=headers)


def _upstream(runtime: Runtime) -> Upstream:
    upstream: Upstream = runtime.state["upstream"]
    return upstream
