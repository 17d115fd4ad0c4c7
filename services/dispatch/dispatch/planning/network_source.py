"""Reads the network that an instance names: two CSV files, lists in the instance, or a folder in the county format.

The minimal form knows cars and feet: an edge is one-way unless it says `both_ways`, and feet ignore one-way signs.
Where only two of length, time and speed are given, the third follows; a travel time wins over a speed.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from dispatch.domain.network import EARTH_RADIUS_M, Network, NetworkError, build_network
from dispatch.domain.rows import timetable_of
from dispatch.domain.tables import Edges, Floats, Nodes
from dispatch.domain.timetables import Timetable, no_timetable
from dispatch.network_files import NetworkFileError, read_network
from dispatch.planning.canonical import canonical
from dispatch.planning.fields import EDGES_MAX, NODES_MAX
from dispatch.planning.instance import EdgeRecord, NetworkSource

SPEED_MAX_KMH = 450.0  # Above the fastest train.
FLAT_KMH = 50.0  # Of an edge without length: any speed will do.
PROBLEMS_SHOWN = 20


class InstanceError(ValueError):
    """The instance can't be planned on; the message says what is wrong, where, and how to mend it."""


@dataclass(frozen=True, eq=False)
class Sourced:
    """A network, the SHA-256 of what it was made of, and the timetable of its lines, if it has one."""

    network: Network
    sha256: str
    timetable: Timetable = field(default_factory=no_timetable)


def read_source(source: NetworkSource, beside: Path, written: Mapping[str, Any]) -> Sourced:
    """Read and check the network; `beside` is the folder that paths are relative to, `written` the JSON as it is.

    Raises: InstanceError, with the first twenty rows that are wrong.
    """
    try:
        if source.folder is not None:
            folder = beside / source.folder
            files = [folder / "nodes.csv", folder / "edges.csv"]
            read = read_network(folder)
            digest = _digest(path.read_bytes() for path in files)
            return Sourced(read.network, digest, timetable_of(read.timetable, read.network))
        if source.nodes_csv is not None and source.edges_csv is not None:
            files = [beside / source.nodes_csv, beside / source.edges_csv]
            content = [path.read_bytes() for path in files]
            nodes, edges = (list(_rows(path, raw)) for path, raw in zip(files, content, strict=True))
            return Sourced(_from_csv(nodes, edges, files), _digest(content))
        records = source.edges or []
        listed = [canonical(written[part]) for part in ("nodes", "edges")]
        return Sourced(_network(source.nodes or [], records), _digest(listed))
    except OSError as error:
        raise InstanceError(
            f"{error.filename}: {error.strerror}. Mend: paths are relative to the instance."
        ) from error
    except (NetworkError, NetworkFileError) as error:
        raise InstanceError(str(error)) from error


def _digest(parts: Iterable[bytes]) -> str:
    """SHA-256 over the SHA-256 of each part, so that no byte can move from one to the next."""
    return sha256(b"".join(sha256(part).digest() for part in parts)).hexdigest()


