"""What no plan can exceed: at once a trivial bound, then the linear programme's, and what its prices exclude.

A linear bound is never taken from a solver's word: `bound_of` computes it from the prices alone, and any prices give a
valid one (Lagrangian duality). So a solver's tolerance, time limit or fault can make it weaker, never wrong.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, hstack, vstack

from dispatch.planning.linear import Linear
from dispatch.planning.model import Flags, Floats
from dispatch.planning.presolve import Reduced

ROUNDS = 300
"""Steps of the subgradient search that stands in where the linear programme is not ended in time."""


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
    """The linear programme's bound (HiGHS), or where its time runs out a subgradient search's."""
    reduced = model.reduced
    if reduced.pairs == 0:
        return Bound(reduced.base, np.zeros(0), np.zeros(0))
    units = csr_array(
        (np.ones(reduced.pairs), (reduced.unit, np.arange(reduced.pairs))),
        shape=(reduced.units, reduced.pairs),
    )
    at_most_one = vstack([units, model.exclusive_rows], format="csr")
    none = csr_array((at_most_one.shape[0], len(model.y_worth)))
    found = linprog(
        -np.concatenate([model.x_worth, model.y_worth]),
        A_ub=vstack([hstack([-model.x_rows, model.y_rows]), hstack([at_most_one, none])], format="csr"),
        b_ub=np.concatenate([model.rhs, np.ones(at_most_one.shape[0])]),
        bounds=[(0.0, None)] * reduced.pairs + [(0.0, 1.0)] * len(model.y_worth),
        method="highs-ds",
        options={"time_limit": max(0.01, limit_s)},
    )
    if found.status != 0 or found.x is None:
        return subgradient_bound(model, ends_at_s=time.perf_counter() + limit_s)
    prices = -np.asarray(found.ineqlin.marginals)
    rows = len(model.rhs)
    return bound_of(
        model, prices[:rows], prices[rows + reduced.units :], np.asarray(found.x[: reduced.pairs])
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
