"""Allele frequencies of a population: checked, normalised, and with a stated minimum for what is rare or unseen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dna_intake.kinship.alleles import allele_named, in_order
from dna_intake.kinship.refusals import TableRefused, TypingRefused

SUM_OFF_MAX = 0.005
"""Published tables round to 3 to 5 digits; more than this off is a typing error."""
MINIMUM_UNKNOWN_SIZE = 0.001
"""For tables that don't say how many people they come from; the floor of the norSTR table."""
COPIES_MIN = 5
"""NRC II, The Evaluation of Forensic DNA Evidence, 1996: each allele counts as seen at least five times."""


@dataclass(frozen=True)
class FrequencyTable:
    """Frequencies by locus and allele, each locus scaled to a sum of 1; `sha256` is of this normalised copy.

    `people` is the size of the sample they come from, if known.
    Raises: TableRefused naming the locus, if a sum is more than 0.005 off, or a frequency or allele is none.
    """

    name: str
    source: str
    loci: Mapping[str, Mapping[str, float]] = field(repr=False)
    people: int | None = None
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        """Check and scale every locus."""
        if not self.loci:
            raise TableRefused(f"Table {self.name!r} has no locus; check the file.")
        if self.people is not None and self.people < 1:
            raise TableRefused(
                f"Table {self.name!r} says it comes from {self.people} people; give how many, or leave it out."
            )
        loci = {locus: _scaled(locus, alleles) for locus, alleles in sorted(self.loci.items())}
        object.__setattr__(self, "loci", loci)
        canonical = json.dumps(loci, sort_keys=True, separators=(",", ":"))
        object.__setattr__(self, "sha256", hashlib.sha256(canonical.encode()).hexdigest())

    def restricted(self, loci: Iterable[str]) -> FrequencyTable:
        """The table with only these loci; it has a hash of its own.

        Raises: TableRefused naming the locus, if it has none of that name.
        """
        wanted = list(loci)
        for locus in wanted:
            if locus not in self.loci:
                raise TableRefused(f"Table {self.name!r} does not have it.", locus=locus)
        kept = {locus: self.loci[locus] for locus in wanted}
        return FrequencyTable(self.name, self.source, kept, self.people)

    @property
    def minimum_frequency(self) -> float:
        """5/(2N) of the N people it comes from; 0.001 where that is not known."""
        return COPIES_MIN / (2 * self.people) if self.people else MINIMUM_UNKNOWN_SIZE


def with_minimum(
    frequencies: Mapping[str, float], seen: Iterable[str], minimum: float, *, locus: str
) -> dict[str, float]:
    """Frequencies in which every allele that was seen here has at least `minimum`, the rest scaled to a sum of 1.

    Alleles that nobody here carries keep their proportions: raising all rare ones would distort the common ones.
    Raises: TableRefused, if an allele is not in the table and the minimum is 0, or if the minima exceed 1.
    """
    # A hair of tolerance: a table whose floor is the minimum itself is not changed by its own rounding.
    rare = {allele for allele in seen if frequencies.get(allele, 0.0) < minimum * (1 - 1e-6)}
    unknown = [allele for allele in seen if frequencies.get(allele, 0.0) <= 0 and allele not in rare]
    if unknown:
        raise TableRefused(f"Allele {unknown[0]} is not in the table; set a minimum_frequency.", locus=locus)
    if not rare:
        return {allele: frequencies[allele] for allele in in_order(frequencies)}
    rest = sum(f for allele, f in frequencies.items() if allele not in rare)
    left = 1 - minimum * len(rare)
    if left <= 0 or (rest <= 0 and left > 1e-12):
        raise TableRefused(
            f"{len(rare)} rare alleles at {minimum:g} each do not fit; lower minimum_frequency.", locus=locus
        )
    return {
        allele: minimum if allele in rare else frequencies[allele] * left / rest
        for allele in in_order({*frequencies, *rare})
    }


def _scaled(locus: str, alleles: Mapping[str, float]) -> dict[str, float]:
    found: dict[str, float] = {}
    for written, frequency in alleles.items():
        allele = _allele(locus, written)
        if allele in found:
            raise TableRefused(f"Allele {allele} is there twice; keep one.", locus=locus)
        if not (isinstance(frequency, int | float) and 0 <= frequency <= 1):
            raise TableRefused(
                f"Allele {allele} has frequency {frequency!r}; give one from 0 to 1.", locus=locus
            )
        if frequency > 0:
            found[allele] = float(frequency)
    total = sum(found.values())
    if abs(total - 1) > SUM_OFF_MAX:
        raise TableRefused(
            f"Frequencies sum to {total:.4f}, not 1 (at most {SUM_OFF_MAX} off); add the missing alleles, or mend"
            " a figure.",
            locus=locus,
        )
    return {allele: found[allele] / total for allele in in_order(found)}


def _allele(locus: str, written: str) -> str:
    try:
        return allele_named(written, locus=locus)
    except TypingRefused as refused:
        raise TableRefused(refused.says, locus=locus) from refused
