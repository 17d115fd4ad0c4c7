"""Writes small Familias `.fam` files of nobody, line by line, so that tests can spoil one line at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass
class FamLocusText:
    """A locus as the file has it: codes 0 equal, 1 proportional, 2 to 4 stepwise; women first."""

    alleles: Mapping[str, float]
    rates: tuple[float, float] = (0.0, 0.0)
    codes: tuple[int, int] = (0, 0)
    ranges: tuple[float, float] = (0.1, 0.1)
    rates2: tuple[float, float] = (0.0, 0.0)
    silent: float = 0.0
    dropout: float = 0.0
    minimum: float = 0.0


@dataclass
class FamText:
    """Persons (name -> male, genotypes by locus), pedigrees (name -> parent, child) and loci."""

    persons: Mapping[str, tuple[bool, Mapping[str, tuple[str, str]]]]
    pedigrees: Mapping[str, Sequence[tuple[str, str]]]
    loci: Mapping[str, FamLocusText]
    theta: float = 0.0
    dropouts: Sequence[str] = ()
    extras: tuple[int, int] = (0, 0)
    after: Sequence[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """All lines, in the order of Familias 3."""
        found = ['"A fictional case in the form of Familias 3"', '"Nobody is described here"', "3.3.1", '""']
        found.append(str(len(self.persons)))
        for name in self.persons:
            found += self._person(name)
        found += ['"Known relations"', "0", "0", "0", str(len(self.pedigrees))]
        for at, name in enumerate(self.pedigrees):
            found += [str(at), f'"{name}"', *map(str, self.extras), *self._relations(name)]
        found += [f"#FALSE# (#Databases: 1 ;Theta/Kinship/Fst: {self.theta:g} )", str(len(self.loci))]
        found += ["#TRUE#", '"fictional"']
        for name, locus in self.loci.items():
            found += _locus(name, locus)
        return [*found, *self.after]

    def text(self) -> str:
        """The whole file; Familias runs on Windows."""
        return "\r\n".join(self.lines()) + "\r\n"

    def _person(self, name: str) -> list[str]:
        male, genotypes = self.persons[name]
        born = "-1 (Consider dropouts)" if name in self.dropouts else "-1"
        found = [
            f'"{name}"',
            "#FALSE#",
            born,
            "#FALSE#",
            "#TRUE#" if male else "#FALSE#",
            str(len(genotypes)),
        ]
        for locus, pair in genotypes.items():
            alleles = list(self.loci[locus].alleles)
            found += [*(str(alleles.index(allele)) for allele in pair), str(list(self.loci).index(locus))]
        return found

    def _relations(self, pedigree: str) -> list[str]:
        ids = [*self.persons, *(f"extra {n}" for n in range(sum(self.extras)))]
        pairs = self.pedigrees[pedigree]
        return [str(len(pairs)), *(str(ids.index(who)) for pair in pairs for who in pair)]


def _locus(name: str, locus: FamLocusText) -> list[str]:
    count = len(locus.alleles)
    details = f"Dropout probability = {locus.dropout:g} , Minor allele frequency = {locus.minimum:g}"
    found = [f'"{name}"', *(f"{rate:g}" for rate in locus.rates), *map(str, locus.codes)]
    found += [str(count + (locus.silent > 0)), *(f"{one:g}" for one in (*locus.ranges, *locus.rates2))]
    found += ["#TRUE#" if locus.silent else "#FALSE#", f"{locus.silent:g}"]
    found.append(f"{count}\t(DatabaseSize = 1000 , {details} )")
    for allele, share in locus.alleles.items():
        found += [f'"{allele}"', f"{share:.10g}"]
    return found


def paternity(**more: object) -> FamText:
    """A man and a child at two loci, mother untyped; father in the first pedigree, a stranger in the second."""
    fields: dict[str, object] = {
        "persons": {
            "man": (True, {"TH01": ("6", "7"), "PENTA_E": ("11", "12")}),
            "child": (False, {"TH01": ("7", "9.3"), "PENTA_E": ("12", "12")}),
            "mother": (False, {}),
        },
        "pedigrees": {
            "father": [("man", "child"), ("mother", "child")],
            "stranger": [("mother", "child")],
        },
        "loci": {
            "TH01": FamLocusText({"6": 0.2, "7": 0.25, "9": 0.3, "9.3": 0.25}),
            "PENTA_E": FamLocusText({"11": 0.3, "12": 0.1, "13": 0.6}),
        },
    }
    return FamText(**(fields | more))  # type: ignore[arg-type]
