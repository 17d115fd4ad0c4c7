"""What no plan can exceed: at once a trivial bound, then the linear programme's, and what its prices exclude.

A linear bound is never taken from a solver's word: `bound_of` computes it from the prices alone, and any prices give a
valid one (Lagrangian duality). So a solver's tolerance, time limit or fault can make it weaker, never wrong.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, hstack, vstack

from dispatch.planning.linear import Linear
from dispatch.planning.model import Flags, Floats, Indices
from dispatch.planning.presolve import Reduced

ROUNDS = 100
"""Steps of the subgradient search that the linear programme begins from, or stands on if it is not ended in time."""
SUBGRADIENT_SHARE = 0.2
"""And its share of the time."""
PAIRS_AT_ONCE = 3000
"""Up to here one linear programme with all of them is quicker."""
COLUMNS_A_UNIT = 30
"""So many pairs of each unit enter the linear programme at once: fewer make more rounds, more make slower ones."""
COLUMN_ROUNDS_MAX = 50
CLOSED = 1e-8
"""Further rounds would lower the bound by less."""


@dataclass(frozen=True, eq=False)
class Bound:
    """`value` bounds the objective of every plan; `pair_loss` (K,) is how much lower it is for plans that use the pair.

    `share` (K,) is the linear programme's choice, nothing where it was not ended.
    """

    value: float
    pair_loss: Floats
    share: Floats

    def worth_keeping(self, objective: float) -> Flags:
        """Pairs that a plan better than this objective may use."""
        kept: Flags = self.value - self.pair_loss > objective
        return kept


def trivial(reduced: Reduced) -> float:
    """Everything that anybody can meet, with each unit's best bonus: always valid, at no cost."""
    best = np.zeros(reduced.units)
    np.maximum.at(best, reduced.unit, reduced.bonus)
    return float(reduced.base + reduced.weights.sum() + best.sum())


def linear_bound(model: Linear, limit_s: float) -> Bound:
    """The linear programme's bound (HiGHS), by columns: of thousands of pairs few matter to it.

    It begins with each unit's best pairs at the prices of a short subgradient search, and takes in those that the last
    prices favour until there are none. When its time runs out, the best bound so far stands.
    """
    reduced, ends_at_s = model.reduced, time.perf_counter() + limit_s
    if reduced.pairs == 0:
        return Bound(reduced.base, np.zeros(0), np.zeros(0))
    everything = np.ones(reduced.pairs, dtype=bool)
    if reduced.pairs <= PAIRS_AT_ONCE:
        best, active = subgradient_bound(model, 0), everything
    else:
        best = subgradient_bound(model, ends_at_s=time.perf_counter() + SUBGRADIENT_SHARE * limit_s)
        active = _best_of_each_unit(reduced, best.pair_loss, everything)
    for _ in range(COLUMN_ROUNDS_MAX):
        here, reached = _restricted(model, np.flatnonzero(active), ends_at_s - time.perf_counter())
        if here is None:
            break
        best = replace(best if best.value < here.value else here, share=here.share)
        least = np.full(reduced.units, np.inf)
        np.minimum.at(least, reduced.unit[active], here.pair_loss[active])
        entering = ~active & (here.pair_loss < least[reduced.unit] - 1e-10)
        if not entering.any() or best.value - reached <= CLOSED:
            break
        active |= _best_of_each_unit(reduced, here.pair_loss, entering)
    return best


def _best_of_each_unit(reduced: Reduced, loss: Floats, among: Flags) -> Flags:
    """The `COLUMNS_A_UNIT` pairs of each unit that lose least, of these."""
    asked = np.flatnonzero(among)
    order = asked[np.lexsort((loss[asked], reduced.unit[asked]))]
    first = np.searchsorted(reduced.unit[order], np.arange(reduced.units))
    rank = np.arange(len(order)) - first[reduced.unit[order]]
    chosen = np.zeros(reduced.pairs, dtype=bool)
    chosen[order[rank < COLUMNS_A_UNIT]] = True
    return chosen


