"""The reduced question as linear inequalities, for linear and for integer programmes alike.

x (K) says which pairs are used, y (Y) what is won of each route. One detection for all: what n units win of a route is
1 - (1 - q)^n, concave in n, so steps j = 1, 2, .. of falling worth say it exactly and need no order. Different
detection: what is won is bounded by lines in the sum of detections, and exact where cuts are added (Nemhauser and
Wolsey, 1981: for a submodular F, F(S) <= F(T) + sum of what each of S not in T adds to T).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array, csr_array, diags_array, eye_array, hstack, vstack

from dispatch.planning.model import Floats, Indices
from dispatch.planning.presolve import Reduced

TAIL = 1e-8
"""Steps are left out once what all further ones could win together is less than this share of a route."""
CLASSES_MAX = 4
"""Different detections that are told apart; more are taken for the next better of so many."""
MISSED_MIN = 0.01
SLOPE_STEP = 0.8
"""Slopes are the missed shares that units can leave, down to `MISSED_MIN`, each at most so much of the one before."""


@dataclass(frozen=True, eq=False)
class Linear:
    """Maximise x_worth x + y_worth y, where y_rows y <= x_rows x + rhs, at most one pair a unit and an exclusive place.

    0 <= x, y <= 1. `stepped`: y is 0 or 1 in an optimum; else the first M of y are what is won of each route, and the
    first M rows bound the others by x alone. `slack`: plans may be worth so much more than this says.
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
    return _slopes(reduced)


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
    y_rows = csr_array((np.ones(len(met)), (np.arange(len(met)), met)), shape=(len(met), len(model.y_worth)))
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


def _slopes(reduced: Reduced) -> Linear:
    """For each route what is won of it, then the units that notice, counted with their detection, as a share of `most`.

    Won is at most 1 - d + c times their number, for each missed share c that some units leave (see `_start`): exact on
    both sides of a step where all detection is equal. Beyond `most` all of these allow 1.
    """
    routes, detection = reduced.routes, _classed(reduced.detection)
    classes = np.unique(detection)
    slopes = _missed_shares(classes)
    starts = [_start(c, classes) for c in slopes]
    most = max(start / c for start, c in zip(starts, slopes, strict=True))
    one, none = eye_array(routes, format="csr"), csr_array((routes, routes))
    noticing = reduced.covered_by @ diags_array(np.minimum(detection / most, 1.0))
    return Linear(
        reduced=reduced,
        x_worth=reduced.bonus,
        y_worth=np.concatenate([reduced.weights, np.zeros(routes)]),
        x_rows=vstack([noticing, csr_array((routes * len(slopes), reduced.pairs))], format="csr"),
        y_rows=vstack([hstack([none, one]), *(hstack([one, -c * most * one]) for c in slopes)], format="csr"),
        rhs=np.concatenate([np.zeros(routes), *(np.full(routes, 1.0 - start + 1e-12) for start in starts)]),
        stepped=False,
        slack=0.0,
    )


def _classed(detection: Floats) -> Floats:
    """At most `CLASSES_MAX` different values, none below the true one."""
    values = np.unique(detection)
    tops = values[np.unique(np.linspace(0, len(values) - 1, CLASSES_MAX + 1)[1:].round().astype(int))]
    classed: Floats = detection if len(values) <= CLASSES_MAX else tops[np.searchsorted(tops, detection)]
    return classed


def _missed_shares(classes: Floats) -> list[float]:
    """1, and what units of these classes can leave, thinned out."""
    found, fresh = {1.0}, {1.0}
    while fresh:
        fresh = {round(c * (1.0 - q), 9) for c in fresh for q in classes.tolist()} - found
        fresh = {c for c in fresh if c >= MISSED_MIN}
        found |= fresh
    thinned: list[float] = []
    for c in sorted(found, reverse=True):
        if not thinned or c <= SLOPE_STEP * thinned[-1]:
            thinned.append(c)
    return thinned


def _start(c: float, classes: Floats) -> float:
    """d: the least of (share missed + c times the sum of detections) over all sets of units of these classes.

    One more unit lowers that only while more than c is missed, so sets grow until then and no further.
    """
    best, waiting = 1.0, [(1.0, 0.0, 0)]
    while waiting:
        missed, total, from_class = waiting.pop()
        best = min(best, missed + c * total)
        if missed > c:
            waiting += [
                (missed * (1.0 - q), total + q, n) for n, q in enumerate(classes.tolist()) if n >= from_class
            ]
    return best
