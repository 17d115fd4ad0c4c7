"""The index as the matcher's process holds it: who is in it, in which part, and who is whose spouse.

The groups are kept apart, since nobody is compared with their own kind. A row number leads to the specimen; ids and
links are searched by scanning, which is milliseconds for ten million. Everything decrypted lies in the search
library's memory-only arrays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from dna_intake.domain.kin import PARENTS, Kind, may_be_a_couple
from dna_intake.matching.loading import Piece
from dna_intake.search import Encoded, Index, Panel
from dna_intake.search.panel import Rare

GROUPS: dict[str, tuple[Kind, ...]] = {
    "children": (Kind.child,),
    "parents": (Kind.father, Kind.mother, Kind.parent),
    "full_siblings": (Kind.full_sibling,),
    "paternal_grandparents": (Kind.paternal_grandfather, Kind.paternal_grandmother),
    "maternal_grandparents": (Kind.maternal_grandfather, Kind.maternal_grandmother),
    "uncles_aunts": (Kind.uncle_aunt,),
}
GUESTS = "guests"
"""Parents of another partition who are here for their spouses' sake: compared as couples only."""
_ARRAYS = ("_ids", "_kinds", "_partitions", "_links", "_alive")
_ROOM = 1024
REMOVED_MAX = 0.01
"""Share of removed rows from which on the arrays are copied without them (our own choice: seconds for ten million)."""


