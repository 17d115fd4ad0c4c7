"""The planner's figures all at once: optimum, guarantee, honesty and speed, each beside its goal and rivals.

Each part is a bench of its own, and can be run alone.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from time import perf_counter

from _figures import Figure, show

PARTS = ("plan_speed", "plan_guarantee", "plan_optimum", "plan_honesty")
SEEDS = 30
SEEDS_QUICK = 3
CASES_A_SEED = 334
"""Of random cases for the checker: 10,000 in a full run."""


def figures(part: str, seeds: int) -> dict[str, Figure]:
    """All figures of a part, over so many seeds."""
    bench = importlib.import_module(part)
    found: dict[str, Figure]
    if part == "plan_guarantee":
        found = bench.contest_figures() | bench.random_figures(CASES_A_SEED * seeds)
    elif part == "plan_optimum":
        found = bench.measure(bench.families(), seeds)
    else:
        found = bench.figures(seeds)
    return found


def main() -> None:
    """All parts, or some."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{SEEDS_QUICK} seeds")
    parser.add_argument("--seeds", type=int, help=f"how many; {SEEDS} if not said")
    parser.add_argument("--part", action="append", choices=PARTS, help="only this one; may be given again")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parent))
    seeds = options.seeds or (SEEDS_QUICK if options.quick else SEEDS)
    found: dict[str, Figure] = {}
    for part in options.part or PARTS:
        begun = perf_counter()
        print(f"  {part}, {seeds} seeds", flush=True)
        mine = figures(part, seeds)
        found |= {f"{part.removeprefix('plan_')}.{name}": figure for name, figure in mine.items()}
        print(f"  {part} took {perf_counter() - begun:.0f} s", flush=True)
    show("plan", found, as_json=options.json)


if __name__ == "__main__":
    main()
