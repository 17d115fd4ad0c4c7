"""Does a plan keep what it promises: planned on 1000 routes, scored on 5,000 fresh ones of other draws.

Per town and seed: the last-seen node, exits, checkpoints by traffic and police at random nodes. The plan is chosen on
1000 routes and promises what 2,000 held-out ones say (`honest`); what it scores on the routes that it was chosen on
stands beside it (`optimism`). The same plan is scored, too, in worlds where everybody is 30 % slower or faster than
thought, and in one where they choose their ways and paces by another habit (`otherwise`); and it is counted how often
the stated interval holds what was realised.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.sparse.csgraph import dijkstra

from _figures import Figure, percentile, show
from contracts.base import TravelMode
from dispatch.domain.graphs import matrix
from dispatch.domain.network import Network, build_network
from dispatch.domain.reach import Entry, Origin
from dispatch.domain.tables import Edges, Nodes
from dispatch.domain.timetables import no_timetable
from dispatch.planning.estimate import coverage_of, estimated, met_shares, realised
from dispatch.planning.hypotheses import Hypothesis, default_hypotheses
from dispatch.planning.model import NOWHERE, Coverage, Floats, Indices
from dispatch.planning.routes import sample_routes
from dispatch.planning.timed_routes import Routes

ROADS = Path(__file__).parent / "data" / "road"
TOWNS = ("rotterdam", "winterswijk")
SEEDS = 30
PLANNED, HELD_OUT, FRESH = 1000, 2000, 5000
PLACES, UNITS, EXITS = 500, 20, 12
GOAL_POINTS = 2.0
ERROR = 0.3
# Travellers of another kind: they hardly know the ways, and their paces differ more.
OTHER_CHOICE, OTHER_PACE = 0.8, 0.25


@dataclass(frozen=True, eq=False)
class Case:
    """A town with somebody gone in it, and units to send."""

    network: Network
    hypotheses: tuple[Hypothesis, ...]
    places: Indices
    ready_s: Floats


@dataclass(frozen=True)
class Score:
    """Shares of probability: what the plan promised, scored on its own routes, and did in each world."""

    honest: float
    low: float
    high: float
    in_sample: float
    fresh: float
    slower: float
    faster: float
    otherwise: float


def town(name: str) -> Network | None:
    """A road graph of the evaluation data, for cars and feet; None if it is not there."""
    folder = ROADS / name
    if not (folder / "edges.csv").exists():
        return None
    with (folder / "nodes.csv").open(encoding="utf-8") as file:
        nodes = list(csv.DictReader(file))
    with (folder / "edges.csv").open(encoding="utf-8") as file:
        roads = list(csv.DictReader(file))
    index = {row["node"]: place for place, row in enumerate(nodes)}
    none, all_ = np.zeros(len(roads), dtype=np.bool_), np.ones(len(roads), dtype=np.bool_)
    kmh = np.array(
        [max(5.0, float(row["length_m"]) * 3.6 / max(0.1, float(row["travel_time_s"]))) for row in roads]
    )
    marks = [np.zeros(len(nodes), dtype=np.bool_) for _ in range(3)]
    return build_network(
        Nodes(
            tuple(row["node"] for row in nodes),
            np.array([float(row["lon"]) for row in nodes]),
            np.array([float(row["lat"]) for row in nodes]),
            *marks,
        ),
        Edges(
            ids=tuple(f"e{number}" for number in range(len(roads))),
            road_class=("road",) * len(roads),
            tail=np.array([index[row["source"]] for row in roads], dtype=np.int64),
            head=np.array([index[row["target"]] for row in roads], dtype=np.int64),
            length_m=np.array([float(row["length_m"]) for row in roads]),
            oneway=all_,
            walk=all_.copy(),
            car=all_.copy(),
            bus=none,
            ferry=none.copy(),
            car_speed_kmh=kmh,
            bus_speed_kmh=np.zeros(len(roads)),
            ferry_speed_kmh=np.zeros(len(roads)),
        ),
    )


def case(network: Network, seed: int) -> Case:
    """Somebody gone from near the middle; ways out at the rim; the busiest junctions as places."""
    rng = np.random.default_rng([seed, 77])
    lon, lat = network.nodes.lon, network.nodes.lat
    off = np.hypot((lon - lon.mean()) * np.cos(np.radians(lat.mean())), lat - lat.mean())
    start = int(rng.choice(np.argsort(off)[: network.size // 4]))
    exits = rng.choice(np.argsort(off)[-network.size // 8 :], EXITS, replace=False)
    origin = Origin((Entry(start, 0.0),), 0.0)
    hypotheses = default_hypotheses([origin], [int(node) for node in exits], TravelMode.unknown, 300.0)
    scout = sample_routes(network, no_timetable(), hypotheses, PLANNED, seed + 900_000)
    traffic = np.bincount(scout.paths.node, minlength=network.size)
    traffic[start] = 0
    places = np.sort(np.argsort(-traffic, kind="stable")[:PLACES])
    units = rng.integers(network.size, size=UNITS)
    drive_s = dijkstra(matrix(network.police), directed=True, indices=units)[:, places]
    told_s = rng.uniform(120.0, 480.0)
    return Case(network, hypotheses, places, told_s + 60.0 + drive_s / 1.15)


def greedy(coverage: Coverage) -> tuple[int, ...]:
    """The best pair again and again: for when the optimiser is not there."""
    place_of = [NOWHERE] * coverage.units
    missed = coverage.weights.copy()
    for _ in range(coverage.units):
        best, pair = 0.0, (-1, -1)
        for unit in range(coverage.units):
            if place_of[unit] != NOWHERE:
                continue
            met = coverage.ready_s[unit] + coverage.margin_s <= coverage.last_pass_s
            gains = (missed @ met) * coverage.detection
            gains[[place for place in place_of if place != NOWHERE]] = 0.0
            place = int(np.argmax(gains))
            if gains[place] > best:
                best, pair = float(gains[place]), (unit, place)
        if pair[0] < 0:
            break
        unit, place = pair
        place_of[unit] = place
        missed *= np.where(coverage.meets(unit, place), 1 - coverage.detection[place], 1.0)
    return tuple(place_of)


def planner() -> Callable[[Coverage], Sequence[int]]:
    """The service's own first plan where it is installed."""
    try:
        from dispatch.planning.solve import first
    except ImportError:
        return greedy
    return lambda coverage: first(coverage).place_of


