"""Searches: who in the index may be this person's parent, child, sibling or further relative?

A search with exclusions first takes profiles with at most `mismatches` inconsistent loci from the bitmaps, then
computes the exact likelihood ratio of these. Each answer says whether that can have lost anybody: `beyond_log10` is
the most that a profile with more mismatches could reach, over all profiles there could be. Where that is not under
`lr_min`, a `complete` search lets more mismatches through until it is, or computes all profiles.

A lead is not an identification: `ranking` says how many strangers are expected among the leads.
"""

from __future__ import annotations

from math import log10

import numpy as np
from numpy.typing import NDArray

from dna_intake.search import scan
from dna_intake.search.index import SEXES, Index, Snapshot, View
from dna_intake.search.leads import Found, Question, best, exact
from dna_intake.search.pair_tables import Kinship, Query, QueryTables
from dna_intake.search.panel import Panel, Rare
from dna_intake.search.refusals import SearchRefused
from dna_intake.search.relations import CHILD, FULL_SIBLING, PARENT, Relation

MISMATCHES = 2
LR_MIN = 1e4
LEADS_MAX = 1_000
ROUNDING_LOG10 = 1e-3
"""Sums of float32 are off by less (23 terms up to 10: 23 * 10 * 2**-24 * 23 < 4e-4); leads are computed in float64."""
MISMATCHES_MAX = 7
RAISED_MAX = 6
"""With more, so many strangers are let through that computing everybody is as fast."""
RARE_MISMATCH_LOG10 = 0.35
"""A rare allele at the end of the ladder has one neighbour to mutate to, not two: a factor of 2, and a little."""


def parents_of(
    index: Index,
    kinship: Kinship,
    child: Query,
    *,
    mismatches: int | None = MISMATCHES,
    lr_min: float = LR_MIN,
    leads_max: int = LEADS_MAX,
    complete: bool = True,
) -> Found:
    """Who may be a parent of this child? Without `mismatches` (None) everybody is computed exactly.

    With `complete`, `mismatches` is raised as far as it takes to lose nobody with `lr_min`; without, it is kept.

    Raises: SearchRefused.
    """
    return relatives_of(index, kinship, child, PARENT, mismatches, lr_min, leads_max, complete)


def children_of(
    index: Index,
    kinship: Kinship,
    parent: Query,
    *,
    mismatches: int | None = MISMATCHES,
    lr_min: float = LR_MIN,
    leads_max: int = LEADS_MAX,
    complete: bool = True,
) -> Found:
    """Who may be a child of this parent? The sex of the query decides which mutation rates hold.

    Raises: SearchRefused.
    """
    return relatives_of(index, kinship, parent, CHILD, mismatches, lr_min, leads_max, complete)


def siblings_of(
    index: Index,
    kinship: Kinship,
    person: Query,
    *,
    relation: Relation = FULL_SIBLING,
    lr_min: float = LR_MIN,
    leads_max: int = LEADS_MAX,
) -> Found:
    """Who may be a full sibling, or another relative that no locus excludes? Everybody is computed.

    Raises: SearchRefused.
    """
    return relatives_of(index, kinship, person, relation, None, lr_min, leads_max)


def relatives_of(
    index: Index,
    kinship: Kinship,
    query: Query,
    relation: Relation,
    mismatches: int | None = MISMATCHES,
    lr_min: float = LR_MIN,
    leads_max: int = LEADS_MAX,
    complete: bool = True,
) -> Found:
    """Any relation; one without exclusions has no use for `mismatches`.

    Raises: SearchRefused, for another panel, a query without a locus of the panel, or limits out of range.
    """
    check_limits(index.panel, kinship, query, mismatches, lr_min, leads_max)
    snapshot = index.snapshot()
    tables = kinship.tables(query, relation)
    question = _question(kinship, query, relation, tables)
    most = mismatches if relation.exclusive else None
    most, beyond = _enough(snapshot, kinship, query, tables, most, log10(lr_min) if complete else np.inf)
    found, computed = [], 0
    for view in snapshot.views:
        marked = _marked(view, kinship, query, tables, most, log10(lr_min))
        computed += len(marked) if most is not None else view.count
        found.append(exact(view, question, marked, log10(lr_min)))
    leads, over = best(kinship.panel, question, found, leads_max)
    return Found(
        leads=leads,
        mismatches=most,
        over=over,
        examined=snapshot.profiles,
        computed=computed,
        complete=bool(beyond < log10(lr_min)),
        beyond_log10=float(beyond),
        generation=snapshot.generation,
        tables=tables,
    )


def _question(kinship: Kinship, query: Query, relation: Relation, tables: QueryTables) -> Question:
    def explained(locus: int, alleles: tuple[str, str]) -> bool | None:
        seen = query.genotypes.get(kinship.panel.loci[locus])
        return bool(set(seen) & set(alleles)) if seen else None

    def rare_value(rare: Rare, sex: str) -> float:
        return kinship.rare_value(rare, query, relation, sex)

    return Question(relation.name, tables, rare_value, explained)


