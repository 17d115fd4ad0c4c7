"""From rows of every table to one network: all of it, or nothing with everything that is wrong."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Literal

from dispatch.domain.network import Network, NetworkError
from dispatch.domain.rows import EdgeRow, ExitRow, NodeRow, PlaceRow, TimetableRow, UnitRow, network_of
from dispatch.domain.snapping import UNIT_REFUSE_BEYOND_M, OffNetwork, on_a_road, snap
from dispatch.importing.problems import NetworkFileError, Problem, Where, problem
from dispatch.importing.row_readers import UnitDraft

SourceKind = Literal["csv", "geojson", "osm"]


@dataclass(frozen=True)
class About:
    """Where a network comes from; `schematic`: a drawing, on which no real interception may be planned."""

    source_kind: SourceKind = "csv"
    source: str = ""
    schematic: bool = False
    note: str = ""


@dataclass(frozen=True)
class SnappedUnit:
    """A unit that was put on the nearest road: its base node and the distance."""

    code: str
    base_node: str
    distance_m: float


@dataclass(frozen=True)
class Counted:
    """What an import saw or left out, with a few ids to look at; `code` names the sentence in `report`."""

    code: str
    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class NetworkFiles:
    """Everything a source holds, and the network built of it.

    `units` is empty where the source has no table of units. `lines` are known lines (id, mode, stops), with or without
    times.
    """

    nodes: tuple[NodeRow, ...]
    edges: tuple[EdgeRow, ...]
    places: tuple[PlaceRow, ...]
    exits: tuple[ExitRow, ...]
    units: tuple[UnitRow, ...]
    network: Network
    timetable: tuple[TimetableRow, ...] = ()
    about: About = About()
    snapped: tuple[SnappedUnit, ...] = ()
    lines: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    counted: tuple[Counted, ...] = ()

    @property
    def version(self) -> str:
        """The network's version and a hash of all else: any change that matters to a plan makes a new one."""
        digest = sha256()
        for rows in (self.nodes, self.edges, self.places, self.exits, self.timetable):
            for row in rows:
                digest.update(repr(row).encode())
            digest.update(b"\0")
        return f"{self.network.version}-{digest.hexdigest()[:8]}"


@dataclass(frozen=True)
class Lined:
    """A row and where it came from."""

    where: Where
    row: Any


