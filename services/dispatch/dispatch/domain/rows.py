"""Rows of a road network as they are kept in files and in the database, and what planning makes of them.

Ids of nodes are text here; planning works with places in the node table.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contracts.base import TravelMode, UnitId
from dispatch.domain.network import Network, NetworkError, build_network
from dispatch.domain.problem import Exit, ExitId, Place, PlaceId, Unit
from dispatch.domain.shifts import Shift
from dispatch.domain.tables import Edges, Flags, Floats, Nodes
from dispatch.domain.timetables import Timetable


@dataclass(frozen=True)
class NodeRow:
    """A junction, township, station, pier or border crossing; WGS-84 degrees."""

    node_id: str
    lon: float
    lat: float
    kind: str
    name_zh: str
    name_en: str
    bus_stop: bool
    pier: bool
    outside: bool
    position_source: str


@dataclass(frozen=True)
class EdgeRow:
    """A stretch of road or a line; speeds are design speeds, 0 where the mode may not go."""

    edge_id: str
    from_node: str
    to_node: str
    length_m: float
    road_class: str
    oneway: bool
    walk: bool
    car: bool
    bus: bool
    ferry: bool
    car_speed_kmh: float
    bus_speed_kmh: float
    ferry_speed_kmh: float


@dataclass(frozen=True)
class PlaceRow:
    """Where a unit can stand; `needs` is what it must be able to do there."""

    place_id: PlaceId
    node_id: str
    kind: str
    name_zh: str
    name_en: str
    capacity: int
    setup_s: float
    needs: str
    staffed: bool = False
    """People work there already: a unit of station staff can be entered for it."""


@dataclass(frozen=True)
class ExitRow:
    """A way out of the region, at its outer node."""

    exit_id: ExitId
    node_id: str
    kind: str
    name_zh: str
    name_en: str
    neighbour: str


@dataclass(frozen=True)
class TimetableRow:
    """A vehicle's call at a stop; seconds after midnight in Beijing, past 86,400 after midnight.

    `days` are the digits of the days on which the trip begins, 1 for Monday to 7 for Sunday.
    """

    line_id: str
    trip_id: str
    mode: str
    stop_sequence: int
    node_id: str
    arrive_s: int
    depart_s: int
    days: str


@dataclass(frozen=True)
class UnitRow:
    """A police unit with its base, or station staff with its post."""

    unit_id: UnitId
    code: str
    name_zh: str
    name_en: str
    region_code: str
    kind: str
    base_node: str
    post_place_id: PlaceId | None
    capabilities: frozenset[str]
    shift: Shift
    turnout_s: float


def network_of(nodes: Sequence[NodeRow], edges: Sequence[EdgeRow]) -> Network:
    """The network of these rows. Raises: NetworkError, if they make none."""
    index = {row.node_id: place for place, row in enumerate(nodes)}
    for row in edges:
        if row.from_node not in index or row.to_node not in index:
            raise NetworkError(f"Edge {row.edge_id!r} ends at a missing node; add the node first.")
    return build_network(
        Nodes(
            ids=tuple(row.node_id for row in nodes),
            lon=_floats([row.lon for row in nodes]),
            lat=_floats([row.lat for row in nodes]),
            bus_stop=_flags([row.bus_stop for row in nodes]),
            pier=_flags([row.pier for row in nodes]),
            outside=_flags([row.outside for row in nodes]),
        ),
        Edges(
            ids=tuple(row.edge_id for row in edges),
            road_class=tuple(row.road_class for row in edges),
            tail=np.array([index[row.from_node] for row in edges], dtype=np.int64),
            head=np.array([index[row.to_node] for row in edges], dtype=np.int64),
            length_m=_floats([row.length_m for row in edges]),
            oneway=_flags([row.oneway for row in edges]),
            walk=_flags([row.walk for row in edges]),
            car=_flags([row.car for row in edges]),
            bus=_flags([row.bus for row in edges]),
            ferry=_flags([row.ferry for row in edges]),
            car_speed_kmh=_floats([row.car_speed_kmh for row in edges]),
            bus_speed_kmh=_floats([row.bus_speed_kmh for row in edges]),
            ferry_speed_kmh=_floats([row.ferry_speed_kmh for row in edges]),
        ),
    )


def places_of(rows: Sequence[PlaceRow], network: Network) -> tuple[Place, ...]:
    """Places for planning. Raises: KeyError, if a node is not in the network."""
    return tuple(
        Place(
            place_id=row.place_id,
            node=network.index[row.node_id],
            kind=row.kind,
            name_zh=row.name_zh,
            name_en=row.name_en,
            setup_s=row.setup_s,
            needs=row.needs,
            capacity=row.capacity,
        )
        for row in rows
    )


def exits_of(rows: Sequence[ExitRow], network: Network) -> tuple[Exit, ...]:
    """Exits for planning. Raises: KeyError, if a node is not in the network."""
    return tuple(
        Exit(row.exit_id, network.index[row.node_id], row.kind, row.name_zh, row.name_en, row.neighbour)
        for row in rows
    )


def timetable_of(rows: Sequence[TimetableRow], network: Network) -> Timetable:
    """The connections of every trip, sorted by departure; trips are numbered in the order of their ids.

    Raises: KeyError, if a stop is not in the network.
    """
    ordered = sorted(rows, key=lambda row: (row.trip_id, row.stop_sequence))
    heads = {row.trip_id: row for row in reversed(ordered)}
    number = {trip_id: place for place, trip_id in enumerate(sorted(heads))}
    hops = [
        (a.depart_s, b.arrive_s, number[a.trip_id], network.index[a.node_id], network.index[b.node_id])
        for a, b in itertools.pairwise(ordered)
        if a.trip_id == b.trip_id
    ]
    columns = np.array(sorted(hops), dtype=np.int64).reshape(-1, 5).T
    first = [heads[trip_id] for trip_id in sorted(heads)]
    return Timetable(
        trip=columns[2],
        tail=columns[3],
        head=columns[4],
        depart_s=columns[0],
        arrive_s=columns[1],
        mode_of=tuple(TravelMode(row.mode) for row in first),
        line_of=tuple(row.line_id for row in first),
        days_of=tuple(row.days for row in first),
    )


def units_of(rows: Sequence[UnitRow], network: Network, minute_of_day: int) -> tuple[Unit, ...]:
    """Units on duty at this minute of the local day. Raises: KeyError, if a base is not in the network."""
    return tuple(
        Unit(row.unit_id, network.index[row.base_node], row.capabilities, row.turnout_s, row.post_place_id)
        for row in rows
        if row.shift.covers(minute_of_day)
    )


def _floats(values: Sequence[float]) -> Floats:
    return np.array(values, dtype=np.float64)


def _flags(values: Sequence[bool]) -> Flags:
    return np.array(values, dtype=np.bool_)
