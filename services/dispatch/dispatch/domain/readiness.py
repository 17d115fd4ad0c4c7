"""When each unit can work at each place: order read, rolled out, driven there, set up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse.csgraph import dijkstra

from dispatch.domain.graphs import matrix
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
    place_nodes = [place.node for place in places]
    if not bases:
        return np.full((len(units), len(places)), np.inf)
    roads = matrix(problem.network.police_graph(problem.closed_edges, problem.traffic))
    from_bases = dijkstra(roads, directed=True, indices=bases)[:, place_nodes]
    rows = {base: row for row, base in enumerate(bases)}
    return np.array([from_bases[rows.get(unit.node, 0)] for unit in units])
