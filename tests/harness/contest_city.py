"""The city of contest problem CUMCM 2011-B as the planner and the checker take it.

582 junctions, 928 two-way roads, 80 police platforms, 17 city exits and 13 accesses of district A. One map unit is
100 m and everybody drives 60 km/h, so that a map unit takes 6 s. The file of platforms names a district (1 to 6 for A
to F) and a number in it: districts are numbered through (A has junctions 1 to 92, B 93 to 165 and so on), and a
district's platforms are its first junctions.

The suspect's clock, as in the reference answers: he leaves junction 32 at -180 s, the alarm is at 0 (police hear of
it three minutes after), platforms drive off at once. A junction is closed in time if police are there no later than
he.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from dispatch.planning.checker_model import CheckInstance, CheckMovement, CheckPlace, CheckUnit, Road
from dispatch.planning.model import Escape, Floats, Movement

FOLDER = Path(__file__).parents[2] / "bench" / "data" / "road" / "cumcm2011b"
SECONDS_A_UNIT = 6.0
SUSPECT_AT, HEAD_START_S = 32, 180.0


@dataclass(frozen=True, eq=False)
class City:
    """Nodes count from 0: junction n is node n - 1. `seconds` is one a two-way road; `drive_s` (platforms, nodes)."""

    nodes: int
    ends: tuple[tuple[int, int], ...]
    seconds: Floats
    platforms: tuple[int, ...]
    exits: tuple[int, ...]
    accesses: tuple[int, ...]
    drive_s: Floats

    def escape(self) -> Escape:
        """The suspect of question 3 against all platforms, which may stand at any junction."""
        first, second = np.array(self.ends, dtype=np.int64).T
        flight = Movement(
            tails=np.concatenate((first, second)),
            heads=np.concatenate((second, first)),
            seconds=np.tile(self.seconds, 2),
            sources=((SUSPECT_AT - 1, -HEAD_START_S),),
        )
        return Escape(self.nodes, (flight,), self.exits, tuple(range(self.nodes)), self.drive_s)

    def sealing_s(self) -> Floats:
        """(20, 13) from district A's platforms to its accesses."""
        return self.drive_s[:20][:, list(self.accesses)]

    def instance(self) -> CheckInstance:
        """The same suspect for the checker."""
        pairs = [(a, b, float(s)) for (a, b), s in zip(self.ends, self.seconds, strict=True)]
        roads = [Road(a, b, s) for a, b, s in pairs] + [Road(b, a, s) for a, b, s in pairs]
        return CheckInstance(
            units=[CheckUnit(unit, node) for unit, node in enumerate(self.platforms)],
            places=[CheckPlace(node, node) for node in range(self.nodes)],
            roads=roads,
            movements=[CheckMovement(roads, [(SUSPECT_AT - 1, -HEAD_START_S)])],
            exits=self.exits,
        )


def contest_city(folder: Path = FOLDER) -> City:
    """Read the four files."""
    junctions = _rows(folder / "nodes.csv")
    at = np.array([(float(row["x_mm"]), float(row["y_mm"])) for row in junctions])
    first_of: dict[str, int] = {}
    for node, row in enumerate(junctions):
        first_of.setdefault(row["district"], node)
    ends = tuple((int(row["node_a"]) - 1, int(row["node_b"]) - 1) for row in _rows(folder / "roads.csv"))
    first, second = np.array(ends).T
    seconds = np.hypot(*(at[first] - at[second]).T) * SECONDS_A_UNIT
    platforms = tuple(
        first_of["ABCDEF"[int(row["platform"]) - 1]] + int(row["node"]) - 1
        for row in _rows(folder / "platforms.csv")
    )
    ways_out: dict[str, list[int]] = {"city_exit": [], "district_a_access": []}
    for row in _rows(folder / "exits.csv"):
        ways_out[row["kind"]].append(int(row["node"]) - 1)
    both = (np.concatenate((first, second)), np.concatenate((second, first)))
    roads = csr_array((np.tile(seconds, 2), both), shape=(len(at), len(at)))
    drive_s = dijkstra(roads, indices=list(platforms))
    return City(
        nodes=len(at),
        ends=ends,
        seconds=seconds,
        platforms=platforms,
        exits=tuple(ways_out["city_exit"]),
        accesses=tuple(ways_out["district_a_access"]),
        drive_s=drive_s,
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
