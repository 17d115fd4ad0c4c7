"""Founders' alleles in a subpopulation: how likely each is depends on those that the others carry.

Balding and Nichols: after n alleles of the subpopulation of which c are A, the next is A with probability
(theta c + (1 - theta) p) / (1 + (n - 1) theta). It holds for all founders of a hypothesis together, related or not.
Alleles that are known are taken in turn. The unknown ones fall into groups of the same descent (as guests do at the
tables of a Chinese restaurant), and each group draws one allele: summing over all groupings is exact, and costs
nothing where theta is 0, when everyone is a group.
Sources: Balding & Nichols, Forensic Sci Int 64, 1994; Pitman, Combinatorial Stochastic Processes, 2006, section 3.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product
from math import factorial
from typing import NamedTuple

import numpy as np

from dna_intake.kinship.refusals import ComparisonTooLarge
from dna_intake.kinship.sites import Array

FREE_MAX = 9
"""Untyped founder alleles at a locus with theta above 0: 21,147 groupings."""
Grouping = tuple[int, ...]


class Weighted(NamedTuple):
    """A grouping of alleles (the group of each) and its probability."""

    groups: Grouping
    probability: float


def log_known(alleles: Sequence[int], frequencies: Array, theta: float) -> tuple[float, Array, int]:
    """ln P of known founder alleles in this order, frequencies for the next one, and how many they were."""
    counts = np.zeros(len(frequencies))
    total = 0.0
    for n, allele in enumerate(alleles):
        with np.errstate(divide="ignore"):
            total += float(np.log(_next(counts, frequencies, n, theta)[allele]))
        counts[allele] += 1
    n = len(alleles)
    return total, _next(counts, frequencies, n, theta), n


def _next(counts: Array, frequencies: Array, n: int, theta: float) -> Array:
    return (
        np.asarray((theta * counts + (1 - theta) * frequencies) / (1 + (n - 1) * theta)) if n else frequencies
    )


def groupings(pairs: tuple[int, ...], known: int, theta: float, *, name: str) -> tuple[Weighted, ...]:
    """Every grouping of the unknown alleles, given how many are known; `pairs` are 1 or 2 alleles a founder.

    A founder's two alleles may be swapped without a difference, so one of the swapped groupings stands for both.
    Raises: ComparisonTooLarge naming the pedigree, if there are more than 9 unknown alleles.
    """
    count = sum(pairs)
    if theta == 0:
        return (Weighted(tuple(range(count)), 1.0),)
    if count > FREE_MAX:
        raise ComparisonTooLarge(
            f"Hypothesis {name!r}: {count} alleles of untyped founders, {FREE_MAX} are the most with theta above 0;"
            " set theta to 0, type more of them, or leave out distant ones."
        )
    return tuple(
        Weighted(groups, times * _probability(groups, known, theta)) for groups, times in _distinct(pairs)
    )


def _probability(groups: Grouping, known: int, theta: float) -> float:
    """Of this grouping, by the seating of guests: a new table with A + known, a taken one with its guests."""
    found, new = 1.0, 1 - theta + known * theta
    for group in set(groups):
        size = groups.count(group)
        found *= new * factorial(size - 1) * theta ** (size - 1)
    for seated in range(len(groups)):
        found /= new + seated * theta
    return found


@lru_cache(maxsize=256)
def _distinct(pairs: tuple[int, ...]) -> tuple[tuple[Grouping, int], ...]:
    """Groupings that differ by more than swaps of a founder's two alleles, and how many each stands for."""
    count = sum(pairs)
    begins = [sum(pairs[:i]) for i, size in enumerate(pairs) if size == 2]
    found: dict[Grouping, int] = {}
    for groups in _all_groupings(count):
        least = min(
            _renamed(_swapped(groups, begins, swaps)) for swaps in product((0, 1), repeat=len(begins))
        )
        found[least] = found.get(least, 0) + 1
    return tuple(found.items())


def _swapped(groups: Grouping, begins: list[int], swaps: tuple[int, ...]) -> Grouping:
    swapped = list(groups)
    for at, swap in zip(begins, swaps, strict=True):
        if swap:
            swapped[at], swapped[at + 1] = swapped[at + 1], swapped[at]
    return tuple(swapped)


def _renamed(groups: Grouping) -> Grouping:
    """Groups numbered in the order in which they come."""
    number: dict[int, int] = {}
    return tuple(number.setdefault(group, len(number)) for group in groups)


def _all_groupings(count: int) -> Iterator[Grouping]:
    """Every set partition, as restricted growth strings."""

    def grown(begun: Grouping, used: int) -> Iterator[Grouping]:
        if len(begun) == count:
            yield begun
            return
        for group in range(used + 1):
            yield from grown((*begun, group), max(used, group + 1))

    yield from grown((), 0)
