"""The sealed form of a genotype: 101 bytes that a matcher can read by the million.

A version byte, then two alleles for each locus of a fixed order, each a uint16 (little endian) in tenths of a
repeat: 9.3 is 93, 0 is not typed; amelogenin, the last, has X = 1 and Y = 2. Every profile is equally long, so
that neither its length nor its ciphertext tells how much was typed. The order is written out here and never
follows `profiles.LOCI`: what was sealed years ago must read the same. A new locus is a new version.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dna_intake.domain.profiles import AMELOGENIN, Genotype

VERSION = 1
PACKED_LOCI: tuple[str, ...] = (
    "CSF1PO",
    "D10S1248",
    "D12S391",
    "D13S317",
    "D16S539",
    "D18S51",
    "D19S433",
    "D1S1656",
    "D21S11",
    "D22S1045",
    "D2S1338",
    "D2S441",
    "D3S1358",
    "D5S818",
    "D6S1043",
    "D7S820",
    "D8S1179",
    "FGA",
    "Penta D",
    "Penta E",
    "SE33",
    "TH01",
    "TPOX",
    "vWA",
    AMELOGENIN,
)
STR_LOCI = PACKED_LOCI[:-1]
"""The loci of a kinship search: the first 24 of the packed order."""
LENGTH = 1 + 4 * len(PACKED_LOCI)

_TENTHS_MAX = 999
_SEX = {"X": 1, "Y": 2}
_SEX_NAMED = {1: "X", 2: "Y"}


class Unreadable(ValueError):
    """The bytes are not a packed genotype of a version that is known here; says which row, never what it holds."""


def pack(genotype: Genotype) -> bytes:
    """A sound genotype as 101 bytes.

    Raises: Unreadable, naming the locus, for one that the packed form has no place for.
    """
    numbers = np.zeros((len(PACKED_LOCI), 2), dtype="<u2")
    for locus, alleles in genotype.alleles.items():
        if locus not in _PLACE:
            raise Unreadable(f"Locus {locus} has no place in version {VERSION} of the packed form.")
        numbers[_PLACE[locus]] = sorted(_number(locus, allele) for allele in alleles)
    return bytes([VERSION]) + numbers.tobytes()


def unpack(packed: bytes) -> Genotype:
    """The genotype that was packed. Raises: Unreadable."""
    return genotype_from(unpack_many([packed])[0])


def unpack_many(packed: Sequence[bytes]) -> NDArray[np.uint16]:
    """Many packed genotypes at once: [row, locus in PACKED_LOCI, 2], 0 where nothing was typed.

    No row is looked at by itself: a million take 0.8 s on one busy core, most of it for joining the list.
    Raises: Unreadable, naming the first row that is not ours.
    """
    wrong = next((row for row, each in enumerate(packed) if len(each) != LENGTH), None)
    if wrong is not None:
        raise Unreadable(f"Row {wrong} has {len(packed[wrong])} bytes; a packed genotype has {LENGTH}.")
    rows = np.frombuffer(b"".join(packed), dtype=np.uint8).reshape(len(packed), LENGTH)
    strange = np.flatnonzero(rows[:, 0] != VERSION)
    if strange.size:
        raise Unreadable(f"Row {strange[0]} is of version {rows[strange[0], 0]}; known is {VERSION}.")
    numbers = np.ascontiguousarray(rows[:, 1:]).view("<u2").reshape(len(packed), len(PACKED_LOCI), 2)
    _check(numbers)
    return numbers.astype(np.uint16, copy=False)


def genotype_from(numbers: NDArray[np.uint16]) -> Genotype:
    """The genotype of one row of `unpack_many`."""
    typed = {locus: numbers[place] for place, locus in enumerate(PACKED_LOCI) if numbers[place, 0]}
    alleles = {locus: (_text(locus, int(a)), _text(locus, int(b))) for locus, (a, b) in typed.items()}
    return Genotype({locus: alleles[locus] for locus in sorted(alleles)})


def allele_text(tenths: int) -> str:
    """The allele as people write it: 93 is 9.3, 90 is 9."""
    whole, part = divmod(tenths, 10)
    return f"{whole}.{part}" if part else str(whole)


def tenths(allele: str) -> int:
    """The allele in tenths of a repeat: 9.3 is 93."""
    whole, _, part = allele.partition(".")
    return int(whole) * 10 + int(part or 0)


_PLACE = {locus: place for place, locus in enumerate(PACKED_LOCI)}


def _number(locus: str, allele: str) -> int:
    return _SEX[allele] if locus == AMELOGENIN else tenths(allele)


def _text(locus: str, number: int) -> str:
    return _SEX_NAMED[number] if locus == AMELOGENIN else allele_text(number)


def _check(numbers: NDArray[np.uint16]) -> None:
    """Both alleles or none, in order and in range: a row that is not was never written by `pack`."""
    first, second = numbers[..., 0], numbers[..., 1]
    bad = ((first == 0) != (second == 0)) | (first > second) | (second > _TENTHS_MAX)
    bad[:, -1] |= second[:, -1] > _SEX["Y"]
    if bad.any():
        raise Unreadable(f"Row {np.argwhere(bad)[0][0]} does not hold two alleles in order at a locus.")
