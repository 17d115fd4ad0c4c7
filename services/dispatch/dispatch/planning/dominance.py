"""Which places are no better for a unit than another of its places, asked of few: all that matters lies on one route.

What a unit meets at a place is the beginning of a list: who passes there, the last first. So the place and how many it
meets say which, and of two units at a place the earlier one meets all that the later one does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dispatch.planning.model import Coverage, Flags, Floats, Indices

Bits = NDArray[np.uint64]

TESTS_AT_ONCE = 1 << 16
"""Set comparisons that are made in one go: bounds the memory to some tens of MB at thousands of routes."""


@dataclass(frozen=True, eq=False)
class Passes:
    """Who passes where, by place and then from the last to the first: what a unit meets at a place is always a
    beginning of its list, the longer the earlier it stands there.

    `at_s`, `route` and `place` are (N,); place p has starts[p]..starts[p + 1] - 1. `by_route` and `route_starts` list
    the same entries by route.
    """

    at_s: Floats
    route: Indices
    place: Indices
    starts: Indices
    rank: Indices
    by_route: Indices
    route_starts: Indices

    @staticmethod
    def of(coverage: Coverage) -> Passes:
        """All passes of the question."""
        route, place = np.nonzero(coverage.last_pass_s > -np.inf)
        at_s = coverage.last_pass_s[route, place]
        order = np.lexsort((route, -at_s, place))
        route, place, at_s = route[order], place[order], at_s[order]
        starts = np.searchsorted(place, np.arange(coverage.places + 1))
        by_route = np.argsort(route, kind="stable")
        route_starts = np.searchsorted(route[by_route], np.arange(coverage.routes + 1))
        return Passes(
            at_s, route, place, starts, np.arange(len(place)) - starts[place], by_route, route_starts
        )

    def met(self, coverage: Coverage) -> Indices:
        """(U, P): how many of the place's list the unit meets."""
        begin_s = coverage.ready_s + coverage.margin_s
        count = np.zeros(begin_s.shape, dtype=np.int64)
        for p in np.flatnonzero(np.diff(self.starts)):
            late_first = -self.at_s[self.starts[p] : self.starts[p + 1]]
            count[:, p] = np.searchsorted(late_first, -begin_s[:, p], side="right")
        count[begin_s == np.inf] = 0  # Even of those who can be met for ever.
        return count


def levels_of(passes: Passes, met: Indices, unit: Indices, place: Indices) -> tuple[Bits, Indices]:
    """The different sets, (L, W) packed, and which one each pair has."""
    end = passes.starts[place] + met[unit, place]
    key, level_of = np.unique(end * len(passes.starts) + place, return_inverse=True)
    level_end, level_place = np.divmod(key, len(passes.starts))
    routes = len(passes.route_starts) - 1
    words = max(1, -(-routes // 64))
    bits = np.zeros((len(key), words), dtype=np.uint64)
    length = level_end - passes.starts[level_place]
    row = np.repeat(np.arange(len(key)), length)
    entry = np.repeat(passes.starts[level_place], length) + _ramps(length)
    route = passes.route[entry]
    np.bitwise_or.at(bits, (row, route >> 6), np.uint64(1) << (route & 63).astype(np.uint64))
    return bits, level_of.astype(np.int64)


def _ramps(lengths: Indices) -> Indices:
    """0..n-1 for each length, one after the other."""
    return np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)


@dataclass(frozen=True, eq=False)
class Pairs:
    """All pairs (K) before any is dropped."""

    unit: Indices
    place: Indices
    met: Indices
    levels: Bits
    level_of: Indices
    bonus: Floats
    detection: Floats

    @cached_property
    def _level(self) -> Indices:
        """(U, P): which set, -1 where there is none."""
        level = np.full(self.met.shape, -1)
        level[self.unit, self.place] = self.level_of
        return level

    def dominators(self, passes: Passes, sure: bool, enough: int) -> Indices:
        """(K,): how many places of the same unit do at least as well as this one; counting may stop at `enough`.

        Whoever meets all of a set meets its last member, so only places on that member's route come into question.
        """
        count = np.zeros(len(self.unit), dtype=np.int64)
        size = self.met[self.unit, self.place]
        asked = np.flatnonzero((size > 0) & ((self.bonus[self.unit, self.place] <= 0) | (not sure)))
        last = passes.route[passes.starts[self.place[asked]] + size[asked] - 1]
        length = passes.route_starts[last + 1] - passes.route_starts[last]
        step = max(1, TESTS_AT_ONCE * len(asked) // max(1, int(length.sum())))
        for begin in range(0, len(asked), step):
            part = slice(begin, begin + step)
            i, entry = self._candidates(passes, asked[part], last[part], length[part])
            np.add.at(count, i[self._better(passes, i, entry, sure)], 1)
        return np.minimum(count, enough)

    def _candidates(
        self, passes: Passes, asked: Indices, last: Indices, length: Indices
    ) -> tuple[Indices, Indices]:
        """Pair, and an entry of `passes` for each other place that its last member passes and its unit meets it at."""
        i = np.repeat(asked, length)
        entry = passes.by_route[np.repeat(passes.route_starts[last], length) + _ramps(length)]
        other = passes.place[entry]
        here = np.flatnonzero((passes.rank[entry] < self.met[self.unit[i], other]) & (other != self.place[i]))
        i, entry, other = i[here], entry[here], other[here]
        longer = self.met[self.unit[i], other] - self.met[self.unit[i], self.place[i]]
        fits = longer >= 0
        # Of two equal sets only the later place is the worse: else both would go.
        equal = np.flatnonzero((longer == 0) & (other > self.place[i]))
        fits[equal[self._same(i[equal], other[equal])]] = False
        return i[fits], entry[fits]

    def _same(self, i: Indices, other: Indices) -> Flags:
        """Whether the other place is no better in bonus and detection either."""
        bonus = self.bonus[self.unit[i], other] <= self.bonus[self.unit[i], self.place[i]]
        same: Flags = bonus & (self.detection[other] <= self.detection[self.place[i]])
        return same

    def _better(self, passes: Passes, i: Indices, entry: Indices, sure: bool) -> Flags:
        """Whether that place meets all that pair i meets, with no less detection or bonus."""
        other = passes.place[entry]
        fine = self.detection[other] >= self.detection[self.place[i]]
        fine &= self.bonus[self.unit[i], other] >= self.bonus[self.unit[i], self.place[i]]
        if sure:
            wanting = (self.bonus > 0).sum(axis=0)
            fine &= wanting[other] - (self.bonus[self.unit[i], other] > 0) == 0
        tested = np.flatnonzero(fine)
        mine = self.levels[self.level_of[i[tested]]]
        theirs = self.levels[self._level[self.unit[i[tested]], other[tested]]]
        fine[tested] = ~(mine & ~theirs).any(axis=1)
        return fine
