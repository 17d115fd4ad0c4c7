"""The compiled sums for a child and two typed parents: both are the parents, or all three are strangers.

Truths are the ordered true genotypes behind an observed one, with P(observed | true): several where silent alleles or
dropout hide something. They lie in rows [first, after, weight], those of genotype g from `starts[g]`. Founders' alleles
come from the subpopulation's urn (theta), frequencies are raised to the minimum for what the three carry.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dna_intake.search.native import native

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
U64 = NDArray[np.uint64]


@native
def _raised(base: F64, least: float, silent: float, carried: I64, out: F64) -> None:
    """Frequencies with at least `least` for the carried alleles, the rest scaled, silent ones aside."""
    visible = base.shape[0]
    rare_count = 0
    rest = 0.0
    for a in range(visible):
        rare = False
        if base[a] < least * (1 - 1e-6):
            for i in range(carried.shape[0]):
                rare = rare or carried[i] == a
        out[a] = -1.0 if rare else base[a]
        rare_count += rare
        rest += 0.0 if rare else base[a]
    scale = (1.0 - least * rare_count) / rest if rare_count else 1.0
    for a in range(visible):
        out[a] = (least if out[a] < 0 else out[a] * scale) * (1.0 - silent)
    if silent > 0:
        out[visible] = silent


@native
def _urn(p: float, allele: int, drawn: I64, count: int, theta: float) -> float:
    """Chance that the next founder allele is this one, after `count` that are drawn."""
    if count == 0:
        return p
    same = 0
    for i in range(count):
        same += drawn[i] == allele
    return (same * theta + (1.0 - theta) * p) / (1.0 + (count - 1) * theta)


@native
def trio_values(
    base: F64,
    least: float,
    silent: float,
    theta: float,
    paternal: F64,
    maternal: F64,
    seen: I64,
    truths: I64,
    weights: F64,
    starts: I64,
    fathers: I64,
    mothers: I64,
    children: I64,
    out: F64,
) -> None:
    """log10 LR of `out[father, mother, child]`; the lists name genotypes, `seen` is their two observed alleles."""
    p = np.empty(base.shape[0] + 1)
    carried = np.empty(6, np.int64)
    drawn = np.empty(6, np.int64)
    for i in range(fathers.shape[0]):
        for j in range(mothers.shape[0]):
            for k in range(children.shape[0]):
                f, m, c = fathers[i], mothers[j], children[k]
                carried[0:2] = seen[f]
                carried[2:4] = seen[m]
                carried[4:6] = seen[c]
                _raised(base, least, silent, carried, p)
                related = 0.0
                strangers = 0.0
                for tf in range(starts[f], starts[f + 1]):
                    for tm in range(starts[m], starts[m + 1]):
                        parents = weights[tf] * weights[tm]
                        drawn[0:2] = truths[tf]
                        drawn[2:4] = truths[tm]
                        for n in range(4):
                            parents *= _urn(p[drawn[n]], drawn[n], drawn, n, theta)
                        for tc in range(starts[c], starts[c + 1]):
                            x, y = truths[tc, 0], truths[tc, 1]
                            passed = (paternal[drawn[0], x] + paternal[drawn[1], x]) * 0.5
                            passed *= (maternal[drawn[2], y] + maternal[drawn[3], y]) * 0.5
                            related += parents * weights[tc] * passed
                            chance = _urn(p[x], x, drawn, 4, theta)
                            drawn[4] = x
                            chance *= _urn(p[y], y, drawn, 5, theta)
                            strangers += parents * weights[tc] * chance
                out[i, j, k] = np.log10(related) - np.log10(strangers) if related > 0 else -np.inf


@native
def mark_couples(
    fathers: U8,
    mothers: U8,
    table: F64,
    columns: I64,
    bases: I64,
    sizes: I64,
    rest: F64,
    least: float,
    first: int,
    after: int,
    alive: U64,
    marks: U64,
) -> None:
    """Mark living couples whose sum reaches `least`; [first, after) are words of 64 couples.

    `columns` are the loci to add, the most telling first. Of the i-th the table is a square of `sizes[i]` at
    `bases[i]`; rare and missing are its last two rows and columns; `rest[i]` is the most that later ones can add.
    """
    loci = columns.shape[0]
    for word in range(first, after):
        mark = np.uint64(0)
        for bit in range(min(64, fathers.shape[0] - word * 64)):
            place = word * 64 + bit
            total = 0.0
            for locus in range(loci):
                size = sizes[locus]
                f = np.int64(fathers[place, columns[locus]])
                m = np.int64(mothers[place, columns[locus]])
                f = f - 256 + size if f >= 254 else f
                m = m - 256 + size if m >= 254 else m
                total += table[bases[locus] + f * size + m]
                if total + rest[locus] < least:
                    break
            if total >= least:
                mark |= np.uint64(1) << np.uint64(bit)
        marks[word] = mark & alive[word]
