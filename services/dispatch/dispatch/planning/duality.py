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
    """Who may stand where: `met` (pairs, routes or groups of routes), with the detection there, and the bonus."""

    units: Indices
    places: Indices
    met: csr_array
    bonus: Floats


def bound_certificate_of(coverage: Coverage, deadline_s: float = DEADLINE_S) -> BoundCertificate:
    """Prices for a coverage; the linear program's optimum if it is solved in time, else what any prices show.

    Bounds value plus bonus of every plan that keeps the pins. Routes that are met alike are one row of the program.
    """
    units, places, met = _met(coverage)
    bonus = np.zeros(len(units)) if coverage.bonus is None else coverage.bonus[units, places]
    useful = met.any(axis=1) | (bonus > 0)
    units, places, met, bonus = units[useful], places[useful], met[useful], bonus[useful]
    group_of, first = _alike(met)
    weights = np.bincount(group_of, weights=coverage.weights, minlength=len(first)).astype(np.float64)
    pair, group = np.nonzero(met[:, first])
    noticed = csr_array((coverage.detection[places[pair]], (pair, group)), shape=(len(units), len(first)))
    pairs = _Pairs(units, places, noticed, bonus)
    group_price, place_price = _prices(coverage, pairs, weights, deadline_s)
    earned = noticed @ group_price + bonus - place_price[places]
    unit_price = np.zeros(coverage.units)
    np.maximum.at(unit_price, units, earned)
    shared = weights[group_of]
    share = np.divide(coverage.weights, shared, out=np.zeros(coverage.routes), where=shared > 0)
    route_price = group_price[group_of] * share
    bound = float(
        np.maximum(0.0, coverage.weights - route_price).sum() + unit_price.sum() + place_price.sum()
    )
    return BoundCertificate(
        tuple(route_price.tolist()), tuple(unit_price.tolist()), tuple(place_price.tolist()), bound
    )


def _met(coverage: Coverage) -> tuple[Indices, Indices, Flags]:
    """Units and places of the pairs that may be, and (pairs, routes) which routes each meets."""
    allowed = _allowed(coverage)
    units, places = np.nonzero(allowed)
    met = np.zeros((len(units), coverage.routes), dtype=np.bool_)
    first = np.searchsorted(units, np.arange(coverage.units + 1))
    last_pass_s = np.ascontiguousarray(coverage.last_pass_s.T)
    for unit in range(coverage.units):
        own = slice(int(first[unit]), int(first[unit + 1]))
        ready_s = coverage.ready_s[unit, places[own]] + coverage.margin_s
        met[own] = ready_s[:, np.newaxis] <= last_pass_s[places[own]]
    return units, places, met


def _allowed(coverage: Coverage) -> Flags:
    """(U, P): the unit can be there at some time; pinned units at their pin only, and nobody else there."""
    allowed: Flags = np.isfinite(coverage.ready_s)
    for unit, place in coverage.pinned:
        can_be = bool(allowed[unit, place])
        allowed[unit] = False
        allowed[:, place] = False
        allowed[unit, place] = can_be
    return allowed


def _alike(met: Flags) -> tuple[Indices, Indices]:
    """(R,) group of each route that the same pairs meet, and (groups,) the first route of each."""
    columns = np.ascontiguousarray(np.packbits(met, axis=0).T)
    number: dict[bytes, int] = {}
    first: list[int] = []
    group_of = np.zeros(met.shape[1], dtype=np.int64)
    for route in range(met.shape[1]):
        key = columns[route].tobytes()
        if key not in number:
            number[key] = len(first)
            first.append(route)
        group_of[route] = number[key]
    return group_of, np.array(first, dtype=np.int64)


def _prices(coverage: Coverage, pairs: _Pairs, weights: Floats, deadline_s: float) -> tuple[Floats, Floats]:
    """Prices of groups and of places by HiGHS; without an answer, each route at its own weight and places free."""
    count, groups = pairs.met.shape
    numbers, ones = np.arange(count), np.ones(count)
    one_place = csr_array((ones, (pairs.units, numbers)), shape=(coverage.units, count + groups))
    one_unit = csr_array((ones, (pairs.places, numbers)), shape=(coverage.places, count + groups))
    rows = vstack([hstack([-pairs.met.T, eye_array(groups)]), one_place, one_unit], format="csr")
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
