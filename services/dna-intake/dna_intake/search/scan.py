"""The inner loops over all profiles, compiled by numba without the interpreter's lock.

Nothing here knows an allele or a relation: codes, bitmaps and tables come in, marked profiles go out. A mark is a
bit, so no loop ever has too small a buffer. Every loop works on a range of blocks; `spread` hands the ranges to
threads, which works from several threads of a service at a time, other than numba's own thread layers.

Bitmap layout: [block, row, word]: 128 words of 64 profiles, so all rows of a block (some 250 KiB) stay in the L2 cache
while many queries pass over it, and a single query reads runs of 1 KiB.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dna_intake.search.native import native

WORDS = 128
PROFILES_A_BLOCK = 64 * WORDS
CHUNKS_A_THREAD = 4
"""More pieces than threads, so that a core which is busy elsewhere does not hold up the scan."""

HEAD = 8
"""Loci that are added before anybody is left (measured: 6 to 12 are about equal, all 23 take three times as long)."""

U64 = NDArray[np.uint64]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(cores(), thread_name_prefix="dna-scan")


def cores() -> int:
    """How many threads scan."""
    return len(os.sched_getaffinity(0))


def spread(blocks: int, work: Callable[[int, int], Any]) -> list[Any]:
    """Do `work(first, after)` over all blocks in threads; results in order of the blocks."""
    pieces = min(blocks, cores() * CHUNKS_A_THREAD)
    if pieces <= 1:
        return [work(0, blocks)] if blocks else []
    edges = [blocks * i // pieces for i in range(pieces + 1)]
    return list(_threads().map(work, edges[:-1], edges[1:]))


@native
def set_bits(
    codes: U8, first: int, after: int, buckets: NDArray[np.int16], starts: I64, bitmaps: U64
) -> None:
    """Enter the profiles [first, after) into the bitmaps; a locus without alleles is consistent with all."""
    loci = codes.shape[1]
    for place in range(first, after):
        block = place // PROFILES_A_BLOCK
        word = (place % PROFILES_A_BLOCK) // 64
        bit = np.uint64(1) << np.uint64(place % 64)
        for locus in range(loci):
            code = codes[place, locus]
            if code == 255:
                for row in range(starts[locus], starts[locus + 1]):
                    bitmaps[block, row, word] |= bit
            elif code != 254:
                bitmaps[block, buckets[locus, code, 0], word] |= bit
                bitmaps[block, buckets[locus, code, 1], word] |= bit


@native
def few_mismatches(
    bitmaps: U64, rows: NDArray[np.int16], most: int, first: int, after: int, alive: U64, marks: U64
) -> None:
    """Mark living profiles with at most `most` (up to 7) loci that carry none of the query's alleles.

    `rows` is [locus, 2]. Mismatches are counted for 64 profiles at a time, in bit-sliced counters of three bits.
    """
    ones = np.empty(WORDS, np.uint64)
    twos = np.empty(WORDS, np.uint64)
    fours = np.empty(WORDS, np.uint64)
    over = np.empty(WORDS, np.uint64)
    for block in range(first, after):
        for w in range(WORDS):
            ones[w] = 0
            twos[w] = 0
            fours[w] = 0
            over[w] = 0
        for locus in range(rows.shape[0]):
            one = bitmaps[block, rows[locus, 0]]
            other = bitmaps[block, rows[locus, 1]]
            for w in range(WORDS):
                carry = ~(one[w] | other[w])
                up = ones[w] & carry
                ones[w] ^= carry
                carry = twos[w] & up
                twos[w] ^= up
                up = fours[w] & carry
                fours[w] ^= carry
                over[w] |= up
        for w in range(WORDS):
            # The counter is over `most` if it differs from it first upwards, from the highest bit down.
            above = over[w]
            equal = ~above
            for bit, count in ((4, fours[w]), (2, twos[w]), (1, ones[w])):
                if most & bit:
                    equal &= count
                else:
                    above |= equal & count
                    equal &= ~count
            marks[block * WORDS + w] = ~above & alive[block * WORDS + w]


@native
def mark_likely(
    codes: U8,
    table: F32,
    order: I64,
    rest: F32,
    enough: float,
    first: int,
    after: int,
    alive: U64,
    marks: U64,
) -> None:
    """Mark living profiles whose sum over all loci of `table` [locus, code] reaches `enough`.

    `order` has the loci, the most telling first. `rest[i]` is the most that those after the i-th can add; a profile
    that can't reach `enough` any more is left. The first loci are added without asking: that keeps the processor busy.
    """
    least = np.float32(enough)
    loci = order.shape[0]
    head = min(HEAD, loci)
    bound = least - rest[head - 1]
    count = codes.shape[0]
    sums = np.empty(64, np.float32)
    for word in range(first * WORDS, after * WORDS):
        mark = np.uint64(0)
        base = word * 64
        here = min(64, count - base)
        for bit in range(here):
            total = np.float32(0.0)
            for at in range(head):
                total += table[order[at], codes[base + bit, order[at]]]
            sums[bit] = total
        for bit in range(here):
            total = sums[bit]
            if total >= bound:
                for at in range(head, loci):
                    total += table[order[at], codes[base + bit, order[at]]]
                    if total + rest[at] < least:
                        break
                if total >= least:
                    mark |= np.uint64(1) << np.uint64(bit)
        marks[word] = mark & alive[word]


@native
def count_marks(marks: U64) -> int:
    """How many bits are set."""
    total = 0
    for word in range(marks.shape[0]):
        left = marks[word]
        while left:
            left &= left - np.uint64(1)
            total += 1
    return total


@native
def places_of(marks: U64, count: int, base: int) -> I64:
    """The places of the set bits, in order."""
    places = np.empty(count, np.int64)
    found = 0
    for word in range(marks.shape[0]):
        left = marks[word]
        bit = 0
        while left:
            if left & np.uint64(1):
                places[found] = base + word * 64 + bit
                found += 1
            left >>= np.uint64(1)
            bit += 1
    return places


@native
def totals(codes: U8, places: I64, tables: F64, sexes: U8, out: F64) -> None:
    """Exact sums of `tables` [sex, locus, code] at these places."""
    for i in range(places.shape[0]):
        table = tables[sexes[places[i]]]
        total = 0.0
        for locus in range(codes.shape[1]):
            total += table[locus, codes[places[i], locus]]
        out[i] = total


def places(blocks: int, work: Callable[[int, int, U64], None]) -> I64:
    """Let `work(first, after, marks)` mark profiles of all blocks in threads; the marked places, in order."""
    marks = np.empty(blocks * WORDS, np.uint64)

    def piece(first: int, after: int) -> I64:
        work(first, after, marks)
        mine = marks[first * WORDS : after * WORDS]
        return np.asarray(places_of(mine, count_marks(mine), first * PROFILES_A_BLOCK))

    found = spread(blocks, piece)
    return np.concatenate(found) if found else np.empty(0, np.int64)
