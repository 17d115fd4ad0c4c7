"""The network versions of a region over HTTP: which one is planned with, and whether it is a drawing."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from dispatch import store_network
from dispatch.access import Reader
from dispatch.network_versions import VERSIONS_SHOWN
from guitu.service import Runtime


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

    @router.get("/networks")
    async def networks(p: Reader) -> list[NetworkAnswer]:
        """The newest network versions of the region, the one that is planned with first; 20 at most."""
        async with runtime.read(region=p.region_code) as conn:
            found = await store_network.versions(conn, p.region_code, VERSIONS_SHOWN)
        return [NetworkAnswer.model_validate(one) for one in found]

    return router