def _rows(path: Path, raw: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and fields of each row. Raises: InstanceError."""
    try:
        reader = csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True)
        for fields in reader:
            if None in fields or None in fields.values():
                raise InstanceError(
                    f"{path.name} line {reader.line_num}: the number of fields differs from the header's; "
                    "mend that row."
                )
            yield reader.line_num, fields
    except UnicodeDecodeError as error:
        raise InstanceError(f"{path.name} is not UTF-8; save it again with that encoding.") from error
    except csv.Error as error:
        raise InstanceError(
            f"{path.name} is not a CSV file after line {reader.line_num}: {error}."
        ) from error


Lined = Sequence[tuple[int, Mapping[str, str]]]


def _from_csv(nodes: Lined, edges: Lined, files: Sequence[Path]) -> Network:
    """All rows or none."""
    for rows, path, wanted in (
        (nodes, files[0], ("node", "lon", "lat")),
        (edges, files[1], ("source", "target")),
    ):
        missing = [column for column in wanted if rows and column not in rows[0][1]]
        if missing or not rows:
            raise InstanceError(
                f"{path.name} has no {', '.join(missing) or 'row'}; its columns are {', '.join(wanted)}."
            )
    if len(nodes) > NODES_MAX or len(edges) > EDGES_MAX:
        raise InstanceError(f"More than {NODES_MAX} nodes or {EDGES_MAX} edges; cut the area.")
    problems: list[str] = []
    node_records = [record for record in (_node(files[0].name, *row, problems) for row in nodes) if record]
    edge_records = [record for record in (_edge(files[1].name, *row, problems) for row in edges) if record]
    if problems:
        more = len(problems) - PROBLEMS_SHOWN
        rest = [f"... and {more} more."] if more > 0 else []
        raise InstanceError("\n".join(["Mend these rows:", *problems[:PROBLEMS_SHOWN], *rest]))
    return _network(node_records, edge_records)


def _node(
    name: str, line: int, row: Mapping[str, str], problems: list[str]
) -> tuple[str, float, float] | None:
    try:
        lon, lat = float(row["lon"]), float(row["lat"])
        if row["node"].strip() and abs(lon) <= 180 and abs(lat) <= 90:
            return row["node"].strip(), lon, lat
    except ValueError:
        pass
    problems.append(
        f"{name} line {line}: node, lon, lat are {row['node']!r}, {row['lon']!r}, {row['lat']!r}; "
        "give an id and WGS-84 degrees"
    )
    return None


def _edge(name: str, line: int, row: Mapping[str, str], problems: list[str]) -> EdgeRecord | None:
    speed = row.get("speed_kmh") or row.get("speed_kph")
    optional = {
        "length_m": row.get("length_m"),
        "travel_time_s": row.get("travel_time_s"),
        "speed_kmh": speed,
    }
    flags = {key: row.get(key) for key in ("walk", "car", "both_ways")}
    try:
        return EdgeRecord.model_validate(
            {"source": row["source"].strip(), "target": row["target"].strip()}
            | {key: value for key, value in (optional | flags).items() if value},
        )
    except ValidationError as error:
        for wrong in error.errors():
            where = ".".join(str(part) for part in wrong["loc"]) or "row"
            problems.append(f"{name} line {line}: {where}: {wrong['msg']}")
        return None


def _network(nodes: Sequence[tuple[str, float, float]], edges: Sequence[EdgeRecord]) -> Network:
    """The arrays of the planner, from minimal rows."""
    ids = tuple(node for node, _, _ in nodes)
    index = {node: at for at, node in enumerate(ids)}
    lost = next((edge for edge in edges if edge.source not in index or edge.target not in index), None)
    if lost is not None:
        raise InstanceError(f"Edge {lost.source!r} -> {lost.target!r} ends at an unknown node; add the node.")
    lon, lat = (np.array([node[axis] for node in nodes], dtype=np.float64) for axis in (1, 2))
    tail = np.array([index[edge.source] for edge in edges], dtype=np.int64)
    head = np.array([index[edge.target] for edge in edges], dtype=np.int64)
    car = np.array([edge.car for edge in edges], dtype=np.bool_)
    length_m, kmh = _lengths_and_speeds(edges, car, _straight_m(lon, lat, tail, head))
    none, never = np.zeros(len(edges)), np.zeros(len(edges), dtype=np.bool_)
    no_node = np.zeros(len(ids), dtype=np.bool_)
    return build_network(
        Nodes(ids, lon, lat, bus_stop=no_node, pier=no_node.copy(), outside=no_node.copy()),
        Edges(
            ids=tuple(str(at) for at in range(len(edges))),
            road_class=("",) * len(edges),
            tail=tail,
            head=head,
            length_m=length_m,
            oneway=~np.array([edge.both_ways for edge in edges], dtype=np.bool_),
            walk=np.array([edge.walk for edge in edges], dtype=np.bool_),
            car=car,
            bus=never,
            ferry=never.copy(),
            car_speed_kmh=kmh,
            bus_speed_kmh=none,
            ferry_speed_kmh=none.copy(),
        ),
    )


def _lengths_and_speeds(edges: Sequence[EdgeRecord], car: Any, straight_m: Floats) -> tuple[Floats, Floats]:
    """Metres, and the km/h that give the travel time. Raises: InstanceError, naming the edge."""
    nan = math.nan
    length_m = np.array([nan if e.length_m is None else e.length_m for e in edges])
    time_s = np.array([nan if e.travel_time_s is None else e.travel_time_s for e in edges])
    given_kmh = np.array([nan if e.speed_kmh is None else e.speed_kmh for e in edges])
    from_time = np.isfinite(time_s) & np.isfinite(given_kmh) & np.isnan(length_m)
    length_m = np.where(from_time, time_s * given_kmh / 3.6, length_m)
    length_m = np.where(np.isnan(length_m), straight_m, length_m)
    flat = length_m <= 0
    # A time without a length (a gate, a wait): give it the length it would have at a plain speed.
    length_m = np.where(flat & (time_s > 0), time_s * FLAT_KMH / 3.6, length_m)
    with np.errstate(divide="ignore", invalid="ignore"):
        kmh = np.where(np.isfinite(time_s), length_m / time_s * 3.6, given_kmh)
    kmh = np.where(length_m <= 0, FLAT_KMH, kmh)
    bad = car & ~(np.isfinite(kmh) & (kmh > 0) & (kmh <= SPEED_MAX_KMH))
    if bad.any():
        edge = edges[int(np.argmax(bad))]
        raise InstanceError(
            f"Edge {edge.source!r} -> {edge.target!r} is driven at {kmh[int(np.argmax(bad))]:g} km/h; "
            f"mend its length_m or travel_time_s (0 to {SPEED_MAX_KMH:g} km/h)."
        )
    return length_m, np.where(car, kmh, 0.0)


def _straight_m(lon: Floats, lat: Floats, tail: Any, head: Any) -> Floats:
    """Great-circle length of each edge in metres."""
    phi, other = np.radians(lat[tail]), np.radians(lat[head])
    half = np.sin((other - phi) / 2) ** 2
    half += np.cos(phi) * np.cos(other) * np.sin(np.radians(lon[head] - lon[tail]) / 2) ** 2
    length: Floats = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(half))
    return length
