"""The list of cases as values: each a head with its counts, and how much it wants to be looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.board import rows_of as board_rows_of
from console.board.lines import CaseHead

Row = Mapping[str, Any]


@dataclass(frozen=True)
class CaseLine:
    """One case of the list; exits are None before its first plan."""

    case: CaseHead
    orders: int
    unanswered: int
    in_position: int
    intercepted: int
    sites: int
    acknowledged: int
    sightings: int
    sightings_waiting: int
    open_exits: int | None
    closed_exits: int | None
    badness: int


def case_line(row: Row) -> CaseLine:
    """A row of `store_cases` as a line."""
    return CaseLine(
        board_rows_of.head(row),
        row["standing"],
        row["unanswered"],
        row["in_position"],
        row["intercepted"],
        row["told"],
        row["acknowledged"],
        row["sightings"],
        row["sightings_waiting"],
        row["open_exits"],
        row["closed_exits"],
        badness_of(row),
    )


def badness_of(row: Row) -> int:
    """What is over is last; then a catch, sightings that nobody judged, units that do not answer, exits, sites."""
    if row["ended_at"]:
        return 0
    many: int = min(row["unanswered"], 9) * 10 + min(row["open_exits"] or 0, 9)
    waits = 200 if row["sightings_waiting"] else 0
    caught = 400 if row["intercepted"] else 0
    return 1 + caught + waits + many + (5 if row["acknowledged"] < row["told"] else 0)
