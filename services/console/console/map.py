"""What lies under and on the map: the county from its owners, where units stand, how far the child can be by when.

Roads, places and ways out are dispatch's (`GET /networks/{region}/map`), asked for with the person's own token; the
outline is a schematic drawing of the console's (`data/README.md`).
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from console.board_area import AHEAD_MAX, Reach, reach_of
from console.live import access_case
from console.rendering import HEADERS, page
from console.sessions import Visitor, visitor
from console.settings import console_settings
from console.upstream import Upstream
from guitu.problem import Problem
from guitu.service import Runtime

Json = dict[str, Any]
Reader = Annotated[Visitor, Depends(visitor("operator", "case_leader", "auditor"))]
Ahead = Annotated[int, Query(ge=0, le=AHEAD_MAX)]
BASES_KEPT = 4


def map_router(runtime: Runtime) -> APIRouter:
    """Data for the map, and its twin in words."""
    router = APIRouter(include_in_schema=False)
    kept: dict[str, tuple[str, bytes]] = {}

    @router.get("/map/{region_code}.json")
    async def base(request: Request, who: Reader, region_code: str) -> Response:
        """The county: outline, roads, towns, places, ways out; dispatch decides who may see it."""
        upstream: Upstream = runtime.state["upstream"]
        body = await _base(runtime, upstream, who, region_code, kept)
        return _json(request, body)

    @router.get("/cases/{case_id}/units.json")
    async def units(request: Request, who: Reader, case_id: UUID) -> Response:
        """The units of the person's region: where each was last, whether it can be sent, which case it is busy with."""
        await access_case(runtime, who, case_id)
        rows = await runtime.state["upstream"].get(who, "dispatch", "/units")
        return _json(request, _packed([_unit(row, case_id) for row in rows]))

    @router.get("/cases/{case_id}/reach.json")
    async def reach_data(request: Request, who: Reader, case_id: UUID, ahead: Ahead = 0) -> Response:
        """How far they can have come: the four areas, and the one of `ahead` minutes from now, as GeoJSON."""
        found = await _reach(runtime, who, case_id, ahead, kept)
        return _json(request, _packed(found.as_json()))

    @router.get("/cases/{case_id}/reach")
    async def reach_page(request: Request, who: Reader, case_id: UUID, ahead: Ahead = 15) -> Response:
        """The same in words: which towns and ways out can be reached by when."""
        found = await _reach(runtime, who, case_id, ahead, kept)
        return page(request, "board/reach.html", who, case_id=case_id, reach=found, ahead=ahead)

    return router


async def _reach(
    runtime: Runtime, who: Visitor, case_id: UUID, ahead: int, kept: dict[str, tuple[str, bytes]]
) -> Reach:
    region = await access_case(runtime, who, case_id)
    upstream: Upstream = runtime.state["upstream"]
    towns = json.loads(await _base(runtime, upstream, who, region, kept))["towns"]
    return await reach_of(upstream, who, case_id, ahead, towns, runtime.clock.now())


async def _base(
    runtime: Runtime, upstream: Upstream, who: Visitor, region: str, kept: dict[str, tuple[str, bytes]]
) -> bytes:
    """The base map, made again when dispatch's map has another tag. Raises: Problem, as dispatch refused."""
    if not (region.isascii() and region.isdigit() and len(region) == 6):
        raise Problem(404, "no_such_map", "A region is six digits.", "辖区代码应为六位数字。")
    tag, body = kept.get(region, ("", b""))
    answer = await upstream.ask(who, "dispatch", "GET", f"/networks/{region}/map")
    if answer.headers.get("etag", "-") != tag:
        outlines = _outlines(str(console_settings(runtime.settings).map_outlines))
        body = await asyncio.to_thread(_drawn, answer.content, outlines, region)
        while len(kept) >= BASES_KEPT:
            kept.pop(next(iter(kept)))
        kept[region] = (answer.headers.get("etag", ""), body)
    return body


def _drawn(network: bytes, outlines: Sequence[Json], region: str) -> bytes:
    """The map in the few bytes that the page's script needs: roads as rows of numbers, points as short lists."""
    said = json.loads(network)
    layers: dict[str, list[Json]] = {"road": [], "place": [], "exit": [], "town": []}
    for feature in said["features"]:
        layers.setdefault(feature["properties"]["layer"], []).append(feature)
    drawn = {
        "version": said["version"],
        "schematic": said["schematic"],
        "source": said["source"],
        "roads": [_road(one) for one in layers["road"]],
        "towns": [_point(one, "kind") for one in layers["town"]],
        "places": [_point(one, "kind", "place_id", "needs") for one in layers["place"]],
        "exits": [_point(one, "kind", "exit_id") for one in layers["exit"]],
        "nodes": {
            one["properties"]["node_id"]: _at(one)
            for name in ("town", "place", "exit")
            for one in layers[name]
        },
        "outlines": [_outline(one, region) for one in outlines],
    }
    return _packed(drawn)


def _road(feature: Json) -> list[Any]:
    flat = [round(number, 5) for at in feature["geometry"]["coordinates"] for number in at]
    return [feature["properties"]["road_class"], *flat]


def _point(feature: Json, *more: str) -> Json:
    said = feature["properties"]
    return {"at": _at(feature), "zh": said["name_zh"], "en": said["name_en"]} | {
        name: said[name] for name in more
    }


def _at(feature: Json) -> list[float]:
    return [round(number, 5) for number in feature["geometry"]["coordinates"]]


def _outline(feature: Json, region: str) -> Json:
    said = feature["properties"]
    names = {"zh": said["name_zh"], "en": said["name_en"]}
    return names | {"ours": said["region_code"] == region, "geometry": feature["geometry"]}


def _unit(row: Mapping[str, Any], case_id: UUID) -> Json:
    names = (
        "unit_id",
        "code",
        "name_zh",
        "name_en",
        "kind",
        "on_duty",
        "status",
        "lon",
        "lat",
        "position_age_s",
    )
    here = row["busy_case_id"] == str(case_id)
    return {name: row[name] for name in names} | {
        "node": row["start_node"] or row["base_node"],
        "busy": "here" if here else "elsewhere" if row["busy_case_id"] else "",
    }


@lru_cache(maxsize=2)
def _outlines(path: str) -> tuple[Json, ...]:
    """Outlines from a file; none if there is no file: a map without them is still a map."""
    try:
        with open(path, encoding="utf-8") as opened:
            return tuple(json.load(opened)["features"])
    except FileNotFoundError:
        return ()


def _packed(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _json(request: Request, body: bytes) -> Response:
    """JSON with a tag, and small on the wire; a browser asks again each time, since a county's roads can change."""
    tag = f'"{sha256(body).hexdigest()[:20]}"'
    headers = HEADERS | {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding, Cookie"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        body, headers = gzip.compress(body, 6, mtime=0), headers | {"Content-Encoding": "gzip"}
    return Response(body, media_type="application/json", headers=headers)
