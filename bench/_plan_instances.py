"""Instances to plan on: two real towns and two grids, pure and seeded, so that every figure can be repeated.

Each route leaves a random junction for one of the exits all around, by the fastest path under travel times that are
drawn anew for it. Places are the junctions with most traffic; units wait at random junctions, learn of it after 2 to
8 min (one draw a seed), drive 15 % faster than others and need 1 min to set up. Two further kinds: units are told at
once (most places are reached in time), and all routes leave one junction (many are alike).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from dispatch.planning.model import Coverage

ROADS = Path(__file__).parent / "data" / "road"
TOWNS = ("rotterdam", "winterswijk")

EXITS = 40
SPREAD = 0.3
"""Standard deviation of the logarithm of a road's travel time from one route to the next."""
DELAY_S = (120.0, 480.0)
SET_UP_S = 60.0
POLICE_FASTER = 1.15
BLOCK_S = 14.4
"""One side of a grid's block: 200 m at 50 km/h."""


@dataclass(frozen=True, eq=False)
class Roads:
    """A strongly connected road graph: node positions in m (N, 2), arcs with seconds, in the order of their tails."""

    name: str
    xy_m: NDArray[np.float64]
    tails: NDArray[np.int64]
    heads: NDArray[np.int64]
    seconds: NDArray[np.float64]

    def matrix(self, seconds: NDArray[np.float64]) -> csr_array:
        """(N, N): these seconds on the arcs."""
        nodes = len(self.xy_m)
        starts = np.searchsorted(self.tails, np.arange(nodes + 1))
        return csr_array((seconds, self.heads, starts), shape=(nodes, nodes))


@dataclass(frozen=True)
class Size:
    """Routes, positions, units."""

    routes: int
    places: int
    units: int

    def __str__(self) -> str:
        """As it stands in tables."""
        return f"{self.routes}x{self.places}x{self.units}"


@dataclass(frozen=True, eq=False)
class Instance:
    """A question, and what rules of thumb need to know of the map.

    `place_nodes` (P,) and `exit_nodes` are nodes of `roads`; `drive_s` (U, P) is each unit's drive alone.
    """

    coverage: Coverage
    roads: Roads
    place_nodes: NDArray[np.int64]
    exit_nodes: NDArray[np.int64]
    unit_nodes: NDArray[np.int64]
    drive_s: NDArray[np.float64]


@cache
def town(name: str) -> Roads:
    """The largest strongly connected part of a real town."""
    with (ROADS / name / "nodes.csv").open() as lines:
        lon_lat = np.array([(float(row["lon"]), float(row["lat"])) for row in csv.DictReader(lines)])
    with (ROADS / name / "edges.csv").open() as lines:
        rows = [
            (int(r["source"]), int(r["target"]), float(r["travel_time_s"])) for r in csv.DictReader(lines)
        ]
    arcs = np.array(rows)
    metres = np.array([111_320 * np.cos(np.radians(lon_lat[:, 1].mean())), 111_320.0])
    xy_m = (lon_lat - lon_lat.mean(axis=0)) * metres
    tails, heads, seconds = arcs[:, 0].astype(np.int64), arcs[:, 1].astype(np.int64), arcs[:, 2]
    return _strong_part(name, xy_m, tails, heads, np.maximum(seconds, 0.1))


@cache
def grid(side: int) -> Roads:
    """A square grid of two-way streets, all alike."""
    nodes = np.arange(side * side).reshape(side, side)
    one_way = [(nodes[:, :-1], nodes[:, 1:]), (nodes[:-1], nodes[1:])]
    a = np.concatenate([pair[0].ravel() for pair in one_way])
    b = np.concatenate([pair[1].ravel() for pair in one_way])
    rows, columns = np.divmod(np.arange(side * side), side)
    xy_m = 200.0 * np.column_stack([columns, rows]).astype(float)
    tails, heads = np.concatenate([a, b]), np.concatenate([b, a])
    order = np.lexsort((heads, tails))
    return Roads(f"grid{side}", xy_m, tails[order], heads[order], np.full(len(tails), BLOCK_S))


