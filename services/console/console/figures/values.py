"""Key figures as values: what is counted over, when there is too little to say, how a duration is read.

Seconds come from the facts' own times, so they do not depend on when the console read them. "Report" is the alert's
raising: alerts raises it in the same transaction that takes the report.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from console.words import Words, marked

TOO_FEW = 5
"""Below so many, a median is an anecdote and may point to one family: only the count is told."""
NO_TOWNSHIP = "none"
"""The key of places whose township nobody said: an empty one would ask for all."""
Group = Literal["all", "township", "month"]


@dataclass(frozen=True)
class Measure:
    """A duration between two facts; `goal_s` is what the project promises or the plan asks for, if anything."""

    name: str
    title: str
    meaning: str


MEASURES: tuple[Measure, ...] = (
    Measure(
        "first_order",
        marked("Report to first order"),
        marked("From the alert to the first interception order of the case."),
    ),
    Measure(
        "accepted",
        marked("Order to acceptance"),
        marked("From each order to the unit's acceptance."),
    ),
    Measure(
        "in_position",
        marked("Order to in position"),
        marked("From each order to the unit standing at its checkpoint."),
    ),
    Measure(
        "first_in_position",
        marked("Report to first unit in position"),
        marked("From the alert to the first unit that stands at its checkpoint."),
    ),
    Measure(
        "first_acknowledgement",
        marked("Report to first acknowledgement"),
        marked("From the alert to the first site that acknowledged."),
    ),
    Measure(
        "delivered",
        marked("Notice to delivery"),
        marked("From each site's notice to its first handset."),
    ),
    Measure(
        "acknowledged",
        marked("Notice to acknowledgement"),
        marked("From each site's notice to its acknowledgement, whichever contact answered."),
    ),
)
BY_NAME = {measure.name: measure for measure in MEASURES}


@dataclass(frozen=True)
class Spread:
    """How long something took: `p50` and `p95` are None when there are too few to say."""

    n: int
    p50: float | None
    p95: float | None

    @property
    def too_few(self) -> bool:
        """Some, and not enough."""
        return 0 < self.n < TOO_FEW


NOTHING = Spread(0, None, None)


def spread(n: int, p50: float, p95: float) -> Spread:
    """A spread that keeps its percentiles to itself when they would say too much of too few."""
    return Spread(n, p50, p95) if n >= TOO_FEW else Spread(n, None, None)


@dataclass(frozen=True)
class Share:
    """So many of so many; no percentage of fewer than TOO_FEW."""

    part: int
    whole: int

    @property
    def percent(self) -> int | None:
        """Rounded, but 0 and 100 are only none and all; None when it would say too much of too few."""
        if self.whole < TOO_FEW:
            return None
        if self.part in (0, self.whole):
            return 100 * self.part // self.whole
        return min(99, max(1, round(100 * self.part / self.whole)))


@dataclass(frozen=True)
class Line:
    """One group of cases: all, a township, or a month."""

    group: Group
    key: str
    cases: int
    open: int
    found: Share
    false_alarms: Share
    delivered: Share
    acknowledged: Share
    times: Mapping[str, Spread]

    def time(self, measure: str) -> Spread:
        """How long a measure took."""
        return self.times.get(measure, NOTHING)


Rows = Iterable[Mapping[str, Any]]
_Key = tuple[Group, str]


def lines(cases: Rows, shares: Rows, times: Rows) -> list[Line]:
    """Rows of `store_figures` as lines: all first, then townships, then months."""
    said = {key_of(row): row for row in shares}
    took: dict[_Key, dict[str, Spread]] = {}
    for row in times:
        took.setdefault(key_of(row), {})[row["measure"]] = spread(row["n"], row["p50"], row["p95"])
    found = [_line(row, said.get(key_of(row)), took.get(key_of(row), {})) for row in cases if row["cases"]]
    order = {"all": 0, "township": 1, "month": 2}
    return sorted(found, key=lambda line: (order[line.group], line.key))


def key_of(row: Mapping[str, Any]) -> _Key:
    """Which group a row is of: grouping sets leave the other columns null."""
    if row["township"] is not None:
        return "township", row["township"]
    return ("month", row["month"]) if row["month"] is not None else ("all", "")


def _line(row: Mapping[str, Any], told: Mapping[str, Any] | None, took: Mapping[str, Spread]) -> Line:
    group, key = key_of(row)
    ended = row["cases"] - row["open"]
    sites = told["told"] if told else 0
    return Line(
        group,
        key,
        row["cases"],
        row["open"],
        Share(row["found"], ended),
        Share(row["false_alarms"], ended),
        Share(told["delivered"] if told else 0, sites),
        Share(told["acknowledged"] if told else 0, sites),
        took,
    )


def duration(seconds: float | None, words: Words) -> str:
    """A duration as people read it, with two figures that count; a dash for none."""
    if seconds is None:
        return "–"
    if seconds < 9.95:
        return words("{n} s", n=f"{seconds:.1f}")
    if seconds < 99.5:
        return words("{n} s", n=f"{seconds:.0f}")
    if seconds < 99.5 * 60:
        return words("{n} min", n=f"{seconds / 60:.0f}")
    return words("{n} h", n=f"{seconds / 3600:.1f}")
