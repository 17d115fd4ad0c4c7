"""The same question with less in it: only places worth a unit's while, and only routes that differ.

Everything here is exact: an optimal plan of what remains is an optimal plan of the question.

Where every unit is sure to notice (detection 1), a unit's place is dropped if another of its places meets all that it
meets. That other place may be another unit's: then the two would stand at one place, where one of them meets all that
the other does, and the plan frees the other. Where detection is not sure, a second unit at a place helps, so a place
is dropped only if there are as many better places as units. A positive bonus for somebody's place is never given up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from dispatch.planning.model import NOWHERE, Coverage, Flags, Floats, Indices, Solution

Bits = NDArray[np.uint64]

TESTS_AT_ONCE = 1 << 16
"""Set comparisons that are made in one go: bounds the memory to some tens of MB at thousands of routes."""


@dataclass(frozen=True, eq=False)
class Reduced:
    """K pairs of a unit and a place, ordered by unit, and M routes that differ.

    `bits` (K, W) packs 64 routes a word. `weights` (M,) are what is left to win beside the pinned units, whose own
    share and bonus is `base`. `detection` and `bonus` are (K,). `exclusive` (K,) marks pairs whose place takes one unit
    in the search; elsewhere two at a place win nothing and `plan` frees the idle one. `sure`: all detection is 1.
    """

    units: int
    unit: Indices
    place: Indices
    bits: Bits
    weights: Floats
    detection: Floats
    bonus: Floats
    exclusive: Flags
    sure: bool
    pinned: tuple[tuple[int, int], ...]
    base: float

    @property
    def pairs(self) -> int:
        """K."""
        return len(self.unit)

    @property
    def routes(self) -> int:
        """M."""
        return len(self.weights)

    @cached_property
    def starts(self) -> Indices:
        """(units + 1,): the pairs of unit u are starts[u]..starts[u + 1] - 1."""
        return np.searchsorted(self.unit, np.arange(self.units + 1)).astype(np.int64)

    @cached_property
    def cover(self) -> csr_array:
        """(K, M): 1 where the pair meets the route."""
        flags = np.unpackbits(self.bits.view(np.uint8), axis=1, bitorder="little", count=self.routes)
        pair, route = np.nonzero(flags)
        indptr = np.searchsorted(pair, np.arange(self.pairs + 1))
        return csr_array((np.ones(len(pair)), route, indptr), shape=(self.pairs, self.routes))

    @cached_property
    def covered_by(self) -> csr_array:
        """(M, K): the same, by route."""
        return self.cover.T.tocsr()

    def only(self, kept: Flags) -> Reduced:
        """What remains of this with these pairs only; routes that became alike are merged."""
        return _merged(self, kept)


def presolve(coverage: Coverage) -> Reduced:
    """The reduced question.

    Raises: ValueError, if pins put two units at one place or one unit at two, or name what is not there.
    """
    _check_pins(coverage)
    passes = _Passes.of(coverage)
    met = passes.met(coverage)
    bonus = np.zeros((coverage.units, coverage.places)) if coverage.bonus is None else coverage.bonus
    weights, base = _beside_pins(coverage, bonus)
    bonus = np.where(np.isfinite(coverage.ready_s), bonus, 0.0)  # Who may not stand there wins nothing by it.
    met, bonus = _without_pins(coverage, met, bonus)
    unit, place = np.nonzero((met > 0) | (bonus > 0))
    sure = bool((coverage.detection[place] >= 1.0).all())
    levels, level_of = _levels(passes, met, unit, place)
    pairs = _Pairs(unit, place, met, levels, level_of, bonus, coverage.detection)
    free = coverage.units - len(coverage.pinned)
    kept = pairs.dominators(passes, sure, 1 if sure else free) < (1 if sure else free)
    wanted: Flags = np.any(bonus > 0, axis=0)
    full = Reduced(
        units=coverage.units,
        unit=unit.astype(np.int64),
        place=place.astype(np.int64),
        bits=levels[level_of],
        weights=weights,
        detection=coverage.detection[place],
        bonus=bonus[unit, place],
        exclusive=wanted[place] if sure else np.ones(len(place), bool),
        sure=sure,
        pinned=coverage.pinned,
        base=base,
    )
    return full.only(kept)


def place_of(reduced: Reduced, chosen: Indices) -> tuple[int, ...]:
    """The plan that these pairs (one a unit at most, by index) stand for; of two at a place the idle one is free."""
    places = np.full(reduced.units, NOWHERE)
    size = np.bitwise_count(reduced.bits[chosen]).sum(axis=1)
    taken: set[int] = set()
    for k in chosen[np.lexsort((reduced.unit[chosen], -size))]:
        if int(reduced.place[k]) not in taken:
            taken.add(int(reduced.place[k]))
            places[reduced.unit[k]] = reduced.place[k]
    for unit, place in reduced.pinned:
        places[unit] = place
    return tuple(int(p) for p in places)


def chosen_by(reduced: Reduced, coverage: Coverage, plan: Solution) -> Indices:
    """The pairs that come nearest to this plan: for each unit its place, or the kept one that adds most instead."""
    chosen: list[int] = []
    taken: set[int] = set()
    met = np.zeros(reduced.routes)
    for u, place in enumerate(plan.place_of):
        ks = np.arange(reduced.starts[u], reduced.starts[u + 1])
        ks = ks[[not (reduced.exclusive[k] and int(reduced.place[k]) in taken) for k in ks]]
        if place == NOWHERE or not len(ks):
            continue
        same = ks[reduced.place[ks] == place]
        k = (
            int(same[0])
            if len(same)
            else int(ks[(reduced.cover[ks] @ (reduced.weights * (1 - met))).argmax()])
        )
        chosen.append(k)
        taken.add(int(reduced.place[k]))
        met[reduced.cover.indices[reduced.cover.indptr[k] : reduced.cover.indptr[k + 1]]] = 1
    return np.array(chosen, dtype=np.int64)


def evaluate(coverage: Coverage, places: tuple[int, ...]) -> tuple[float, float]:
    """Value (intercepted weight, with detection) and objective (with bonuses) of a plan."""
    missed, bonus = np.ones(coverage.routes), 0.0
    for unit, place in enumerate(places):
        if place != NOWHERE:
            missed[coverage.meets(unit, place)] *= 1.0 - coverage.detection[place]
            bonus += 0.0 if coverage.bonus is None else float(coverage.bonus[unit, place])
    value = float(coverage.weights @ (1.0 - missed))
    return value, value + bonus


def _check_pins(coverage: Coverage) -> None:
    units, places = [u for u, _ in coverage.pinned], [p for _, p in coverage.pinned]
    if len(set(units)) < len(units) or len(set(places)) < len(places):
        raise ValueError(f"Pins {coverage.pinned} use a unit or a place twice; pin one unit to one place.")
    if any(not 0 <= u < coverage.units or not 0 <= p < coverage.places for u, p in coverage.pinned):
        raise ValueError(f"Pins {coverage.pinned} name a unit or a place that the question does not have.")


def _beside_pins(coverage: Coverage, bonus: Floats) -> tuple[Floats, float]:
    """What each route is still worth beside the pinned units, and what these have for sure."""
    missed, base = np.ones(coverage.routes), 0.0
    for unit, place in coverage.pinned:
        missed[coverage.meets(unit, place)] *= 1.0 - coverage.detection[place]
        base += float(bonus[unit, place])
    left: Floats = coverage.weights * missed
    return left, base + float(coverage.weights @ (1.0 - missed))


def _without_pins(coverage: Coverage, met: Indices, bonus: Floats) -> tuple[Indices, Floats]:
    """Pinned units have no other place, and their places no other unit."""
    if not coverage.pinned:
        return met, bonus
    met, bonus = met.copy(), bonus.copy()
    for unit, place in coverage.pinned:
        met[unit], met[:, place], bonus[unit], bonus[:, place] = 0, 0, 0.0, 0.0
    return met, bonus


@dataclass(frozen=True, eq=False)
class _Passes:
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
    def of(coverage: Coverage) -> _Passes:
        route, place = np.nonzero(coverage.last_pass_s > -np.inf)
        at_s = coverage.last_pass_s[route, place]
        order = np.lexsort((route, -at_s, place))
        route, place, at_s = route[order], place[order], at_s[order]
        starts = np.searchsorted(place, np.arange(coverage.places + 1))
        by_route = np.argsort(route, kind="stable")
        route_starts = np.searchsorted(route[by_route], np.arange(coverage.routes + 1))
        return _Passes(
            at_s, route, place, starts, np.arange(len(place)) - starts[place], by_route, route_starts
        )

    def met(self, coverage: Coverage) -> Indices:
        """(U, P): how many of the place's list the unit meets."""
        begin_s = coverage.ready_s + coverage.margin_s
        count = np.zeros(begin_s.shape, dtype=np.int64)
        for p in np.flatnonzero(np.diff(self.starts)):
            late_first = -self.at_s[self.starts[p] : self.starts[p + 1]]
            count[:, p] = np.searchsorted(late_first, -begin_s[:, p], side="right")
        count[np.isinf(begin_s)] = 0
        return count


