"""Units as they are now, over HTTP: where they are and how old that is, whether they can be sent, what they can do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter

from dispatch import live_handlers, store, store_live
from dispatch.access import Operator, Reader
from dispatch.command_checks import no_network, no_such
from dispatch.counties import county_of
from dispatch.domain.positions import CLOCK_AHEAD, UnitState, capabilities_of, snap_to_road, start_of
from dispatch.importing.unit_files import clock
from dispatch.models import County, UnitNow
from dispatch.models_live import (
    ChangedAnswer,
    LiveUnitAnswer,
    PositionAnswer,
    PutCapabilities,
    PutPosition,
    PutStatus,
)
from dispatch.settings import DispatchSettings, dispatch_settings
from dispatch.times import minute_of_day
from guitu.auth import Principal
from guitu.problem import Problem, refusals
from guitu.service import Runtime


def units_router(runtime: Runtime) -> APIRouter:
    """Routes under /units."""
    router = APIRouter(tags=["units"])

    @router.get("/units")
    async def units(p: Reader) -> list[LiveUnitAnswer]:
        """The region's units: who is on duty and can be sent, from where, and who is busy with what."""
        settings, now = dispatch_settings(runtime.settings), runtime.clock.now()
        async with runtime.read(region=p.region_code) as conn:
            rows = await store.units(conn, p.region_code)
            states = await store_live.unit_states(conn, p.region_code)
            regions = sorted({unit.row.region_code for unit in rows})
            counties = {region: await county_of(conn, region) for region in regions}
        return [_answer(unit, states, counties[unit.row.region_code], now, settings) for unit in rows]

    @router.put("/units/{unit_id}/position", responses=refusals(409))
    async def position(p: Operator, unit_id: UUID, asked: PutPosition) -> PositionAnswer:
        """Where a unit was; its travel is counted from there while that is fresh. An older one changes nothing."""
        return await _put_position(runtime, p, unit_id, asked)

    @router.put("/units/{unit_id}/status")
    async def status(p: Operator, unit_id: UUID, asked: PutStatus) -> ChangedAnswer:
        """Whether a unit can be sent. An open order of one that cannot is replaced at once."""
        region, settings = await _region(runtime, p, unit_id), dispatch_settings(runtime.settings)
        async with runtime.tx(actor=p.subject) as tx:
            changed, cases = await live_handlers.set_status(
                tx, unit_id, region, asked.status, asked.note, settings
            )
        runtime.wake()
        return ChangedAnswer(changed=changed, cases_replanned=cases)

    @router.put("/units/{unit_id}/capabilities")
    async def capabilities(p: Operator, unit_id: UUID, asked: PutCapabilities) -> ChangedAnswer:
        """What a unit can do now, whatever the county's files say; an order it can't carry out is replaced."""
        return await _put_capabilities(runtime, p, unit_id, asked.capabilities)

    @router.delete("/units/{unit_id}/capabilities")
    async def as_listed(p: Operator, unit_id: UUID) -> ChangedAnswer:
        """What a unit can do is what the county's files say again."""
        return await _put_capabilities(runtime, p, unit_id, None)

    return router


async def _region(runtime: Runtime, p: Principal, unit_id: UUID) -> str:
    """The unit's region, for somebody who may see it. Raises: Problem 404.

    What follows plans across regions (a sighting next door counts), so it runs without the caller's limit.
    """
    async with runtime.read(region=p.region_code) as conn:
        region = await store_live.region_of_unit(conn, unit_id)
    if region is None:
        raise no_such("unit", "警力", unit_id)
    return region


async def _put_capabilities(
    runtime: Runtime, p: Principal, unit_id: UUID, wanted: list[str] | None
) -> ChangedAnswer:
    region, settings = await _region(runtime, p, unit_id), dispatch_settings(runtime.settings)
    async with runtime.tx(actor=p.subject) as tx:
        changed, cases = await live_handlers.set_capabilities(tx, unit_id, region, wanted, settings)
    runtime.wake()
    return ChangedAnswer(changed=changed, cases_replanned=cases)


async def _put_position(runtime: Runtime, p: Principal, unit_id: UUID, asked: PutPosition) -> PositionAnswer:
    region, settings = await _region(runtime, p, unit_id), dispatch_settings(runtime.settings)
    now = runtime.clock.now()
    if asked.at > now + CLOCK_AHEAD:
        raise Problem(
            422,
            "position_in_future",
            f"`at` is {asked.at.isoformat()}, ahead of {now.isoformat()}.",
            "位置时间晚于当前时间。",
            "Set the clock of the device, and send the time at which the unit was there.",
        )
    async with runtime.read() as conn:
        county = await county_of(conn, region)
    if county is None:
        raise no_network(region, "Load it with `guitu seed`, then send the position again.")
    snapped = snap_to_road(county.network, asked.lon, asked.lat)
    if snapped is None or snapped.distance_m > settings.unit_snap_max_m:
        away = (
            "no road is known" if snapped is None else f"the nearest road is {snapped.distance_m:.0f} m away"
        )
        raise Problem(
            422,
            "position_off_network",
            f"At that position {away}; at most {settings.unit_snap_max_m:.0f} m can be bridged.",
            f"该位置距最近道路超过{settings.unit_snap_max_m:.0f}米。",
            "Check that lon and lat are not swapped and are WGS-84; without a position the base counts.",
        )
    async with runtime.tx(actor=p.subject) as tx:
        stored = await store_live.put_position(
            # A clock that is a little ahead must not make a position the newest for ever.
            tx.conn,
            unit_id,
            region,
            asked.lon,
            asked.lat,
            min(asked.at, now),
            p.subject,
        )
    node_id = county.network.nodes.ids[snapped.node]
    return PositionAnswer(
        stored=stored, node_id=node_id, distance_m=snapped.distance_m, access_s=snapped.access_s
    )


def _answer(
    unit: UnitNow,
    states: Mapping[UUID, UnitState],
    county: County | None,
    now: datetime,
    settings: DispatchSettings,
) -> LiveUnitAnswer:
    row, state = unit.row, states.get(unit.row.unit_id, UnitState())
    start = None
    if county is not None:
        start = start_of(
            county.network, row, state, now, settings.position_fresh_for, settings.unit_snap_max_m
        )
    return LiveUnitAnswer(
        unit_id=row.unit_id,
        code=row.code,
        name_zh=row.name_zh,
        name_en=row.name_en,
        kind=row.kind,
        base_node=row.base_node,
        capabilities=sorted(capabilities_of(row, state)),
        on_duty=row.shift.covers(minute_of_day(now)),
        shift_start=clock(row.shift.start_min),
        shift_end=clock(row.shift.end_min),
        busy_case_id=unit.busy_case_id,
        busy_order_id=unit.busy_order_id,
        status=state.status,
        status_note=state.status_note,
        status_age_s=_age_s(state.status_at, now),
        lon=state.lon,
        lat=state.lat,
        position_age_s=_age_s(state.position_at, now),
        starts_from=start.starts_from if start else None,
        start_node=county.network.nodes.ids[start.node] if county and start else None,
        start_distance_m=start.distance_m if start else 0.0,
    )


def _age_s(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else max(0.0, (now - moment).total_seconds())
