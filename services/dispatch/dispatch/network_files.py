"""Reads a road network from CSV files: all of it, or nothing with every row that is wrong.

The columns are described in `data/yunyang/README.md`. Files are UTF-8 with a header line; a byte-order
mark as spreadsheets write it is accepted, and so are more columns than asked for.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar
from uuid import UUID

from contracts.base import UnitId
from dispatch.domain.network import Network, NetworkError
from dispatch.domain.problem import ExitId, PlaceId
from dispatch.domain.rows import EdgeRow, ExitRow, NodeRow, PlaceRow, UnitRow, network_of
from dispatch.domain.shifts import MINUTES_A_DAY, Shift

YUNYANG = Path(__file__).parent / "data" / "yunyang"
ROWS_MAX = 500_000  # More than the roads of a whole province; a larger file is a mistake.
PROBLEMS_SHOWN = 20
SPEED_MAX_KMH = 450.0  # Above the fastest train.
HOUR_S = 3600.0  # Nobody needs longer to turn out or set up.

_COLUMNS = {
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
}

Row = TypeVar("Row")


class NetworkFileError(ValueError):
    """The files cannot be used; `problems` holds one line each, as `edges.csv line 12: ...`."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        more = len(problems) - PROBLEMS_SHOWN
        rest = f"\n... and {more} more." if more > 0 else ""
        shown = "\n".join(problems[:PROBLEMS_SHOWN])
        super().__init__(f"Nothing was imported; mend these rows and load again:\n{shown}{rest}")


@dataclass(frozen=True, eq=False)
class NetworkFiles:
    """Everything a folder holds, and the network built of it."""

    nodes: tuple[NodeRow, ...]
    edges: tuple[EdgeRow, ...]
    places: tuple[PlaceRow, ...]
    exits: tuple[ExitRow, ...]
    units: tuple[UnitRow, ...]
    network: Network


def read_network(folder: Path = YUNYANG) -> NetworkFiles:
    """Read nodes, edges, places, exits and units from a folder.

    Raises: NetworkFileError, with every row that is wrong; then nothing was read.
    """
    problems: list[str] = []
    nodes = _read(folder / "nodes.csv", _node, problems)
    edges = _read(folder / "edges.csv", _edge, problems)
    places = _read(folder / "places.csv", _place, problems)
    exits = _read(folder / "exits.csv", _exit, problems)
    units = _read(folder / "units.csv", _unit, problems)
    _check_once(nodes, "node_id", problems)
    _check_once(edges, "edge_id", problems)
    _check_once(places, "place_id", problems)
    _check_once(exits, "exit_id", problems)
    _check_once(units, "unit_id", problems)
    node_ids = {lined.row.node_id for lined in nodes}
    _check_known(edges, "from_node", node_ids, "nodes.csv", problems)
    _check_known(edges, "to_node", node_ids, "nodes.csv", problems)
    _check_known(places, "node_id", node_ids, "nodes.csv", problems)
    _check_known(exits, "node_id", node_ids, "nodes.csv", problems)
    _check_known(units, "base_node", node_ids, "nodes.csv", problems)
    place_ids = {lined.row.place_id for lined in places}
    _check_known(units, "post_place_id", {*place_ids, None}, "places.csv", problems)
    _check_piers(nodes, edges, problems)
    if problems:
        raise NetworkFileError(problems)
    node_rows, edge_rows = _rows(nodes), _rows(edges)
    try:
        network = network_of(node_rows, edge_rows)
    except NetworkError as error:
        raise NetworkFileError([str(error)]) from error
    return NetworkFiles(node_rows, edge_rows, _rows(places), _rows(exits), _rows(units), network)


@dataclass(frozen=True)
class _Lined(Generic[Row]):
    """A row and where it came from."""

    file: str
    line: int
    row: Row


class _BadField(ValueError):
    """One field of a row is wrong; the message names it and its value."""


class _Fields:
    """The fields of one line, read by kind."""

    def __init__(self, fields: dict[str, str]) -> None:
        self._fields = fields

    def text(self, name: str, *, may_be_empty: bool = False) -> str:
        value = self._fields[name].strip()
        if not value and not may_be_empty:
            raise _BadField(f"{name} is empty; give it a value")
        return value

    def number(self, name: str, low: float = 0.0, high: float = math.inf) -> float:
        value = self.text(name)
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not low <= number <= high or math.isinf(number):
            bounds = f"of {low:g} or more" if math.isinf(high) else f"from {low:g} to {high:g}"
            raise _BadField(f"{name} is {value!r}; give a number {bounds}")
        return number

    def flag(self, name: str) -> bool:
        value = self.text(name)
        if value not in ("0", "1"):
            raise _BadField(f"{name} is {value!r}; give 0 or 1")
        return value == "1"

    def uuid(self, name: str) -> UUID:
        value = self.text(name)
        try:
            return UUID(value)
        except ValueError:
            raise _BadField(f"{name} is {value!r}; give a UUID") from None

    def minute(self, name: str) -> int:
        value = self.text(name)
        match = re.fullmatch(r"(\d\d):(\d\d)", value)
        minute = int(match[1]) * 60 + int(match[2]) if match and int(match[2]) < 60 else -1
        if not 0 <= minute <= MINUTES_A_DAY:
            raise _BadField(f"{name} is {value!r}; give a time from 00:00 to 24:00")
        return minute