def _levels(passes: _Passes, met: Indices, unit: Indices, place: Indices) -> tuple[Bits, Indices]:
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
class _Pairs:
    """All pairs (K) before any is dropped."""

    unit: Indices
    place: Indices
    met: Indices
    levels: Bits
    level_of: Indices
    bonus: Floats
    detection: Floats

    def dominators(self, passes: _Passes, sure: bool, enough: int) -> Indices:
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
        self, passes: _Passes, asked: Indices, last: Indices, length: Indices
    ) -> tuple[Indices, Indices]:
        """Pair, and an entry of `passes` for each other place that its last member passes and its unit meets it at."""
        i = np.repeat(asked, length)
        entry = passes.by_route[np.repeat(passes.route_starts[last], length) + _ramps(length)]
        other = passes.place[entry]
        longer = self.met[self.unit[i], other] - self.met[self.unit[i], self.place[i]]
        fits = (passes.rank[entry] < self.met[self.unit[i], other]) & (other != self.place[i]) & (longer >= 0)
        # Of two equal sets only the later place is the worse: else both would go.
        equal_first = (longer == 0) & (other > self.place[i])
        same = self._same(i, other) if equal_first.any() else np.zeros(len(i), bool)
        return i[fits & ~(equal_first & same)], entry[fits & ~(equal_first & same)]

    def _same(self, i: Indices, other: Indices) -> Flags:
        """Whether the other place is no better in bonus and detection either."""
        bonus = self.bonus[self.unit[i], other] <= self.bonus[self.unit[i], self.place[i]]
        same: Flags = bonus & (self.detection[other] <= self.detection[self.place[i]])
        return same

    def _better(self, passes: _Passes, i: Indices, entry: Indices, sure: bool) -> Flags:
        """Whether that place meets all that pair i meets, with no less detection or bonus."""
        other = passes.place[entry]
        fine = self.detection[other] >= self.detection[self.place[i]]
        fine &= self.bonus[self.unit[i], other] >= self.bonus[self.unit[i], self.place[i]]
        if sure:
            wanting = (self.bonus > 0).sum(axis=0)
            fine &= wanting[other] - (self.bonus[self.unit[i], other] > 0) == 0
        tested = np.flatnonzero(fine)
        index = np.full(self.met.shape, -1)
        index[self.unit, self.place] = self.level_of
        mine = self.levels[self.level_of[i[tested]]]
        theirs = self.levels[index[self.unit[i[tested]], other[tested]]]
        fine[tested] = ~(mine & ~theirs).any(axis=1)
        return fine


