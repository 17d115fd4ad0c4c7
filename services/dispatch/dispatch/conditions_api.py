"""Roads as they are now, over HTTP: closed or slow, until when, and who said so."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from contracts.base import RegionCode
from dispatch import live_handlers, store_live
from dispatch.access import Operator, Reader
from dispatch.command_checks import no_network, no_such
from dispatch.counties import county_of
from dispatch.domain.conditions import Condition, Kind, edges_meant
from dispatch.models import County
from dispatch.models_live import (
    ChangedAnswer,
    ConditionAnswer,
    ConditionsAnswer,
    PutCondition,
    SetCondition,
)
from guitu.auth import Principal
from guitu.problem import Problem, refusals
from guitu.service import Runtime

Region = Annotated[
    RegionCode | None, Query(description="Which county; only somebody of every region must say it.")
]


def conditions_router(runtime: Runtime) -> APIRouter:
    """Routes under /conditions. A change plans every open case of the region again, within seconds."""
    router = APIRouter(tags=["conditions"])

    @router.get("/conditions", responses=refusals(404))
    async def listed(p: Reader, region_code: Region = None) -> ConditionsAnswer:
        """What is not as usual, with what it means on today's network."""
        region = region_of(p, region_code)
        async with runtime.read(region=p.region_code) as conn:
            county = await county_of(conn, region)
            known = await store_live.conditions(conn, region)
        return ConditionsAnswer(conditions=[_answer(one, county) for one in known])

    @router.put("/conditions/edges/{edge_id}", responses=refusals(409))
    async def put_edge(
        p: Operator, edge_id: str, asked: PutCondition, region_code: Region = None
    ) -> ChangedAnswer:
        """A stretch of road is closed or slow; saying it again changes nothing."""
        return await _put(runtime, p, region_code, "edge", edge_id, asked)

    @router.put("/conditions/places/{place_id}", responses=refusals(409))
    async def put_place(
        p: Operator, place_id: UUID, asked: PutCondition, region_code: Region = None
    ) -> ChangedAnswer:
        """A bridge or another place is closed or slow: every stretch of road that meets there."""
        return await _put(runtime, p, region_code, "place", str(place_id), asked)

    @router.delete("/conditions/edges/{edge_id}", responses=refusals(409))
    async def clear_edge(p: Operator, edge_id: str, region_code: Region = None) -> ChangedAnswer:
        """The stretch is as usual again; saying it again changes nothing."""
        return await _clear(runtime, p, region_code, "edge", edge_id)

    @router.delete("/conditions/places/{place_id}", responses=refusals(409))
    async def clear_place(p: Operator, place_id: UUID, region_code: Region = None) -> ChangedAnswer:
        """The place is as usual again; saying it again changes nothing."""
        return await _clear(runtime, p, region_code, "place", str(place_id))

    return router


def region_of(principal: Principal, asked: str | None) -> str:
    """The region that is meant. Raises: Problem 403 or 422, if it is another's, or not said."""
    if principal.region_code not in ("*", asked or principal.region_code):
        raise Problem(
            403,
            "region_refused",
            f"You may speak for region {principal.region_code} only.",
            f"您只能操作本辖区({principal.region_code})。",
            "Leave region_code out, or ask an operator of that region.",
        )
    region_code = asked or principal.region_code
    if region_code == "*":
        raise Problem(
            422,
            "region_needed",
            "You may speak for every region; say for which one.",
            "请注明辖区代码。",
            "Add ?region_code= with the six digits of the county.",
        )
    return region_code


async def _put(
    runtime: Runtime, p: Principal, region_code: str | None, kind: Kind, subject: str, asked: PutCondition
) -> ChangedAnswer:
    region = region_of(p, region_code)
    county = await _county(runtime, region)
    if not edges_meant(county.network, county.places, kind, subject):
        raise no_such("edge or place on today's network:", "(现行路网中的)路段或卡点", subject)
    _refuse_nonsense(runtime, asked)
    condition = Condition(kind, subject, asked.closed, asked.traffic_factor, asked.until, asked.note)
    async with runtime.tx(actor=p.subject) as tx:
        changed, cases = await live_handlers.set_condition(
            tx, region, condition, _names(county, kind, subject)
        )
    runtime.wake()
    return ChangedAnswer(changed=changed, cases_replanned=cases)


async def _clear(
    runtime: Runtime, p: Principal, region_code: str | None, kind: Kind, subject: str
) -> ChangedAnswer:
    region = region_of(p, region_code)
    county = await _county(runtime, region)
    async with runtime.read() as conn:
        stored = {(c.condition.kind, c.condition.subject) for c in await store_live.conditions(conn, region)}
    if (kind, subject) not in stored:
        if not edges_meant(county.network, county.places, kind, subject):
            raise no_such("edge or place", "路段或卡点", subject)
        return ChangedAnswer(changed=False, cases_replanned=0)
    async with runtime.tx(actor=p.subject) as tx:
        changed, cases = await live_handlers.clear_condition(
            tx, region, kind, subject, _names(county, kind, subject)
        )
    runtime.wake()
    return ChangedAnswer(changed=changed, cases_replanned=cases)


def _refuse_nonsense(runtime: Runtime, asked: PutCondition) -> None:
    if asked.until is not None and asked.until <= runtime.clock.now():
        raise Problem(
            422,
            "until_past",
            f"`until` is {asked.until.isoformat()}, which is over.",
            "截止时间已过。",
            "Give a time to come, or leave it out.",
        )
    if not asked.closed and asked.traffic_factor == 1.0:
        raise Problem(
            422,
            "nothing_wrong",
            "That road is neither closed nor slow.",
            "该路段既未封闭也未减速。",
            "Send `closed` or a `traffic_factor` below 1; to clear it, use DELETE.",
        )


async def _county(runtime: Runtime, region_code: str) -> County:
    async with runtime.read() as conn:
        county = await county_of(conn, region_code)
    if county is None:
        raise no_network(region_code, "Load it with `guitu seed`, then send the same again.")
    return county


def _names(county: County | None, kind: Kind, subject: str) -> tuple[str, str]:
    if kind == "place" and county is not None:
        for place in county.places:
            if str(place.place_id) == subject:
                return place.name_zh, place.name_en or place.name_zh
    return f"路段{subject}", f"Road {subject}"


def _answer(one: SetCondition, county: County | None) -> ConditionAnswer:
    said = one.condition
    meant = edges_meant(county.network, county.places, said.kind, said.subject) if county else ()
    name_zh, name_en = _names(county, said.kind, said.subject)
    return ConditionAnswer(
        kind=said.kind,
        subject=said.subject,
        name_zh=name_zh,
        name_en=name_en,
        edge_ids=[county.network.edges.ids[edge] for edge in meant] if county else [],
        closed=said.closed,
        traffic_factor=said.traffic_factor,
        until=said.until,
        note=said.note,
        set_by=one.set_by,
        set_at=one.set_at,
    )
