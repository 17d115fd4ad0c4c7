"""How soon a plan is there, how soon it is proven, and what it is worth beside others, on two towns and two grids.

Per family, over all seeds: the share proven within the limit, the gap left and the time taken at p95 (presolve and
all; the solver is imported before), and mean values. Rivals: greedy alone; the rule that sends the nearest unit to
each exit; a static ring cordon; simulated annealing with the whole limit, as a share of ours, on the first seeds
only.

Goals: 1000x500x20 on both towns proven within 2 s in 95 % of seeds; x50 a gap of 1 % at most; 2000x1000x50 of 3 % in
5 s; grids of 3 % in 2 s. `at once` and `one origin` are harder kinds that no goal was set for.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from _figures import Figure, percentile, show
from _plan_instances import DELAY_S, Instance, Roads, Size, build, grid, town
from _plan_rivals import annealing, nearest_unit_to_exit, static_ring
from dispatch.planning import exact  # noqa: F401  # Imports OR-Tools before anything is timed.
from dispatch.planning.greedy import greedy
from dispatch.planning.model import Coverage
from dispatch.planning.presolve import evaluate, place_of, presolve
from dispatch.planning.solve import first, solve

ANNEALED_SEEDS = 5
AT_ONCE_S = (0.0, 0.0)


@dataclass(frozen=True)
class Family:
    """Instances of one kind; goals where there are some."""

    name: str
    roads: Roads
    size: Size
    limit_s: float = 2.0
    proven_goal: float | None = None
    gap_goal: float | None = None
    delay_s: tuple[float, float] = DELAY_S
    one_origin: bool = False

    def instance(self, seed: int) -> Instance:
        """The instance of this seed."""
        return build(self.roads, self.size, seed, self.delay_s, self.one_origin)


@dataclass(frozen=True)
class Run:
    """What one instance gave."""

    first_s: float
    solve_s: float
    proven: bool
    gap: float
    ours: float
    first: float
    greedy: float
    nearest: float
    ring: float
    annealed: float | None


def families() -> list[Family]:
    """All that is measured."""
    rotterdam, winterswijk, small, large = town("rotterdam"), town("winterswijk"), grid(50), grid(100)
    return [
        Family("rotterdam20", rotterdam, Size(1000, 500, 20), proven_goal=0.95),
        Family("winterswijk20", winterswijk, Size(1000, 500, 20), proven_goal=0.95),
        Family("rotterdam50", rotterdam, Size(1000, 500, 50), gap_goal=0.01),
        Family("winterswijk50", winterswijk, Size(1000, 500, 50), gap_goal=0.01),
        Family("rotterdam2000", rotterdam, Size(2000, 1000, 50), 5.0, gap_goal=0.03),
        Family("winterswijk2000", winterswijk, Size(2000, 1000, 50), 5.0, gap_goal=0.03),
        Family("grid50small", small, Size(500, 200, 20), gap_goal=0.03),
        Family("grid50", small, Size(1000, 500, 20), gap_goal=0.03),
        Family("grid100", large, Size(1000, 500, 50), gap_goal=0.03),
        Family("rotterdam50 at once", rotterdam, Size(1000, 500, 50), delay_s=AT_ONCE_S),
        Family("winterswijk50 at once", winterswijk, Size(1000, 500, 50), delay_s=AT_ONCE_S),
        Family("grid50 at once", small, Size(1000, 500, 20), delay_s=AT_ONCE_S),
        Family("grid50 one origin", small, Size(1000, 500, 20), delay_s=AT_ONCE_S, one_origin=True),
        Family("grid100 one origin", large, Size(1000, 500, 50), delay_s=AT_ONCE_S, one_origin=True),
    ]


def run(family: Family, seed: int) -> Run:
    """One instance, planned by everybody."""
    instance = family.instance(seed)
    coverage = instance.coverage
    begin = time.perf_counter()
    quick = first(coverage)
    middle = time.perf_counter()
    plan = solve(coverage, family.limit_s)
    solve_s = time.perf_counter() - middle
    annealed = seed < ANNEALED_SEEDS
    return Run(
        first_s=middle - begin,
        solve_s=solve_s,
        proven=plan.proven and solve_s <= family.limit_s,
        gap=plan.gap,
        ours=plan.value,
        first=quick.value,
        greedy=_greedy_alone(coverage),
        nearest=nearest_unit_to_exit(instance),
        ring=static_ring(instance),
        annealed=annealing(instance, presolve(coverage), family.limit_s, seed) if annealed else None,
    )


def said(family: Family, runs: Sequence[Run]) -> str:
    """A line of the table."""

    def mean(values: Sequence[float]) -> str:
        return f"{np.mean(values):8.4f}"

    with_annealing = [(r.annealed, r.ours) for r in runs if r.annealed is not None]
    shares = [annealed / max(ours, 1e-9) for annealed, ours in with_annealing]
    return (
        f"{family.name:<22}{family.size!s:>13}{np.mean([r.proven for r in runs]):8.2f}"
        f"{100 * percentile([r.gap for r in runs], 0.95):8.2f}"
        f"{percentile([r.first_s for r in runs], 0.95):8.3f}{percentile([r.solve_s for r in runs], 0.95):8.2f}"
        f"{mean([r.ring for r in runs])}{mean([r.nearest for r in runs])}{mean([r.greedy for r in runs])}"
        f"{mean([r.first for r in runs])}{mean([r.ours for r in runs])}{100 * np.mean(shares):8.1f}"
    )


def figures(family: Family, runs: Sequence[Run]) -> dict[str, Figure]:
    """Those with goals first."""
    name = family.name.replace(" ", "_")
    return {
        f"{name}_proven": Figure(float(np.mean([r.proven for r in runs])), "share", family.proven_goal),
        f"{name}_gap_p95": Figure(
            100 * percentile([r.gap for r in runs], 0.95),
            "%",
            100 * family.gap_goal if family.gap_goal else None,
        ),
        f"{name}_first_p95": Figure(1000 * percentile([r.first_s for r in runs], 0.95), "ms"),
        f"{name}_solve_p95": Figure(percentile([r.solve_s for r in runs], 0.95), "s", family.limit_s),
    }


def measure(chosen: Sequence[Family], seeds: int) -> dict[str, Figure]:
    """All families, a line each as it is done."""
    print(
        f"{'family':<22}{'size':>13}{'proven':>8}{'gap %':>8}{'first s':>8}{'solve s':>8}"
        f"{'ring':>8}{'nearest':>8}{'greedy':>8}{'swap':>8}{'ours':>8}{'ann. %':>8}"
    )
    found: dict[str, Figure] = {}
    for family in chosen:
        runs = [run(family, seed) for seed in range(seeds)]
        print(said(family, runs), flush=True)
        found |= figures(family, runs)
    return found


def _greedy_alone(coverage: Coverage) -> float:
    reduced = presolve(coverage)
    return evaluate(coverage, place_of(reduced, greedy(reduced)))[0]


def main() -> None:
    """30 seeds of every family."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--quick", action="store_true", help="3 seeds")
    parser.add_argument("--only", default="", help="families whose names begin so")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args()
    chosen = [family for family in families() if family.name.startswith(options.only)]
    found = measure(chosen, 3 if options.quick else options.seeds)
    show("plan_optimum", found, as_json=options.json)


if __name__ == "__main__":
    main()
