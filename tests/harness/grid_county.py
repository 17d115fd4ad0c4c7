"""A county of any size as a folder of CSV files: a grid of roads with units, places, exits and bus lines."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from uuid import UUID

from dispatch.importing.row_readers import COLUMNS

STEP_DEG, WEST, SOUTH = 0.003, 108.0, 30.0
EAST_M, NORTH_M = 350, 400
"""Lengths of streets, longer than the 289 and 334 m that the crow flies."""


def write_county(folder: Path, side: int, *, units: int = 50, lines: int = 100, trips: int = 20) -> None:
    """Write side x side nodes with about 1.36 edges each; the same arguments give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder, "nodes.csv", _nodes(side))
    _write(folder, "edges.csv", _edges(side))
    places = range(0, side * side, max(side * side // 500, 1))
    _write(
        folder, "places.csv", ((_id(1, n), f"n{n}", "bridge", "桥", "Bridge", 1, 180, "road") for n in places)
    )
    ends = range(side - 1, side * side, side * 10)
    _write(folder, "exits.csv", ((_id(2, n), f"n{n}", "road", "出口", "Exit", "east") for n in ends))
    bases = (number * (side * side // (units + 1)) for number in range(1, units + 1))
    _write(folder, "units.csv", (_unit(base - base % side) for base in bases))
    _write(folder, "timetable.csv", _calls(side, lines, trips))


def _nodes(side: int) -> Iterable[Sequence[object]]:
    for y in range(side):
        for x in range(side):
            lon, lat = round(WEST + x * STEP_DEG, 6), round(SOUTH + y * STEP_DEG, 6)
            is_stop, is_last = int(x % 10 == 0), int(x == side - 1)
            yield f"n{y * side + x}", lon, lat, "junction", "", "", is_stop, 0, is_last, "drawn"


def _edges(side: int) -> Iterable[Sequence[object]]:
    """Every street eastward (some one-way, beside two-way ones), every fifth northward and some between."""
    rng = random.Random(side)
    flags = (1, 1, 1, 0, 40, 35, 0)
    for y in range(side):
        for x in range(side):
            node = y * side + x
            if x + 1 < side:
                one_way = int(0 < x < side - 2 and y % 2 == 1 and x % 5 not in (0, 4) and rng.random() < 0.05)
                yield f"e{node}", f"n{node}", f"n{node + 1}", EAST_M, "county", one_way, *flags
            if y + 1 < side and (x % 5 == 0 or rng.random() < 0.2):
                yield f"u{node}", f"n{node}", f"n{node + side}", NORTH_M, "county", 0, *flags


def _unit(node: int) -> Sequence[object]:
    hours = ("road;passengers", "00:00", "24:00", 120)
    return _id(3, node), f"U{node}", "派出所", "Station", "500235", "police", f"n{node}", "", *hours


def _calls(side: int, lines: int, trips: int) -> Iterable[Sequence[object]]:
    """Lines eastward with a stop every ten nodes: 3.5 km in 10 minutes."""
    for line in range(min(lines, side)):
        for trip in range(trips):
            for stop in range(min(5, (side - 1) // 10)):
                minute = 360 + trip * 40 + stop * 10
                clock = f"{minute // 60:02d}:{minute % 60:02d}"
                yield f"l{line}", f"l{line}-{trip}", "bus", stop, f"n{line * side + stop * 10}", clock, clock


def _write(folder: Path, table: str, rows: Iterable[Sequence[object]]) -> None:
    with (folder / table).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS[table])
        writer.writerows(rows)


def _id(kind: int, number: int) -> UUID:
    return UUID(int=kind << 64 | number)
