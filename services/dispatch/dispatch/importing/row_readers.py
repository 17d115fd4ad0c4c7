"""One row of each table from its fields: the one place that knows the columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from contracts.base import UnitId
from dispatch.domain.problem import ExitId, PlaceId
from dispatch.domain.rows import EdgeRow, ExitRow, NodeRow, PlaceRow, TimetableRow, UnitRow
from dispatch.domain.shifts import Shift
from dispatch.importing.fields import CLOCK_MAX_MIN, BadField, Fields

SPEED_MAX_KMH = 450.0  # Above the fastest train.
HOUR_S = 3600.0  # Nobody needs longer to turn out or set up.

COLUMNS: dict[str, tuple[str, ...]] = {
    "nodes.csv": (
        *("node_id", "lon", "lat", "kind", "name_zh", "name_en", "bus_stop", "pier", "outside"),
        "position_source",
    ),
    "edges.csv": (
        *("edge_id", "from_node", "to_node", "length_m", "road_class", "oneway", "walk", "car", "bus"),
        *("ferry", "car_speed_kmh", "bus_speed_kmh", "ferry_speed_kmh"),
    ),
    "places.csv": ("place_id", "node_id", "kind", "name_zh", "name_en", "capacity", "setup_s", "needs"),
    "exits.csv": ("exit_id", "node_id", "kind", "name_zh", "name_en", "neighbour"),
    "units.csv": (
        *("unit_id", "code", "name_zh", "name_en", "region_code", "kind", "base_node", "post_place_id"),
        *("capabilities", "shift_start", "shift_end", "turnout_s"),
    ),
    "timetable.csv": ("line_id", "trip_id", "mode", "stop_sequence", "node_id", "arrive", "depart"),
}
"""What a table must have; `places.csv` may have `staffed`, `units.csv` lon and lat, `timetable.csv` days."""


@dataclass(frozen=True)
class UnitDraft:
    """A unit as its row says; without a base node it stands at (lon, lat) or at its post."""

    row: UnitRow
    at: tuple[float, float] | None

    @property
    def unit_id(self) -> UnitId:
        """The unit's id."""
        return self.row.unit_id


def node_row(fields: Fields) -> NodeRow:
    """A row of nodes.csv. Raises: BadField."""
    return NodeRow(
        node_id=fields.text("node_id"),
        lon=fields.number("lon", -180, 180),
        lat=fields.number("lat", -90, 90),
        kind=fields.text("kind"),
        name_zh=fields.text("name_zh", may_be_empty=True),
        name_en=fields.text("name_en", may_be_empty=True),
        bus_stop=fields.flag("bus_stop"),
        pier=fields.flag("pier"),
        outside=fields.flag("outside"),
        position_source=fields.text("position_source"),
    )


def edge_row(fields: Fields) -> EdgeRow:
    """A row of edges.csv. Raises: BadField."""
    row = EdgeRow(
        edge_id=fields.text("edge_id"),
        from_node=fields.text("from_node"),
        to_node=fields.text("to_node"),
        length_m=fields.number("length_m"),
        road_class=fields.text("road_class"),
        oneway=fields.flag("oneway"),
        walk=fields.flag("walk"),
        car=fields.flag("car"),
        bus=fields.flag("bus"),
        ferry=fields.flag("ferry"),
        car_speed_kmh=fields.number("car_speed_kmh", 0, SPEED_MAX_KMH),
        bus_speed_kmh=fields.number("bus_speed_kmh", 0, SPEED_MAX_KMH),
        ferry_speed_kmh=fields.number("ferry_speed_kmh", 0, SPEED_MAX_KMH),
    )
    for mode, allowed, kmh in (
        ("car", row.car, row.car_speed_kmh),
        ("bus", row.bus, row.bus_speed_kmh),
        ("ferry", row.ferry, row.ferry_speed_kmh),
    ):
        if allowed and kmh == 0:
            raise BadField("no_speed", mode=mode)
    return row


def place_row(fields: Fields) -> PlaceRow:
    """A row of places.csv. Raises: BadField."""
    return PlaceRow(
        place_id=PlaceId(fields.uuid("place_id")),
        node_id=fields.text("node_id"),
        kind=fields.text("kind"),
        name_zh=fields.text("name_zh"),
        name_en=fields.text("name_en"),
        capacity=int(fields.number("capacity", 1, 100)),
        setup_s=fields.number("setup_s", 0, HOUR_S),
        needs=fields.text("needs"),
        staffed=fields.flag("staffed") if fields.has("staffed") else False,
    )


def exit_row(fields: Fields) -> ExitRow:
    """A row of exits.csv. Raises: BadField."""
    return ExitRow(
        exit_id=ExitId(fields.uuid("exit_id")),
        node_id=fields.text("node_id"),
        kind=fields.text("kind"),
        name_zh=fields.text("name_zh"),
        name_en=fields.text("name_en"),
        neighbour=fields.text("neighbour"),
    )


def unit_draft(fields: Fields) -> UnitDraft:
    """A row of units.csv. Raises: BadField."""
    has_post, has_position = fields.has("post_place_id"), fields.has("lon") or fields.has("lat")
    if not (fields.has("base_node") or has_position or has_post):
        raise BadField("no_base" if "lon" in fields else "empty", column="base_node")
    by_position = has_position and not fields.has("base_node")
    capabilities = (part.strip() for part in fields.text("capabilities").split(";"))
    row = UnitRow(
        unit_id=UnitId(fields.uuid("unit_id")),
        code=fields.text("code"),
        name_zh=fields.text("name_zh"),
        name_en=fields.text("name_en"),
        region_code=fields.text("region_code"),
        kind=fields.text("kind"),
        base_node=fields.text("base_node", may_be_empty=True),
        post_place_id=PlaceId(fields.uuid("post_place_id")) if has_post else None,
        capabilities=frozenset(part for part in capabilities if part),
        shift=Shift(fields.minute("shift_start"), fields.minute("shift_end")),
        turnout_s=fields.number("turnout_s", 0, HOUR_S),
    )
    at = (fields.number("lon", -180, 180), fields.number("lat", -90, 90)) if by_position else None
    return UnitDraft(row, at)


def timetable_row(fields: Fields) -> TimetableRow:
    """A row of timetable.csv; the first call needs no arrival, the last no departure. Raises: BadField."""
    given = [name for name in ("arrive", "depart") if fields.has(name)]
    if not given:
        raise BadField("empty", column="arrive")
    arrive, depart = (fields.minute(name, CLOCK_MAX_MIN) for name in (given[0], given[-1]))
    return TimetableRow(
        line_id=fields.text("line_id"),
        trip_id=fields.text("trip_id"),
        mode=fields.choice("mode", "bus", "ferry"),
        stop_sequence=int(fields.number("stop_sequence", 0, 10_000)),
        node_id=fields.text("node_id"),
        arrive_s=arrive * 60,
        depart_s=depart * 60,
        days=fields.days("days"),
    )


READERS: dict[str, Callable[[Fields], Any]] = {
    "nodes.csv": node_row,
    "edges.csv": edge_row,
    "places.csv": place_row,
    "exits.csv": exit_row,
    "units.csv": unit_draft,
    "timetable.csv": timetable_row,
}