@dataclass
class Tables:
    """The rows of every table as read, by the table's file name, and what was wrong with the others."""

    rows: dict[str, list[Lined]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def of(self, table: str) -> list[Lined]:
        """The rows of a table; none if it was not given."""
        return self.rows.get(table, [])


def assemble(tables: Tables, about: About) -> NetworkFiles:
    """Check what rows say of each other and build the network. Raises: NetworkFileError, with all that is wrong."""
    problems = [*tables.problems, *_misfits(tables)]
    if problems:
        raise NetworkFileError(problems)
    nodes, edges, places, exits, timetable = (
        tuple(lined.row for lined in tables.of(table))
        for table in ("nodes.csv", "edges.csv", "places.csv", "exits.csv", "timetable.csv")
    )
    try:
        network = network_of(nodes, edges)
    except NetworkError as error:
        raise NetworkFileError([problem("network", Where("edges.csv"), why=str(error))]) from error
    units, snapped = placed_units(tables.of("units.csv"), network, places)
    return NetworkFiles(nodes, edges, places, exits, units, network, timetable, about, snapped)


def placed_units(
    drafts: Sequence[Lined], network: Network, places: Sequence[PlaceRow]
) -> tuple[tuple[UnitRow, ...], tuple[SnappedUnit, ...]]:
    """Every unit with a base node: as named, that of its post, or the nearest road to its position.

    Raises: NetworkFileError, for positions too far from every road (in the water, degrees swapped).
    """
    node_of = {place.place_id: place.node_id for place in places}
    roads = on_a_road(network)
    units: list[UnitRow] = []
    snapped: list[SnappedUnit] = []
    problems: list[Problem] = []
    for lined in drafts:
        draft: UnitDraft = lined.row
        row = draft.row
        if draft.at is not None:
            try:
                found = snap(network, *draft.at, UNIT_REFUSE_BEYOND_M, among=roads)
            except OffNetwork as off:
                limits = {"distance_m": off.distance_m, "most": off.refuse_beyond_m}
                problems.append(problem("unit_off", lined.where, unit=row.code, **limits))
                continue
            row = replace(row, base_node=network.nodes.ids[found.node])
            snapped.append(SnappedUnit(row.code, row.base_node, found.distance_m))
        elif not row.base_node and row.post_place_id is not None:
            row = replace(row, base_node=node_of[row.post_place_id])
        units.append(row)
    if problems:
        raise NetworkFileError(problems)
    return tuple(units), tuple(snapped)


def unit_problems(
    drafts: Sequence[Lined], node_ids: Container[str], place_ids: Container[object]
) -> list[Problem]:
    """What is wrong with units beside this network."""
    named = [lined for lined in drafts if lined.row.row.base_node]
    posted = [lined for lined in drafts if lined.row.row.post_place_id is not None]
    return [
        *_twice(drafts, "unit_id"),
        *_unknown([_unit(lined) for lined in named], "base_node", node_ids, "nodes.csv"),
        *_unknown([_unit(lined) for lined in posted], "post_place_id", place_ids, "places.csv"),
    ]


def _unit(lined: Lined) -> Lined:
    return Lined(lined.where, lined.row.row)


def _misfits(tables: Tables) -> list[Problem]:
    nodes, edges, places = (tables.of(name) for name in ("nodes.csv", "edges.csv", "places.csv"))
    node_of: dict[str, NodeRow] = {lined.row.node_id: lined.row for lined in nodes}
    place_ids = {lined.row.place_id for lined in places}
    found = [*_twice(nodes, "node_id"), *_twice(edges, "edge_id"), *_twice(places, "place_id")]
    found += _twice(tables.of("exits.csv"), "exit_id")
    for rows, column in (
        (edges, "from_node"),
        (edges, "to_node"),
        (places, "node_id"),
        (tables.of("exits.csv"), "node_id"),
        (tables.of("timetable.csv"), "node_id"),
    ):
        found += _unknown(rows, column, node_of, "nodes.csv")
    found += unit_problems(tables.of("units.csv"), node_of, place_ids)
    found += _boats_ashore(node_of, edges)
    return found + _bad_trips(node_of, tables.of("timetable.csv"))


def _twice(rows: Sequence[Lined], column: str) -> list[Problem]:
    """An id appears once a table."""
    first: dict[object, Where] = {}
    found = []
    for lined in rows:
        value = getattr(lined.row, column)
        other = first.setdefault(value, lined.where)
        if other is not lined.where:
            same_file = other.file == lined.where.file
            others = {
                "other": other.said("en", file=not same_file),
                "other_zh": other.said("zh", file=not same_file),
            }
            found.append(problem("twice", lined.where, column=column, value=value, **others))
    return found


def _unknown(rows: Sequence[Lined], column: str, known: Container[Any], table: str) -> list[Problem]:
    """What a row points at exists."""
    return [
        problem("unknown", lined.where, column=column, value=getattr(lined.row, column), table=table)
        for lined in rows
        if getattr(lined.row, column) not in known
    ]


def _boats_ashore(node_of: Mapping[str, NodeRow], edges: Sequence[Lined]) -> list[Problem]:
    """Boats call at piers only; ends that do not exist are told elsewhere."""
    found = []
    for lined in edges:
        ends = (node_of.get(lined.row.from_node), node_of.get(lined.row.to_node))
        if lined.row.ferry and not all(end is None or end.pier for end in ends):
            found.append(problem("not_a_pier", lined.where))
    return found


def _bad_trips(node_of: Mapping[str, NodeRow], rows: Sequence[Lined]) -> list[Problem]:
    """A trip is one vehicle of one line that goes forward in time and stops where such vehicles stop."""
    found: list[Problem] = []
    trips: dict[str, list[Lined]] = {}
    for lined in rows:
        trips.setdefault(lined.row.trip_id, []).append(lined)
        node = node_of.get(lined.row.node_id)
        mark = "bus_stop" if lined.row.mode == "bus" else "pier"
        if node is not None and not (getattr(node, mark) or node.outside):
            values = {"node": node.node_id, "mark": mark, "mode": lined.row.mode}
            found.append(problem("no_stop", lined.where, **values))
    for trip_id, calls in trips.items():
        found += _bad_trip(trip_id, sorted(calls, key=lambda lined: lined.row.stop_sequence))
    return found


def _bad_trip(trip_id: str, calls: Sequence[Lined]) -> list[Problem]:
    if len(calls) < 2:
        return [problem("trip_short", calls[0].where, trip=trip_id)]
    found = [
        problem("trip_mixed", call.where, trip=trip_id, column=column)
        for column in ("line_id", "mode", "days")
        for call in calls[1:]
        if getattr(call.row, column) != getattr(calls[0].row, column)
    ]
    last_s = -1
    for place, call in enumerate(calls):
        same = place > 0 and call.row.stop_sequence == calls[place - 1].row.stop_sequence
        if same:
            value = f"{call.row.stop_sequence} of trip {trip_id}"
            other = calls[place - 1].where
            others = {"other": other.said("en", file=False), "other_zh": other.said("zh", file=False)}
            found.append(problem("twice", call.where, column="stop_sequence", value=value, **others))
        elif not last_s <= call.row.arrive_s <= call.row.depart_s:
            found.append(problem("time_back", call.where, trip=trip_id))
        last_s = call.row.depart_s
    return found
