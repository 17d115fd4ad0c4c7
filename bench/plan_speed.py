"""Report to first orders on a county of 100,000 junctions, and a new plan after a fact.

50 units, 500 places, 1,000 routes by car, bus and on foot. `first_plan` counts from the instance in memory to the
first valid plan: names resolved, routes drawn, drives searched, greedy and swaps. `replan` counts from a fact (a
sighting that is half believed, and one unit pinned where it stands) to the next valid plan with a finite bound.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from time import perf_counter

import numpy as np
from scipy.sparse.csgraph import dijkstra

from _figures import Figure, percentile, show
from _plan_county import case, county
from dispatch.domain.graphs import matrix
from dispatch.domain.network import Network
from dispatch.planning.answer import coverage_of, first_plan
from dispatch.planning.beliefs import Sighting, reweight
from dispatch.planning.instance_files import question_on
from dispatch.planning.model import NOWHERE
from dispatch.planning.solve import first

JUNCTIONS = 100_000
SEEDS = 30


def figures(seeds: int = SEEDS) -> dict[str, Figure]:
    """p95 of each figure over the seeds; the ceiling of the first plan is one bare search from every unit."""
    network = county(JUNCTIONS, seed=1)
    firsts, agains, bare = [], [], []
    for seed in range(seeds):
        first_s, again_s = _one(network, seed)
        firsts.append(first_s)
        agains.append(again_s * 1000)
        bare.append(_bare_s(network, seed))
    return {
        "first_plan_p95": Figure(percentile(firsts, 0.95), "s", 1.0, percentile(bare, 0.95)),
        "first_plan_median": Figure(percentile(firsts, 0.5), "s"),
        "replan_p95": Figure(percentile(agains, 0.95), "ms", 300.0),
        "replan_median": Figure(percentile(agains, 0.5), "ms"),
    }


def _one(network: Network, seed: int) -> tuple[float, float]:
    """Seconds to the first plan, and to the next one after a fact."""
    instance = case(network, seed)
    begun = perf_counter()
    question = question_on(instance, network)
    planned, coverage, solution = first_plan(question)
    first_s = perf_counter() - begun
    assert solution.value > 0, "The plan must meet somebody, or it is measured on nothing."
    assert planned.sampled is not None
    rng = np.random.default_rng(seed)
    node = int(planned.sampled.paths.node[rng.integers(len(planned.sampled.paths.node))])
    unit = next(unit for unit, place in enumerate(solution.place_of) if place != NOWHERE)
    begun = perf_counter()
    fact = Sighting(
        float(network.nodes.lon[node]), float(network.nodes.lat[node]), at_s=900.0, reliability=0.5
    )
    beliefs = reweight(planned.sampled, [fact])
    known = replace(planned, weights=beliefs.weights)
    again = first(coverage_of(question, known, coverage.ready_s, ((unit, solution.place_of[unit]),)))
    again_s = perf_counter() - begun
    assert again.place_of[unit] == solution.place_of[unit], "A pinned unit stays."
    return first_s, again_s


def _bare_s(network: Network, seed: int) -> float:
    """scipy's Dijkstra from fifty nodes, whole rows: what finding the drives costs without any planner."""
    nodes = np.random.default_rng(seed).integers(0, network.size, 50)
    roads = matrix(network.police)
    begun = perf_counter()
    for node in nodes:
        dijkstra(roads, indices=[int(node)])
    return perf_counter() - begun


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--quick", action="store_true", help="three seeds")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args()
    show("plan_speed", figures(3 if options.quick else options.seeds), as_json=options.json)


if __name__ == "__main__":
    main()
