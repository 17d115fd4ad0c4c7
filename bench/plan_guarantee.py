"""The guarantee: the contest city's known answers with their proofs and times, and random cases before the checker.

`seal_ms`, `fewest_ms` and `closing_ms` are the median of 20 runs from the arrays to the answer with its proof; the
ceiling of the two cut questions is one bare `scipy.sparse.csgraph.maximum_flow` on a network that is laid out
already. Every proof is put before the independent checker.

The random cases are small networks (in pieces, with one-ways, several sources, one or two movements), alternately of
all kinds and near things. `infeasible_orders` are orders of a first plan that the checker refuses, `false_verdicts`
are verdicts that it refuses or that differ from trying every posting (one case in 20), `undecided` those without a
verdict.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TypeVar

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra, maximum_flow

from _figures import Figure, show
from dispatch.planning.checker import examine
from dispatch.planning.checker_model import CheckOrder, CheckResult, Findings
from dispatch.planning.checker_sealing import examine_sealing
from dispatch.planning.closing import earliest_closing
from dispatch.planning.containment import contain
from dispatch.planning.model import NOWHERE, Solution
from dispatch.planning.sealing import seal
from dispatch.planning.solve import first

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from harness.contest_city import HEAD_START_S, SUSPECT_AT, City, contest_city
from harness.escapes import (
    Case,
    claimed,
    coverage_of_case,
    draw_case,
    draw_contest,
    draw_routes,
    fewest_that_close,
)
from harness.sealings import ready_as_told, sealing_as_told

RUNS = 20
ORACLE_EVERY = 20
DEADLINE_S = 5.0
Answer = TypeVar("Answer")


def contest_figures() -> dict[str, Figure]:
    """The three questions of the contest's city; stops if the checker refuses a proof."""
    city = contest_city()
    escape, instance = city.escape(), city.instance()
    sealed, seal_ms = timed(lambda: seal(city.sealing_s()))
    fewest, fewest_ms = timed(lambda: contain(escape, DEADLINE_S, fewest=True))
    closed, closing_ms = timed(lambda: earliest_closing(escape, DEADLINE_S))
    _, flow_ms = timed(bare_flow(city))
    must_hold(examine_sealing(ready_as_told(city.sealing_s()), sealing_as_told(sealed)))
    must_hold(examine(instance, claimed(fewest)))
    must_hold(examine(instance, claimed(closed)))
    sealed_min, total_min, closed_min = (
        minutes(sealed.last_s),
        minutes(sealed.total_s),
        minutes(closed.closed_at_s),
    )
    print(f"  sealed at {sealed_min} min, {total_min} min in all; closed at {closed_min} min")
    return {
        "seal_last_min": Figure(sealed_min, "min", goal=8.0155),
        "seal_total_min": Figure(total_min, "min", goal=46.1885),
        "seal_ms": Figure(seal_ms, "ms", goal=100),
        "fewest_platforms": Figure(len(fewest.guards), "", goal=11),
        "fewest_ms": Figure(fewest_ms, "ms", goal=100, ceiling=flow_ms),
        "closing_min": Figure(closed_min, "min", goal=2.8672),
        "closing_platforms": Figure(len(closed.guards), "", goal=17),
        "closing_ms": Figure(closing_ms, "ms", goal=100, ceiling=flow_ms),
    }


def minutes(seconds: float | None) -> float:
    """To the fourth decimal, as the reference answers are given."""
    assert seconds is not None, "The contest's questions have answers."
    return round(seconds / 60, 4)


def timed(ask: Callable[[], Answer]) -> tuple[Answer, float]:
    """The answer and the median of the times in milliseconds."""
    answer = ask()
    times = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        ask()
        times.append((time.perf_counter() - begun) * 1000)
    return answer, median(times)


def must_hold(findings: Findings) -> None:
    """Print what was verified; stop if anything was wrong or taken on trust."""
    for sentence in findings.verified:
        print(f"  checked: {sentence}")
    assert not findings.wrong, findings.wrong
    assert not findings.trusted, findings.trusted


