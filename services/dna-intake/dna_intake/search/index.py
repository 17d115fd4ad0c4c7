"""The index: everybody who can be found, as segments, with a generation number.

A base segment and a small one for what came since; removals are marks. `compact` makes one segment of what lives. The
index is a copy that can be built again at any time: PostgreSQL is the truth. Searches take a `snapshot` and need no
lock; writers take turns.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dna_intake.search.panel import Encoded, Panel, Rare
from dna_intake.search.refusals import SearchRefused
from dna_intake.search.segment import Segment

SEXES = ("unknown", "male", "female")
"""The byte of a profile's sex is the place in this list."""
ROW_ID_MAX = 2**32 - 1
APPEND_ROOM = 1 << 16
"""Profiles of the first appended segment; it doubles when full."""


@dataclass(frozen=True)
class View:
    """A segment as a search sees it: what is appended later is not in it."""

    segment: Segment = field(repr=False)
    count: int


@dataclass(frozen=True)
class Snapshot:
    """All views of one generation."""

    panel: Panel = field(repr=False)
    views: tuple[View, ...]
    generation: int

    @property
    def profiles(self) -> int:
        """Places in use, removed ones included."""
        return sum(view.count for view in self.views)


class Index:
    """Profiles to be searched; `role` says of whom ("parents", "children", ...), for files and messages."""

    def __init__(self, panel: Panel, role: str = "parents", generation: int = 0) -> None:
        self.panel = panel
        self.role = role
        self.generation = generation
        self.table_sha256 = ""
        self.segments: list[Segment] = []
        self._removed = 0
        self._lock = threading.RLock()

    @property
    def profiles(self) -> int:
        """How many can be found."""
        return sum(segment.count for segment in self.segments) - self._removed

    @property
    def bytes_per_profile(self) -> float:
        """Bytes of codes, bitmaps, ids, sexes and removal marks, per profile in use."""
        used = sum(segment.count for segment in self.segments)
        return sum(segment.nbytes for segment in self.segments) / used if used else 0.0

    def snapshot(self) -> Snapshot:
        """What a search that begins now sees."""
        with self._lock:
            views = tuple(View(segment, segment.count) for segment in self.segments)
            return Snapshot(self.panel, views, self.generation)

    def append(
        self,
        batch: Encoded,
        row_ids: ArrayLike,
        sexes: Sequence[str] | NDArray[np.uint8] | None = None,
        generation: int | None = None,
    ) -> None:
        """Add profiles; they can be found when this returns. One takes well under a millisecond.

        Row ids are whole numbers below 2**32. `generation` is what the index then has; one more if not said.
        Raises: SearchRefused, if an id is there already (remove it first) or out of range.
        """
        ids = row_ids_of(row_ids, len(batch.codes))
        given = _sexes(sexes, len(ids))
        with self._lock:
            self._refuse_known(ids)
            segment = self._room(len(ids))
            segment.add(self.panel, batch, ids, given)
            self.generation = self.generation + 1 if generation is None else generation

    def remove(self, row_ids: ArrayLike, generation: int | None = None) -> int:
        """Take profiles out, at once for every search that begins later; returns how many were there."""
        ids = np.atleast_1d(np.asarray(row_ids, dtype=np.int64))
        with self._lock:
            gone = 0
            for segment in self.segments:
                places = np.flatnonzero(np.isin(segment.row_ids[: segment.count], ids) & segment.living())
                segment.remove(places)
                gone += len(places)
            self._removed += gone
            self.generation = self.generation + 1 if generation is None else generation
            return gone

    def take_over(self, segments: Sequence[Segment]) -> None:
        """Use these segments, of a file for example, instead of what is there."""
        with self._lock:
            self.segments = list(segments)
            self._removed = sum(segment.count - int(segment.living().sum()) for segment in self.segments)

    def compact(self) -> None:
        """Make one segment of what lives: room of removed profiles is won back, and nothing of them remains."""
        with self._lock:
            lives = [segment.living() for segment in self.segments]
            total = int(sum(flags.sum() for flags in lives))
            whole = Segment.empty(self.panel, total)
            for segment, flags in zip(self.segments, lives, strict=True):
                places = np.flatnonzero(flags)
                batch = Encoded(segment.codes[places], _moved(segment, places))
                whole.add(self.panel, batch, segment.row_ids[places], segment.sexes[places])
            self.segments = [whole] if total else []
            self._removed = 0

    def _room(self, profiles: int) -> Segment:
        """A segment with room for so many: the last one, a bigger copy of it, or a new one."""
        last = self.segments[-1] if self.segments else None
        grows = last is not None and len(self.segments) > 1 and last.codes.flags.writeable
        if last is not None and grows and last.capacity >= last.count + profiles:
            return last
        if last is None or not grows:
            # The first segment is the base, exactly as large as its batch; the next one grows. A file's do not.
            size = profiles if last is None else max(profiles, APPEND_ROOM)
            self.segments.append(Segment.empty(self.panel, size))
            return self.segments[-1]
        grown = Segment.empty(self.panel, max(2 * last.capacity, last.count + profiles))
        for name in ("codes", "row_ids", "sexes", "alive", "bitmaps"):
            old = getattr(last, name)
            getattr(grown, name)[: len(old)] = old
        grown.rare, grown.count = last.rare, last.count
        self.segments[-1] = grown
        return grown

    def _refuse_known(self, ids: NDArray[np.uint32]) -> None:
        ordered = np.sort(ids)  # Not np.unique: its hash table takes 1.3 s for half a million ids.
        if (ordered[1:] == ordered[:-1]).any():
            raise SearchRefused("A row id is there twice in the batch; give every profile an id of its own.")
        for segment in self.segments:
            known = np.isin(segment.row_ids[: segment.count], ids)
            if known.any() and (known & segment.living()).any():
                raise SearchRefused(
                    f"Row {int(segment.row_ids[: segment.count][known][0])} is in the index; remove it first."
                )


def row_ids_of(row_ids: ArrayLike, profiles: int) -> NDArray[np.uint32]:
    """Row ids as the index keeps them.

    Raises: SearchRefused, if they are not as many as profiles, or out of range.
    """
    ids = np.atleast_1d(np.asarray(row_ids, dtype=np.int64))
    if len(ids) != profiles:
        raise SearchRefused(f"There are {profiles} profiles and {len(ids)} row ids; give one each.")
    if len(ids) and (ids.min() < 0 or ids.max() > ROW_ID_MAX):
        raise SearchRefused(f"Row ids are 0 to {ROW_ID_MAX}; {ids.min()} to {ids.max()} were given.")
    return ids.astype(np.uint32)


def _sexes(sexes: Sequence[str] | NDArray[np.uint8] | None, profiles: int) -> NDArray[np.uint8]:
    if sexes is None:
        return np.zeros(profiles, np.uint8)
    if isinstance(sexes, np.ndarray):
        return sexes.astype(np.uint8)
    wrong = sorted(set(sexes) - set(SEXES))
    if wrong or len(sexes) != profiles:
        raise SearchRefused(
            f"Give one sex a profile, of {', '.join(SEXES)}; not {', '.join(wrong) or len(sexes)}."
        )
    return np.array([SEXES.index(sex) for sex in sexes], np.uint8)


def _moved(segment: Segment, places: NDArray[np.int64]) -> tuple[Rare, ...]:
    """The rare loci of chosen places, with their places in the new batch."""
    at = {int(place): new for new, place in enumerate(places)} if segment.rare else {}
    return tuple(
        Rare(at[place], each.locus, each.alleles, each.dropout)
        for place, loci in sorted(segment.rare.items())
        if place in at
        for each in loci
    )
