"""Searches: who in the index may be this person's parent, child, sibling or further relative?

A search with exclusions first takes profiles with at most `mismatches` inconsistent loci from the bitmaps, then
computes the exact likelihood ratio of these. Each answer says whether that can have lost anybody: `beyond_log10` is
the most that a profile with more mismatches could reach, over all profiles there could be. Where that is not under
`lr_min`, a `complete` search lets more mismatches through until it is, or computes all profiles.

A lead is not an identification: `ranking` says how many strangers are expected among the leads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log10

import numpy as np
from numpy.typing import NDArray

from dna_intake.search import scan
from dna_intake.search.index import SEXES, Index, Snapshot, View
from dna_intake.search.pair_tables import Kinship, Query, QueryTables
from dna_intake.search.panel import MISSING, RARE, Rare
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


@dataclass(frozen=True)
class Lead:
    """A profile that may be the relative. `inconsistent`: loci without a common allele; `compared`: typed in both."""

    row_id: int
    relation: str
    log10_lr: float
    inconsistent: tuple[str, ...]
    compared: int


@dataclass(frozen=True)
class Found:
    """Leads from the highest ratio down; `over` is how many reached `lr_min`, leads left out included.

    `mismatches`: what was let through; None if everybody was computed. `examined`: profiles looked at; `computed`:
    of these exactly. `complete`: nobody with `lr_min` can have been lost.
    """

    leads: tuple[Lead, ...]
    mismatches: int | None
    over: int
    examined: int
    computed: int
    complete: bool
    beyond_log10: float
    generation: int
    tables: QueryTables = field(repr=False, compare=False)

    @property
    def overflow(self) -> int:
        """Leads that did not fit into the answer; 0 if it is all."""
        return self.over - len(self.leads)


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
    _check(index, kinship, query, mismatches, lr_min, leads_max)
    snapshot = index.snapshot()
    tables = kinship.tables(query, relation)
    most = mismatches if relation.exclusive else None
    most, beyond = _enough(snapshot, kinship, query, tables, most, log10(lr_min) if complete else np.inf)
    found, computed = [], 0
    for view in snapshot.views:
        marked = _marked(view, kinship, query, tables, most, log10(lr_min))
        computed += len(marked) if most is not None else view.count
        found.append(_exact(view, kinship, query, relation, tables, marked, log10(lr_min)))
    leads, over = _best(snapshot, kinship, query, relation, found, leads_max)
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


def _check(
    index: Index, kinship: Kinship, query: Query, mismatches: int | None, lr_min: float, leads_max: int
) -> None:
    if index.panel.sha256 != kinship.panel.sha256:
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
    segment = view.segment
    blocks = -(-view.count // scan.PROFILES_A_BLOCK)
    if most is None:
        rest = np.cumsum(tables.upper.max(axis=1)[::-1].astype(np.float64))[::-1]
        rest32 = np.append(rest[1:], 0.0).astype(np.float32)

        def work(first: int, after: int, marks: NDArray[np.uint64]) -> None:
            scan.mark_likely(
                segment.codes, tables.upper, rest32, least - ROUNDING_LOG10, first, after,
                segment.alive, marks,
            )  # fmt: skip
    else:
        rows = query_rows(kinship, query)

        def work(first: int, after: int, marks: NDArray[np.uint64]) -> None:
            scan.few_mismatches(segment.bitmaps, rows, most, first, after, segment.alive, marks)

    places = scan.places(blocks, work)
    return places[places < view.count]


def _exact(
    view: View,
    kinship: Kinship,
    query: Query,
    relation: Relation,
    tables: QueryTables,
    places: NDArray[np.int64],
    least: float,
) -> tuple[View, NDArray[np.int64], NDArray[np.float64]]:
    """Exact values of these places, those under `least` left out."""
    segment = view.segment
    values = np.empty(len(places))
    scan.totals(segment.codes, places, tables.exact, segment.sexes, values)
    if segment.rare:
        # Rare loci count 0 in `exact` only after this: take the table's bound out, put the exact value in.
        upper = tables.exact[:, :, RARE]
        for at in np.flatnonzero((segment.codes[places] == RARE).any(axis=1)):
            place = int(places[at])
            sex = int(segment.sexes[place])
            for each in segment.rare.get(place, ()):
                exact = kinship.rare_value(each, query, relation, SEXES[sex])
                values[at] += exact - upper[sex, each.locus]
    kept = values >= least
    return view, places[kept], values[kept]


def _best(
    snapshot: Snapshot,
    kinship: Kinship,
    query: Query,
    relation: Relation,
    found: Sequence[tuple[View, NDArray[np.int64], NDArray[np.float64]]],
    leads_max: int,
) -> tuple[tuple[Lead, ...], int]:
    """The highest so many of all segments as leads, and how many there are."""
    values = np.concatenate([part for _, _, part in found]) if found else np.empty(0)
    places = np.concatenate([part for _, part, _ in found]) if found else np.empty(0, np.int64)
    owner = np.repeat(np.arange(len(found)), [len(part) for _, part, _ in found])
    leads = []
    for at in np.argsort(-values, kind="stable")[:leads_max]:
        segment = found[owner[at]][0].segment
        place = int(places[at])
        inconsistent, compared = _compared(kinship, query, segment.codes[place], segment.rare.get(place, ()))
        row_id = int(segment.row_ids[place])
        leads.append(Lead(row_id, relation.name, float(values[at]), inconsistent, compared))
    return tuple(leads), len(values)


def _compared(
    kinship: Kinship, query: Query, codes: NDArray[np.uint8], rare: Sequence[Rare]
) -> tuple[tuple[str, ...], int]:
    """Loci without a common allele, and how many are typed in both."""
    raw = {each.locus: each.alleles for each in rare}
    inconsistent: list[str] = []
    compared = 0
    for locus, name in enumerate(kinship.panel.loci):
        seen = query.genotypes.get(name)
        code = int(codes[locus])
        if not seen or code == MISSING:
            continue
        alleles = raw.get(locus) if code == RARE else kinship.panel.alleles_of(locus, code)
        if alleles is not None:
            compared += 1
            if not set(seen) & set(alleles):
                inconsistent.append(name)
    return tuple(inconsistent), compared
