"""From marked profiles to leads: exact values, rare loci included, the highest first, and what did not fit in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dna_intake.search import scan
from dna_intake.search.index import SEXES, View
from dna_intake.search.pair_tables import QueryTables
from dna_intake.search.panel import MISSING, RARE, Panel, Rare

Places = NDArray[np.int64]
Values = NDArray[np.float64]


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
    tables: QueryTables | None = field(repr=False, compare=False)

    @property
    def overflow(self) -> int:
        """Leads that did not fit into the answer; 0 if it is all."""
        return self.over - len(self.leads)


@dataclass(frozen=True)
class Question:
    """What is asked of every profile: its tables, the exact value of a rare locus by sex, and what explains an allele.

    `explained(locus, alleles)` is false if a genotype is inconsistent with the relation, None if nothing is compared.
    """

    relation: str
    tables: QueryTables = field(repr=False)
    rare_value: Callable[[Rare, str], float] = field(repr=False)
    explained: Callable[[int, tuple[str, str]], bool | None] = field(repr=False)


def exact(view: View, question: Question, places: Places, least: float) -> tuple[View, Places, Values]:
    """Exact values of these places, those under `least` left out."""
    segment = view.segment
    values = np.empty(len(places))
    scan.totals(segment.codes, places, question.tables.exact, segment.sexes, values)
    if segment.rare:
        for at in np.flatnonzero((segment.codes[places] == RARE).any(axis=1)):
            place = int(places[at])
            sex = int(segment.sexes[place])
            for each in segment.rare.get(place, ()):
                # The table has the query's best value there; put the exact one in its place.
                bound = question.tables.exact[sex, each.locus, RARE]
                values[at] += question.rare_value(each, SEXES[sex]) - bound
    kept = values >= least
    return view, places[kept], values[kept]


def best(
    panel: Panel, question: Question, found: Sequence[tuple[View, Places, Values]], leads_max: int
) -> tuple[tuple[Lead, ...], int]:
    """The highest so many of all segments as leads, and how many there are."""
    if not found:
        return (), 0
    values = np.concatenate([part for _, _, part in found])
    places = np.concatenate([part for _, part, _ in found])
    owner = np.repeat(np.arange(len(found)), [len(part) for _, part, _ in found])
    leads = []
    for at in np.argsort(-values, kind="stable")[:leads_max]:
        segment = found[int(owner[at])][0].segment
        place = int(places[at])
        alleles = typed(panel, segment.codes[place], segment.rare.get(place, ()))
        inconsistent, compared = judged(panel, question.explained, alleles)
        lead = Lead(int(segment.row_ids[place]), question.relation, float(values[at]), inconsistent, compared)
        leads.append(lead)
    return tuple(leads), len(values)


def typed(panel: Panel, codes: NDArray[np.uint8], rare: Sequence[Rare]) -> dict[int, tuple[str, str]]:
    """The alleles of a profile by locus."""
    found = {each.locus: each.alleles for each in rare}
    for locus, code in enumerate(codes.tolist()):
        if code not in (MISSING, RARE):
            found[locus] = panel.alleles_of(locus, code)
    return found


def judged(
    panel: Panel,
    explained: Callable[[int, tuple[str, str]], bool | None],
    alleles: Mapping[int, tuple[str, str]],
) -> tuple[tuple[str, ...], int]:
    """Names of the inconsistent loci, and how many are compared."""
    verdicts = {locus: explained(locus, pair) for locus, pair in sorted(alleles.items())}
    inconsistent = tuple(panel.loci[locus] for locus, verdict in verdicts.items() if verdict is False)
    return inconsistent, sum(verdict is not None for verdict in verdicts.values())
