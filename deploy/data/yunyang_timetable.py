"""An invented timetable for the schematic lines of Yunyang: plausible to test with, true of no real vehicle.

No open timetable of the county was in reach. Running times follow from the drawn lengths at less than the design
speed, so that no vehicle is faster than the network says is possible.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple


class Line(NamedTuple):
    """A line: its mode, its stops, first and last departure, how often, average speed and minutes at a stop."""

    line_id: str
    mode: str
    stops: tuple[str, ...]
    first_min: int
    last_min: int
    every_min: int
    average_kmh: float
    stop_min: int = 2
    days: str = "1234567"


COACH_KMH, LOCAL_BUS_KMH, TRAIN_KMH, BOAT_KMH, CAR_FERRY_KMH = 55.0, 20.0, 140.0, 22.0, 8.0
ROAD_DETOUR = 1.45  # As drawn for county roads.
PORTS = ("bayang", "panlong", "shuangjiang", "xinjin", "qixia", "baoping", "yunyang", "puan", "hongshi")
RIVER = tuple(f"pier-{port}" for port in (*PORTS, "guling", "longdong"))


def _departure(slug: str, start: str, first: str, last: str, every_min: int, days: str = "1234567") -> Line:
    """A long-distance line: straight to its outer node."""
    mode, kmh = {"bus": ("bus", COACH_KMH), "rail": ("bus", TRAIN_KMH), "ferry": ("ferry", BOAT_KMH)}[
        slug.split("-", maxsplit=1)[0]
    ]
    stops = (start, f"out-{slug}")
    return Line(slug, mode, stops, _minute(first), _minute(last), every_min, kmh, days=days)


def _local(name: str, towns: str, first: str, last: str, every_min: int) -> Line:
    """A bus between stations of the county."""
    stops = tuple(f"station-{town}" for town in towns.split())
    return Line(f"local-{name}", "bus", stops, _minute(first), _minute(last), every_min, LOCAL_BUS_KMH)


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


LINES = (
    _departure("bus-shuangjiang-wanzhou", "station-shuangjiang", "06:30", "19:00", 30),
    _departure("bus-shuangjiang-fengjie", "station-shuangjiang", "07:00", "17:30", 90),
    _departure("bus-yunyang-fengjie", "station-yunyang", "07:20", "16:50", 190),
    _departure("bus-jiangkou-kaizhou", "station-jiangkou", "07:10", "16:10", 180),
    _departure("bus-gaoyang-kaizhou", "station-gaoyang", "06:50", "17:20", 105),
    _departure("bus-longjiao-lichuan", "station-longjiao", "08:00", "14:00", 360),
    _departure("bus-guling-fengjie", "station-guling", "07:30", "16:30", 180),
    _departure("rail-wanzhou", "rail-huangshi", "07:12", "21:12", 70),
    _departure("rail-fengjie", "rail-huangshi", "07:42", "21:42", 70),
    _departure("ferry-shuangjiang-wanzhou", "pier-shuangjiang", "08:00", "15:00", 210),
    _departure("ferry-shuangjiang-fengjie", "pier-shuangjiang", "08:30", "13:30", 300),
    _departure("ferry-bayang-wanzhou", "pier-bayang", "09:10", "15:10", 360, "167"),
    _departure("ferry-yunyang-fengjie", "pier-yunyang", "09:30", "14:30", 300),
    _departure("ferry-guling-fengjie", "pier-guling", "10:40", "15:40", 300),
    _departure("ferry-longdong-fengjie", "pier-longdong", "11:20", "11:20", 60),
    _local("north", "shuangjiang qinglong gaoyang nanxi jiangkou shashi", "06:40", "16:40", 120),
    _local("east", "shuangjiang yunyang", "06:20", "18:20", 40),
    _local("south", "shuangjiang fengming longjiao", "06:50", "17:50", 60),
    _local("far-south", "longjiao guling", "08:10", "15:10", 210),
    Line("river", "ferry", RIVER, _minute("07:30"), _minute("14:30"), 210, BOAT_KMH, 4),
    Line("pengxi", "ferry", ("pier-shuangjiang", "pier-gaoyang"), 8 * 60, 15 * 60, 210, BOAT_KMH),
    Line("car-ferry-xinjin", "ferry", ("pier-xinjin", "pier-qixia"), 7 * 60, 18 * 60, 60, CAR_FERRY_KMH),
    Line("car-ferry-yunyang", "ferry", ("pier-yunyang", "pier-puan"), 7 * 60, 18 * 60, 90, CAR_FERRY_KMH),
    Line("car-ferry-guling", "ferry", ("pier-hongshi", "pier-guling"), 7 * 60, 18 * 60, 90, CAR_FERRY_KMH),
)


def timetable_rows(
    edges: Iterable[dict[str, object]], straight_m: Callable[[str, str], float]
) -> list[dict[str, object]]:
    """Every call of every trip; lines inside the county run both ways. `straight_m`: metres as the crow flies."""
    lengths: dict[tuple[str, str], float] = {}
    for edge in edges:
        a, b, length = str(edge["from_node"]), str(edge["to_node"]), float(str(edge["length_m"]))
        for pair in ((a, b), (b, a)):
            lengths[pair] = min(length, lengths.get(pair, math.inf))
    rows: list[dict[str, object]] = []
    for line in LINES:
        rows += _trips(line, "out", line.stops, lengths, straight_m)
        if not line.stops[-1].startswith("out-"):
            rows += _trips(line, "back", line.stops[::-1], lengths, straight_m)
    return rows


def _trips(
    line: Line,
    way: str,
    stops: Sequence[str],
    lengths: dict[tuple[str, str], float],
    straight_m: Callable[[str, str], float],
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for number, start_min in enumerate(range(line.first_min, line.last_min + 1, line.every_min), start=1):
        arrive = depart = start_min
        for sequence, stop in enumerate(stops, start=1):
            if sequence > 1:
                before = stops[sequence - 2]
                metres = lengths.get((before, stop), ROAD_DETOUR * straight_m(before, stop))
                arrive = depart + math.ceil(metres / 1000 / line.average_kmh * 60)
                depart = arrive + (line.stop_min if sequence < len(stops) else 0)
            rows.append({"line_id": line.line_id, "trip_id": f"{line.line_id}-{way}-{number}"})
            rows[-1] |= {"mode": line.mode, "stop_sequence": sequence, "node_id": stop}
            rows[-1] |= {"arrive": _clock(arrive), "depart": _clock(depart), "days": line.days}
    return rows


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
