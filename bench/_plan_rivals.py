"""What a plan is compared with: rules of thumb, and an annealing search with as much time as we get.

The rules know the map and the drives, as a duty officer does, not the routes. The annealing search is given our
presolve, so that it differs in the search alone.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from _plan_instances import Instance
from dispatch.planning.model import NOWHERE
from dispatch.planning.presolve import Reduced, evaluate, place_of

HOT, COLD = 0.01, 0.0002
"""Temperatures of the annealing, in shares of probability: ten routes of a thousand, and a fifth of one."""
MOVES_MAX = 10_000_000
RING_SHARE = 0.5
"""Radius of the cordon, as a share of the town's."""


def nearest_unit_to_exit(instance: Instance) -> float:
    """The value of: each exit's nearest place gets its nearest free unit, the quickest drives first."""
    place_xy = instance.roads.xy_m[instance.place_nodes]
    exit_xy = instance.roads.xy_m[instance.exit_nodes]
    nearest = np.hypot(*(place_xy[None, :] - exit_xy[:, None]).transpose(2, 0, 1)).argmin(axis=1)
    return _manned(instance, np.unique(nearest))


def static_ring(instance: Instance) -> float:
    """The value of a cordon: in as many directions as there are units, the place nearest to a circle."""
    xy = instance.roads.xy_m[instance.place_nodes]
    away = xy - instance.roads.xy_m.mean(axis=0)
    everywhere = instance.roads.xy_m - instance.roads.xy_m.mean(axis=0)
    radius_m = RING_SHARE * np.quantile(np.hypot(everywhere[:, 0], everywhere[:, 1]), 0.95)
    off_m = np.abs(np.hypot(away[:, 0], away[:, 1]) - radius_m)
    units = instance.coverage.units
    sector = ((np.arctan2(away[:, 1], away[:, 0]) / (2 * np.pi) + 0.5) * units).astype(int) % units
    order = np.lexsort((off_m, sector))
    first = order[np.diff(sector[order], prepend=-1) != 0]
    return _manned(instance, first)


def annealing(instance: Instance, reduced: Reduced, seconds: float, seed: int) -> float:
    """The value of the best plan that single random moves with geometric cooling come by."""
    rng, cover = np.random.default_rng(seed), reduced.cover
    routes = [cover.indices[cover.indptr[k] : cover.indptr[k + 1]] for k in range(reduced.pairs)]
    at = np.full(reduced.units, -1)
    met = np.zeros(reduced.routes, dtype=np.int64)
    value = best = 0.0
    best_at, begin = at.copy(), time.perf_counter()
    movable = np.flatnonzero(np.diff(reduced.starts))
    for _ in range(MOVES_MAX if len(movable) else 0):
        spent = (time.perf_counter() - begin) / seconds
        if spent >= 1.0:
            break
        unit = movable[int(rng.random() * len(movable))]
        first, end = reduced.starts[unit], reduced.starts[unit + 1]
        old, new = at[unit], first + int(rng.random() * (end - first))
        lost = 0.0
        if old >= 0:
            lost = reduced.weights[routes[old]][met[routes[old]] == 1].sum()
            met[routes[old]] -= 1
        change = reduced.weights[routes[new]][met[routes[new]] == 0].sum() - lost
        if change >= 0 or rng.random() < np.exp(change / (HOT * (COLD / HOT) ** spent)):
            at[unit], value = new, value + change
            met[routes[new]] += 1
            if value > best + 1e-12:
                best, best_at = value, at.copy()
        elif old >= 0:
            met[routes[old]] += 1
    return evaluate(instance.coverage, place_of(reduced, best_at[best_at >= 0].astype(np.int64)))[0]


def _manned(instance: Instance, places: NDArray[np.int64]) -> float:
    """The value of having these places manned with the least driving; spare units stay where they are."""
    units, chosen = linear_sum_assignment(instance.drive_s[:, places])
    plan = [NOWHERE] * instance.coverage.units
    for unit, n in zip(units.tolist(), chosen.tolist(), strict=True):
        plan[unit] = int(places[n])
    return evaluate(instance.coverage, tuple(plan))[0]
