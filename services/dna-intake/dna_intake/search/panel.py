"""The panel: which loci a search compares, and how a genotype becomes one byte.

A genotype of coded alleles i <= j is j(j+1)/2 + i, so 22 alleles fill the codes 0 to 252. 255 is not typed.
254 is rare: an allele that has no place in the code; the raw alleles lie beside the codes, and such a locus is
computed one by one outside the tables. Alleles are coded in order of frequency, so what is rare is rare.

For the prefilter every allele has a bucket, one bit a profile. Where a locus has more alleles than `ROWS_A_LOCUS`
allows on average over the panel, the rarest share the last bucket of their locus: a shared bucket lets a few
strangers more through to the exact likelihood and never stops a relative.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dna_intake.search.refusals import SearchRefused

MISSING = 255
RARE = 254
ALLELES_MAX = 22
"""22 * 23 / 2 = 253 genotypes leave two of 256 codes for rare and missing."""
ROWS_A_LOCUS = 11
"""23 B of codes, 23 * 11 bits of bitmap, 4 B of row id, 1 B of sex and 1 bit of removal: under 60 B a profile."""

Genotypes = Mapping[str, tuple[str, ...]]
"""The typed loci of one profile; one or two alleles each, as text."""
Codes = NDArray[np.uint8]


@dataclass(frozen=True)
class Rare:
    """A typed locus that has no code: profile (its place in the batch), locus, and the raw alleles."""

    place: int
    locus: int
    alleles: tuple[str, str] = field(repr=False)
    dropout: float = 0.0


@dataclass(frozen=True)
class Encoded:
    """A batch of profiles: codes [profile, locus], and what stands behind each code 254."""

    codes: Codes = field(repr=False)
    rare: tuple[Rare, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Panel:
    """Loci, and their coded alleles (most frequent first); `rows` are bitmap rows a locus."""

    loci: tuple[str, ...]
    alleles: tuple[tuple[str, ...], ...]
    rows: tuple[int, ...]

    @classmethod
    def of(cls, frequencies: Mapping[str, Mapping[str, float]], loci: Sequence[str] = ()) -> Panel:
        """A panel over a frequency table's loci, or over these of them.

        Raises: SearchRefused, if there are none or the table lacks one.
        """
        chosen = tuple(loci) or tuple(frequencies)
        lacking = [locus for locus in chosen if locus not in frequencies]
        if lacking or not chosen or len(set(chosen)) < len(chosen):
            told = ", ".join(lacking) or "no locus, or one twice"
            raise SearchRefused(
                f"The frequency table lacks {told}; it has {', '.join(frequencies) or 'none'}."
            )
        alleles = tuple(_by_frequency(frequencies[locus])[:ALLELES_MAX] for locus in chosen)
        return cls(chosen, alleles, _rows([frequencies[locus] for locus in chosen]))

    @cached_property
    def sha256(self) -> bytes:
        """What two indexes must share to be compared: loci, coded alleles and buckets, in order."""
        told = json.dumps([self.loci, self.alleles, self.rows], ensure_ascii=True)
        return hashlib.sha256(told.encode()).digest()

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """First bitmap row of each locus; the last entry is the number of rows."""
        return np.concatenate(([0], np.cumsum(self.rows))).astype(np.int64)

    @cached_property
    def rank(self) -> tuple[dict[str, int], ...]:
        """Of each locus: the index of a coded allele."""
        return tuple({allele: place for place, allele in enumerate(each)} for each in self.alleles)

    def bucket(self, locus: int, allele: str) -> int:
        """The bitmap row of an allele; one without a code is in the last bucket of its locus."""
        place = self.rank[locus].get(allele, self.rows[locus])
        return int(self.starts[locus]) + min(place, self.rows[locus] - 1)

    @cached_property
    def buckets(self) -> NDArray[np.int16]:
        """[locus, code, 2]: the bitmap rows of a coded genotype; -1 where there is none (missing, rare)."""
        found = np.full((len(self.loci), 256, 2), -1, np.int16)
        for locus, alleles in enumerate(self.alleles):
            for code, pair in enumerate(pairs(len(alleles))):
                found[locus, code] = [self.bucket(locus, alleles[i]) for i in pair]
        return found

    def encode(self, genotypes: Sequence[Genotypes], dropouts: Sequence[float] = ()) -> Encoded:
        """Codes of profiles; loci outside the panel are left out.

        A homozygous locus of a profile with dropout becomes rare, because its table values differ from everybody's.
        Raises: SearchRefused, naming profile and locus, if a locus has no allele or more than two.
        """
        codes = np.full((len(genotypes), len(self.loci)), MISSING, np.uint8)
        rare: list[Rare] = []
        for place, typed in enumerate(genotypes):
            dropout = dropouts[place] if dropouts else 0.0
            for locus, name in enumerate(self.loci):
                if name not in typed:
                    continue
                alleles = two_alleles(typed[name], name, place)
                code = self.code(locus, alleles)
                if dropout and alleles[0] == alleles[1]:
                    code = RARE
                codes[place, locus] = code
                if code == RARE:
                    rare.append(Rare(place, locus, alleles, dropout))
        return Encoded(codes, tuple(rare))

    def code(self, locus: int, alleles: tuple[str, str]) -> int:
        """The code of a typed locus."""
        rank = self.rank[locus]
        if alleles[0] not in rank or alleles[1] not in rank:
            return RARE
        low, high = sorted((rank[alleles[0]], rank[alleles[1]]))
        return high * (high + 1) // 2 + low

    def alleles_of(self, locus: int, code: int) -> tuple[str, str]:
        """The alleles behind a code that is neither rare nor missing."""
        low, high = _PAIRS[code]
        return self.alleles[locus][low], self.alleles[locus][high]

    def encode_tenths(self, tenths: NDArray[np.uint16], loci: Sequence[str]) -> Encoded:
        """Codes of many profiles at once, from alleles in tenths (9.3 is 93): [profile, locus, 2], 0 not typed.

        One allele and a 0 is homozygous, as "9" alone is. Takes about 0.3 s a million profiles.
        """
        codes = np.full((len(tenths), len(self.loci)), MISSING, np.uint8)
        rare: list[Rare] = []
        given = {name: column for column, name in enumerate(loci)}
        for locus, name in enumerate(self.loci):
            if name not in given:
                continue
            pair = tenths[:, given[name], :]
            first = np.where(pair[:, 0] == 0, pair[:, 1], pair[:, 0])
            second = np.where(pair[:, 1] == 0, first, pair[:, 1])
            codes[:, locus] = _coded(first, second, self.alleles[locus])
            for place in np.flatnonzero(codes[:, locus] == RARE):
                raw = (_text(int(first[place])), _text(int(second[place])))
                rare.append(Rare(int(place), locus, raw))
        return Encoded(codes, tuple(sorted(rare, key=lambda each: (each.place, each.locus))))


def pairs(alleles: int) -> list[tuple[int, int]]:
    """All genotypes of so many alleles, in the order of their codes."""
    return [(low, high) for high in range(alleles) for low in range(high + 1)]


_PAIRS = pairs(ALLELES_MAX)


def two_alleles(alleles: Sequence[str], locus: str, profile: object) -> tuple[str, str]:
    """One or two alleles as two.

    Raises: SearchRefused, naming profile and locus, for none or more than two.
    """
    if not 1 <= len(alleles) <= 2 or not all(alleles):
        raise SearchRefused(
            f"Profile {profile} has {len(alleles)} alleles at {locus}; give one or two, or leave the locus out."
        )
    return alleles[0], alleles[-1]


def _by_frequency(frequencies: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(sorted(frequencies, key=lambda allele: (-frequencies[allele], allele)))


def _rows(tables: Sequence[Mapping[str, float]]) -> tuple[int, ...]:
    """Share the bitmap's rows out: one bucket an allele, then join the rarest until the budget holds."""
    rows = [min(len(table), ALLELES_MAX) for table in tables]
    ordered = [sorted(table.values(), reverse=True) for table in tables]
    while sum(rows) > ROWS_A_LOCUS * len(tables):
        # The cheapest join is where the shared last bucket stays the least frequent.
        costs = [
            (sum(ordered[i][rows[i] - 2 :]), i) if rows[i] > 1 else (np.inf, i) for i in range(len(rows))
        ]
        rows[min(costs)[1]] -= 1
    return tuple(rows)


def _coded(first: NDArray[np.uint16], second: NDArray[np.uint16], alleles: tuple[str, ...]) -> Codes:
    """Codes of one locus: look both alleles up, put them in order, and form the triangular index."""
    rank = np.full(65_536, ALLELES_MAX, np.uint16)
    for place, allele in enumerate(alleles):
        whole, _, part = allele.partition(".")
        if whole.isdecimal() and (not part or (len(part) == 1 and part.isdecimal())):
            rank[10 * int(whole) + int(part or 0)] = place
    one, other = rank[first], rank[second]
    low, high = np.minimum(one, other), np.maximum(one, other)
    code = np.where(high >= ALLELES_MAX, RARE, high * (high + 1) // 2 + low)
    return np.where(first == 0, MISSING, code).astype(np.uint8)


def _text(tenths: int) -> str:
    whole, part = divmod(tenths, 10)
    return f"{whole}.{part}" if part else str(whole)
