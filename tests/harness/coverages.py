"""Small coverage questions for properties, and the best plan of each by trying all."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st

from dispatch.planning.model import NOWHERE, Coverage
from dispatch.planning.presolve import evaluate


def coverage_of(
    seed: int,
    routes: int = 12,
    places: int = 5,
    units: int = 3,
    detection: tuple[float, ...] = (1.0,),
    equal_weights: bool = True,
    bonus: bool = False,
    pins: int = 0,
) -> Coverage:
    """Every place is passed by some of the routes at whole minutes, so that ties are many."""
    rng = np.random.default_rng(seed)
    passes = rng.random((routes, places)) < 0.5
    last_pass_s = np.where(passes, 60.0 * rng.integers(1, 8, (routes, places)), -np.inf)
    ready_s = 60.0 * rng.integers(1, 9, (units, places)).astype(float)
    ready_s[rng.random((units, places)) < 0.15] = np.inf
    weights = np.ones(routes) if equal_weights else rng.random(routes)
    pinned = zip(rng.permutation(units)[:pins], rng.permutation(places)[:pins], strict=True)
    return Coverage(
        weights=weights / weights.sum(),
        last_pass_s=last_pass_s,
        ready_s=ready_s,
        detection=rng.choice(detection, places),
        margin_s=30.0,
        pinned=tuple((int(u), int(p)) for u, p in pinned),
        bonus=rng.random((units, places)) * 0.2 * (rng.random((units, places)) < 0.3) if bonus else None,
    )


def best_by_trying_all(coverage: Coverage) -> float:
    """The best objective of all plans that keep the pins."""
    options = [
        [dict(coverage.pinned)[unit]] if unit in dict(coverage.pinned) else [NOWHERE, *range(coverage.places)]
        for unit in range(coverage.units)
    ]
    best = -np.inf
    for places in itertools.product(*options):
        if keeps_the_rules(coverage, places):
            best = max(best, evaluate(coverage, places)[1])
    return best


def keeps_the_rules(coverage: Coverage, places: tuple[int, ...]) -> bool:
    """One place a unit, one unit a place, pins kept, nobody where they can't be."""
    used = [place for place in places if place != NOWHERE]
    reachable = all(
        coverage.ready_s[unit, place] < np.inf or (unit, place) in coverage.pinned
        for unit, place in enumerate(places)
        if place != NOWHERE
    )
    pinned = all(places[unit] == place for unit, place in coverage.pinned)
    return len(places) == coverage.units and len(set(used)) == len(used) and pinned and reachable


ANY_COVERAGE = st.builds(
    coverage_of,
    seed=st.integers(0, 2**32 - 1),
    routes=st.integers(1, 20),
    places=st.integers(2, 6),
    units=st.integers(2, 4),
    detection=st.sampled_from([(1.0,), (0.8,), (0.4,), (1.0, 0.7), (0.9, 0.5, 0.3)]),
    equal_weights=st.booleans(),
    bonus=st.booleans(),
    pins=st.integers(0, 2),
)
"""Any mixture of pins, bonuses and detection."""
