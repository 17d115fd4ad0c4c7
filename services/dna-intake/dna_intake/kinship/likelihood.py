"""P(genotypes | family) at one locus, or jointly at two linked ones, as a log10."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import exp, inf, log, log10

import numpy as np

from dna_intake.kinship.contraction import Factor, log10_sum
from dna_intake.kinship.descent import WORK_MAX, Known, mean_over_founders
from dna_intake.kinship.founders import FREE_MAX, groupings, log_known
from dna_intake.kinship.network import Network, network_of
from dna_intake.kinship.pedigree import Pedigree
from dna_intake.kinship.refusals import ComparisonTooLarge
from dna_intake.kinship.sites import Site

TERMS_MAX = 50_000
"""Sums over groupings and unclear genotypes of founders; half a millisecond and more each."""
_Choice = tuple[tuple[int, int], ...]


def log10_likelihood(
    pedigree: Pedigree,
    sites: Sequence[Site],
    theta: float,
    recombination: float = 0.5,
    *,
    work_max: int = WORK_MAX,
) -> float:
    """log10 of the probability of what was seen at one site, or at two that recombine; -inf if it can't be.

    `work_max` bounds what is summed by lines of descent; with 0 everything goes over groupings.
    Raises: ComparisonTooLarge naming the pedigree.
    """
    network = network_of(pedigree, sites, recombination)
    if theta == 0:
        return log10_sum([*network.factors, *_independent(network, sites)], name=pedigree.name)
    chosen = [_choices(network, at) for at in range(len(sites))]
    terms: list[float] = []
    for choice in product(*(product(*each) for each in chosen)):
        terms += _terms(pedigree, network, sites, choice, theta, recombination, work_max)
        if len(terms) > TERMS_MAX:
            raise ComparisonTooLarge(
                f"Hypothesis {pedigree.name!r} has more than {TERMS_MAX:,} terms; set theta or silent to 0, or type"
                " more of its founders."
            )
    return _log10_of_sum(terms)


def _independent(network: Network, sites: Sequence[Site]) -> list[Factor]:
    """Frequencies of founders' alleles where nobody's tells of another's."""
    factors: list[Factor] = []
    for at, site in enumerate(sites):
        for _, variable, pairs in network.typed_founders[at]:
            p = site.frequencies
            factors.append(Factor((variable,), np.array([p[a] * p[b] for a, b in pairs])))
        factors += [Factor((free,), site.frequencies) for founder in network.free[at] for free in founder]
    return factors


def _choices(network: Network, at: int) -> list[list[tuple[int, int]]]:
    """Of each typed founder the possible genotypes, without order: alleles count alike in either order."""
    return [sorted({(min(p), max(p)) for p in pairs}) for _, _, pairs in network.typed_founders[at]]


def _terms(
    pedigree: Pedigree,
    network: Network,
    sites: Sequence[Site],
    choice: tuple[_Choice, ...],
    theta: float,
    recombination: float,
    work_max: int,
) -> list[float]:
    """log10 of the parts for one choice of the typed founders' genotypes, over all groupings of untyped alleles."""
    quick = _by_descent(pedigree, network, sites, choice, theta, recombination, work_max)
    if quick is not None:
        return [quick]
    factors, log_p = list(network.factors), 0.0
    pools, shares = [], []
    for at, site in enumerate(sites):
        known = [allele for pair in choice[at] for allele in pair]
        log_part, share, n = log_known(known, site.frequencies, theta)
        log_p += log_part
        for (_, variable, pairs), pair in zip(network.typed_founders[at], choice[at], strict=True):
            possible = [float((min(p), max(p)) == pair) for p in pairs]
            factors.append(Factor((variable,), np.array(possible)))
        shares.append(share)
        sizes = tuple(len(founder) for founder in network.free[at])
        pools.append(groupings(sizes, n, theta, name=pedigree.name, swaps=at == 0))
    if log_p == -inf:
        return []
    if np.prod([len(pool) for pool in pools]) > TERMS_MAX:
        raise ComparisonTooLarge(
            f"Hypothesis {pedigree.name!r} has too many untyped founders for linked loci with theta above 0; set theta"
            f" to 0, or leave out the linked pair ({FREE_MAX} alleles at one locus are the most)."
        )
    found: list[float] = []
    for combination in product(*pools):
        names: dict[int, int] = {}
        drawn: list[Factor] = []
        probability = 1.0
        for at, (groups, weight) in enumerate(combination):
            free = [variable for founder in network.free[at] for variable in founder]
            first = {group: free[groups.index(group)] for group in set(groups)}
            names |= {variable: first[group] for variable, group in zip(free, groups, strict=True)}
            drawn += [Factor((variable,), shares[at]) for variable in first.values()]
            probability *= weight
        value = log10_sum([*(_renamed(f, names) for f in factors), *drawn], name=pedigree.name)
        found.append(value + log_p / log(10) + log10(probability))
    return found


def _by_descent(
    pedigree: Pedigree,
    network: Network,
    sites: Sequence[Site],
    choice: tuple[_Choice, ...],
    theta: float,
    recombination: float,
    work_max: int,
) -> float | None:
    """log10 of the part for one choice of the typed founders' genotypes, all at once; None if that is too much."""
    known: list[Known] = []
    log_p = 0.0
    for at, site in enumerate(sites):
        pairs: dict[str, tuple[int, int]] = {}
        for founder, pair in zip(network.typed_founders[at], choice[at], strict=True):
            pairs[founder.person] = pair
            weights = zip(founder.pairs, site.seen[founder.person].weights, strict=True)
            log_p += log(sum(float(weight) for each, weight in weights if (min(each), max(each)) == pair))
        log_part, share, n = log_known([a for pair in choice[at] for a in pair], site.frequencies, theta)
        known.append(Known(pairs, n, share))
        log_p += log_part
    if log_p == -inf:
        return None
    mean = mean_over_founders(pedigree, sites, known, theta, recombination, work_max)
    return None if mean is None else log10(mean) + log_p / log(10)


def _renamed(factor: Factor, names: dict[int, int]) -> Factor:
    scope = tuple(names.get(variable, variable) for variable in factor.scope)
    if len(scope) == 2 and scope[0] == scope[1]:
        return Factor(scope[:1], np.diagonal(factor.table))
    return Factor(scope, factor.table)


def _log10_of_sum(terms: list[float]) -> float:
    largest = max(terms, default=-inf)
    if largest == -inf:
        return -inf
    return largest + log10(sum(exp((term - largest) * log(10)) for term in terms))
