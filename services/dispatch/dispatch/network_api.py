"""The network versions of a region over HTTP: which one is planned with, whether it is a drawing, and its map."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, ConfigDict

from contracts.base import RegionCode
from dispatch import store, store_network
from dispatch.access import Reader
from dispatch.command_checks import no_network
from dispatch.conditions_api import region_of
from dispatch.domain.rows import EdgeRow, ExitRow, NodeRow, PlaceRow
from dispatch.models import NetworkVersion
from dispatch.network_map import DrawnMap, NetworkRows, drawn
from dispatch.network_versions import VERSIONS_SHOWN
from guitu.problem import refusals
from guitu.service import Runtime

MAP_TYPE = "application/geo+json"
MAPS_KEPT = 4
MapKey = tuple[str, str, bool, str]
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {MAP_TYPE: {"schema": {"type": "object"}}}},
    304: {"description": "The reader has this map already (`If-None-Match`)."},
}


class NetworkAnswer(BaseModel):
    """A network version; `schematic`: a drawing, on which no real interception may be planned."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    version: str
    region_code: str
    loaded_at: datetime
    source_kind: str
    source: str
    schematic: bool
    imported_by: str
    note: str
    in_use: bool
    nodes: int
    edges: int
    places: int
    exits: int
    trips: int


def network_router(runtime: Runtime) -> APIRouter:
    """Reading only: networks are brought in at the command line, where their files are."""
    router = APIRouter(tags=["dispatch"])
    kept: dict[MapKey, DrawnMap] = {}

    @router.get("/networks")
    async def networks(p: Reader) -> list[NetworkAnswer]:
        """The newest network versions of the region, the one that is planned with first; 20 at most."""
        async with runtime.read(region=p.region_code) as conn:
            found = await store_network.versions(conn, p.region_code, VERSIONS_SHOWN)
        return [NetworkAnswer.model_validate(one) for one in found]

    @router.get(
        "/networks/{region_code}/map",
        response_class=Response,
        responses=ANSWERS | refusals(409),
    )
    async def network_map(
        p: Reader, region_code: RegionCode, if_none_match: Annotated[str | None, Header()] = None
    ) -> Response:
        """GeoJSON of the network that is planned with: roads, places for units, ways out, towns, with their names."""
        region = region_of(p, region_code)
        found = await _map_of(runtime, kept, region)
        headers = {"ETag": found.etag, "Cache-Control": "private, no-cache"}
        if if_none_match == found.etag:
            return Response(status_code=304, headers=headers)
        return Response(found.body, media_type=MAP_TYPE, headers=headers)

    return router


async def _map_of(runtime: Runtime, kept: dict[MapKey, DrawnMap], region: str) -> DrawnMap:
    """The map of the region's newest version, drawn once. Raises: Problem 409 without a network."""
    async with runtime.read() as conn:
        version = await store.newest_version(conn, region)
        about = await store_network.one_version(conn, region, version) if version else None
        if about is None:
            raise no_network(region, "Load it with `guitu network import`.")
        # A version's rows never change, but what is said of it can.
        key = (region, about.version, about.schematic, about.source)
        if key in kept:
            return kept[key]
        rows = await _rows(conn, region, about)
    found = await asyncio.to_thread(drawn, rows)
    while len(kept) >= MAPS_KEPT:
        kept.pop(next(iter(kept)))
    kept[key] = found
    return found


async def _rows(conn: asyncpg.Connection, region: str, about: NetworkVersion) -> NetworkRows:
    return NetworkRows(
        version=about.version,
        schematic=about.schematic,
        source=about.source,
        nodes=await store_network.rows_of(conn, NodeRow, region, about.version),
        edges=await store_network.rows_of(conn, EdgeRow, region, about.version),
        places=await store_network.rows_of(conn, PlaceRow, region, about.version),
        exits=await store_network.rows_of(conn, ExitRow, region, about.version),
    )
