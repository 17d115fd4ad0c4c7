"""What an alert would set going on the roads, before anybody raises it: for the page that raises alerts.

Only the first plan is tried, as a first order would have it; the second look takes seconds, and this is asked
while somebody types.
"""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from pydantic import Field

from contracts.base import CaseId, Moment, Place, Position, RegionCode, TravelMode
from dispatch import case_plan, store
from dispatch.access import Operator
from dispatch.command_checks import no_network
from dispatch.counties import county_of
from dispatch.live import live_of
from dispatch.models_live import PlanOutline
from dispatch.plan_outline import outline_of
from dispatch.questions import question
from dispatch.settings import dispatch_settings
from guitu.auth import Principal, in_scope
from guitu.problem import ApiModel, Problem, refusals
from guitu.service import Runtime


class AskPreview(ApiModel):
    """Where and when a child was last seen; WGS-84 degrees."""

    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)
    lat: float = Field(ge=-90, le=90, allow_inf_nan=False)
    last_seen_at: Moment
    suspected_mode: TravelMode = TravelMode.unknown
    region_code: RegionCode | None = Field(default=None, description="Left out: the region of your account.")

    @property
    def last_seen_place(self) -> Place:
        """The position as an alert has it."""
        return Place(position=Position(lon=self.lon, lat=self.lat))


class PreviewAnswer(PlanOutline):
    """The first plan of such an alert with the units that are free now; `schematic`: planned on a drawing."""

    network_version: str
    schematic: bool


def preview_router(runtime: Runtime) -> APIRouter:
    """POST /plans/preview; it changes nothing."""
    router = APIRouter(tags=["dispatch"])

    @router.post("/plans/preview", responses=refusals(409))
    async def preview(p: Operator, asked: AskPreview) -> PreviewAnswer:
        """Which units an alert would order where, and which exits it would close. Nothing is stored or sent."""
        region = _region(p, asked.region_code, runtime.settings.region_code)
        now, nobodys = runtime.clock.now(), CaseId(runtime.ids.new())
        settings = dispatch_settings(runtime.settings)
        async with runtime.read(region=p.region_code) as conn:
            county = await county_of(conn, region)
            if county is None:
                raise no_network(region, "Load it with `guitu network import`.")
            units = await store.units_free_for(conn, region, nobodys)
            live = await live_of(conn, nobodys, region, county, now, settings)
        plan = await asyncio.to_thread(
            lambda: case_plan.PLANNER(question(county, asked, (), units, (), now, live))
        )
        outline = outline_of(plan, county, min(asked.last_seen_at, now))
        said = {name: getattr(outline, name) for name in PlanOutline.model_fields}
        return PreviewAnswer(**said, network_version=county.version, schematic=county.schematic)

    return router


def _region(p: Principal, asked: str | None, home: str) -> str:
    """The region asked about, else the account's own, else this node's. Raises: Problem 403."""
    region = asked or (p.region_code if p.region_code != "*" else home)
    if not in_scope(p, region):
        raise Problem(
            403,
            "region_refused",
            f"Your account covers region {p.region_code}, not {region}.",
            f"您的账号辖区为{p.region_code},无权处理{region}。",
            "Leave region_code out to use your own.",
        )
    return region
