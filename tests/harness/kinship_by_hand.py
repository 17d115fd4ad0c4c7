"""Likelihoods of small families by adding up every ordered genotype of every person, in plain loops.

It is the reference of the kinship engine and shares nothing with it: own mutation tables, own sampling formula for
subpopulations, own rules for silent alleles, dropout and recombination. Slow on purpose; keep to 2 to 4 alleles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

SILENT = "silent"
Table = dict[str, dict[str, float]]
Seen = tuple[str, ...] | None


@dataclass
class Locus:
    """One locus of a family: frequencies (of visible alleles, sum 1), what was seen, and the assumptions."""

    frequencies: Mapping[str, float]
    seen: Mapping[str, Seen]
    silent: float = 0.0
    theta: float = 0.0
    dropout: Mapping[str, float] = field(default_factory=dict)
    model: str = "none"
    male: float = 0.0
    female: float = 0.0
    microvariant: float = 0.0
    spread: float = 0.1
    stable: bool = False

    def __post_init__(self) -> None:
        self.all = {allele: p * (1 - self.silent) for allele, p in self.frequencies.items()}
        if self.silent:
            self.all[SILENT] = self.silent
        self.from_father = self._passing(self.male)
        self.from_mother = self._passing(self.female)

    def _passing(self, rate: float) -> Table:
        table = changes(self.model, self.frequencies, rate, self.microvariant, self.spread)
        if self.stable:
            table = balanced(table, self.frequencies)
        if self.silent:
            table = {a: {**row, SILENT: 0.0} for a, row in table.items()}
            table[SILENT] = dict.fromkeys(self.frequencies, 0.0) | {SILENT: 1.0}
        return table

    def says(self, person: str, one: str, other: str) -> float:
        """P(what was seen | the true genotype)."""
        seen = self.seen.get(person)
        if seen is None:
            return 1.0
        lost = self.dropout.get(person, 0.0)
        visible = [a for a in (one, other) if a != SILENT]
        total = 0.0
        # Every copy that can be seen is lost or not; two equal copies make one band.
        for kept in product((True, False), repeat=len(visible)):
            chance = 1.0
            for each in kept:
                chance *= (1 - lost) if each else lost
            bands = {a for a, each in zip(visible, kept, strict=True) if each}
            if bands == set(seen):
                total += chance
        return total


def changes(model: str, p: Mapping[str, float], rate: float, micro: float, spread: float) -> Table:
    """P(passed on | allele of the parent)."""
    alleles = list(p)
    table: Table = {}
    for a in alleles:
        row = dict.fromkeys(alleles, 0.0)
        others = [b for b in alleles if b != a]
        if model == "equal":
            for b in others:
                row[b] = rate / len(others)
        elif model == "proportional":
            heterozygous = sum(q * (1 - q) for q in p.values())
            for b in others:
                row[b] = rate * p[b] / heterozygous
        elif model == "stepwise":
            whole = [b for b in others if b.partition(".")[2] == a.partition(".")[2]]
            rest = [b for b in others if b not in whole]
            size = {b: spread ** abs(int(b.partition(".")[0]) - int(a.partition(".")[0])) for b in whole}
            for b in whole:
                row[b] = rate * size[b] / sum(size.values())
            for b in rest:
                row[b] = micro / len(rest)
        row[a] = 1.0 - sum(row.values())
        table[a] = row
    return table


def balanced(table: Table, p: Mapping[str, float]) -> Table:
    """The mean of the flows between two alleles, both ways."""
    found: Table = {}
    for a in p:
        row = {b: (p[a] * table[a][b] + p[b] * table[b][a]) / 2 / p[a] for b in p if b != a}
        found[a] = {**row, a: 1.0 - sum(row.values())}
    return found


def drawn(locus: Locus, counts: dict[str, int], allele: str) -> float:
    """P(the next founder allele), after those counted."""
    n = sum(counts.values())
    if n == 0:
        return locus.all[allele]
    theta = locus.theta
    return (counts.get(allele, 0) * theta + (1 - theta) * locus.all[allele]) / (1 + (n - 1) * theta)


People = Sequence[tuple[str, str | None, str | None]]


def one_locus(people: People, locus: Locus) -> float:
    """P(everything seen | this family); people are (id, father, mother), parents first."""
    passing: dict[tuple[int, str, str], dict[str, float]] = {}
    for side, table in enumerate((locus.from_father, locus.from_mother)):
        for a, b in product(locus.all, repeat=2):
            passing[side, a, b] = {c: (table[a][c] + table[b][c]) / 2 for c in locus.all}

    open_to = {person: list(_open_to(locus, person)) for person, _, _ in people}

    def add(at: int, known: dict[str, tuple[str, str]], counts: dict[str, int]) -> float:
        if at == len(people):
            return 1.0
        person, father, mother = people[at]
        if father is not None and mother is not None:
            paternal, maternal = passing[(0, *known[father])], passing[(1, *known[mother])]
        total = 0.0
        for one, other, says in open_to[person]:
            chance, now = says, counts
            if father is None or mother is None:
                chance *= drawn(locus, counts, one)
                now = {**counts, one: counts.get(one, 0) + 1}
                chance *= drawn(locus, now, other)
                now[other] = now.get(other, 0) + 1
            else:
                chance *= paternal[one] * maternal[other]
            if chance > 0:
                known[person] = (one, other)
                total += chance * add(at + 1, known, now)
        return total

    return add(0, {}, {})


def _open_to(locus: Locus, person: str) -> Iterator[tuple[str, str, float]]:
    for one, other in product(locus.all, repeat=2):
        chance = locus.says(person, one, other)
        if chance > 0:
            yield one, other, chance


def two_loci(people: People, first: Locus, second: Locus, recombination: float) -> float:
    """P(everything seen at both loci | this family), with gametes that recombine between them."""

    def gamete(side: int, parent: tuple[tuple[str, str], tuple[str, str]], a: str, b: str) -> float:
        tables = [(x.from_father, x.from_mother)[side] for x in (first, second)]
        total = 0.0
        for origin, other in product((0, 1), repeat=2):
            share = (1 - recombination if origin == other else recombination) / 2
            total += share * tables[0][parent[0][origin]][a] * tables[1][parent[1][other]][b]
        return total

    def pairs() -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
        return product(product(first.all, repeat=2), product(second.all, repeat=2))

    def add(
        at: int, known: dict[str, tuple[tuple[str, str], tuple[str, str]]], counts: list[dict[str, int]]
    ) -> float:
        if at == len(people):
            return 1.0
        person, father, mother = people[at]
        total = 0.0
        for (a, b), (c, d) in pairs():
            chance = first.says(person, a, b) * second.says(person, c, d)
            if chance == 0:
                continue
            now = counts
            if father is None or mother is None:
                now = [dict(each) for each in counts]
                for locus, count, alleles in ((first, now[0], (a, b)), (second, now[1], (c, d))):
                    for allele in alleles:
                        chance *= drawn(locus, count, allele)
                        count[allele] = count.get(allele, 0) + 1
            else:
                chance *= gamete(0, known[father], a, c) * gamete(1, known[mother], b, d)
            if chance > 0:
                total += chance * add(at + 1, {**known, person: ((a, b), (c, d))}, now)
        return total

    return add(0, {}, [{}, {}])


FAMILIES: Mapping[str, tuple[str, str, str]] = {
    "duo": ("F- M- aFM", "F- a-", "F a"),
    "mother": ("F- M- aFM", "M- a-", "M a"),
    "trio": ("F- M- aFM", "F- M- U- aUM", "F M a"),
    "couple": ("F- M- aFM", "F- M- a-", "F M a"),
    "full siblings": ("F- M- aFM bFM", "a- b-", "a b"),
    "half siblings": ("F- M- N- aFM bFN", "a- b-", "a b"),
    "half siblings of a mother": ("F- M- G- aFM bGM", "a- b-", "a b"),
    "grandparent": ("G- H- FGH M- aFM", "G- a-", "G a"),
    "maternal grandmother": ("G- H- MGH F- aFM", "H- a-", "H a"),
    "grandparents": ("G- H- FGH M- aFM", "G- H- a-", "G H a"),
    "uncle": ("G- H- UGH FGH M- aFM", "U- a-", "U a"),
    "cousins": ("G- H- FGH EGH M- N- aFM bEN", "a- b-", "a b"),
    "sibling and half sibling": ("F- M- N- aFM bFM cFN", "a- b- c-", "a b c"),
    "mixed: mother, uncle": ("G- H- UGH FGH M- aFM", "M- U- N- aUN", "M U a"),
    "child of siblings": ("G- H- FGH MGH aFM", "G- a-", "G a"),
    "child of siblings, alone": ("G- H- FGH MGH aFM", "a-", "a"),
    "three generations": ("G- H- FGH M- aFM bFM", "G- M- a- b-", "G M a b"),
    "brother of the father": ("F- M- aFM", "G- H- FGH UGH M- aUM", "F a"),
}
"""H1, H2 and the typed people; "aFM" is person a, child of F and M, and "F-" has no parents here."""


def family(text: str) -> People:
    """The people of a family, as written in FAMILIES."""
    return [(w[0], None, None) if w[1] == "-" else (w[0], w[1], w[2]) for w in text.split()]
