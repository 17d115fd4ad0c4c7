"""All children against all parents, in batches that can be resumed: the nightly search.

Children go in order of their row ids, a few hundred at a time against every parent. The cursor is the last row id that
is done; it holds across restarts and rebuilds, as ids do not change. The filter is fixed here at `mismatches`; a
child's own search is complete, this one catches what came in between.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import log10

import numpy as np
from numpy.typing import NDArray

from dna_intake.search import scan
from dna_intake.search.all_pairs_loops import likely_pairs, pair_totals
from dna_intake.search.index import SEXES, Index, View
from dna_intake.search.pair_tables import Kinship, Query
from dna_intake.search.panel import MISSING, RARE, Panel, Rare
from dna_intake.search.refusals import SearchRefused
from dna_intake.search.relations import PARENT, Relation
from dna_intake.search.row_bank import RowBank
from dna_intake.search.search import LR_MIN, MISMATCHES, ROUNDING_LOG10

CHILDREN_A_BATCH = 256
MISMATCHES_MAX = 3
"""Counters of two bits: what a nightly search lets through must stay rare."""
PAIRS_ROOM = 1 << 14


@dataclass(frozen=True)
class PairLead:
    """A parent who may be a child's; both by row id."""

    child: int
    parent: int
    log10_lr: float


@dataclass(frozen=True)
class Batch:
    """What one batch of children found. `cursor` resumes after it; `done` and `children` are for progress."""

    cursor: int
    leads: tuple[PairLead, ...]
    done: int
    children: int
    pairs: int
    generations: tuple[int, int] = field(default=(0, 0))

    @property
    def progress(self) -> float:
        """Share of the children that is done, 0 to 1."""
        return self.done / self.children if self.children else 1.0


def all_against_all(
    children: Index,
    parents: Index,
    kinship: Kinship,
    *,
    relation: Relation = PARENT,
    mismatches: int = MISMATCHES,
    lr_min: float = LR_MIN,
    cursor: int = -1,
    batch: int = CHILDREN_A_BATCH,
) -> Iterator[Batch]:
    """Compare every child whose row id is above `cursor` with every parent; yields after each batch.

    What is appended meanwhile is not seen: both sides are as they were at the first batch.
    Raises: SearchRefused.
    """
    _check(children, parents, kinship, mismatches, lr_min)
    theirs, ours = parents.snapshot(), children.snapshot()
    order = _in_order(ours.views)
    bank = RowBank(kinship, relation)
    done = int(np.searchsorted([row_id for row_id, _, _ in order], cursor, side="right"))
    for start in range(done, len(order), batch):
        some = order[start : start + batch]
        codes, rare, row_ids = _taken(ours.views, some)
        numbers = bank.rows(codes, rare)
        leads: list[PairLead] = []
        for view in theirs.views:
            leads += _compared(kinship, bank, view, codes, rare, numbers, row_ids, mismatches, log10(lr_min))
        leads.sort(key=lambda lead: (lead.child, -lead.log10_lr))
        yield Batch(
            cursor=row_ids[-1],
            leads=tuple(leads),
            done=start + len(some),
            children=len(order),
            pairs=len(some) * theirs.profiles,
            generations=(ours.generation, theirs.generation),
        )


def _check(children: Index, parents: Index, kinship: Kinship, mismatches: int, lr_min: float) -> None:
    for index in (children, parents):
        if index.panel.sha256 != kinship.panel.sha256:
            raise SearchRefused(
                f"The index of {index.role} has another panel than the tables; build it again."
            )
    if not 0 <= mismatches <= MISMATCHES_MAX:
        raise SearchRefused(f"mismatches is {mismatches}; all against all takes 0 to {MISMATCHES_MAX}.")
    if not lr_min > 0:
        raise SearchRefused(f"lr_min is {lr_min:g}; it must be above 0.")


def _in_order(views: tuple[View, ...]) -> list[tuple[int, int, int]]:
    """(row id, view, place) of all who live, by row id."""
    found: list[tuple[int, int, int]] = []
    for number, view in enumerate(views):
        places = np.flatnonzero(view.segment.living()[: view.count])
        ids = view.segment.row_ids[places]
        found += [(int(row), number, int(place)) for row, place in zip(ids, places, strict=True)]
    return sorted(found)


