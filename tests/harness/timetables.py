"""Timetables for tests: drawn by hand or at random, and one traveller's earliest arrivals by plain Python."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from contracts.base import TravelMode
from dispatch.domain.timetables import Timetable

Stop = tuple[int, int, int]
"""Node, arrival, departure."""


def timetable(runs: Iterable[tuple[TravelMode, str, Sequence[Stop]]]) -> Timetable:
    """A run for each (mode, line, stops); times are seconds after midnight."""
    rows, modes, lines = [], [], []
    for trip, (mode, line, stops) in enumerate(runs):
        modes.append(mode)
        lines.append(line)
        for (tail, _, depart_s), (head, arrive_s, _) in pairwise(stops):
            rows.append((depart_s, trip, tail, head, arrive_s))
    rows.sort(key=lambda row: row[0])
    columns = np.array(rows, dtype=np.int64).reshape(-1, 5)
    depart_s, trip, tail, head, arrive_s = (column.copy() for column in columns.T)
    return Timetable(trip, tail, head, depart_s, arrive_s, tuple(modes), tuple(lines))


def earliest_riding(table: Timetable, start_s: Mapping[int, float], boarding_s: float) -> dict[int, float]:
    """Stop -> earliest arrival by label-setting over (stop) and (run, stop): no scan, no arrays."""
    best: dict[object, float] = {}
    heap: list[tuple[float, int, object]] = []

    def reach(state: object, at_s: float) -> None:
        if at_s < best.get(state, math.inf):
            best[state] = at_s
            heapq.heappush(heap, (at_s, len(heap), state))

    for node, at_s in start_s.items():
        reach(node, at_s)
    columns = (table.trip, table.tail, table.head, table.depart_s, table.arrive_s)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    while heap:
        at_s, _, state = heapq.heappop(heap)
        if at_s > best[state]:
            continue
        for trip, tail, head, depart_s, arrive_s in rows:
            boards = state == tail and at_s + boarding_s <= depart_s
            stays = state == ("on", trip, tail) and at_s <= depart_s
            if boards or stays:
                reach(("on", trip, head), arrive_s)
                reach(head, arrive_s)
    return {state: at_s for state, at_s in best.items() if isinstance(state, int)}
