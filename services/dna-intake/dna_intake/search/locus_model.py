"""One locus under a model: its alleles, their frequencies as the pair at hand sees them, and its mutation matrices.

An allele that somebody of the pair carries counts with at least the minimum frequency, and the others make room; so
frequencies differ from code to code, and by how is `kinship.frequencies.with_minimum`'s rule, here for many pairs at
once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dna_intake.search.model import Assumptions, Transmissions

Floats = NDArray[np.float64]


@dataclass
class LocusModel:
    """`alleles` in order of the engine; with silent alleles, the last index is the silent one and has no name."""

    alleles: tuple[str, ...]
    base: Floats
    assumed: Assumptions
    transmit: Transmissions
    _matrices: dict[tuple[str, bytes], Floats] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls, table: Mapping[str, float], unseen: Sequence[str], assumed: Assumptions, transmit: Transmissions
    ) -> LocusModel:
        """A locus whose table is `table`, and where these alleles were seen too."""
        alleles = assumed.ordered({*table, *unseen})
        base = np.array([table.get(allele, 0.0) for allele in alleles])
        return cls(alleles, base, assumed, transmit)

    @property
    def size(self) -> int:
        """Alleles, the silent one included."""
        return len(self.alleles) + (1 if self.assumed.silent else 0)

    @property
    def silent(self) -> int | None:
        """Index of the silent allele."""
        return len(self.alleles) if self.assumed.silent else None

    def frequencies(self, seen: NDArray[np.bool_]) -> Floats:
        """[pair, allele] for pairs that carry the alleles of `seen` [pair, visible allele]."""
        # The hair of tolerance is the engine's: a table's own floor is not changed by its rounding.
        rare = seen & (self.base < self.assumed.minimum * (1 - 1e-6))
        left = 1.0 - self.assumed.minimum * rare.sum(axis=1)
        rest = np.where(rare, 0.0, self.base).sum(axis=1)
        scale = np.where(rare.any(axis=1), left / rest, 1.0)
        found = np.where(rare, self.assumed.minimum, self.base * scale[:, None])
        if self.silent is None:
            return found
        silent = np.full((len(found), 1), self.assumed.silent)
        return np.hstack([found * (1.0 - self.assumed.silent), silent])

    def matrices(self, paths: Sequence[str], frequencies: Floats) -> Floats:
        """[path, transmitted, parent's] of these hands, under these frequencies (one row)."""
        return np.stack([self._path(path, frequencies).T for path in paths])

    def _path(self, path: str, frequencies: Floats) -> Floats:
        found = np.eye(self.size)
        for sex in path:
            found = found @ self._matrix(sex, frequencies)
        return found

    def _matrix(self, sex: str, frequencies: Floats) -> Floats:
        key = (sex, frequencies.tobytes() if self.assumed.by_frequency else b"")
        if key not in self._matrices:
            visible = frequencies[: len(self.alleles)]
            hand = "female" if sex == "f" else "male"
            whole = np.eye(self.size)
            whole[: len(visible), : len(visible)] = self.transmit(self.alleles, visible / visible.sum(), hand)
            self._matrices[key] = whole
        return self._matrices[key]
