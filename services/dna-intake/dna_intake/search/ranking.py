"""What a lead is worth: its posterior, and how many strangers would look like that.

A likelihood ratio of 10,000 between two named people is strong; among ten million profiles hundreds of strangers can
reach it. So every lead is told with the number of strangers that are expected at its ratio or higher, and with a
posterior that starts from 1 in N for everybody.
Sources: Slooten & Meester, arXiv 1201.4261 (posteriors of a search, at most one relative in the database); ISFG's
recommendations on paternity testing (Gjertson et al., 2007) for stating hypotheses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dna_intake.search.couples import squares_of
from dna_intake.search.leads import Found, Lead
from dna_intake.search.pair_tables import Kinship, Query, QueryTables
from dna_intake.search.panel import RARE, pairs
from dna_intake.search.refusals import SearchRefused

STEP_LOG10 = 0.005
"""Grid of the distribution of strangers' ratios; 23 roundings shift a sum by about 0.007."""
CAUTION_EN = "A lead is not an identification: confirm it by second-tier markers and a kinship report."
CAUTION_ZH = "线索不等于认定:须经二级检测(Y-STR、线粒体DNA、增加位点或另一亲本)和亲缘鉴定确认。"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ranked:
    """A lead with its posterior (0 to 1), and the strangers expected with at least its ratio in such an index."""

    lead: Lead
    posterior: float
    strangers_expected: float


@dataclass(frozen=True)
class Strangers:
    """How the ratios of people unrelated to a query are distributed: P(log10 LR >= start + i * STEP_LOG10)."""

    start: float
    tail: Floats = field(repr=False)

    def chance(self, log10_lr: float) -> float:
        """P(a stranger has at least this ratio); for ratios under `start`, that of `start`."""
        at = max(0, int(np.ceil((log10_lr - self.start) / STEP_LOG10 - 0.5)))
        return float(self.tail[at]) if at < len(self.tail) else 0.0


def ranked(found: Found, kinship: Kinship, query: Query, population: int) -> list[Ranked]:
    """The leads of a search with posterior and expected strangers; `population` is N of the prior 1/N.

    N is how many could be the relative, in the index or not; at least the profiles that were examined.
    Raises: SearchRefused, if N is smaller than that.
    """
    if population < found.examined:
        raise SearchRefused(
            f"The prior is 1 in {population}, but {found.examined} profiles were examined; give at least as many."
        )
    chances = posteriors([lead.log10_lr for lead in found.leads], population, found.overflow)
    if not found.leads:
        return []
    if found.tables is None:
        strangers = strangers_of_couples(kinship, query)
    else:
        strangers = strangers_of(kinship, query, found.tables)
    expected = [found.examined * strangers.chance(lead.log10_lr) for lead in found.leads]
    return [Ranked(*each) for each in zip(found.leads, chances, expected, strict=True)]


def posteriors(log10_lrs: Sequence[float], population: int, overflow: int = 0) -> list[float]:
    """Posteriors that start from 1/N for everybody, when at most one of them is the relative.

    Who is no lead, in the index or outside, counts with a ratio of 1: the mean of strangers', and more than most have.
    Each of `overflow` leads that did not fit counts like the lowest one told: as much as it can be, so that a posterior
    is rather too low.
    """
    if not log10_lrs:
        return []
    values = np.asarray(log10_lrs)
    top = max(float(values.max()), 0.0)
    # Scaled by the highest ratio, so that 10^300 is no overflow.
    ratios = 10.0 ** (values - top)
    others = population - len(values) - overflow
    whole = ratios.sum() + overflow * ratios.min() + others * 10.0**-top
    return [float(each) for each in ratios / whole]


def strangers_of(kinship: Kinship, query: Query, tables: QueryTables, *, least: float = 0.0) -> Strangers:
    """The distribution of a query's ratios among strangers of the same population, from `least` upwards.

    Exact but for the grid: the convolution over loci of each genotype's chance (theta given the query's alleles) at its
    table value. Loci count as typed in everybody; alleles without a code count at the query's best value.
    """
    parts = []
    for locus, name in enumerate(kinship.panel.loci):
        if name in query.genotypes:
            chances = _genotype_chances(kinship, locus, query.genotypes[name])
            values = tables.exact[1, locus, : len(chances)]
            rest = max(0.0, 1.0 - float(chances.sum()))
            best = float(tables.exact[1, locus, RARE])
            parts.append((np.append(values, best), np.append(chances, rest)))
    return _convolved(parts, least)