def _restricted(model: Linear, pairs: Indices, limit_s: float) -> tuple[Bound | None, float]:
    """With these pairs only: the bound that its prices give for all pairs, and its own value."""
    reduced = model.reduced
    if limit_s <= 0.0:
        return None, -np.inf
    units = csr_array(
        (np.ones(len(pairs)), (reduced.unit[pairs], np.arange(len(pairs)))), shape=(reduced.units, len(pairs))
    )
    at_most_one = vstack([units, model.exclusive_rows[:, pairs]], format="csr")
    none = csr_array((at_most_one.shape[0], len(model.y_worth)))
    found = linprog(
        -np.concatenate([model.x_worth[pairs], model.y_worth]),
        A_ub=vstack(
            [hstack([-model.x_rows[:, pairs], model.y_rows]), hstack([at_most_one, none])], format="csr"
        ),
        b_ub=np.concatenate([model.rhs, np.ones(at_most_one.shape[0])]),
        bounds=[(0.0, None)] * len(pairs) + [(0.0, 1.0)] * len(model.y_worth),
        method="highs-ds",
        options={"time_limit": limit_s},
    )
    if found.status != 0 or found.x is None:
        return None, -np.inf
    assert found.fun is not None, "a solved programme has a value"
    prices, rows, share = -np.asarray(found.ineqlin.marginals), len(model.rhs), np.zeros(reduced.pairs)
    share[pairs] = found.x[: len(pairs)]
    return bound_of(model, prices[:rows], prices[rows + reduced.units :], share), reduced.base - float(
        found.fun
    )


def bound_of(model: Linear, row_price: Floats, place_price: Floats, share: Floats | None = None) -> Bound:
    """The bound that these prices of the inequalities and of the exclusive places give; below 0 counts as 0."""
    reduced = model.reduced
    row_price, place_price = np.maximum(row_price, 0.0), np.maximum(place_price, 0.0)
    pair = model.x_worth + model.x_rows.T @ row_price - model.exclusive_rows.T @ place_price
    best = np.zeros(reduced.units)
    np.maximum.at(best, reduced.unit, pair)
    left = np.maximum(model.y_worth - model.y_rows.T @ row_price, 0.0).sum()
    value = reduced.base + best.sum() + left + model.rhs @ row_price + place_price.sum() + model.slack
    # The sum of thousands of rounded products may be short by some units in the last place.
    value += 1e-12 * (1.0 + abs(value))
    return Bound(float(value), best[reduced.unit] - pair, np.zeros(reduced.pairs) if share is None else share)


def subgradient_bound(model: Linear, rounds: int = ROUNDS, ends_at_s: float = np.inf) -> Bound:
    """The best bound of so many steps of falling length (Held, Wolfe, Crowder 1974), or of those there is time for."""
    row = np.zeros(len(model.rhs))
    place = np.zeros(model.exclusive_rows.shape[0])
    best = bound_of(model, row, place)
    for n in range(rounds):
        x, y = _answer(model, row, place)
        slope_row = model.rhs + model.x_rows @ x - model.y_rows @ y
        slope_place = 1.0 - model.exclusive_rows @ x
        length = float(slope_row @ slope_row + slope_place @ slope_place)
        if length < 1e-18 or time.perf_counter() > ends_at_s:
            break
        step = 0.2 * best.value / length / (1.0 + 0.02 * n)
        row, place = np.maximum(row - step * slope_row, 0.0), np.maximum(place - step * slope_place, 0.0)
        here = bound_of(model, row, place)
        best = here if here.value < best.value else best
    return best


def _answer(model: Linear, row: Floats, place: Floats) -> tuple[Floats, Floats]:
    """The best choice under these prices: each unit's best pair, and every y that is worth more than its price."""
    reduced = model.reduced
    pair = model.x_worth + model.x_rows.T @ row - model.exclusive_rows.T @ place
    x = np.zeros(reduced.pairs)
    order = np.lexsort((np.arange(reduced.pairs), -pair, reduced.unit))
    first = order[np.diff(reduced.unit[order], prepend=-1) != 0]
    x[first[pair[first] > 0.0]] = 1.0
    return x, (model.y_worth > model.y_rows.T @ row).astype(float)
