"""How a bench says its figures: value, goal, the ceiling or rival of the same run, and their ratio."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """One measured number; `ceiling` is what the same machine did in the same run without us."""

    value: float
    unit: str
    goal: float | None = None
    ceiling: float | None = None

    @property
    def ratio(self) -> float | None:
        """Value over ceiling."""
        return self.value / self.ceiling if self.ceiling else None


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


def show(bench: str, figures: dict[str, Figure], *, as_json: bool) -> None:
    """Print a table; with `as_json` the last line is one object."""
    load = os.getloadavg()[0]
    print(f"\n{bench}: {os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}")
    print(f"{'figure':<26}{'value':>12} {'unit':<10}{'goal':>10}{'ceiling':>12}{'ratio':>8}")
    for name, f in figures.items():
        goal = "" if f.goal is None else f"{f.goal:g}"
        ceiling = "" if f.ceiling is None else f"{f.ceiling:.1f}"
        ratio = "" if f.ratio is None else f"{f.ratio:.2f}"
        print(f"{name:<26}{f.value:>12.2f} {f.unit:<10}{goal:>10}{ceiling:>12}{ratio:>8}")
    if as_json:
        print(
            json.dumps(
                {"bench": bench, "figures": {n: asdict(f) | {"ratio": f.ratio} for n, f in figures.items()}}
            )
        )
