"""What a set of chosen pairs misses, kept up to date while a search takes pairs in and out."""

from __future__ import annotations

import numpy as np

from dispatch.planning.model import Flags, Floats, Indices
from dispatch.planning.presolve import Reduced


class Standing:
    """One pair a unit at most (-1: free), and what is still missed of each route.

    A route's missed share is a product over who meets it. Certain detection is counted apart, so that taking a pair out
    never divides by zero.
    """

    def __init__(self, reduced: Reduced, chosen: Indices) -> None:
        self.reduced = reduced
        self.pair_of = np.full(reduced.units, -1)
        self._certain = np.zeros(reduced.routes, dtype=np.int64)
        self._log_missed = np.zeros(reduced.routes)
        certain = reduced.detection >= 1.0
        self._is_certain = certain
        self._log = np.log1p(-np.where(certain, 0.0, reduced.detection))
        for k in chosen:
            self.put(int(k))

    def put(self, pair: int) -> None:
        """Take a pair in; its unit must be free."""
        self._change(pair, +1)
        self.pair_of[self.reduced.unit[pair]] = pair

    def free(self, unit: int) -> int:
        """Take the unit's pair out; which it was, -1 if none."""
        pair = int(self.pair_of[unit])
        if pair >= 0:
            self._change(pair, -1)
            self.pair_of[unit] = -1
        return pair

    def gains(self, first: int, end: int) -> Floats:
        """What each of these pairs would add now."""
        reduced = self.reduced
        left = reduced.weights * np.where(self._certain > 0, 0.0, np.exp(self._log_missed))
        # Sums over the rows of a sparse matrix; cutting the rows out of it would take longer than all of this.
        bounds = reduced.cover.indptr[first : end + 1]
        running = np.concatenate([[0.0], np.cumsum(left[reduced.cover.indices[bounds[0] : bounds[-1]]])])
        sums = running[bounds[1:] - bounds[0]] - running[bounds[:-1] - bounds[0]]
        won: Floats = sums * reduced.detection[first:end] + reduced.bonus[first:end]
        return won

    def blocked(self, first: int, end: int) -> Flags:
        """Which of these pairs are at a place that takes one unit and has one."""
        places = self.reduced.place[self.pair_of[self.pair_of >= 0]]
        held: Flags = self.reduced.exclusive[first:end] & np.isin(self.reduced.place[first:end], places)
        return held

    @property
    def chosen(self) -> Indices:
        """The pairs taken in, in the order of their units."""
        return self.pair_of[self.pair_of >= 0].astype(np.int64)

    @property
    def objective(self) -> float:
        """With bonuses and what the pinned units have."""
        missed = np.where(self._certain > 0, 0.0, np.exp(self._log_missed))
        won = self.reduced.weights @ (1.0 - missed)
        return float(self.reduced.base + won + self.reduced.bonus[self.chosen].sum())

    def _change(self, pair: int, sign: int) -> None:
        cover = self.reduced.cover
        routes = cover.indices[cover.indptr[pair] : cover.indptr[pair + 1]]
        if self._is_certain[pair]:
            self._certain[routes] += sign
        else:
            self._log_missed[routes] += sign * self._log[pair]