@dataclass
class Held:
    """Everybody in memory. `generation` is of the newest change that is in it."""

    panel: Panel = field(repr=False)
    partitions: int
    held: frozenset[int]
    generation: int = 0
    unreadable: int = 0

    def __post_init__(self) -> None:
        self.groups = {name: Index(self.panel, name) for name in (*GROUPS, GUESTS)}
        self.rows = 0
        self._ids = np.zeros(_ROOM, dtype="V16")
        self._kinds = np.zeros(_ROOM, dtype=np.uint8)
        self._partitions = np.zeros(_ROOM, dtype=np.uint16)
        # The first 8 bytes of the case link, which is a keyed hash; 0 is no case.
        self._links = np.zeros(_ROOM, dtype=np.uint64)
        self._alive = np.zeros(_ROOM, dtype=bool)
        self._counts = np.zeros((len(Kind), self.partitions), dtype=np.int64)
        self._removed = 0

    @property
    def profiles(self) -> int:
        """How many can be found."""
        return sum(index.profiles for index in self.groups.values())

    @property
    def nbytes(self) -> int:
        """Memory of the profiles: the library's arrays and ours."""
        library = sum(segment.nbytes for index in self.groups.values() for segment in index.segments)
        return int(library + sum(getattr(self, name).nbytes for name in _ARRAYS))

    def add(self, pieces: Sequence[Piece]) -> None:
        """Take coded profiles in, all at once; whoever lies elsewhere comes in as the spouse of somebody here only."""
        self.unreadable += sum(piece.unreadable for piece in pieces)
        pieces = [piece for piece in pieces if len(piece.ids)]
        if not pieces:
            return
        piece = joined(pieces)
        rows = self._enter(piece)
        here = self._mine()[self._partitions[rows]]
        guests = self._guests(rows, _of_kinds(piece.kinds, PARENTS) & ~here)
        for name, kinds in GROUPS.items():
            self._append(name, piece, rows, _of_kinds(piece.kinds, kinds) & here)
        self._append(GUESTS, piece, rows, guests)
        self._alive[rows[~here & ~guests]] = False
        np.add.at(self._counts, (self._kinds[rows[here]], self._partitions[rows[here]]), 1)

    def _guests(self, rows: NDArray[np.int64], away: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which parents of elsewhere have a spouse here. Where all partitions are held, nobody is looked at."""
        guests: NDArray[np.bool_] = away & (self._links[rows] != 0)
        if guests.any():
            links = self._links[: self.rows]
            theirs = np.isin(links, self._links[rows[guests]]) & self._here() & self._parents()
            guests &= np.isin(self._links[rows], links[theirs])
        return guests

    def _append(self, name: str, piece: Piece, rows: NDArray[np.int64], which: NDArray[np.bool_]) -> None:
        places = np.flatnonzero(which)
        if len(places):
            batch = chosen(piece.coded, places)
            self.groups[name].append(batch, rows[places], piece.sexes[places], generation=self.generation)

    def _enter(self, piece: Piece) -> NDArray[np.int64]:
        count, first = len(piece.ids), self.rows
        self._make_room(first + count)
        rows = np.arange(first, first + count)
        self._ids[rows] = piece.ids
        self._kinds[rows] = piece.kinds
        self._partitions[rows] = piece.key_hashes % self.partitions
        self._links[rows] = piece.links
        self._alive[rows] = True
        self.rows += count
        return rows

    def _make_room(self, rows: int) -> None:
        if rows <= len(self._ids):
            return
        room = max(rows, len(self._ids) * 3 // 2)
        for name in _ARRAYS:
            old = getattr(self, name)
            grown = np.zeros(room, dtype=old.dtype)
            grown[: len(old)] = old
            setattr(self, name, grown)

    def remove(self, specimens: Iterable[UUID]) -> int:
        """Take specimens out, guests too; returns how many rows went.

        The search library overwrites their codes and bits at once; the room is won back when `REMOVED_MAX` is gone.
        """
        halves = self._ids[: self.rows].view(np.uint64).reshape(-1, 2)
        wanted = [np.frombuffer(one.bytes, dtype=np.uint64) for one in specimens]
        if not wanted:
            return 0
        # By one half first: that is a comparison of numbers, fast for few wanted among many.
        likely = np.flatnonzero(np.isin(halves[:, 0], np.array([half[0] for half in wanted])))
        sought = {half.tobytes() for half in wanted}
        rows = [int(row) for row in likely if self._alive[row] and halves[row].tobytes() in sought]
        self._remove(np.array(rows, dtype=np.int64))
        return len(rows)

    def _remove(self, rows: NDArray[np.int64]) -> None:
        if not len(rows):
            return
        here = rows[self._mine()[self._partitions[rows]]]
        np.subtract.at(self._counts, (self._kinds[here], self._partitions[here]), 1)
        for index in self.groups.values():
            index.remove(rows)
        self._alive[rows] = False
        self._ids[rows] = np.void(bytes(16))
        self._links[rows] = 0
        self._removed += len(rows)
        if self._removed > REMOVED_MAX * self.rows:
            for index in self.groups.values():
                index.compact()
            self._removed = 0

    def specimen(self, row: int) -> UUID:
        """Who is in this row."""
        return UUID(bytes=self._ids[row].tobytes())

    def kind(self, row: int) -> Kind:
        """What the row's specimen is."""
        return Kind(int(self._kinds[row]))

    def couples_among(self, rows: Sequence[int]) -> list[tuple[int, int]]:
        """The declared couples whose two members are both among these rows, and whose first lies here."""
        given = np.array(sorted(set(rows)), dtype=np.int64)
        links = self._links[given]
        found: list[tuple[int, int]] = []
        counted, counts = np.unique(links[links != 0], return_counts=True)
        for link in counted[counts > 1]:
            members = given[links == link].tolist()
            for place, one in enumerate(members):
                for other in members[place + 1 :]:
                    if may_be_a_couple(self.kind(one), self.kind(other)):
                        found.append(self.in_order(one, other))
        return [couple for couple in found if int(self._partitions[couple[0]]) in self.held]

    def in_order(self, one: int, other: int) -> tuple[int, int]:
        """A couple's rows, the father first; of two whose sex nobody stated the smaller id."""
        first, second = sorted(
            (one, other), key=lambda row: order_in_couple(self.kind(row), self.specimen(row))
        )
        return first, second

    def compared_by_partition(self, kinds: Iterable[Kind]) -> Counter[int]:
        """How many of these kinds live in each held partition."""
        found = self._counts[[int(kind) for kind in kinds]].sum(axis=0)
        return Counter({partition: int(found[partition]) for partition in self.held})

    def rows_of(self, kind: Kind, partition: int | None = None) -> NDArray[np.int64]:
        """Rows of all of a kind who live here, or in one partition of it, in order."""
        which = self._here() & _of_kinds(self._kinds[: self.rows], (kind,))
        if partition is not None:
            which &= self._partitions[: self.rows] == partition
        return np.flatnonzero(which)

    def mates_of(self, row: int) -> list[int]:
        """The rows of the other parents of the same case, guests included."""
        link = self._links[row]
        same = (self._links[: self.rows] == link) & self._alive[: self.rows] & self._parents()
        return [int(other) for other in np.flatnonzero(same) if other != row] if link else []

    def _here(self) -> NDArray[np.bool_]:
        return self._alive[: self.rows] & self._mine()[self._partitions[: self.rows]]

    def _mine(self) -> NDArray[np.bool_]:
        """A flag a partition: is it held here?"""
        return np.isin(np.arange(self.partitions), list(self.held))

    def _parents(self) -> NDArray[np.bool_]:
        return _of_kinds(self._kinds[: self.rows], PARENTS)


def order_in_couple(kind: Kind, specimen: UUID) -> tuple[int, bytes]:
    """What a couple is sorted by: a father, one of unknown sex, a mother; then by id."""
    return {Kind.father: 0, Kind.mother: 2}.get(kind, 1), specimen.bytes


def _of_kinds(kinds: NDArray[np.uint8], wanted: Iterable[Kind]) -> NDArray[np.bool_]:
    flags = np.zeros(len(Kind), dtype=bool)
    flags[[int(kind) for kind in wanted]] = True
    found: NDArray[np.bool_] = flags[kinds]
    return found


def joined(pieces: Sequence[Piece]) -> Piece:
    """Several pieces as one."""
    if len(pieces) == 1:
        return pieces[0]
    starts = np.cumsum([0, *(len(piece.ids) for piece in pieces)]).tolist()
    rare = tuple(
        Rare(start + each.place, each.locus, each.alleles, each.dropout)
        for start, piece in zip(starts, pieces, strict=False)
        for each in piece.coded.rare
    )
    return Piece(
        ids=np.concatenate([piece.ids for piece in pieces]),
        kinds=np.concatenate([piece.kinds for piece in pieces]),
        key_hashes=np.concatenate([piece.key_hashes for piece in pieces]),
        sexes=np.concatenate([piece.sexes for piece in pieces]),
        links=np.concatenate([piece.links for piece in pieces]),
        coded=Encoded(np.concatenate([piece.coded.codes for piece in pieces]), rare),
    )


def chosen(batch: Encoded, places: Sequence[int] | NDArray[np.int64]) -> Encoded:
    """Some profiles of a batch as a batch of their own."""
    at = {int(place): new for new, place in enumerate(places)} if batch.rare else {}
    rare = tuple(
        Rare(at[each.place], each.locus, each.alleles, each.dropout)
        for each in batch.rare
        if each.place in at
    )
    return Encoded(batch.codes[np.asarray(places)], rare)