def _taken(
    views: tuple[View, ...], some: list[tuple[int, int, int]]
) -> tuple[NDArray[np.uint8], list[list[Rare]], list[int]]:
    codes = np.array([views[number].segment.codes[place] for _, number, place in some])
    rare = [views[number].segment.rare.get(place, []) for _, number, place in some]
    return codes, rare, [row_id for row_id, _, _ in some]


def query_buckets(
    panel: Panel, codes: NDArray[np.uint8], rare: list[list[Rare]]
) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
    """[query, locus, 2] bitmap rows of loci that can exclude, and how many these are."""
    found = panel.buckets[np.arange(len(panel.loci)), codes]
    for query, loci in enumerate(rare):
        for each in loci:
            if not each.dropout:
                found[query, each.locus] = [panel.bucket(each.locus, allele) for allele in each.alleles]
    counts = found[:, :, 0] >= 0
    # Loci that count come first.
    order = np.argsort(~counts, axis=1, kind="stable")
    return np.ascontiguousarray(np.take_along_axis(found, order[:, :, None], axis=1)), counts.sum(axis=1)


def _compared(
    kinship: Kinship,
    bank: RowBank,
    view: View,
    codes: NDArray[np.uint8],
    rare: list[list[Rare]],
    numbers: NDArray[np.int64],
    row_ids: list[int],
    mismatches: int,
    least: float,
) -> list[PairLead]:
    segment = view.segment
    buckets, loci = query_buckets(kinship.panel, codes, rare)

    def work(first: int, after: int) -> NDArray[np.int64]:
        room = PAIRS_ROOM
        while True:
            out = np.empty((room, 2), np.int64)
            count = likely_pairs(
                segment.bitmaps, segment.codes, segment.alive, buckets, loci, mismatches, numbers, bank.upper,
                least - ROUNDING_LOG10, first, after, out,
            )  # fmt: skip
            if count <= room:
                return out[:count]
            room = count

    pieces = scan.spread(-(-view.count // scan.PROFILES_A_BLOCK), work)
    pairs = np.concatenate(pieces) if pieces else np.empty((0, 2), np.int64)
    pairs = pairs[pairs[:, 1] < view.count]
    values = np.empty(len(pairs))
    pair_totals(segment.codes, segment.sexes, pairs, numbers, bank.exact, values)
    _mend_rare(kinship, bank, view, codes, rare, numbers, pairs, values)
    kept = np.flatnonzero(values >= least)
    return [
        PairLead(row_ids[int(pairs[at, 0])], int(segment.row_ids[pairs[at, 1]]), float(values[at]))
        for at in kept
    ]


def _mend_rare(
    kinship: Kinship,
    bank: RowBank,
    view: View,
    codes: NDArray[np.uint8],
    rare: list[list[Rare]],
    numbers: NDArray[np.int64],
    pairs: NDArray[np.int64],
    values: NDArray[np.float64],
) -> None:
    """Put exact values of parents' rare loci in the place of the bounds that the rows have there."""
    segment = view.segment
    if not segment.rare:
        return
    for at in np.flatnonzero((segment.codes[pairs[:, 1]] == RARE).any(axis=1)):
        query, place = int(pairs[at, 0]), int(pairs[at, 1])
        sex = int(segment.sexes[place])
        for each in segment.rare.get(place, ()):
            mine = _alleles(kinship.panel, codes[query], rare[query], each.locus)
            if mine is not None:
                asked = Query({kinship.panel.loci[each.locus]: mine[0]}, bank.query_sex, mine[1])
                exact = kinship.rare_value(each, asked, bank.relation, SEXES[sex])
                values[at] += exact - bank.exact[sex, numbers[query, each.locus], RARE]


def _alleles(
    panel: Panel, codes: NDArray[np.uint8], rare: list[Rare], locus: int
) -> tuple[tuple[str, str], float] | None:
    code = int(codes[locus])
    if code == MISSING:
        return None
    if code == RARE:
        return next(((each.alleles, each.dropout) for each in rare if each.locus == locus), None)
    return panel.alleles_of(locus, code), 0.0
