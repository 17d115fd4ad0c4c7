"""Fill the index from PostgreSQL: one snapshot, read by several processes, opened and coded where it is read.

The rows of one snapshot belong to one generation, which is read in the same snapshot. Small tables are read in this
process; large ones by helpers, each a piece of the table at a time, because opening ciphertexts holds the interpreter.
Helpers send codes back through a pipe: the plaintext is in memory, on no disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import pairwise
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from dna_intake.domain.kin import Kind
from dna_intake.domain.packed import PACKED_LOCI
from dna_intake.matching import store_loading
from dna_intake.matching.sealed_rows import ROW, OpenedRows, opened, rows_of
from dna_intake.matching.terms import Source
from dna_intake.search.panel import Encoded, Panel

PAGES_A_PIECE = 4_000
"""Of 8 KiB: some 100,000 profiles, 30 MB of answer, a second of work."""
PAGES_ALONE = 2 * PAGES_A_PIECE
HELPERS = 2
UNKNOWN, MALE, FEMALE = 0, 1, 2


@dataclass(frozen=True)
class Piece:
    """Coded profiles of one piece of the table."""

    ids: NDArray[np.void]
    kinds: NDArray[np.uint8]
    key_hashes: NDArray[np.int32]
    sexes: NDArray[np.uint8]
    links: NDArray[np.uint64] = field(repr=False)
    coded: Encoded = field(repr=False)
    unreadable: int = 0


def coded(rows: OpenedRows, panel: Panel) -> Piece:
    """Opened profiles in the panel's codes; the sex is the stated one, or else what amelogenin shows."""
    return Piece(
        ids=rows.ids,
        kinds=rows.kinds,
        key_hashes=rows.key_hashes,
        sexes=sexes_of(rows),
        links=np.frombuffer(rows.links.tobytes(), dtype=np.uint64)[::4].copy(),
        coded=panel.encode_tenths(rows.alleles, PACKED_LOCI),
        unreadable=rows.unreadable,
    )


def sexes_of(rows: OpenedRows) -> NDArray[np.uint8]:
    """The sexes, as the search library numbers them: the stated relation's, or else what amelogenin shows."""
    amelogenin = rows.alleles[:, -1, 1]
    seen = np.select([amelogenin == 2, amelogenin == 1], [MALE, FEMALE], UNKNOWN).astype(np.uint8)
    seen[np.isin(rows.kinds, _MEN)] = MALE
    seen[np.isin(rows.kinds, _WOMEN)] = FEMALE
    return seen


_MEN = [Kind.father, Kind.paternal_grandfather, Kind.maternal_grandfather]
_WOMEN = [Kind.mother, Kind.paternal_grandmother, Kind.maternal_grandmother]


async def pieces(source: Source, panel: Panel, helpers: int = HELPERS) -> AsyncIterator[tuple[int, Piece]]:
    """The generation of the snapshot with each coded piece of the table; nothing for an empty table."""
    conn = await store_loading.connect(source.url, source.role, source.schema)
    try:
        async with conn.transaction(isolation="repeatable_read", readonly=True):
            snapshot, generation, pages = await store_loading.export_snapshot(conn)
            edges = [*range(0, pages, PAGES_A_PIECE), pages]
            jobs = list(pairwise(edges))
            if pages <= PAGES_ALONE:
                helpers = 0
            with _executor(helpers) as executor:
                async for piece in _read(executor, source, panel, snapshot, jobs, max(helpers, 1)):
                    yield generation, piece
            if not jobs:
                yield generation, coded(opened(np.zeros(0, dtype=ROW), source.master), panel)
    finally:
        await conn.close()


def _executor(helpers: int) -> ProcessPoolExecutor | nullcontext[None]:
    # Not forked: this process has threads that scan.
    return ProcessPoolExecutor(helpers, get_context("spawn")) if helpers else nullcontext()


async def _read(
    executor: Executor | None,
    source: Source,
    panel: Panel,
    snapshot: str,
    jobs: Iterable[tuple[int, int]],
    at_once: int,
) -> AsyncIterator[Piece]:
    """Pieces in any order, never more in memory than are worked on."""
    loop = asyncio.get_running_loop()
    waiting: set[asyncio.Future[Piece]] = set()
    for job in jobs:
        if executor is None:
            yield await read_piece(source, panel, snapshot, job)
            continue
        waiting.add(loop.run_in_executor(executor, _in_helper, source, panel, snapshot, job))
        if len(waiting) > at_once:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                yield each.result()
    for each in waiting:
        yield await each


def _in_helper(source: Source, panel: Panel, snapshot: str, pages: tuple[int, int]) -> Piece:
    return asyncio.run(read_piece(source, panel, snapshot, pages))


async def read_piece(source: Source, panel: Panel, snapshot: str, pages: tuple[int, int]) -> Piece:
    """Read, open and code some pages of the table, as the snapshot has them."""
    answer = bytearray()

    async def keep(part: bytes) -> None:
        answer.extend(part)

    conn = await store_loading.connect(source.url, source.role, source.schema)
    try:
        async with conn.transaction(isolation="repeatable_read", readonly=True):
            await store_loading.share_snapshot(conn, snapshot)
            await store_loading.copy_rows(conn, pages, source.held, source.partitions, keep)
    finally:
        await conn.close()
    return coded(opened(rows_of(answer), source.master), panel)
