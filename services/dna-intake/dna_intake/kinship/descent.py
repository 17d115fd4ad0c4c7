"""One locus under theta by lines of descent: fast where a family has few meioses and many untyped founders.

Given from which parental copy every gamete came, and the phase of every typed person, each founder's allele has its own
tree of descendants: P(seen | alleles) is a product of one function an allele. Its mean over the alleles of a
subpopulation sums over groupings of common descent (see `founders`), here built up over subsets: 3^m steps for m
alleles. All origins and phases ("ways") are computed side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import factorial, prod

import numpy as np
from numpy.typing import NDArray

from dna_intake.kinship.network import children_of, parents_of, relevant
from dna_intake.kinship.pedigree import Pedigree
from dna_intake.kinship.sites import Array, Site

WORK_MAX = 2_000_000_000
"""Multiplications, about 5 s; beyond that the caller sums over groupings, or refuses."""
_NUMBERS_AT_ONCE = 1 << 21
Genotypes = dict[str, tuple[int, int]]


@dataclass
class _Ways:
    """Which states the ways are made of: a name, how many states it has, and its own weight in each."""

    names: list[tuple[str, int]] = field(default_factory=list)
    weights: list[Array] = field(default_factory=list)

    def add(self, name: tuple[str, int], weights: Array) -> None:
        self.names.append(name)
        self.weights.append(weights)

    @property
    def count(self) -> int:
        return prod(len(each) for each in self.weights)

    def states(self, numbers: NDArray[np.intp]) -> dict[tuple[str, int], NDArray[np.intp]]:
        """The state of each part in the ways of these numbers."""
        found: dict[tuple[str, int], NDArray[np.intp]] = {}
        for name, weights in zip(self.names, self.weights, strict=True):
            found[name], numbers = numbers % len(weights), numbers // len(weights)
        return found


def mean_over_founders(
    pedigree: Pedigree, site: Site, known: Genotypes, share: Array, n: int, theta: float
) -> float | None:
    """P(seen | family) given the alleles of typed founders, `share` the frequencies after those n alleles.

    None if there are too many ways, or if the result is so small that products may have underflowed.
    """
    people = relevant(pedigree, set(site.seen))
    ways, free = _ways(pedigree, site, people, known)
    m = sum(free.values())
    work = ways.count * (3**m + 2**m * site.count)
    if work > WORK_MAX:
        return None
    at_once = max(1, _NUMBERS_AT_ONCE // (2**m * site.count))
    total = 0.0
    for begin in range(0, ways.count, at_once):
        numbers = np.arange(begin, min(begin + at_once, ways.count))
        states = ways.states(numbers)
        weight = np.ones(len(numbers))
        for name, mine in zip(ways.names, ways.weights, strict=True):
            weight *= mine[states[name]]
        below, passed = _descend(pedigree, site, people, known, free, states, len(numbers))
        functions = [each for each in below if each is not None]
        total += (
            float(weight * passed @ _mean(functions, share, n, theta))
            if functions
            else float(weight @ passed)
        )
    return total if total > 1e-200 else None


def _ways(
    pedigree: Pedigree, site: Site, people: Sequence[str], known: Genotypes
) -> tuple[_Ways, dict[str, int]]:
    """The parts that ways are made of, and how many alleles of each untyped founder count."""
    ways, free = _Ways(), dict[str, int]()
    children = children_of(pedigree, people)
    untold = set[str]()
    for person in people:
        seen, founder = site.seen.get(person), pedigree.by_id[person].founder
        if person in known:
            continue
        if seen is not None:
            ways.add((person, -1), seen.weights if seen.pairs is not None else np.ones(3))
        if founder:
            free[person] = 1 if seen is None and children[person] == 1 else 2
            untold |= {person} if free[person] == 2 else set()
    for person in people:
        for side, parent in enumerate(parents_of(pedigree.by_id[person])):
            seen = site.seen.get(parent)
            if free.get(parent) == 1 or (seen is not None and seen.pairs is not None):
                continue
            # A founder's two copies may be swapped: the first gamete has the first one, without loss.
            ways.add((person, side), np.ones(1) if parent in untold else np.full(2, 0.5))
            untold.discard(parent)
    return ways, free


def _descend(
    pedigree: Pedigree,
    site: Site,
    people: Sequence[str],
    known: Genotypes,
    free: dict[str, int],
    states: dict[tuple[str, int], NDArray[np.intp]],
    count: int,
) -> tuple[list[Array | None], Array]:
    """From children to parents: of each free founder allele P(what lies below | allele), by way; and constant parts."""
    below: dict[tuple[str, int], Array | None] = {}
    for person in people:
        seen = site.seen.get(person)
        if seen is not None and seen.pairs is None:
            first, second = _one_lost(seen.weights)
            below[person, 0], below[person, 1] = first[states[person, -1]], second[states[person, -1]]
    passed = np.ones(count)
    for person in reversed(people):
        for side, parent in enumerate(parents_of(pedigree.by_id[person])):
            matrix = site.maternal if side else site.paternal
            up = _up(site, person, side, matrix, below.get((person, side)), states)
            if up is None:
                continue
            seen = site.seen.get(parent)
            if parent in known:
                a, b = known[parent]
                passed = passed * (up[:, a] + up[:, b]) / 2
            elif seen is not None and seen.pairs is not None:
                pairs = np.array(seen.pairs)[states[parent, -1]]
                rows = np.arange(count)
                passed = passed * (up[rows, pairs[:, 0]] + up[rows, pairs[:, 1]]) / 2
            elif free.get(parent) == 1:
                below[parent, 0] = up
            else:
                origin = states[person, side][:, None]
                for copy in (0, 1):
                    mine, before = np.where(origin == copy, up, 1.0), below.get((parent, copy))
                    below[parent, copy] = mine if before is None else before * mine
    return [below.get((person, copy)) for person, copies in free.items() for copy in range(copies)], passed


def _up(
    site: Site,
    person: str,
    side: int,
    matrix: Array,
    below: Array | None,
    states: dict[tuple[str, int], NDArray[np.intp]],
) -> Array | None:
    """P(what lies below a gamete | the parent's allele), by way; None if nothing does."""
    seen = site.seen.get(person)
    if seen is not None and seen.pairs is not None:
        alleles = np.array(seen.pairs)[:, side][states[person, -1]]
        return np.asarray(matrix.T[alleles])
    return None if below is None else below @ matrix.T


def _one_lost(weights: Array) -> tuple[Array, Array]:
    """A dropout table over two copies, as three products: of the seen allele and another, turned, or twice the seen."""
    seen = int(weights.sum(axis=1).argmax())
    only = np.zeros(len(weights))
    only[seen] = 1.0
    other = np.where(only > 0, 0.0, weights[seen])
    return np.stack([only, other, only * weights[seen, seen]]), np.stack([other, only, only])


def _mean(functions: list[Array], share: Array, n: int, theta: float) -> Array:
    """Mean of the product of functions of m alleles, after n known ones, by way.

    Over subsets: the group of the first allele, and all that the others may do without it.
    """
    m, new = len(functions), 1 - theta + n * theta
    products: list[Array] = [np.ones_like(functions[0])]
    for function in functions:
        products += [before * function for before in products]
    group = [
        (each @ share) * (new * factorial(size - 1) * theta ** (size - 1))
        if (size := subset.bit_count())
        else None
        for subset, each in enumerate(products)
    ]
    sums: list[Array] = [np.ones(len(functions[0]))]
    for subset in range(1, 1 << m):
        first = subset & -subset
        rest = others = subset ^ first
        total = np.zeros(len(functions[0]))
        while True:
            mine = group[others | first]
            assert mine is not None, "Only the empty subset is no group."
            total += mine * sums[rest ^ others]
            if not others:
                break
            others = (others - 1) & rest
        sums.append(total)
    return np.asarray(sums[-1] / prod(new + seated * theta for seated in range(m)))
