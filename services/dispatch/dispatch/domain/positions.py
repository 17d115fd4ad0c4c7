"""Where a unit starts from, and whether it can be sent at all: what is known now, over what the files say.

A position counts while it is fresh; an old one says where the unit is not any more, so its base is the better guess.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import numpy as np

from dispatch.domain.network import Network, distances_m
from dispatch.domain.problem import Unit
from dispatch.domain.rows import UnitRow

UnitStatus = Literal["available", "busy", "off_duty", "broken_down"]
StartsFrom = Literal["position", "base", "post"]

# A phone's clock may be ahead by this much; what is farther ahead is a mistake, not a clock.
CLOCK_AHEAD = timedelta(minutes=2)

# From a position to its node: the distance as the crow flies becomes longer by the worst detour of our road classes,
# a township road's (data/yunyang/README.md), driven at what an access road allows.
ACCESS_DETOUR = 1.6
ACCESS_KMH = 20.0


@dataclass(frozen=True)
class UnitState:
    """What was last heard of a unit; `capabilities` replace those of the files if not None."""

    status: UnitStatus = "available"
    status_note: str = ""
    status_at: datetime | None = None
    status_by: str = ""
    lon: float | None = None
    lat: float | None = None
    position_at: datetime | None = None
    capabilities: frozenset[str] | None = None


@dataclass(frozen=True)
class Snapped:
    """The node where a road vehicle at a position joins the network, how far that is, and how long it surely takes."""

    node: int
    distance_m: float
    access_s: float


@dataclass(frozen=True)
class Start:
    """From where a unit's travel is counted, and why from there."""

    node: int
    starts_from: StartsFrom
    access_s: float = 0.0
    distance_m: float = 0.0


def snap_to_road(network: Network, lon: float, lat: float) -> Snapped | None:
    """The nearest node that a car can leave, at whatever distance; None if the network has no road for cars.

    A patrol on the bank is not put on the ferry line beside it. The caller refuses what is too far away.
    """
    edges = network.edges
    roads = np.union1d(edges.tail[edges.car], edges.head[edges.car & ~edges.oneway])
    if not len(roads):
        return None
    away_m = distances_m(network, lon, lat)[roads]
    nearest = int(np.argmin(away_m))
    distance_m = float(away_m[nearest])
    return Snapped(int(roads[nearest]), distance_m, distance_m * ACCESS_DETOUR * 3.6 / ACCESS_KMH)


def start_of(
    network: Network, row: UnitRow, state: UnitState, now: datetime, fresh_for: timedelta, snap_max_m: float
) -> Start | None:
    """Where its travel starts; None if this network does not have its base and no position helps.

    Staff of a station stand at their post wherever their phone is.
    """
    base = network.index.get(row.base_node)
    if row.post_place_id is not None:
        return None if base is None else Start(base, "post")
    if state.lon is not None and state.lat is not None and state.position_at is not None:
        snapped = snap_to_road(network, state.lon, state.lat)
        if now - state.position_at <= fresh_for and snapped and snapped.distance_m <= snap_max_m:
            return Start(snapped.node, "position", snapped.access_s, snapped.distance_m)
    return None if base is None else Start(base, "base")


def capabilities_of(row: UnitRow, state: UnitState) -> frozenset[str]:
    """What it can do now."""
    return row.capabilities if state.capabilities is None else state.capabilities


def units_now(
    network: Network,
    rows: Sequence[UnitRow],
    states: Mapping[UUID, UnitState],
    now: datetime,
    minute_of_day: int,
    fresh_for: timedelta,
    snap_max_m: float,
) -> tuple[Unit, ...]:
    """Units that can be sent: on duty by their shift, available by their own word, with a place to start from."""
    found = []
    for row in rows:
        state = states.get(row.unit_id, UnitState())
        start = start_of(network, row, state, now, fresh_for, snap_max_m)
        if start is None or state.status != "available" or not row.shift.covers(minute_of_day):
            continue
        # The way to the road comes on top of the turnout: both are before the first known stretch.
        unit = Unit(
            row.unit_id,
            start.node,
            capabilities_of(row, state),
            row.turnout_s + start.access_s,
            row.post_place_id,
        )
        found.append(unit)
    return tuple(found)


def newer(state: UnitState, lon: float, lat: float, at: datetime) -> UnitState:
    """The state with this position, unless a later one is known: messages overtake each other."""
    if state.position_at is not None and state.position_at >= at:
        return state
    return replace(state, lon=lon, lat=lat, position_at=at)
