"""A locus, or two linked ones, under theta by lines of descent: fast with few meioses and many untyped founders.

Given from which parental copy every gamete came, and the phase of every typed person, each founder's allele has its own
tree of descendants: P(seen | alleles) is a product of one function an allele. Its mean over the alleles of a
subpopulation sums over groupings of common descent (see `founders`), here built up over subsets: 3^m steps for m
alleles. All origins and phases ("ways") are computed side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import factorial, prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dna_intake.kinship.network import children_of, parents_of, relevant
from dna_intake.kinship.pedigree import Pedigree
from dna_intake.kinship.sites import Array, Site

WORK_MAX = 2_000_000_000
"""Multiplications, about 5 s; beyond that the caller sums over groupings, or refuses."""
_NUMBERS_AT_ONCE = 1 << 21
_PHASE = -1
Name = tuple[str, int, int]
"""Person, side (0 father's gamete, 1 mother's, -1 the phase of the person's own genotype), and place of the site."""
Integers = NDArray[np.intp]


class Known(NamedTuple):
    """At a site: the alleles of typed founders, how many there are, and frequencies of the next one after them."""

    pairs: Mapping[str, tuple[int, int]]
    alleles: int
    share: Array


class _Part(NamedTuple):
    """Something that is one way or another: the weight of each state, and what it means under one or two names."""

    weights: Array
    means: dict[Name, Integers]


class _Line(NamedTuple):
    """What `_descend` needs at each step: who stands where at a site, in some ways."""

    pedigree: Pedigree
    people: Sequence[str]
    at: int
    site: Site
    known: Known
    free: Mapping[str, int]
    ways: Mapping[Name, Integers]
    rows: Integers


def mean_over_founders(
    pedigree: Pedigree,
    sites: Sequence[Site],
    known: Sequence[Known],
    theta: float,
    recombination: float,
    work_max: int,
) -> float | None:
    """P(seen | family) given the alleles of typed founders.

    None if there are too many ways, or if the result is so small that products may have underflowed.
    """
    people = relevant(pedigree, {person for site in sites for person in site.seen})
    children = children_of(pedigree, people)
    free = [_free(pedigree, people, children, site) for site in sites]
    parts = [
        *_phases(people, sites, known, children),
        *_gametes(pedigree, people, children, sites, free, recombination),
    ]
    count = prod(len(part.weights) for part in parts)
    alleles = [sum(each.values()) for each in free]
    if count * sum(3**m + 2**m * site.count for m, site in zip(alleles, sites, strict=True)) > work_max:
        return None
    at_once = max(
        1, _NUMBERS_AT_ONCE // max(2**m * site.count for m, site in zip(alleles, sites, strict=True))
    )
    total = 0.0
    for begin in range(0, count, at_once):
        numbers = np.arange(begin, min(begin + at_once, count))
        weight, ways = _states(parts, numbers)
        for at, site in enumerate(sites):
            line = _Line(pedigree, people, at, site, known[at], free[at], ways, np.arange(len(numbers)))
            weight = weight * _site_mean(line, theta)
        total += float(weight.sum())
    return total if total > 1e-200 else None


def _free(
    pedigree: Pedigree, people: Sequence[str], children: Mapping[str, int], site: Site
) -> dict[str, int]:
    """How many alleles of each founder who is not clearly typed count: one for a founder with one child."""
    free: dict[str, int] = {}
    for person in people:
        seen = site.seen.get(person)
        if pedigree.by_id[person].founder and (seen is None or seen.pairs is None):
            free[person] = 1 if seen is None and children[person] == 1 else 2
    return free


def _phases(
    people: Sequence[str], sites: Sequence[Site], known: Sequence[Known], children: Mapping[str, int]
) -> list[_Part]:
    """Ordered genotypes of typed people, terms of dropout, and, at linked sites, the order of founders' alleles."""
    parts: list[_Part] = []
    for at, site in enumerate(sites):
        for person in people:
            seen, pair = site.seen.get(person), known[at].pairs.get(person)
            if pair is not None:
                weights = np.full(2, 0.5) if len(sites) > 1 and pair[0] != pair[1] else np.ones(1)
            elif seen is not None:
                weights = seen.weights if seen.pairs is not None else np.ones(3)
            else:
                continue
            parts.append(_Part(weights, {(person, _PHASE, at): np.arange(len(weights))}))
    return parts


def _gametes(
    pedigree: Pedigree,
    people: Sequence[str],
    children: Mapping[str, int],
    sites: Sequence[Site],
    free: Sequence[Mapping[str, int]],
    recombination: float,
) -> list[_Part]:
    """Of which parental copy each gamete is, where that matters.

    A founder's two haplotypes may be swapped, so its first gamete begins with the first one; a founder with one child
    passes on alleles of two sites as if they were not linked.
    """
    parts: list[_Part] = []
    begun: set[str] = set()
    for person in people:
        for side, parent in enumerate(parents_of(pedigree.by_id[person])):
            founder = pedigree.by_id[parent].founder
            first = founder and parent not in begun
            begun.add(parent)
            if len(sites) > 1 and not (founder and children[parent] == 1):
                r = recombination
                weights, means = (
                    np.array([1 - r, r, r, 1 - r]) / 2,
                    (np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])),
                )
                if first:
                    weights, means = weights[:2] * 2, (means[0][:2], means[1][:2])
                parts.append(_Part(weights, {(person, side, at): mean for at, mean in enumerate(means)}))
                continue
            for at, site in enumerate(sites):
                seen = site.seen.get(parent)
                if free[at].get(parent) == 1 or (seen is not None and seen.pairs is not None):
                    continue
                weights = np.ones(1) if first else np.full(2, 0.5)
                parts.append(_Part(weights, {(person, side, at): np.arange(len(weights))}))
    return parts


