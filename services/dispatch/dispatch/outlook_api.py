"""Where they can be and how good the plan is, over HTTP: reach on the map, the search on foot, the plan's proof."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from contracts.base import TravelMode
from contracts.order import PlanFigures, PlanPublished
from dispatch import store, store_live, store_network, store_second_look
from dispatch.access import Reader, access_case
from dispatch.case_now import CaseNow, case_now
from dispatch.command_checks import no_network, no_such
from dispatch.domain.reach import REACH_MINUTES, earliest_arrival_s
from dispatch.planning.reach_map import reach_polygons
from dispatch.planning.search_area import (
    SearchError,
    SearchPlan,
    after_search,
    detection_probability,
    search_plan,
)
from dispatch.settings import dispatch_settings
from guitu.auth import Principal
from guitu.problem import Problem, refusals
from guitu.service import Runtime

SEGMENTS_MAX = 500
SEARCHED_MAX = 200
AREAS_MAX = 8
REACH_MINUTES_MAX = 24 * 60
"""Long before that, everybody can be out of any county."""
ReachMinutes = Annotated[int, Field(ge=1, le=REACH_MINUTES_MAX)]


class ProofAnswer(BaseModel):
    """A plan's figures and what they rest on; nodes and units in the proof are numbers of its question."""

    model_config = ConfigDict(frozen=True)

    plan_number: int
    made_at: datetime
    network_version: str
    schematic: bool
    figures: PlanFigures | None
    proof: dict[str, Any]


def outlook_router(runtime: Runtime) -> APIRouter:
    """Routes under /cases/{case_id}; they change nothing."""
    router = APIRouter(tags=["outlook"])

    @router.get("/cases/{case_id}/reach", responses=refusals(404, 409))
    async def reach(
        p: Reader,
        case_id: UUID,
        minutes: Annotated[
            list[ReachMinutes] | None,
            Query(max_length=AREAS_MAX, description="Other limits than 15, 30, 45 and 60."),
        ] = None,
    ) -> dict[str, Any]:
        """GeoJSON: how far they can have come 15, 30, 45 and 60 minutes after the newest sighting that counts."""
        now = await _now(runtime, p, case_id)
        return await asyncio.to_thread(_reach, now, tuple(sorted(set(minutes or REACH_MINUTES))))

    @router.get("/cases/{case_id}/search-area", responses=refusals(404, 409))
    async def search_area(
        p: Reader,
        case_id: UUID,
        searched: Annotated[
            list[str] | None,
            Query(max_length=SEARCHED_MAX, description="Keys of segments that one team has walked in vain."),
        ] = None,
        limit: Annotated[int, Query(ge=1, le=SEGMENTS_MAX)] = 100,
    ) -> dict[str, Any]:
        """If the child is lost on foot: rings, and the segments to search first, water before all for the small."""
        now = await _now(runtime, p, case_id)
        try:
            plan = await asyncio.to_thread(_search, now, searched or ())
        except SearchError as refused:
            raise Problem(
                409,
                "no_such_search",
                str(refused),
                "搜索范围或区段编号无效。",
                "Read the search area again and send keys that it lists.",
            ) from None
        return _search_answer(plan, limit)

    @router.get("/cases/{case_id}/plan-proof", responses=refusals(404))
    async def proof(p: Reader, case_id: UUID) -> ProofAnswer:
        """The newest plan that had its second look: figures, verdict with its proof, and what each unit meets."""
        async with runtime.read(region=p.region_code) as conn:
            row = await store_second_look.newest_proof(conn, case_id)
            schematic = False
            if row is not None:
                said = PlanPublished.model_validate(row["published"])
                schematic = await store_network.is_schematic(conn, said.region_code, said.network_version)
        if row is None:
            raise no_such("looked-at plan of case", "案件方案评估", case_id)
        return ProofAnswer(
            plan_number=row["plan_number"],
            made_at=row["made_at"],
            network_version=said.network_version,
            schematic=schematic,
            figures=said.figures,
            proof=row["proof"],
        )

    return router


async def _now(runtime: Runtime, p: Principal, case_id: UUID) -> CaseNow:
    """The case as it is, for somebody who may see it. Raises: Problem 404, or 409 without a network."""
    region = await access_case(runtime, p, case_id)
    async with runtime.read() as conn:
        case = await store_live.case_as_it_is(conn, case_id)
        if case is None or case.alert is None:
            raise no_such("alert of case", "案件警情", case_id)
        orders = await store.orders_of_case(conn, case_id)
        settings = dispatch_settings(runtime.settings)
        now = await case_now(conn, case, orders, runtime.clock.now(), settings)
    if now is None:
        raise no_network(region, "Load it with `guitu network import`.")
    return now


def _reach(now: CaseNow, minutes: tuple[int, ...]) -> dict[str, Any]:
    problem, network = now.problem, now.county.network
    modes = {origin.mode for origin in problem.origins}
    seen_s = max(origin.seen_s for origin in problem.origins)
    arrival_s = earliest_arrival_s(network, problem.origins, problem.closed_edges)
    first = now.last_seen()
    alert = now.case.alert
    assert alert is not None, "Read with its alert."
    at = alert.last_seen_place.position
    drawn = reach_polygons(
        network,
        arrival_s,
        seen_s,
        modes.pop() if len(modes) == 1 else TravelMode.unknown,
        minutes=minutes,
        closed_edges=problem.closed_edges,
        starts=[(at.lon, at.lat, first)] if first in problem.origins else [],
    )
    return drawn | {
        "seen_at": (now.zero + timedelta(seconds=seen_s)).isoformat(),
        "network_version": now.county.version,
        "schematic": now.county.schematic,
    }


def _search(now: CaseNow, searched: tuple[str, ...] | list[str]) -> SearchPlan:
    alert = now.case.alert
    assert alert is not None, "Read with its alert."
    at = alert.last_seen_place.position
    closed = now.problem.closed_edges
    plan = search_plan(now.county.network, at.lon, at.lat, alert.child.age_years, closed_edges=closed)
    by_key = {segment.key: segment for segment in plan.segments}
    walked = {
        key: detection_probability(by_key[key], by_key[key].length_m) if key in by_key else 0.0
        for key in searched
    }
    return after_search(plan, walked) if walked else plan


def _search_answer(plan: SearchPlan, limit: int) -> dict[str, Any]:
    cumulative = plan.cumulative()
    return {
        "rings": [asdict(ring) for ring in plan.rings],
        "segments": [
            asdict(segment) | {"hours": segment.hours, "cumulative_probability": cumulative[place]}
            for place, segment in enumerate(plan.segments[:limit])
        ],
        "segments_in_all": len(plan.segments),
        "elsewhere": plan.elsewhere,
        "found_by": plan.found_by,
    }
