"""Tables of a query: log10 of the likelihood ratio of every code at every locus, for one relation.

Exact: a value is what `kinship.compare` says of that pair at that locus, with theta, mutation, silent alleles and the
query's dropout. The scan then only looks up and adds. Rows are kept, as the same genotypes come again and again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dna_intake.search.locus_model import LocusModel
from dna_intake.search.model import Assumptions, Transmissions
from dna_intake.search.panel import MISSING, RARE, Genotypes, Panel, Rare, pairs, two_alleles
from dna_intake.search.programme_loops import Compiled, compiled, evaluate
from dna_intake.search.relations import UNRELATED, Programme, Relation, related

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
KEPT_ROWS = 40_000
"""Rows of 2 KiB that are kept; all genotypes of 23 loci, both sexes, for three relations."""
MARGIN_LOG10 = 0.05
"""On top of a query's best value at a locus, for rare candidates: their own alleles move frequencies a little."""


@dataclass(frozen=True)
class Query:
    """Whose relatives are looked for; one with many dropouts is told so."""

    genotypes: Genotypes = field(repr=False)
    sex: str = "unknown"
    dropout: float = 0.0


@dataclass(frozen=True)
class QueryTables:
    """`exact` is [sex of the candidate, locus, code], `upper` the highest over sexes, rare codes bounded."""

    exact: Floats = field(repr=False)
    upper: NDArray[np.float32] = field(repr=False)