def _merged(full: Reduced, kept: Flags) -> Reduced:
    """These pairs only; of routes that the same pairs meet, one with all their weight."""
    bits = full.bits[kept]
    flags = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little", count=full.routes)
    different, level = np.unique(bits, axis=0, return_index=True)[:2]
    signature = (
        np.packbits(flags[np.sort(level)], axis=0).T
        if len(different)
        else np.zeros((full.routes, 1), np.uint8)
    )
    signature = np.ascontiguousarray(signature)
    keys = signature.view(np.dtype((np.void, signature.shape[1]))).ravel()
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    weights = np.zeros(len(first))
    np.add.at(weights, group, full.weights)
    alive = np.flatnonzero((weights > 0) & signature[first].any(axis=1))
    alive = alive[np.argsort(first[alive])]
    return Reduced(
        units=full.units,
        unit=full.unit[kept],
        place=full.place[kept],
        bits=_packed(flags[:, first[alive]]),
        weights=weights[alive],
        detection=full.detection[kept],
        bonus=full.bonus[kept],
        exclusive=full.exclusive[kept],
        sure=full.sure,
        pinned=full.pinned,
        base=full.base,
    )


def _packed(flags: NDArray[np.uint8]) -> Bits:
    words = max(1, -(-flags.shape[1] // 64))
    padded = np.zeros((len(flags), words * 64), dtype=np.uint8)
    padded[:, : flags.shape[1]] = flags
    return np.packbits(padded, axis=1, bitorder="little").view(np.uint64)
