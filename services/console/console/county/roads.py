"""Conditions of roads and places (路况): what is closed or slow, until when, who said so; set and cleared here."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response

from console.county.units import region_asked
from console.door.sessions import Visitor, visitor
from console.rendering import page
from console.typed import NOTHING, Typed, may, see, typed, upstream_of
from guitu.problem import Problem

Staff = Annotated[Visitor, Depends(visitor("operator", "case_leader", "auditor"))]
Acting = Annotated[Visitor, Depends(visitor("operator", "case_leader"))]
Json = dict[str, Any]


def roads_router() -> APIRouter:
    """/units/roads."""
    router = APIRouter(include_in_schema=False)

    @router.get("/units/roads")
    async def roads(request: Request, who: Staff, done: str = "") -> Response:
        """What is not as usual."""
        return await _page(request, who, done=done)

    @router.post("/units/roads")
    async def put(request: Request, who: Acting) -> Response:
        """A place or a stretch is closed or slow; the owner plans the open cases again."""
        sent = await typed(request)
        body: Json = {"note": sent("note")}
        if sent("how") == "closed":
            body["closed"] = True
        else:
            body["traffic_factor"] = _share(sent("percent"))
        if sent("until"):
            body["until"] = sent.moment("until")
        return await _command(request, who, "PUT", sent, body)

    @router.post("/units/roads/clear")
    async def clear(request: Request, who: Acting) -> Response:
        """As usual again."""
        return await _command(request, who, "DELETE", await typed(request), None)

    return router


def _share(percent: str) -> float | str:
    """Percent as a share; what is no number goes on as it is, and is refused there."""
    try:
        return float(percent) / 100
    except ValueError:
        return percent


async def _command(request: Request, who: Visitor, method: str, sent: Typed, body: Json | None) -> Response:
    edge = sent("edge_id")
    kind, subject = ("edges", edge) if edge else ("places", sent("place_id"))
    try:
        answer = await upstream_of(request).ask(
            who,
            "dispatch",
            method,
            f"/conditions/{kind}/{quote(subject, safe='') or '-'}",
            query=region_asked(request, who),
            body=body,
        )
    except Problem as refused:
        return await _page(request, who, sent=sent, refused=refused)
    return see("/units/roads", done="replanned" if answer.json()["cases_replanned"] else "saved")


async def _page(
    request: Request, who: Visitor, *, done: str = "", sent: Typed = NOTHING, refused: Problem | None = None
) -> Response:
    upstream = upstream_of(request)
    known = await upstream.get(who, "dispatch", "/conditions", **region_asked(request, who))
    return page(
        request,
        "units/roads.html",
        who,
        status=refused.status if refused else 200,
        conditions=known["conditions"],
        spots=await _places(request, who),
        done=done,
        typed=sent,
        refused=refused,
        may_act=may(who, "operator", "case_leader"),
    )


async def _places(request: Request, who: Visitor) -> list[Json]:
    """Bridges, gates, stations: every place of the network that is planned with, by name."""
    region = region_asked(request, who).get("region_code", who.principal.region_code)
    drawn = await upstream_of(request).get(who, "dispatch", f"/networks/{region}/map")
    layers = ("place", "exit")
    found = [one["properties"] for one in drawn["features"] if one["properties"]["layer"] in layers]
    return sorted((one for one in found if one.get("place_id")), key=lambda one: str(one["name_zh"]))
