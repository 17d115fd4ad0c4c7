"""The type-ahead of places, as JSON for the script of the page that raises alerts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse

from console.door.sessions import Visitor, visitor
from console.places.find import Place, find, keys_of
from console.places.source import places_of
from console.rendering import HEADERS
from console.settings import console_settings
from guitu.service import Runtime

Desk = Annotated[Visitor, Depends(visitor("operator", "case_leader"))]


def places_router(runtime: Runtime) -> APIRouter:
    """`/places?q=` and `/places/index`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/places")
    async def type_ahead(who: Desk, q: str = "") -> Response:
        """The likeliest places for what was typed so far: pinyin, initials, characters, or a mixture."""
        found = find(await places_for(runtime, who), q)
        return JSONResponse({"places": [shown(one, who.language) for one in found]}, headers=HEADERS)

    @router.get("/places/index")
    async def index(who: Desk) -> Response:
        """All places with what they are found by, for when there is no connection."""
        listed = [shown(one, who.language) | {"keys": keys_of(one)} for one in await places_for(runtime, who)]
        return JSONResponse({"places": listed}, headers=HEADERS)

    return router


async def places_for(runtime: Runtime, who: Visitor) -> tuple[Place, ...]:
    """The places of a person's region; of this node's, if the person has all."""
    region = who.principal.region_code
    home = runtime.settings.region_code if region == "*" else region
    file = console_settings(runtime.settings).places_file
    return await places_of(runtime.state["upstream"], who, home, file)


def shown(place: Place, language: str) -> dict[str, Any]:
    """A place as the list shows it; the words of its kind are the page's."""
    return {
        "key": place.key,
        "kind": place.category if place.kind in ("site", "checkpoint") else place.kind,
        "name": place.name(language),
        "town": place.town_en if language == "en" else place.town_zh,
        "said": place.name_zh,
        "township_code": place.township_code,
        "lon": place.lon,
        "lat": place.lat,
        "near": place.near,
    }
