"""Where the bars of the key figures' plots stand: numbers only; the template draws them as SVG.

A plot has a table beside it that says the same, so it carries no text of its own but labels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from console.figures.values import Line, Spread

WIDTH, ROW = 640, 34
LABELS = 200
SHORTEST_S, LONGEST_S = 0.1, 86_400.0
"""A tenth of a second to a day: what lies outside stands at the edge."""
TICKS_S = (0.1, 1.0, 10.0, 60.0, 600.0, 3_600.0, 86_400.0)


@dataclass(frozen=True)
class Bar:
    """A row of a plot: the bar goes to p50 and the whisker to p95; None where there are too few to say."""

    label: str
    y: float
    spread: Spread
    p50_x: float | None
    p95_x: float | None


@dataclass(frozen=True)
class Plot:
    """Bars on a logarithmic axis of seconds, since an order takes tenths of a second and a road an hour."""

    width: int
    left: int
    height: int
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, float], ...]


def chain(labels: Sequence[str], spreads: Sequence[Spread]) -> Plot:
    """One row a label, from the top."""
    bars = tuple(
        Bar(label, n * ROW + ROW / 2, each, _x(each.p50), _x(each.p95))
        for n, (label, each) in enumerate(zip(labels, spreads, strict=True))
    )
    ticks = tuple((seconds, x) for seconds in TICKS_S if (x := _x(seconds)) is not None)
    return Plot(WIDTH, LABELS, len(bars) * ROW + 24, bars, ticks)


def _x(seconds: float | None) -> float | None:
    if seconds is None:
        return None
    within = min(max(seconds, SHORTEST_S), LONGEST_S)
    share = math.log(within / SHORTEST_S) / math.log(LONGEST_S / SHORTEST_S)
    return round(LABELS + share * (WIDTH - LABELS - 20), 1)


def of_group(lines: Sequence[Line], measure: str, names: Sequence[str]) -> Plot:
    """One measure, a row a township or month."""
    return chain(names, [line.time(measure) for line in lines])
