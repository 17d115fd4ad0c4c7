"""A segment: one run of profiles as arrays, with room to grow at its end.

A writer fills a place before it raises `count`; a reader takes `count` once and looks no further, so searches need no
lock. Only whoever holds the index's lock writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dna_intake.search import memory, scan
from dna_intake.search.panel import MISSING, Encoded, Panel, Rare

RareLoci = dict[int, list[Rare]]
"""Of a place in the segment: what stands behind its codes 254."""


@dataclass
class Segment:
    """Arrays of `capacity` profiles, of which `count` are in use; `alive` has a bit a profile."""

    codes: NDArray[np.uint8] = field(repr=False)
    bitmaps: NDArray[np.uint64] = field(repr=False)
    row_ids: NDArray[np.uint32] = field(repr=False)
    sexes: NDArray[np.uint8] = field(repr=False)
    alive: NDArray[np.uint64] = field(repr=False)
    rare: RareLoci = field(repr=False, default_factory=dict)
    count: int = 0

    @classmethod
    def empty(cls, panel: Panel, profiles: int) -> Segment:
        """Room for at least so many profiles, in memory only."""
        blocks = max(1, -(-profiles // scan.PROFILES_A_BLOCK))
        capacity = blocks * scan.PROFILES_A_BLOCK
        return cls(
            codes=memory.zeros((capacity, len(panel.loci)), np.uint8),
            bitmaps=memory.zeros((blocks, sum(panel.rows), scan.WORDS), np.uint64),
            row_ids=memory.zeros((capacity,), np.uint32),
            sexes=memory.zeros((capacity,), np.uint8),
            alive=memory.zeros((blocks * scan.WORDS,), np.uint64),
        )

    @property
    def capacity(self) -> int:
        """Profiles that fit."""
        return len(self.codes)

    @property
    def blocks(self) -> int:
        """Blocks in use."""
        return -(-self.count // scan.PROFILES_A_BLOCK)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays, room to grow included."""
        arrays = (self.codes, self.bitmaps, self.row_ids, self.sexes, self.alive)
        return sum(array.nbytes for array in arrays)

    def living(self) -> NDArray[np.bool_]:
        """A flag a profile in use: not removed."""
        return np.unpackbits(self.alive.view(np.uint8), bitorder="little")[: self.count].astype(bool)

    def add(
        self, panel: Panel, batch: Encoded, row_ids: NDArray[np.uint32], sexes: NDArray[np.uint8]
    ) -> None:
        """Append a batch; the caller has made sure of the room."""
        first, after = self.count, self.count + len(batch.codes)
        self.codes[first:after] = batch.codes
        self.row_ids[first:after] = row_ids
        self.sexes[first:after] = sexes
        for each in batch.rare:
            moved = Rare(first + each.place, each.locus, each.alleles, each.dropout)
            self.rare.setdefault(moved.place, []).append(moved)
        self._enter(panel, first, after, batch.rare)
        self._revive(first, after)
        self.count = after

    def remove(self, places: NDArray[np.int64]) -> None:
        """Mark as removed and wipe genotype and id; the room is won back by compaction.

        A segment of a file that is open for reading is marked only; compaction leaves nothing of it.
        """
        for place in map(int, places):
            bit = ~(np.uint64(1) << np.uint64(place % 64))
            self.alive[place // 64] &= bit
            self.rare.pop(place, None)
            if self.codes.flags.writeable:
                self.codes[place] = MISSING
                self.row_ids[place] = 0
                self.bitmaps[place // scan.PROFILES_A_BLOCK, :, place // 64 % scan.WORDS] &= bit

    def _enter(self, panel: Panel, first: int, after: int, rare: Sequence[Rare]) -> None:
        edge = scan.PROFILES_A_BLOCK

        def enter(block: int, end: int) -> None:
            low, high = max(first, block * edge), min(after, end * edge)
            scan.set_bits(self.codes, low, high, panel.buckets, panel.starts, self.bitmaps)

        base = first // edge
        scan.spread(-(-after // edge) - base, lambda a, b: enter(base + a, base + b))
        for each in rare:
            self._enter_rare(panel, first + each.place, each)

    def _enter_rare(self, panel: Panel, place: int, each: Rare) -> None:
        bit = np.uint64(1) << np.uint64(place % 64)
        block, word = divmod(place // 64, scan.WORDS)
        rows = {panel.bucket(each.locus, allele) for allele in each.alleles}
        if each.dropout:
            # Its second allele may be any: consistent with everybody.
            rows = set(range(int(panel.starts[each.locus]), int(panel.starts[each.locus + 1])))
        for row in rows:
            self.bitmaps[block, row, word] |= bit

    def _revive(self, first: int, after: int) -> None:
        flags = np.unpackbits(self.alive[first // 64 : -(-after // 64)].view(np.uint8), bitorder="little")
        base = first // 64 * 64
        flags[first - base : after - base] = 1
        self.alive[first // 64 : -(-after // 64)] = np.packbits(flags, bitorder="little").view(np.uint64)