def _node(fields: _Fields) -> NodeRow:
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


def _edge(fields: _Fields) -> EdgeRow:
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
            raise _BadField(f"{mode} is 1 but {mode}_speed_kmh is 0; give its design speed")
    return row


def _place(fields: _Fields) -> PlaceRow:
    return PlaceRow(
        place_id=PlaceId(fields.uuid("place_id")),
        node_id=fields.text("node_id"),
        kind=fields.text("kind"),
        name_zh=fields.text("name_zh"),
        name_en=fields.text("name_en"),
        capacity=int(fields.number("capacity", 1, 100)),
        setup_s=fields.number("setup_s", 0, HOUR_S),
        needs=fields.text("needs"),
    )


def _exit(fields: _Fields) -> ExitRow:
    return ExitRow(
        exit_id=ExitId(fields.uuid("exit_id")),
        node_id=fields.text("node_id"),
        kind=fields.text("kind"),
        name_zh=fields.text("name_zh"),
        name_en=fields.text("name_en"),
        neighbour=fields.text("neighbour"),
    )


def _unit(fields: _Fields) -> UnitRow:
    has_post = bool(fields.text("post_place_id", may_be_empty=True))
    capabilities = (part.strip() for part in fields.text("capabilities").split(";"))
    return UnitRow(
        unit_id=UnitId(fields.uuid("unit_id")),
        code=fields.text("code"),
        name_zh=fields.text("name_zh"),
        name_en=fields.text("name_en"),
        region_code=fields.text("region_code"),
        kind=fields.text("kind"),
        base_node=fields.text("base_node"),
        post_place_id=PlaceId(fields.uuid("post_place_id")) if has_post else None,
        capabilities=frozenset(part for part in capabilities if part),
        shift=Shift(fields.minute("shift_start"), fields.minute("shift_end")),
        turnout_s=fields.number("turnout_s", 0, HOUR_S),
    )


def _read(path: Path, parse: Callable[[_Fields], Row], problems: list[str]) -> list[_Lined[Row]]:
    """All good rows of one file; every bad one adds a line to `problems`."""
    name = path.name
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _read_lines(name, csv.DictReader(file, strict=True), parse, problems)
    except FileNotFoundError:
        problems.append(f"{name} is missing; add it, with a header line at least")
    except UnicodeDecodeError:
        problems.append(f"{name} is not UTF-8; save it again with that encoding")
    except csv.Error as error:
        problems.append(f"{name} is not a CSV file: {error}")
    return []


def _read_lines(
    name: str, reader: csv.DictReader[str], parse: Callable[[_Fields], Row], problems: list[str]
) -> list[_Lined[Row]]:
    missing = [column for column in _COLUMNS[name] if column not in (reader.fieldnames or ())]
    if missing:
        problems.append(f"{name} line 1: column {', '.join(missing)} is missing")
        return []
    rows: list[_Lined[Row]] = []
    for fields in reader:
        if len(rows) >= ROWS_MAX:
            problems.append(f"{name} line {reader.line_num}: more than {ROWS_MAX} rows; cut the area")
            break
        try:
            if None in fields or None in fields.values():
                raise _BadField("the number of fields differs from the header's")
            rows.append(_Lined(name, reader.line_num, parse(_Fields(fields))))
        except _BadField as error:
            problems.append(f"{name} line {reader.line_num}: {error}")
    return rows


def _check_once(rows: Sequence[_Lined[Any]], column: str, problems: list[str]) -> None:
    """An id appears once a file."""
    first: dict[object, int] = {}
    for lined in rows:
        value = getattr(lined.row, column)
        line = first.setdefault(value, lined.line)
        if line != lined.line:
            problems.append(f"{lined.file} line {lined.line}: {column} {value} is already on line {line}")


def _check_known(
    rows: Sequence[_Lined[Any]], column: str, known: Container[object], where: str, problems: list[str]
) -> None:
    """What a row points at exists."""
    for lined in rows:
        value = getattr(lined.row, column)
        if value not in known:
            problems.append(f"{lined.file} line {lined.line}: {column} {value} is not in {where}")


def _check_piers(
    nodes: Sequence[_Lined[NodeRow]], edges: Sequence[_Lined[EdgeRow]], problems: list[str]
) -> None:
    """Boats call at piers only."""
    is_pier = {lined.row.node_id: lined.row.pier for lined in nodes}
    for lined in edges:
        ends = (lined.row.from_node, lined.row.to_node)
        if lined.row.ferry and not all(is_pier.get(end, True) for end in ends):
            problems.append(f"{lined.file} line {lined.line}: ferry is 1 but an end has pier 0 in nodes.csv")


def _rows(lined: Sequence[_Lined[Row]]) -> tuple[Row, ...]:
    return tuple(one.row for one in lined)