def strangers_of_couples(kinship: Kinship, child: Query, *, least: float = 0.0) -> Strangers:
    """The same for couples of strangers and a child; both typed at all loci of the child."""
    parts = []
    for locus, square in squares_of(kinship, child).items():
        name = kinship.panel.loci[locus]
        chances = _genotype_chances(kinship, locus, child.genotypes[name])
        values = square[: len(chances), : len(chances)].ravel()
        weights = np.outer(chances, chances).ravel()
        bins, joined = _joined(np.rint(values / STEP_LOG10), weights)
        rest = max(0.0, 1.0 - float(chances.sum()) ** 2)
        parts.append((np.append(bins * STEP_LOG10, square.max()), np.append(joined, rest)))
    return _convolved(parts, least)


def _genotype_chances(kinship: Kinship, locus: int, seen: Sequence[str]) -> Floats:
    """P(a stranger's coded genotype), given that the query's alleles are of the same subpopulation."""
    table = kinship.frequencies[kinship.panel.loci[locus]]
    coded, theta = kinship.panel.alleles[locus], kinship.assumed.theta
    p = np.array([table[allele] for allele in coded])
    drawn = np.array([2.0 if {allele} == set(seen) else float(allele in seen) for allele in coded])
    first = (theta * drawn + (1 - theta) * p) / (1 + theta)
    again = (theta * (drawn + 1) + (1 - theta) * p) / (1 + 2 * theta)
    other = (theta * drawn + (1 - theta) * p) / (1 + 2 * theta)
    return np.array([first[i] * (again[i] if i == j else 2 * other[j]) for i, j in pairs(len(coded))])


def _convolved(parts: Sequence[tuple[Floats, Floats]], least: float) -> Strangers:
    steps = [(np.rint(values[weights > 0] / STEP_LOG10), weights[weights > 0]) for values, weights in parts]
    highest = [float(bins.max()) for bins, _ in steps]
    low, mass = 0.0, np.ones(1)
    floor = np.rint(least / STEP_LOG10)
    for at, (bins, weights) in enumerate(steps):
        # Sums that the later loci can't lift to `least` are left out: they would be most of the grid.
        bottom = max(floor - sum(highest[at + 1 :]), low + float(bins[np.isfinite(bins)].min()))
        size = int(low + len(mass) - 1 + highest[at] - bottom) + 1
        grown = np.zeros(max(size, 1))
        for each, weight in zip(*_joined(bins, weights), strict=True):
            start = int(low + each - bottom)
            taken = mass[max(0, -start) :]
            start = max(0, start)
            grown[start : start + len(taken)] += weight * taken[: len(grown) - start]
        low, mass = bottom, grown
    tail = np.cumsum(mass[::-1])[::-1]
    return Strangers(low * STEP_LOG10, tail)


def _joined(bins: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Each bin once; impossible values left out."""
    kept = np.isfinite(bins)
    unique, inverse = np.unique(bins[kept], return_inverse=True)
    return unique, np.bincount(inverse, weights[kept]).astype(np.float64)


def strangers_within(kinship: Kinship, query: Query, profiles: int, mismatches: int) -> float:
    """How many of so many strangers share an allele with the query at all but `mismatches` of its loci."""
    chances = []
    for name in kinship.panel.loci:
        if name in query.genotypes:
            seen = set(query.genotypes[name])
            table = kinship.frequencies[name]
            theta = kinship.assumed.theta
            p = sum(table.get(allele, 0.0) for allele in seen)
            # Two alleles drawn from the urn, neither of which is one of the query's.
            none, again = (
                (1 - theta) * (1 - p) / (1 + theta),
                (theta + (1 - theta) * (1 - p)) / (1 + 2 * theta),
            )
            chances.append(none * again)
    return profiles * poisson_binomial(chances, mismatches)


def strangers_of_panel(
    frequencies: Mapping[str, Mapping[str, float]], loci: Sequence[str], profiles: int, mismatches: int
) -> float:
    """The same for a random query, without theta: a property of panel and table (reference: 153 at 20 loci)."""
    return profiles * poisson_binomial([_mismatch(frequencies[name]) for name in loci], mismatches)


def _mismatch(table: Mapping[str, float]) -> float:
    """P(two strangers have no allele in common)."""
    p = np.array(list(table.values()))
    p = p / p.sum()
    return float(
        sum((p[i] * p[j] * (1 if i == j else 2)) * (1 - sum(p[list({i, j})])) ** 2 for i, j in pairs(len(p)))
    )


def poisson_binomial(chances: Sequence[float], most: int) -> float:
    """P(at most so many of independent events happen)."""
    mass = np.ones(1)
    for chance in chances:
        mass = np.convolve(mass, [1.0 - chance, chance])
    return float(mass[: most + 1].sum())
