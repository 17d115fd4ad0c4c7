"""Gathers the samples of a file while it is read, within the bounds of `sheet`, and keeps what is doubled."""

from __future__ import annotations

from dataclasses import dataclass, field

from dna_intake.domain.kits import JOINED
from dna_intake.intake.sheet import (
    ALLELE_MAX,
    ALLELES_MAX,
    LOCI_MAX,
    NAME_MAX,
    SAMPLES_MAX,
    FileRefused,
    RowTrouble,
    Sample,
    shown,
    too_many,
)


@dataclass
class _Open:
    line: int
    kit: str | None = None
    loci: dict[str, tuple[str, ...]] = field(default_factory=dict)
    retyped: list[str] = field(default_factory=list)


@dataclass
class Gathering:
    """Samples in the order of the file, each locus once."""

    troubles: list[RowTrouble] = field(default_factory=list)
    _open: dict[str, _Open] = field(default_factory=dict)

    def begin(self, line: int, name: str) -> None:
        """A sample begins; one of the same name goes on. Raises: FileRefused beyond the bound."""
        if not self.has(name):
            if len(self._open) >= SAMPLES_MAX:
                raise too_many("samples", SAMPLES_MAX)
            self._open[name[:NAME_MAX]] = _Open(line)

    def has(self, name: str) -> bool:
        """Is there a sample of that name already?"""
        return name[:NAME_MAX] in self._open

    def add(self, line: int, name: str, marker: str, alleles: list[str], *, retyped: bool = False) -> None:
        """A locus of a sample that was begun; empty cells are no alleles. Raises: FileRefused."""
        sample = self._open[name[:NAME_MAX]]
        values = tuple(allele[:ALLELE_MAX] for allele in alleles if allele)
        if marker in sample.loci:
            self.trouble(
                line, name, marker, "The locus is there twice.", "基因座重复。", "Keep one row a locus."
            )
            return
        if len(sample.loci) >= LOCI_MAX or len(values) > ALLELES_MAX:
            raise too_many("loci of a sample, or alleles of a locus", LOCI_MAX)
        sample.loci[marker[:NAME_MAX]] = values
        if retyped:
            sample.retyped.append(marker)

    def typed_with(self, name: str, kits: list[str]) -> None:
        """The kits of a sample's loci, as they are named for one profile."""
        self._open[name[:NAME_MAX]].kit = JOINED.join(dict.fromkeys(kit[:NAME_MAX] for kit in kits))

    def trouble(self, line: int, name: str, locus: str, says_en: str, says_zh: str, mend: str) -> None:
        """Remember what is wrong."""
        # A marker that nobody knows may be anything, a person's name too.
        self.troubles.append(RowTrouble(line, shown(name), locus[:20], says_en, says_zh, mend))

    def samples(self) -> tuple[Sample, ...]:
        """All of them, loci without any allele left out. Raises: FileRefused, if anything was wrong."""
        if self.troubles:
            raise FileRefused(self.troubles)
        return tuple(
            Sample(
                found.line,
                name,
                {marker: alleles for marker, alleles in found.loci.items() if alleles},
                tuple(found.retyped),
                found.kit,
            )
            for name, found in self._open.items()
        )
