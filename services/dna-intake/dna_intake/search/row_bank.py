"""Table rows of many queries at once: each genotype of a locus is computed once, and queries refer to it by number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dna_intake.search.pair_tables import MARGIN_LOG10, Kinship, Query
from dna_intake.search.panel import MISSING, RARE, Rare
from dna_intake.search.relations import Relation


class RowBank:
    """Rows of one relation: `exact` is [sex, row, code], `upper` their highest, with rare codes bounded.

    Row 0 is of a query that is not typed there: 0 throughout.
    """

    def __init__(self, kinship: Kinship, relation: Relation, query_sex: str = "unknown") -> None:
        self.kinship = kinship
        self.relation = relation
        self.query_sex = query_sex
        self.exact = np.zeros((3, 256, 256))
        self.upper = np.zeros((256, 256), np.float32)
        self._count = 1
        self._known: dict[tuple[int, tuple[str, str], float], int] = {}
        self._coded = np.full((len(kinship.panel.loci), 256), -1, np.int64)
        self._coded[:, MISSING] = 0

    def rows(self, codes: NDArray[np.uint8], rare: Sequence[Sequence[Rare]]) -> NDArray[np.int64]:
        """[query, locus]: the row of each genotype; what stands behind codes 254 is given beside."""
        panel = self.kinship.panel
        numbers = self._coded[np.arange(len(panel.loci)), codes]
        for query, locus in np.argwhere((numbers < 0) & (codes != RARE)):
            code = int(codes[query, locus])
            number = self._row(int(locus), panel.alleles_of(int(locus), code), 0.0)
            self._coded[locus, code] = numbers[query, locus] = number
        for query, loci in enumerate(rare):
            for each in loci:
                numbers[query, each.locus] = self._row(each.locus, each.alleles, each.dropout)
        # A profile that was removed meanwhile has lost what stood behind its code.
        numbers[numbers < 0] = 0
        return numbers

    def _row(self, locus: int, alleles: tuple[str, str], dropout: float) -> int:
        key = (locus, alleles, dropout)
        found = self._known.get(key)
        if found is not None:
            return found
        number = self._count
        if number == self.upper.shape[0]:
            self.exact = np.concatenate([self.exact, np.zeros_like(self.exact)], axis=1)
            self.upper = np.concatenate([self.upper, np.zeros_like(self.upper)])
        query = Query({self.kinship.panel.loci[locus]: alleles}, self.query_sex, dropout)
        for place, sex in ((1, "male"), (2, "female")):
            self.exact[place, number] = self.kinship.row(locus, alleles, query, self.relation, sex)
        self.exact[0, number] = self.exact[1, number]
        upper = self.exact[:, number].max(axis=0)
        upper[RARE] = upper.max() + MARGIN_LOG10
        self.upper[number] = upper
        self._known[key] = number
        self._count += 1
        return number