def query_rows(kinship: Kinship, query: Query) -> NDArray[np.int16]:
    """[locus, 2]: bitmap rows of the query's alleles; loci that can't exclude (not typed, dropout) are left out."""
    rows: list[tuple[int, int]] = []
    for locus, name in enumerate(kinship.panel.loci):
        seen = query.genotypes.get(name)
        if seen and not (query.dropout and seen[0] == seen[-1]):
            rows.append((kinship.panel.bucket(locus, seen[0]), kinship.panel.bucket(locus, seen[-1])))
    return np.array(rows, np.int16).reshape(-1, 2)


def beyond_log10(
    kinship: Kinship, query: Query, tables: QueryTables, mismatches: int, rare: bool = True
) -> float:
    """The highest log10 LR that any profile with more than so many mismatches could have with this query.

    The best value at every locus, and at `mismatches` + 1 loci the best one among genotypes that the filter counts as
    mismatches, at those loci where that costs least.
    """
    best = tables.upper.max(axis=1).astype(np.float64)
    costs = []
    for locus, name in enumerate(kinship.panel.loci):
        seen = query.genotypes.get(name)
        if not seen or (query.dropout and seen[0] == seen[-1]):
            continue
        own = [kinship.panel.bucket(locus, allele) for allele in seen]
        buckets = kinship.panel.buckets[locus]
        counted = (buckets[:, 0] >= 0) & ~np.isin(buckets, own).any(axis=1)
        worst = tables.upper[locus][counted].max(initial=-np.inf)
        costs.append(best[locus] - worst - (RARE_MISMATCH_LOG10 if rare else 0.0))
    if len(costs) <= mismatches:
        return -np.inf
    return float(best.sum() - sum(sorted(costs)[: mismatches + 1])) + ROUNDING_LOG10


def _enough(
    snapshot: Snapshot,
    kinship: Kinship,
    query: Query,
    tables: QueryTables,
    mismatches: int | None,
    least: float,
) -> tuple[int | None, float]:
    """The fewest mismatches, from `mismatches` up, beyond which nobody can reach `least`; None for a full scan."""
    if mismatches is None:
        return None, -np.inf
    rare = any(view.segment.rare for view in snapshot.views)
    for most in range(mismatches, max(mismatches, RAISED_MAX) + 1):
        beyond = beyond_log10(kinship, query, tables, most, rare=rare)
        if beyond < least:
            return most, beyond
    return None, -np.inf


def check_limits(
    panel: Panel, kinship: Kinship, query: Query, mismatches: int | None, lr_min: float, leads_max: int
) -> None:
    """Refuse what can't be asked.

    Raises: SearchRefused, with the mend.
    """
    if panel.sha256 != kinship.panel.sha256:
        raise SearchRefused("Index and tables have different panels; build the index with this panel.")
    if not set(query.genotypes) & set(kinship.panel.loci):
        raise SearchRefused(
            f"The query has no locus of the panel; it needs some of {', '.join(kinship.panel.loci)}."
        )
    if mismatches is not None and not 0 <= mismatches <= MISMATCHES_MAX:
        raise SearchRefused(
            f"mismatches is {mismatches}; give 0 to {MISMATCHES_MAX}, or none for a full scan."
        )
    if not lr_min > 0 or leads_max < 1:
        raise SearchRefused(f"lr_min is {lr_min:g} and leads_max {leads_max}; both must be above 0.")
    if query.sex not in SEXES or not 0 <= query.dropout < 1:
        raise SearchRefused(f"Sex {query.sex!r} or dropout {query.dropout} of the query is out of range.")


def _marked(
    view: View, kinship: Kinship, query: Query, tables: QueryTables, most: int | None, least: float
) -> NDArray[np.int64]:
    """Places that the fast scan lets through."""
    if most is None:
        return likely(view, tables, least)
    segment, rows = view.segment, query_rows(kinship, query)

    def work(first: int, after: int, marks: NDArray[np.uint64]) -> None:
        scan.few_mismatches(segment.bitmaps, rows, most, first, after, segment.alive, marks)

    places = scan.places(-(-view.count // scan.PROFILES_A_BLOCK), work)
    return places[places < view.count]


def likely(view: View, tables: QueryTables, least: float) -> NDArray[np.int64]:
    """Places whose sum over the tables may reach `least`, rare loci at their bound."""
    segment = view.segment
    rest = np.cumsum(tables.upper.max(axis=1)[::-1].astype(np.float64))[::-1]
    later = np.append(rest[1:], 0.0).astype(np.float32)
    enough = least - ROUNDING_LOG10

    def work(first: int, after: int, marks: NDArray[np.uint64]) -> None:
        scan.mark_likely(segment.codes, tables.upper, later, enough, first, after, segment.alive, marks)

    places = scan.places(-(-view.count // scan.PROFILES_A_BLOCK), work)
    return places[places < view.count]