def bare_flow(city: City) -> Callable[[], int]:
    """Nothing but the flow: every junction twice, one unit through those that a platform reaches first."""
    first_of, second_of = np.array(city.ends).T
    both = np.concatenate((first_of, second_of)), np.concatenate((second_of, first_of))
    roads = csr_array((np.tile(city.seconds, 2), both), shape=(city.nodes, city.nodes))
    arrival_s = dijkstra(roads, indices=[SUSPECT_AT - 1])[0] - HEAD_START_S
    nodes, source, sink = np.arange(city.nodes), 2 * city.nodes, 2 * city.nodes + 1
    endless = city.nodes + 1
    inside = np.where(city.drive_s.min(axis=0) <= arrival_s, 1, endless)
    exits = np.array(city.exits)
    tails = np.concatenate((2 * nodes, 2 * both[0] + 1, [source], 2 * exits + 1))
    heads = np.concatenate((2 * nodes + 1, 2 * both[1], [2 * (SUSPECT_AT - 1)], np.full(len(exits), sink)))
    capacity = np.concatenate((inside, np.full(len(both[0]) + 1 + len(exits), endless))).astype(np.int32)
    network = csr_array((capacity, (tails, heads)), shape=(sink + 1, sink + 1))
    return lambda: int(maximum_flow(network, source, sink).flow_value)


def random_figures(cases: int, seed: int = 0) -> dict[str, Figure]:
    """So many cases through verdict, first plan and checker."""
    counted: Counter[str] = Counter()
    begun = time.perf_counter()
    for number in range(cases):
        rng = np.random.default_rng((seed, number))
        case = draw_contest(rng) if number % 2 else draw_case(rng)
        for sentence in plan_faults(rng, case, counted):
            counted["infeasible_orders"] += 1
            print(f"  case {number}: {sentence}")
        for sentence in verdict_faults(case, counted, with_oracle=number % ORACLE_EVERY < 2):
            counted["false_verdicts"] += 1
            print(f"  case {number}: {sentence}")
        if number % 1000 == 999:
            print(f"  {number + 1} cases, {time.perf_counter() - begun:.0f} s", flush=True)
    return {
        "cases": Figure(cases, ""),
        "infeasible_orders": Figure(counted["infeasible_orders"], "", goal=0),
        "false_verdicts": Figure(counted["false_verdicts"], "", goal=0),
        "guaranteed": Figure(counted["guaranteed"], "cases"),
        "impossible": Figure(counted["impossible"], "cases"),
        "undecided": Figure(counted["probabilistic"], "cases", goal=0),
        "tried_everything": Figure(counted["oracle"], "cases"),
        "orders": Figure(counted["orders"] + counted["guards"], "orders"),
    }


def verdict_faults(case: Case, counted: Counter[str], *, with_oracle: bool) -> list[str]:
    """What the checker, or trying every posting, says against the verdict."""
    escape = case.escape()
    found = contain(escape, DEADLINE_S)
    counted[found.kind] += 1
    counted["guards"] += len(found.guards)
    faults = list(examine(case.instance(), claimed(found)).wrong)
    if with_oracle:
        counted["oracle"] += 1
        least = fewest_that_close(escape)
        if (least is not None) != (found.kind == "guaranteed"):
            faults.append(f"{found.kind}, but trying everything says {least} units.")
    return faults


def plan_faults(rng: np.random.Generator, case: Case, counted: Counter[str]) -> list[str]:
    """What the checker says against the orders of a first plan for some timed routes, and against its bound."""
    posts = tuple(dict.fromkeys(case.posts))
    case = replace(case, posts=posts, setup_s=case.setup_s[: len(posts)])
    if not posts or not case.units:
        return []
    detection = tuple(float(share) for share in rng.choice([1.0, 0.8, 0.5], size=len(posts)))
    routes = draw_routes(rng, case, count=int(rng.integers(1, 12)))
    coverage = coverage_of_case(case, routes, detection)
    claim = ordered(first(coverage), coverage.ready_s)
    counted["orders"] += len(claim.orders)
    return examine(case.instance(routes, detection), claim).wrong


def ordered(plan: Solution, ready_s: np.ndarray) -> CheckResult:
    """The plan as orders."""
    return CheckResult(
        orders=[
            CheckOrder(unit, place, float(ready_s[unit, place]))
            for unit, place in enumerate(plan.place_of)
            if place != NOWHERE
        ],
        value=plan.value,
        objective=plan.objective,
        bound=plan.bound,
        proven=plan.proven,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Both parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="how many random cases")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="500 random cases")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args(arguments)
    figures = contest_figures()
    figures |= random_figures(500 if options.quick else options.cases, options.seed)
    show("plan_guarantee", figures, as_json=options.json)


if __name__ == "__main__":
    main()