def score(one: Case, seed: int, plan: Callable[[Coverage], Sequence[int]]) -> Score:
    """Plan, promise by held-out routes, and look what happens on fresh ones."""
    seen = coverage_of(_sample(one, PLANNED, seed), one.places, one.ready_s, 1.0)
    place_of = plan(seen)
    held_out = _sample(one, HELD_OUT, seed + 300_000)
    honest, low, high = estimated(held_out, coverage_of(held_out, one.places, one.ready_s, 1.0), place_of)
    fresh = _sample(one, FRESH, seed + 500_000)
    worlds = [
        realised(place_of, one.places, one.ready_s, paced(fresh, pace))
        for pace in (1.0, 1 + ERROR, 1 - ERROR)
    ]
    strangers = _sample(one, FRESH, seed + 700_000, choice_noise=OTHER_CHOICE, pace_noise=OTHER_PACE)
    worlds.append(realised(place_of, one.places, one.ready_s, strangers))
    in_sample = float(met_shares(seen, place_of) @ seen.weights)
    return Score(honest, low, high, in_sample, *worlds)


def paced(routes: Routes, factor: float) -> Routes:
    """The same ways at `factor` times the travel time; departures stay."""
    paths = routes.paths
    begin = paths.arrive_s[paths.first[:-1]][paths.owner()]
    arrive_s = begin + (paths.arrive_s - begin) * factor
    leave_s = arrive_s + (paths.leave_s - paths.arrive_s)
    return replace(routes, paths=replace(paths, arrive_s=arrive_s, leave_s=leave_s))


def figures(seeds: int = SEEDS) -> dict[str, Figure]:
    """Per town, in percentage points: promised minus realised, p95 over the seeds, in each world."""
    plan = planner()
    found: dict[str, Figure] = {}
    for name in TOWNS:
        network = town(name)
        if network is None:
            continue
        scores = [score(case(network, seed), seed, plan) for seed in range(seeds)]
        found |= _of_town(name, scores)
    return found


def _of_town(name: str, scores: Sequence[Score]) -> dict[str, Figure]:
    def p95(values: Sequence[float], goal: float | None = None) -> Figure:
        return Figure(100 * percentile(values, 0.95), "points", goal)

    inside = [one.low <= one.fresh <= one.high for one in scores]
    return {
        f"{name}_realised": Figure(100 * float(np.mean([one.fresh for one in scores])), "%"),
        f"{name}_honest_p95": p95([one.honest - one.fresh for one in scores], GOAL_POINTS),
        f"{name}_bias": Figure(100 * float(np.mean([one.honest - one.fresh for one in scores])), "points"),
        f"{name}_optimism_p95": p95([one.in_sample - one.fresh for one in scores]),
        f"{name}_slower_p95": p95([one.honest - one.slower for one in scores]),
        f"{name}_faster_p95": p95([one.honest - one.faster for one in scores]),
        f"{name}_otherwise_p95": p95([one.honest - one.otherwise for one in scores]),
        f"{name}_in_interval": Figure(100 * float(np.mean(inside)), "%"),
    }


def _sample(one: Case, count: int, seed: int, **behaviour: float) -> Routes:
    return sample_routes(one.network, no_timetable(), one.hypotheses, count, seed, **behaviour)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--quick", action="store_true", help="three seeds")
    parser.add_argument("--json", action="store_true", help="also print one line of JSON")
    asked = parser.parse_args()
    found = figures(3 if asked.quick else asked.seeds)
    if not found:
        print(f"No road graph under {ROADS}; nothing was measured.")
        return
    show("plan honesty", found, as_json=asked.json)


if __name__ == "__main__":
    main()
