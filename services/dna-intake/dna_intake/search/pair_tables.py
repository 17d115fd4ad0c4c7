"""Tables of a query: log10 of the likelihood ratio of every code at every locus, for one relation.

Exact: a value is what `kinship.compare` says of that pair at that locus, with theta, mutation, silent alleles and the
query's dropout. The scan then only looks up and adds. Rows are kept, as the same genotypes come again and again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
KEPT_EVIDENCE = 64
"""Loci of the query at hand: both sexes and several relations share what is seen, and H2."""
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


@dataclass(frozen=True, eq=False)
class Against:
    """Observed genotypes of candidates at a locus: alleles carried, and their true genotypes as (own, c1, c2, P)."""

    carried: NDArray[np.bool_] = field(repr=False)
    own: Ints = field(repr=False)
    truths: Ints = field(repr=False)
    weights: Floats = field(repr=False)

    @classmethod
    def of(cls, model: LocusModel, genotypes: Sequence[tuple[str, str]], dropout: float = 0.0) -> Against:
        """What these observed genotypes say."""
        carried = np.zeros((len(genotypes), len(model.alleles)), bool)
        entries = []
        for row, alleles in enumerate(genotypes):
            carried[row, [model.alleles.index(allele) for allele in alleles]] = True
            entries += [(row, c1, c2, weight) for c1, c2, weight in true_pairs(model, alleles, dropout)]
        table = np.array(entries)
        truths = np.ascontiguousarray(table[:, 1:3].astype(np.int64))
        return cls(carried, table[:, 0].astype(np.int64), truths, table[:, 3].copy())


@dataclass
class Evidence:
    """The query's observed genotype beside each candidate's, ready to sum; `strangers` is P under H2."""

    frequencies: Floats = field(repr=False)
    own: Ints = field(repr=False)
    slots: Ints = field(repr=False)
    weights: Floats = field(repr=False)
    strangers: Floats = field(repr=False, default_factory=lambda: np.empty(0))

    @classmethod
    def of(cls, model: LocusModel, against: Against, seen: tuple[str, str], dropout: float) -> Evidence:
        """All combinations of true genotypes."""
        carried = against.carried.copy()
        carried[:, [model.alleles.index(allele) for allele in seen]] = True
        mine = np.array(true_pairs(model, seen, dropout))
        count = len(against.own)
        slots = np.empty((count * len(mine), 4), np.int64)
        slots[:, :2] = np.tile(mine[:, :2].astype(np.int64), (count, 1))
        slots[:, 2:] = np.repeat(against.truths, len(mine), axis=0)
        return cls(
            frequencies=model.frequencies(carried),
            own=np.repeat(against.own, len(mine)),
            slots=slots,
            weights=np.repeat(against.weights, len(mine)) * np.tile(mine[:, 2], count),
        )


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
        self._against: dict[object, Against] = {}
        self._evidence: dict[object, Evidence] = {}

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

    def forget(self) -> None:
        """Drop all rows that were kept: for benches, and after a change of what this object was made from."""
        self._rows.clear()
        self._values.clear()
        self._evidence.clear()

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
            model = self.locus_model(rare.locus, (*seen, *rare.alleles))
            against = Against.of(model, [rare.alleles], rare.dropout)
            found = float(self._ratios(model, against, seen, query, relation, sex)[0])
            self._values[key] = found
        return found

    def _made(self, locus: int, seen: tuple[str, str], query: Query, relation: Relation, sex: str) -> Floats:
        model = self.locus_model(locus, seen)
        ratios = self._ratios(model, self._coded(locus, model), seen, query, relation, sex)
        row = np.zeros(256)
        row[: len(ratios)] = ratios
        row[RARE] = ratios.max()
        if not set(seen) <= set(self.panel.alleles[locus]):
            # Nobody fits better than its own genotype, or twice one of its alleles; those have no code.
            own = Against.of(model, [seen, (seen[0], seen[0]), (seen[1], seen[1])])
            row[RARE] = max(row[RARE], self._ratios(model, own, seen, query, relation, sex).max())
        row[MISSING] = 0.0
        return row

    def _coded(self, locus: int, model: LocusModel) -> Against:
        key = (locus, model.alleles)
        if key not in self._against:
            coded = self.panel.alleles[locus]
            genotypes = [(coded[i], coded[j]) for i, j in pairs(len(coded))]
            self._against[key] = Against.of(model, genotypes)
        return self._against[key]

    def _ratios(
        self,
        model: LocusModel,
        against: Against,
        seen: tuple[str, str],
        query: Query,
        relation: Relation,
        sex: str,
    ) -> Floats:
        """log10 LR of the query's observed genotype against each candidate's."""
        key = (against, seen, query.dropout)
        evidence = self._evidence.get(key)
        if evidence is None:
            if len(self._evidence) > KEPT_EVIDENCE:
                self._evidence.clear()
            evidence = Evidence.of(model, against, seen, query.dropout)
            evidence.strangers = self._sum(model, evidence, UNRELATED)
            self._evidence[key] = evidence
        relatives = self._sum(model, evidence, related(relation, sex, query.sex))
        with np.errstate(divide="ignore"):
            return np.log10(relatives) - np.log10(evidence.strangers)

    def _sum(self, model: LocusModel, evidence: Evidence, programme: Programme) -> Floats:
        """Probability of each candidate's and the query's observation under a programme."""
        steps = compiled(programme, self.assumed.theta)
        frequencies, own, slots = evidence.frequencies, evidence.own, evidence.slots
        values = np.empty(len(own))
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
        return np.bincount(own, values * evidence.weights, len(frequencies)).astype(np.float64)

    def locus_model(self, locus: int, alleles: tuple[str, ...]) -> LocusModel:
        """The locus with every allele of its table and of these."""
        table = self.frequencies[self.panel.loci[locus]]
        key = (locus, frozenset(alleles) - set(table))
        if key not in self._loci:
            if len(self._loci) > KEPT_ROWS:
                self._loci.clear()
            self._loci[key] = LocusModel.of(table, sorted(key[1]), self.assumed, self.transmit)
        return self._loci[key]


def true_pairs(model: LocusModel, seen: tuple[str, str], dropout: float) -> list[tuple[int, int, float]]:
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