class Kinship:
    """Frequencies and assumptions for a panel; makes tables and exact values of rare loci. Threads may share it."""

    def __init__(
        self,
        panel: Panel,
        frequencies: Mapping[str, Mapping[str, float]],
        assumed: Assumptions,
        transmit: Transmissions,
        table_sha256: str = "",
    ) -> None:
        self.panel = panel
        self.frequencies = frequencies
        self.assumed = assumed
        self.transmit = transmit
        self.table_sha256 = table_sha256
        self._loci: dict[tuple[int, frozenset[str]], LocusModel] = {}
        self._rows: dict[object, Floats] = {}
        self._values: dict[object, float] = {}

    def tables(self, query: Query, relation: Relation) -> QueryTables:
        """The tables of a query; loci that it lacks are 0 throughout.

        Raises: SearchRefused, if a locus of the query has more than two alleles.
        """
        exact = np.zeros((3, len(self.panel.loci), 256))
        for locus, name in enumerate(self.panel.loci):
            if name not in query.genotypes:
                continue
            seen = two_alleles(query.genotypes[name], name, "of the query")
            for place, sex in ((1, "male"), (2, "female")):
                exact[place, locus] = self.row(locus, seen, query, relation, sex)
        exact[0] = exact[1]
        upper = exact.max(axis=0)
        upper[:, RARE] = np.where(upper.any(axis=1), upper.max(axis=1) + MARGIN_LOG10, 0.0)
        return QueryTables(exact, upper.astype(np.float32))

    def row(self, locus: int, seen: tuple[str, str], query: Query, relation: Relation, sex: str) -> Floats:
        """log10 LR of every code at a locus; 0 where the candidate is not typed, the query's best where rare."""
        own = query.sex if relation.name in ("child", "grandchild") else ""
        sex = sex if relation.name in ("parent", "grandparent") else ""
        key = (locus, tuple(sorted(seen)), query.dropout, relation, sex, own)
        found = self._rows.get(key)
        if found is None:
            if len(self._rows) > KEPT_ROWS:
                self._rows.clear()
            found = self._rows[key] = self._made(locus, seen, query, relation, sex or "unknown")
        return found

    def rare_value(self, rare: Rare, query: Query, relation: Relation, sex: str) -> float:
        """Exact log10 LR of a rare locus of a candidate."""
        name = self.panel.loci[rare.locus]
        if name not in query.genotypes:
            return 0.0
        seen = two_alleles(query.genotypes[name], name, "of the query")
        key = (rare.locus, rare.alleles, rare.dropout, seen, query.sex, query.dropout, relation, sex)
        found = self._values.get(key)
        if found is None:
            if len(self._values) > KEPT_ROWS:
                self._values.clear()
            unseen = self._unseen(rare.locus, (*seen, *rare.alleles))
            model = self._locus(rare.locus, unseen)
            mine, theirs = (
                self._pairs(model, seen, query.dropout),
                self._pairs(model, rare.alleles, rare.dropout),
            )
            ratio = self._ratios(model, {*seen}, [rare.alleles], mine, [theirs], relation, query.sex, sex)
            found = self._values[key] = float(ratio[0])
        return found

    def _made(self, locus: int, seen: tuple[str, str], query: Query, relation: Relation, sex: str) -> Floats:
        model = self._locus(locus, self._unseen(locus, seen))
        coded = self.panel.alleles[locus]
        genotypes = [(coded[i], coded[j]) for i, j in pairs(len(coded))]
        # Its own genotype, and twice each of its alleles: nobody fits better (bounds the rare code).
        own = [(seen[0], seen[1]), (seen[0], seen[0]), (seen[1], seen[1])]
        everybody = [*genotypes, *own]
        theirs = [self._pairs(model, each, 0.0) for each in everybody]
        mine = self._pairs(model, seen, query.dropout)
        ratios = self._ratios(model, {*seen}, everybody, mine, theirs, relation, query.sex, sex)
        row = np.zeros(256)
        row[: len(genotypes)] = ratios[: len(genotypes)]
        row[RARE] = ratios.max()
        row[MISSING] = 0.0
        return row

    def _ratios(
        self,
        model: LocusModel,
        seen: set[str],
        everybody: list[tuple[str, str]],
        mine: list[tuple[int, int, float]],
        theirs: list[list[tuple[int, int, float]]],
        relation: Relation,
        query_sex: str,
        sex: str,
    ) -> Floats:
        """log10 LR of the query's possible genotypes against each candidate's."""
        flags = np.zeros((len(everybody), len(model.alleles)), bool)
        rank = {allele: place for place, allele in enumerate(model.alleles)}
        for row, alleles in enumerate(everybody):
            flags[row, [rank[allele] for allele in {*alleles, *seen}]] = True
        frequencies = model.frequencies(flags)
        entries = [
            (row, q1, q2, c1, c2, wq * wc)
            for row, each in enumerate(theirs)
            for c1, c2, wc in each
            for q1, q2, wq in mine
        ]
        table = np.array(entries)
        h1 = related(relation, sex, query_sex)
        above = self._sum(model, frequencies, table, h1)
        below = self._sum(model, frequencies, table, UNRELATED)
        with np.errstate(divide="ignore"):
            return np.log10(above) - np.log10(below)

    def _sum(self, model: LocusModel, frequencies: Floats, table: Floats, programme: Programme) -> Floats:
        """Probability of each row of `frequencies`' observation under a programme."""
        steps = compiled(programme, self.assumed.theta)
        own, slots = table[:, 0].astype(np.int64), table[:, 1:5].astype(np.int64)
        values = np.empty(len(table))
        if not self.assumed.by_frequency:
            matrices = model.matrices(steps.paths, frequencies[0])
            _run(frequencies, own, slots, matrices, steps, values)
        else:
            for row in range(len(frequencies)):
                at = own == row
                some = np.empty(int(at.sum()))
                matrices = model.matrices(steps.paths, frequencies[row])
                _run(frequencies, own[at], slots[at], matrices, steps, some)
                values[at] = some
        return np.bincount(own, values * table[:, 5], len(frequencies)).astype(np.float64)

    def _pairs(
        self, model: LocusModel, seen: tuple[str, str], dropout: float
    ) -> list[tuple[int, int, float]]:
        """Ordered true genotypes behind an observed one, with P(observed | true)."""
        low, high = sorted((model.alleles.index(seen[0]), model.alleles.index(seen[1])))
        keeps = (1 - dropout) ** 2
        if low != high:
            return [(low, high, keeps), (high, low, keeps)]
        silent = model.silent
        if not dropout:
            hidden = [] if silent is None else [(low, silent, 1.0), (silent, low, 1.0)]
            return [(low, low, 1.0), *hidden]
        found = [(low, low, 1 - dropout**2)]
        for other in range(model.size):
            if other != low:
                chance = 1 - dropout if other == silent else dropout * (1 - dropout)
                found += [(low, other, chance), (other, low, chance)]
        return found

    def _unseen(self, locus: int, alleles: tuple[str, ...]) -> frozenset[str]:
        return frozenset(alleles) - set(self.frequencies[self.panel.loci[locus]])

    def _locus(self, locus: int, unseen: frozenset[str]) -> LocusModel:
        key = (locus, unseen)
        if key not in self._loci:
            if len(self._loci) > KEPT_ROWS:
                self._loci.clear()
            table = self.frequencies[self.panel.loci[locus]]
            self._loci[key] = LocusModel.of(table, sorted(unseen), self.assumed, self.transmit)
        return self._loci[key]


def _run(frequencies: Floats, own: Ints, slots: Ints, matrices: Floats, steps: Compiled, out: Floats) -> None:
    evaluate(
        frequencies,
        own,
        slots,
        matrices,
        steps.slot_paths,
        steps.first_partition,
        steps.weights,
        steps.masks,
        out,
    )
