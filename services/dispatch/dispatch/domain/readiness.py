"""When each unit can work at each place: order read, rolled out, driven there, set up."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Lock

import numpy as np
from scipy.sparse.csgraph import dijkstra

from dispatch.domain.graphs import matrix
from dispatch.domain.network import Network
from dispatch.domain.problem import Place, Problem, Unit
from dispatch.domain.tables import Floats


def ready_s(problem: Problem, units: Sequence[Unit], places: Sequence[Place]) -> Floats:
    """A row a unit, a column a place: the time it works there, infinite where it cannot or must not.

    Staff with a post stand at that post only, with no travel. Everyone else must have what the place needs.
    """
    ready = np.full((len(units), len(places)), np.inf)
    if not ready.size:
        return ready
    driving_s = _driving_s(problem, units, places)
    setup_s = np.array([place.setup_s for place in places])
    needs = np.array([place.needs for place in places])
    columns = {place.place_id: column for column, place in enumerate(places)}
    for row, unit in enumerate(units):
        start_s = problem.now_s + problem.order_delivery_s + unit.turnout_s
        if unit.post is not None:
            column = columns.get(unit.post)
            if column is not None and places[column].needs in unit.capabilities:
                ready[row, column] = start_s + setup_s[column]
            continue
        able = np.isin(needs, sorted(unit.capabilities))
        ready[row, able] = (start_s + driving_s[row] + setup_s)[able]
    return ready


def _driving_s(problem: Problem, units: Sequence[Unit], places: Sequence[Place]) -> Floats:
    """Seconds at the wheel from each unit to each place; one search a base, however many units share it."""
    bases = sorted({unit.node for unit in units if unit.post is None})
    if not bases:
        return np.full((len(units), len(places)), np.inf)
    from_bases = drives(
        problem.network, problem.closed_edges, problem.traffic, bases, tuple(place.node for place in places)
    )
    return np.array([from_bases.get(unit.node, from_bases[bases[0]]) for unit in units])


class _Drives:
    """Searches from stations are the same in every plan until a road changes: on 100,000 nodes 50 of them take
    seconds."""

    ROADS_MAX, STARTS_MAX = 8, 2_000

    def __init__(self) -> None:
        self._rows: OrderedDict[tuple[object, ...], dict[int, Floats]] = OrderedDict()
        self._lock = Lock()

    def of(self, key: tuple[object, ...]) -> dict[int, Floats]:
        with self._lock:
            rows = self._rows.setdefault(key, {})
            self._rows.move_to_end(key)
            while len(self._rows) > self.ROADS_MAX:
                self._rows.popitem(last=False)
            if len(rows) > self.STARTS_MAX:
                # Units report ever new positions; what is asked for now is searched again.
                rows.clear()
            return rows


_DRIVES = _Drives()


def drives(
    network: Network,
    closed_edges: frozenset[int],
    traffic: Mapping[int, float],
    starts: Sequence[int],
    ends: tuple[int, ...],
) -> dict[int, Floats]:
    """Seconds at the wheel from each start (node) to every end, in their order; searched once for the same roads."""
    rows = _DRIVES.of((network.version, closed_edges, tuple(sorted(traffic.items())), ends))
    known = {start: row for start in starts if (row := rows.get(start)) is not None}
    missing = [start for start in starts if start not in known]
    if missing:
        roads = matrix(network.police_graph(closed_edges, traffic))
        found = dijkstra(roads, directed=True, indices=missing)[:, list(ends)]
        known |= dict(zip(missing, found, strict=True))
        rows.update({start: known[start] for start in missing})
    return known
