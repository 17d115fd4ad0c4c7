"""The compiled loop of all against all: a batch of queries over blocks of profiles that stay in the L2 cache."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dna_intake.search.native import native

WORDS = 128
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
U64 = NDArray[np.uint64]


@native
def _at_most(most: int, one: np.uint64, two: np.uint64, over: np.uint64) -> np.uint64:
    """Which of 64 counters (bits `one` and `two`) are at most `most`."""
    few = ~over
    if most < 3:
        few &= ~(one & two)
    if most < 2:
        few &= ~two
    if most < 1:
        few &= ~one
    return few


@native
def _upper_sum(upper: NDArray[np.float32], rows: I64, codes: U8) -> np.float32:
    total = np.float32(0.0)
    for locus in range(codes.shape[0]):
        total += upper[rows[locus], codes[locus]]
    return total


@native
def likely_pairs(
    bitmaps: U64,
    codes: U8,
    alive: U64,
    buckets: NDArray[np.int16],
    loci: I64,
    most: int,
    rows: I64,
    upper: NDArray[np.float32],
    enough: float,
    first: int,
    after: int,
    out: I64,
) -> int:
    """Write (query, place) of pairs with at most `most` (up to 3) mismatches whose upper sum reaches `enough`.

    `buckets` is [query, locus, 2], of which the first `loci[query]` count. Returns how many pairs there are, which may
    be more than fit into `out`.
    """
    ones = np.empty(WORDS, np.uint64)
    twos = np.empty(WORDS, np.uint64)
    over = np.empty(WORDS, np.uint64)
    least = np.float32(enough)
    found = 0
    for block in range(first, after):
        for query in range(buckets.shape[0]):
            for w in range(WORDS):
                ones[w] = 0
                twos[w] = 0
                over[w] = 0
            for at in range(loci[query]):
                one = bitmaps[block, buckets[query, at, 0]]
                other = bitmaps[block, buckets[query, at, 1]]
                for w in range(WORDS):
                    miss = ~(one[w] | other[w])
                    carry = ones[w] & miss
                    ones[w] ^= miss
                    over[w] |= twos[w] & carry
                    twos[w] ^= carry
            for w in range(WORDS):
                few = _at_most(most, ones[w], twos[w], over[w]) & alive[block * WORDS + w]
                bit = 0
                while few:
                    # Skip to the next survivor: there is one in some four thousand.
                    while not few & np.uint64(1):
                        few >>= np.uint64(1)
                        bit += 1
                    place = (block * WORDS + w) * 64 + bit
                    if _upper_sum(upper, rows[query], codes[place]) >= least:
                        if found < out.shape[0]:
                            out[found, 0] = query
                            out[found, 1] = place
                        found += 1
                    few >>= np.uint64(1)
                    bit += 1
    return found


@native
def pair_totals(
    codes: U8, sexes: U8, pairs: I64, rows: I64, exact: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    """Exact sums of these (query, place) pairs."""
    for i in range(pairs.shape[0]):
        query, place = pairs[i, 0], pairs[i, 1]
        total = 0.0
        for locus in range(codes.shape[1]):
            total += exact[sexes[place], rows[query, locus], codes[place, locus]]
        out[i] = total