def _states(parts: Sequence[_Part], numbers: Integers) -> tuple[Array, dict[Name, Integers]]:
    """Weight and meaning of the ways of these numbers."""
    weight, found = np.ones(len(numbers)), dict[Name, Integers]()
    for part in parts:
        state, numbers = numbers % len(part.weights), numbers // len(part.weights)
        weight = weight * part.weights[state]
        found |= {name: mean[state] for name, mean in part.means.items()}
    return weight, found


def _site_mean(line: _Line, theta: float) -> Array:
    """P(seen at the site | way), by way."""
    functions, passed = _descend(line)
    return passed * _mean(functions, line.known.share, line.known.alleles, theta) if functions else passed


def _descend(line: _Line) -> tuple[list[Array], Array]:
    """From children to parents: of each free founder allele P(what lies below | allele), by way; and constant parts."""
    below: dict[tuple[str, int], Array] = {}
    for person in line.people:
        seen = line.site.seen.get(person)
        if seen is not None and seen.pairs is None:
            for copy, term in enumerate(_one_lost(seen.weights)):
                below[person, copy] = term[line.ways[person, _PHASE, line.at]]
    passed = np.ones(len(line.rows))
    for person in reversed(line.people):
        for side, parent in enumerate(parents_of(line.pedigree.by_id[person])):
            up = _up(line, person, side, below.get((person, side)))
            if up is None:
                continue
            pairs = _pairs(line, parent)
            origin = line.ways.get((person, side, line.at))
            if pairs is not None and origin is not None:
                passed = passed * up[line.rows, pairs[line.rows, origin]]
            elif pairs is not None:
                passed = passed * (up[line.rows, pairs[:, 0]] + up[line.rows, pairs[:, 1]]) / 2
            elif origin is None:
                below[parent, 0] = up
            else:
                for copy in (0, 1):
                    mine = np.where(origin[:, None] == copy, up, 1.0)
                    below[parent, copy] = mine * below.get((parent, copy), 1.0)
    copies = [(person, copy) for person, count in line.free.items() for copy in range(count)]
    return [below[each] for each in copies if each in below], passed


def _up(line: _Line, person: str, side: int, below: Array | None) -> Array | None:
    """P(what lies below a gamete | the parent's allele), by way; None if nothing does."""
    matrix = line.site.maternal if side else line.site.paternal
    pairs = _pairs(line, person)
    if pairs is not None:
        return np.asarray(matrix.T[pairs[:, side]])
    return None if below is None else below @ matrix.T


def _pairs(line: _Line, person: str) -> Integers | None:
    """The ordered genotype of a clearly typed person, by way."""
    seen, pair = line.site.seen.get(person), line.known.pairs.get(person)
    if pair is not None:
        return np.array([pair, pair[::-1]])[line.ways[person, _PHASE, line.at]]
    if seen is None or seen.pairs is None:
        return None
    return np.array(seen.pairs)[line.ways[person, _PHASE, line.at]]


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
