"""How likely a plan meets them, said honestly: on routes that it was not chosen on, with an interval.

A plan picked as the best on a sample looks better on it than on the world (optimiser's curse; Smith and Winkler,
Management Science 52, 2006). So what a plan promises is estimated on held-out routes: drawn with another seed, or
where the routes are given, one of the two `halves`.

The interval covers the chance of the draw, and nothing else: hypotheses that are wrong stay wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from dispatch.planning.model import NOWHERE, Coverage, Floats, Indices
from dispatch.planning.timed_routes import Routes


def coverage_of(
    routes: Routes,
    nodes_of_places: Sequence[int] | NDArray[np.int64],
    ready_s: Floats,
    detection: Floats | float,
    margin_s: float = 0.0,
) -> Coverage:
    """The planner's question: these routes, places at these nodes, units ready at `ready_s` (U, P).

    `detection` is one number for all places or one a place.
    """
    places = len(nodes_of_places)
    assert (ready_s.shape[0], places) == ready_s.shape, f"ready_s is {ready_s.shape}, for {places} places"
    noticed = np.broadcast_to(np.asarray(detection, dtype=np.float64), (places,)).copy()
    return Coverage(routes.weights, routes.last_pass_s(nodes_of_places), ready_s, noticed, margin_s)


def met_shares(coverage: Coverage, place_of: Sequence[int]) -> Floats:
    """(R,): the probability with which each route is stopped by the units at these places (one a unit)."""
    missed = np.ones(coverage.routes)
    for unit, place in enumerate(place_of):
        if place != NOWHERE:
            missed *= np.where(coverage.meets(unit, place), 1 - coverage.detection[place], 1.0)
    return 1 - missed


def realised(
    place_of: Sequence[int],
    nodes_of_places: Sequence[int] | NDArray[np.int64],
    ready_s: Floats,
    fresh_routes: Routes,
    detection: Floats | float = 1.0,
    margin_s: float = 0.0,
) -> float:
    """The share of the weight of fresh routes that a plan stops."""
    used = sorted({place for place in place_of if place != NOWHERE})
    if not used:
        return 0.0
    noticed = np.broadcast_to(np.asarray(detection, dtype=np.float64), (len(nodes_of_places),))[used]
    nodes = np.asarray(nodes_of_places, dtype=np.int64)[used]
    coverage = coverage_of(fresh_routes, nodes, ready_s[:, used], noticed, margin_s)
    column = {place: number for number, place in enumerate(used)}
    met = met_shares(coverage, [column.get(place, NOWHERE) for place in place_of])
    return float(met @ fresh_routes.weights)


def effective_count(weights: Floats) -> float:
    """How many equal routes are worth these weights (Kish, Survey Sampling, 1965): (sum w)^2 / sum w^2."""
    highest = float(weights.max(initial=0.0))
    if highest <= 0:
        return 0.0
    share = weights / highest  # Squares of tiny weights would vanish.
    return float(share.sum()) ** 2 / float(share @ share)


def clustered_count(met: Floats, weights: Floats, cluster: Indices) -> float:
    """How many independent routes are worth these, when those of a cluster share a draw; at most `effective_count`.

    `met` (R,) is what is averaged. The variance is that between clusters (the ratio estimator of cluster sampling;
    Cochran, Sampling Techniques, 1977, chapter 9A), floored where all clusters agree.
    """
    most = effective_count(weights)
    share = weights / weights.sum()
    value = float(share @ met)
    number = np.unique(cluster, return_inverse=True)[1].reshape(-1)
    clusters = int(number.max()) + 1
    if clusters < 2:
        return 1.0
    of_cluster = np.bincount(number, weights=share * (met - value), minlength=clusters)
    variance = float(of_cluster @ of_cluster) * clusters / (clusters - 1)
    spread = value * (1 - value)
    return max(1.0, min(most, spread / variance)) if variance > 0 and spread > 0 else most


def confidence_interval(value: float, effective_n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval for a share that was estimated on so many independent routes (Wilson, JASA 1927).

    It stays within [0, 1] and is honest at 0 and 1, where the normal interval has no width.
    """
    assert 0 <= value <= 1 + 1e-9, f"{value} is no share"
    assert effective_n > 0, f"{effective_n} routes say nothing"
    value = min(value, 1.0)
    z = float(ndtri(0.5 + confidence / 2))
    shrink = 1 + z * z / effective_n
    middle = (value + z * z / (2 * effective_n)) / shrink
    half = z / shrink * np.sqrt(value * (1 - value) / effective_n + z * z / (4 * effective_n**2))
    return max(0.0, min(value, middle - half)), min(1.0, max(value, middle + half))


def estimated(routes: Routes, coverage: Coverage, place_of: Sequence[int]) -> tuple[float, float, float]:
    """(value, low, high): what a plan stops on these routes, with the interval that respects their clusters.

    Give it held-out routes: on those the plan was chosen on, the value is too good.
    """
    met = met_shares(coverage, place_of)
    value = float(np.clip(met @ routes.weights, 0.0, 1.0))
    low, high = confidence_interval(value, clustered_count(met, routes.weights, routes.cluster))
    return value, low, high


def halves(routes: Routes, seed: int = 0) -> tuple[Routes, Routes]:
    """One set to choose the plan on and one to estimate it on, each with weights that sum to 1.

    Clusters stay whole, for routes of one draw know each other's way. Raises: ValueError, if there is one cluster
    only.
    """
    clusters = np.unique(routes.cluster)
    if len(clusters) < 2:
        raise ValueError("The routes share one draw, so no half is independent; sample again instead.")
    first = np.random.default_rng(seed).permutation(clusters)[: len(clusters) // 2]
    chosen = np.isin(routes.cluster, first)
    return routes.only(np.flatnonzero(chosen)), routes.only(np.flatnonzero(~chosen))
