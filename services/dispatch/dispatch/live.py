"""What changes while a case runs, put together for its plan, and what that means for orders already given."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast
from uuid import NAMESPACE_URL, UUID, uuid5

import asyncpg

from contracts.base import OrderId, UnitId
from dispatch import store_live
from dispatch.domain.conditions import road_state
from dispatch.domain.constraints import is_forbidden
from dispatch.domain.orders import Order, OrderState
from dispatch.domain.positions import capabilities_of
from dispatch.domain.problem import Place, PlaceId
from dispatch.models import County, OrderRow, UnitNow
from dispatch.models_live import Command, Live
from dispatch.settings import DispatchSettings

# A car across the road and two people with lamps: what the county's road checkpoints take (data/yunyang/places.csv).
BY_HAND_SETUP_S = 120.0
_STATUS_WORDS = {
    "busy": ("警力另有任务", "The unit is busy"),
    "off_duty": ("警力已下班", "The unit is off duty"),
    "broken_down": ("警力车辆故障", "The unit has broken down"),
}
# Whoever has the child keeps the child, and what is over is over.
_NOT_TAKEN = (
    OrderState.intercepted,
    OrderState.reassigned,
    OrderState.stood_down,
    OrderState.stand_down_acknowledged,
)


async def live_of(
    conn: asyncpg.Connection,
    case_id: UUID,
    region_code: str,
    county: County,
    now: datetime,
    settings: DispatchSettings,
) -> Live:
    """Read everything that holds for a case now."""
    known = await store_live.conditions(conn, region_code)
    aid = await store_live.aid_of_case(conn, case_id)
    return Live(
        roads=road_state(county.network, county.places, [one.condition for one in known], now),
        states=await store_live.unit_states(conn, region_code),
        commands=tuple(await store_live.commands(conn, case_id)),
        manned_from={row.exit_id: row.manned_from for row in aid if row.manned_from is not None},
        position_fresh_for=settings.position_fresh_for,
        snap_max_m=settings.unit_snap_max_m,
    )


def with_places_by_hand(county: County, commands: Iterable[Command]) -> County:
    """The county with the places that standing commands set up."""
    listed = {place.place_id for place in county.places}
    by_hand: dict[PlaceId, Place] = {}
    for one in commands:
        node = county.network.index.get(one.by_hand_node) if one.by_hand_node else None
        place_id = PlaceId(cast(UUID, one.place_id))
        if node is not None and place_id not in listed:
            names = (one.by_hand_name, one.by_hand_name)
            by_hand[place_id] = Place(
                place_id, node, "by_hand", *names, BY_HAND_SETUP_S, needs=one.by_hand_needs
            )
    return replace(county, places=(*county.places, *by_hand.values())) if by_hand else county


def place_by_hand_id(case_id: UUID, node_id: str) -> PlaceId:
    """The same place for the same node of a case."""
    return PlaceId(uuid5(NAMESPACE_URL, f"guitu:by-hand/{case_id}/{node_id}"))


def pins_of(commands: Sequence[Command], places: Sequence[Place]) -> dict[UnitId, PlaceId]:
    """Unit to place, for pins whose place is on today's network."""
    known = {place.place_id for place in places}
    return {
        UnitId(one.unit_id): PlaceId(one.place_id)
        for one in commands
        if one.kind == "pin" and one.unit_id and one.place_id and one.place_id in known
    }


def forbidden_of(commands: Sequence[Command]) -> frozenset[tuple[UnitId | None, PlaceId | None]]:
    """The pairs that are not to be used."""
    return frozenset(
        (UnitId(one.unit_id) if one.unit_id else None, PlaceId(one.place_id) if one.place_id else None)
        for one in commands
        if one.kind == "forbid"
    )


def taken_back(
    orders: Sequence[OrderRow], county: County, units: Sequence[UnitNow], live: Live
) -> dict[OrderId, str]:
    """Open orders that cannot stand any more, whatever their unit has answered, each with why (zh, then en)."""
    rows = {unit.row.unit_id: unit.row for unit in units}
    needs = {place.place_id: place.needs for place in county.places}
    pins, forbidden = pins_of(live.commands, county.places), forbidden_of(live.commands)
    found: dict[OrderId, str] = {}
    for order in orders:
        if order.state in _NOT_TAKEN:
            continue
        state = live.state_of(order.unit_id)
        row, needed = rows.get(order.unit_id), needs.get(order.place_id)
        if state.status != "available":
            found[order.order_id] = _both(_STATUS_WORDS[state.status])
        elif row is not None and needed is not None and needed not in capabilities_of(row, state):
            found[order.order_id] = _both(
                ("警力已不具备所需能力", "The unit can no longer do what the place needs")
            )
        elif pins.get(order.unit_id, order.place_id) != order.place_id:
            found[order.order_id] = _both(("指挥员另行指定", "The commander sends the unit elsewhere"))
        elif is_forbidden(forbidden, order.unit_id, order.place_id):
            found[order.order_id] = _both(("指挥员禁用", "The commander rules it out"))
    return found


def pinned_again(order: Order, commands: Sequence[Command]) -> bool:
    """Whether the commander sent the unit after it had let its time pass: somebody has talked to it since."""
    overdue_at = order.entered_at(OrderState.overdue)
    return overdue_at is not None and any(
        one.kind == "pin" and one.unit_id == order.unit_id and one.set_at >= overdue_at for one in commands
    )


def manned_exits_s(live: Live, known: Collection[UUID], zero: datetime) -> dict[UUID, float]:
    """From when neighbours man exits of today's network, in seconds on the plan's axis."""
    return {
        exit_id: (at - zero).total_seconds() for exit_id, at in live.manned_from.items() if exit_id in known
    }


def _both(words: tuple[str, str]) -> str:
    """Fixed words only: the notes of staff may name somebody, and this goes onto the wire."""
    zh, en = words
    return f"{zh}。{en}."
