"""A bound on every plan that anybody can add up: prices from the linear relaxation of maximum coverage.

max sum w_r z_r + bonus, z_r <= 1, z_r <= sum of q_p x_up over the (u, p) that meet r, one place a unit, one unit a
place. Its dual: prices y_r of routes, pi_u of units and mu_p of places, all 0 or more, with pi_u + mu_p >= bonus_up +
q_p * (sum of y_r over the routes met). No plan exceeds sum max(0, w_r - y_r) + sum pi_u + sum mu_p. Whatever the
solver says, the units' prices are raised here to what the inequality asks for, so that the bound holds to the last
digit of the arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array, hstack, vstack

from dispatch.planning.linear_program import minimise
from dispatch.planning.model import Coverage, Flags, Floats, Indices

DEADLINE_S = 5.0


@dataclass(frozen=True)
class BoundCertificate:
    """Prices (one a route, a unit and a place) and the bound that they add up to."""

    routes: tuple[float, ...]
    units: tuple[float, ...]
    places: tuple[float, ...]
    bound: float


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Who may stand where: `met` (pairs, groups) of routes that are met alike."""

    units: Indices
    places: Indices
    met: NDArray[np.bool_]
    bonus: Floats


def bound_certificate_of(coverage: Coverage, deadline_s: float = DEADLINE_S) -> BoundCertificate:
    """Prices for a coverage; the linear program's optimum if it is solved in time, else what any prices show.

    Bounds value plus bonus of every plan that keeps the pins. Routes that are met alike are one row of the program.
    """
    allowed = _allowed(coverage)
    units, places = np.nonzero(allowed)
    met = np.zeros((len(units), coverage.routes), dtype=np.bool_)
    for pair, (unit, place) in enumerate(zip(units.tolist(), places.tolist(), strict=True)):
        met[pair] = coverage.meets(unit, place)
    bonus = np.zeros(len(units)) if coverage.bonus is None else coverage.bonus[units, places]
    useful = met.any(axis=1) | (bonus > 0)
    units, places, met, bonus = units[useful], places[useful], met[useful], bonus[useful]
    group_of, groups = _alike(met)
    weights = np.bincount(group_of, weights=coverage.weights, minlength=groups).astype(np.float64)
    first = np.zeros(groups, dtype=np.int64)
    first[group_of[::-1]] = np.arange(coverage.routes)[::-1]
    pairs = _Pairs(units, places, met[:, first], bonus)
    route_price, place_price = _prices(coverage, pairs, weights, deadline_s)
    share = np.divide(
        coverage.weights, weights[group_of], out=np.zeros(coverage.routes), where=weights[group_of] > 0
    )
    return _added_up(coverage, _Pairs(units, places, met, bonus), route_price[group_of] * share, place_price)


def _allowed(coverage: Coverage) -> Flags:
    """(U, P): the unit can be there at some time; pinned units at their pin only, and nobody else there."""
    allowed: Flags = np.isfinite(coverage.ready_s)
    for unit, place in coverage.pinned:
        can_be = bool(allowed[unit, place])
        allowed[unit] = False
        allowed[:, place] = False
        allowed[unit, place] = can_be
    return allowed


def _alike(met: NDArray[np.bool_]) -> tuple[Indices, int]:
    """(R,) group of each route, and how many groups: routes that the same pairs meet."""
    packed = np.packbits(met, axis=0)
    if not len(packed):
        return np.zeros(met.shape[1], dtype=np.int64), min(1, met.shape[1])
    _, group_of = np.unique(packed, axis=1, return_inverse=True)
    group_of = group_of.reshape(-1).astype(np.int64)
    return group_of, int(group_of.max(initial=-1)) + 1


def _prices(coverage: Coverage, pairs: _Pairs, weights: Floats, deadline_s: float) -> tuple[Floats, Floats]:
    """Prices of groups and of places by HiGHS; without an answer, each route at its own weight and places free."""
    count, groups = pairs.met.shape
    caught = np.where(pairs.met.T, -coverage.detection[pairs.places], 0.0)
    numbers, ones = np.arange(count), np.ones(count)
    one_place = csr_array((ones, (pairs.units, numbers)), shape=(coverage.units, count + groups))
    one_unit = csr_array((ones, (pairs.places, numbers)), shape=(coverage.places, count + groups))
    rows = vstack([hstack([csr_array(caught), eye_array(groups)]), one_place, one_unit], format="csr")
    limits = np.concatenate((np.zeros(groups), np.ones(coverage.units + coverage.places)))
    solved = minimise(
        -np.concatenate((pairs.bonus, weights)),
        rows,
        limits,
        at_most=np.concatenate((np.full(count, np.inf), np.ones(groups))),
        time_limit_s=deadline_s,
    )
    if solved is None:
        return weights, np.zeros(coverage.places)
    price = -solved.limit_prices
    return np.clip(price[:groups], 0.0, weights), np.maximum(0.0, price[groups + coverage.units :])


def _added_up(coverage: Coverage, pairs: _Pairs, routes: Floats, places: Floats) -> BoundCertificate:
    """The least prices of units that go with these, and the sum."""
    earned = coverage.detection[pairs.places] * (pairs.met @ routes) + pairs.bonus - places[pairs.places]
    units = np.zeros(coverage.units)
    np.maximum.at(units, pairs.units, earned)
    bound = float(np.maximum(0.0, coverage.weights - routes).sum() + units.sum() + places.sum())
    return BoundCertificate(tuple(routes.tolist()), tuple(units.tolist()), tuple(places.tolist()), bound)
