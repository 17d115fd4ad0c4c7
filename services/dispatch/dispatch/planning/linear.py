"""The reduced question as linear inequalities, for linear and for integer programmes alike.

x (K) says which pairs are used, y (Y) what is won of each route. One detection for all: what n units win of a route is
1 - (1 - q)^n, concave in n, so steps j = 1, 2, .. of falling worth say it exactly and need no order. Different
detection: what is won is at most each tangent of 1 - exp(-s), s the sum of -log(1 - q), and exact where cuts are added
(Nemhauser and Wolsey, 1981: for a submodular F, F(S) <= F(T) + sum of what each of S not in T adds to T).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array, csr_array, diags_array, eye_array, vstack

from dispatch.planning.model import Floats, Indices
from dispatch.planning.presolve import Reduced

TAIL = 1e-8
"""Steps are left out once what all further ones could win together is less than this share of a route."""
TANGENTS_AT = (1.0, 0.7, 0.5, 0.3, 0.2, 0.1, 0.04, 0.01)
"""Missed shares at which the tangents touch."""


@dataclass(frozen=True, eq=False)
class Linear:
    """Maximise x_worth x + y_worth y, where y_rows y <= x_rows x + rhs, at most one pair a unit and an exclusive place.

    0 <= x, y <= 1. `stepped`: y is 0 or 1 in an optimum. `slack`: plans may be worth so much more than this says.
    """

    reduced: Reduced
    x_worth: Floats
    y_worth: Floats
    x_rows: csr_array
    y_rows: csr_array
    rhs: Floats
    stepped: bool
    slack: float

    @cached_property
    def exclusive_rows(self) -> csr_array:
        """(E, K): the pairs at each place that takes one unit only and that more than one pair is at."""
        pairs = np.flatnonzero(self.reduced.exclusive)
        _, row, count = np.unique(self.reduced.place[pairs], return_inverse=True, return_counts=True)
        kept = count[row] > 1
        renamed = np.cumsum(count > 1) - 1
        shape = (int((count > 1).sum()), self.reduced.pairs)
        return csr_array((np.ones(int(kept.sum())), (renamed[row[kept]], pairs[kept])), shape=shape)


def linear(reduced: Reduced) -> Linear:
    """Exact up to `slack` where all detection is equal, else an upper bound on every plan."""
    if reduced.pairs == 0 or reduced.routes == 0 or np.ptp(reduced.detection) == 0.0:
        return _stepped(reduced)
    return _tangents(reduced)


def cut_at(model: Linear, chosen: Indices) -> Linear:
    """The same, and exact for this choice: one more inequality for each route that it meets."""
    reduced = model.reduced
    cover, column = reduced.covered_by, np.zeros(reduced.pairs, dtype=bool)
    column[chosen] = True
    logs = np.where(column, np.log1p(-np.minimum(reduced.detection, 1 - 1e-15)), 0.0)
    missed = np.exp(cover @ logs)
    met = np.flatnonzero(cover @ column.astype(float) > 0)
    adds = np.where(column, 0.0, reduced.detection)
    x_rows = diags_array(missed[met]) @ cover[met] @ diags_array(adds)
    y_rows = csr_array((np.ones(len(met)), (np.arange(len(met)), met)), shape=(len(met), reduced.routes))
    return replace(
        model,
        x_rows=vstack([model.x_rows, x_rows], format="csr"),
        y_rows=vstack([model.y_rows, y_rows], format="csr"),
        rhs=np.concatenate([model.rhs, 1.0 - missed[met] + 1e-15]),
    )


def _stepped(reduced: Reduced) -> Linear:
    q = float(reduced.detection[0]) if reduced.pairs else 1.0
    steps_max = 1 if q >= 1.0 else int(np.ceil(np.log(TAIL) / np.log1p(-q)))
    units = coo_array(
        (
            np.ones(reduced.cover.nnz),
            (reduced.cover.indices, np.repeat(reduced.unit, np.diff(reduced.cover.indptr))),
        ),
        shape=(reduced.routes, reduced.units),
    )
    steps = np.minimum(np.diff(units.tocsr().indptr), steps_max)
    route = np.repeat(np.arange(reduced.routes), steps)
    nth = np.arange(len(route)) - np.repeat(np.cumsum(steps) - steps, steps)
    return Linear(
        reduced=reduced,
        x_worth=reduced.bonus,
        y_worth=reduced.weights[route] * q * (1.0 - q) ** nth,
        x_rows=reduced.covered_by,
        y_rows=csr_array(
            (np.ones(len(route)), (route, np.arange(len(route)))), shape=(reduced.routes, len(route))
        ),
        rhs=np.zeros(reduced.routes),
        stepped=True,
        slack=0.0 if q >= 1.0 else TAIL * float(reduced.weights.sum()),
    )


def _tangents(reduced: Reduced) -> Linear:
    """One y a route; at each missed share c: y <= 1 - c + c log(c) + c s.

    A pair's coefficient needs to be no more than lifts the right side to 1 on its own, which also holds for
    certain detection, where s is infinite.
    """
    blocks, rhs = [], []
    with np.errstate(divide="ignore"):
        strength = -np.log1p(-reduced.detection)
    for c in TANGENTS_AT:
        start = 1.0 - c + c * np.log(c)
        lift = np.minimum(c * strength, 1.0 - start)
        blocks.append(reduced.covered_by @ diags_array(lift))
        rhs.append(np.full(reduced.routes, start))
    same = eye_array(reduced.routes, format="csr")
    return Linear(
        reduced=reduced,
        x_worth=reduced.bonus,
        y_worth=reduced.weights,
        x_rows=vstack(blocks, format="csr"),
        y_rows=vstack([same] * len(blocks), format="csr"),
        rhs=np.concatenate(rhs),
        stepped=False,
        slack=0.0,
    )
