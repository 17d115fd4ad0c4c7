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

from dispatch.planning.dominance import Bits, Pairs, Passes, levels_of
from dispatch.planning.model import NOWHERE, Coverage, Flags, Floats, Indices, Solution


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
    passes = Passes.of(coverage)
    met = passes.met(coverage)
    bonus = np.zeros((coverage.units, coverage.places)) if coverage.bonus is None else coverage.bonus
    weights, base = _beside_pins(coverage, bonus)
    bonus = np.where(coverage.ready_s < np.inf, bonus, 0.0)  # Who may not stand there wins nothing by it.
    met, bonus = _without_pins(coverage, met, bonus)
    unit, place = np.nonzero((met > 0) | (bonus > 0))
    sure = bool((coverage.detection[place] >= 1.0).all())
    levels, level_of = levels_of(passes, met, unit, place)
    pairs = Pairs(unit, place, met, levels, level_of, bonus, coverage.detection)
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
    # Signed, for of unsigned counts -0 would come before all others.
    size = np.bitwise_count(reduced.bits[chosen]).sum(axis=1).astype(np.int64)
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
            missed[_met(coverage, unit, place)] *= 1.0 - coverage.detection[place]
            bonus += 0.0 if coverage.bonus is None else float(coverage.bonus[unit, place])
    value = float(coverage.weights @ (1.0 - missed))
    return value, value + bonus


def _met(coverage: Coverage, unit: int, place: int) -> Flags:
    """As `Coverage.meets`, but whoever was always there meets nobody who never passes, nor who never comes anybody."""
    passes = (coverage.last_pass_s[:, place] > -np.inf) & (coverage.ready_s[unit, place] < np.inf)
    met: Flags = coverage.meets(unit, place) & passes
    return met


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
        missed[_met(coverage, unit, place)] *= 1.0 - coverage.detection[place]
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