def build(
    roads: Roads,
    size: Size,
    seed: int,
    delay_s: tuple[float, float] = DELAY_S,
    one_origin: bool = False,
) -> Instance:
    """The instance of this seed; the same arguments give the same arrays."""
    rng = np.random.default_rng([seed, size.routes, size.places, size.units, len(roads.xy_m)])
    centre = roads.xy_m.mean(axis=0)
    exits = _exits(roads, centre)
    visits = _visits(roads, exits, size.routes, rng, one_origin)
    traffic = np.bincount(np.concatenate([nodes for nodes, _ in visits]), minlength=len(roads.xy_m))
    place_nodes = np.sort(np.argsort(-traffic, kind="stable")[: size.places])
    last_pass_s = np.full((size.routes, len(roads.xy_m)), -np.inf)
    for route, (nodes, at_s) in enumerate(visits):
        last_pass_s[route, nodes] = at_s
    unit_nodes = rng.integers(0, len(roads.xy_m), size.units)
    drive_s = dijkstra(roads.matrix(roads.seconds / POLICE_FASTER), indices=unit_nodes)[:, place_nodes]
    ready_s = rng.uniform(*delay_s) + SET_UP_S + drive_s
    coverage = Coverage(
        weights=np.full(size.routes, 1.0 / size.routes),
        last_pass_s=np.ascontiguousarray(last_pass_s[:, place_nodes]),
        ready_s=ready_s,
        detection=np.ones(size.places),
    )
    return Instance(coverage, roads, place_nodes, exits, unit_nodes, drive_s)


def _strong_part(
    name: str,
    xy_m: NDArray[np.float64],
    tails: NDArray[np.int64],
    heads: NDArray[np.int64],
    seconds: NDArray[np.float64],
) -> Roads:
    matrix = csr_array((seconds, (tails, heads)), shape=(len(xy_m), len(xy_m)))
    _, part = connected_components(matrix, connection="strong")
    inside = part == np.bincount(part).argmax()
    renamed = np.cumsum(inside) - 1
    kept = inside[tails] & inside[heads] & (tails != heads)
    tails, heads, seconds = renamed[tails[kept]], renamed[heads[kept]], seconds[kept]
    order = np.lexsort((seconds, heads, tails))
    tails, heads, seconds = tails[order], heads[order], seconds[order]
    first = np.append(True, (np.diff(tails) != 0) | (np.diff(heads) != 0))  # Of parallel arcs the fastest.
    return Roads(name, xy_m[inside], tails[first], heads[first], seconds[first])


def _exits(roads: Roads, centre: NDArray[np.float64]) -> NDArray[np.int64]:
    """In each of `EXITS` directions the farthest node."""
    away = roads.xy_m - centre
    sector = ((np.arctan2(away[:, 1], away[:, 0]) / (2 * np.pi) + 0.5) * EXITS).astype(int) % EXITS
    distance_m = np.hypot(away[:, 0], away[:, 1])
    farthest = [
        np.flatnonzero(sector == s)[distance_m[sector == s].argmax()]
        for s in range(EXITS)
        if (sector == s).any()
    ]
    return np.unique(np.array(farthest, dtype=np.int64))


def _visits(
    roads: Roads, exits: NDArray[np.int64], routes: int, rng: np.random.Generator, one_origin: bool
) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """For each route its nodes, from the last, and when it passes them."""
    visits: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
    origin = _near_the_middle(roads, rng)
    for _ in range(routes):
        origin = origin if one_origin else int(rng.integers(len(roads.xy_m)))
        target = int(rng.choice(exits))
        seconds = roads.seconds * rng.lognormal(0.0, SPREAD, len(roads.seconds))
        at_s, before = dijkstra(roads.matrix(seconds), indices=[origin], return_predecessors=True)
        nodes = [target]
        while nodes[-1] != origin:
            nodes.append(int(before[0, nodes[-1]]))
        visits.append((np.array(nodes), at_s[0, nodes]))
    return visits


def _near_the_middle(roads: Roads, rng: np.random.Generator) -> int:
    """A node of the inner half, so that exits lie all around."""
    away = roads.xy_m - roads.xy_m.mean(axis=0)
    distance_m = np.hypot(away[:, 0], away[:, 1])
    return int(rng.choice(np.flatnonzero(distance_m < 0.5 * np.quantile(distance_m, 0.95))))
