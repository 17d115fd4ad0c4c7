"""What the search assumes of population and mutation: the exact engine's model, as far as tables need it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Transmissions(Protocol):
    """Mutation matrix of a locus: rows are the parent's allele, columns what is passed on."""

    def __call__(
        self, alleles: Sequence[str], frequencies: NDArray[np.float64], sex: str, /
    ) -> NDArray[np.float64]:
        """`sex` is "male" or "female"."""
        ...


@dataclass(frozen=True)
class Assumptions:
    """`by_frequency`: the mutation matrix depends on the frequencies, not on the alleles only."""

    theta: float = 0.01
    silent: float = 0.0
    minimum: float = 0.001
    by_frequency: bool = False

    def ordered(self, alleles: Iterable[str]) -> tuple[str, ...]:
        """Alleles from short to long."""
        return tuple(sorted(alleles, key=_size))


def _size(allele: str) -> tuple[int, int, str]:
    whole, _, part = allele.partition(".")
    if whole.isdecimal() and (part or "0").isdecimal():
        return int(whole), int(part or 0), allele
    return 10**9, 0, allele
