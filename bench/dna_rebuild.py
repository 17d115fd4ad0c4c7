"""The matcher's index: rebuilt from sealed rows in PostgreSQL, and how soon a new profile is searchable in it.

Ten million profiles of nobody, drawn from the shipped frequencies and sealed one by one as the service seals them, lie
in a PostgreSQL of the bench's own. `rebuild_s` is what a restarted service waits for: the matcher's process is started,
reads, opens, codes and indexes all of them. Its ceiling is the bare read of the same rows by the same COPY, one
connection, nothing opened. `searchable_s` is from the commit that accepts a profile until the index has it,
`answered_s` until its own search over everybody is written; both over several profiles, the worst.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from _figures import Figure, show
from dna_intake.domain.packed import PACKED_LOCI, VERSION
from dna_intake.kinship import load_table
from dna_intake.matching import store_loading
from dna_intake.matching.matcher import Matcher
from dna_intake.settings import DnaSettings
from guitu.embedded.node import Node
from guitu.migrate import migrate_now
from guitu.service import Runtime
from guitu.vault import master_key

PROFILES = 10_000_000
PROFILES_QUICK = 200_000
BYTES_A_PROFILE = 800
"""On the disk with indexes and the log of writing, and room to spare (seen: about 600)."""
A_PIECE = 50_000
ENTERED = 5
TABLE = "norstr_east_asia"
_COLUMNS = """
specimen_id, region_code, kit, loci_typed, partial, wrapped_key, genotype_sealed, accepted_at, accepted_by, generation,
kind, key_hash, case_link, exercise
"""
_FIELDS = (
    ("specimen_id", 16), ("region_code", 6), ("kit", 5), ("loci_typed", 4), ("partial", 1), ("wrapped_key", 60),
    ("genotype_sealed", 129), ("accepted_at", 8), ("accepted_by", 5), ("generation", 8), ("kind", 2), ("key_hash", 4),
    ("case_link", 32), ("exercise", 1),
)  # fmt: skip
_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)


def genotypes(rng: np.random.Generator, count: int) -> np.ndarray:
    """Packed genotypes of unrelated people: [person, 101 bytes]."""
    table = load_table(TABLE)
    packed = np.zeros((count, 1 + 4 * len(PACKED_LOCI)), dtype=np.uint8)
    packed[:, 0] = VERSION
    for place, locus in enumerate(PACKED_LOCI):
        if locus not in table.loci:
            continue
        alleles = np.array([round(float(a) * 10) for a in table.loci[locus]], dtype="<u2")
        shares = np.array(list(table.loci[locus].values()))
        drawn = np.sort(rng.choice(alleles, (count, 2), p=shares / shares.sum()), axis=1)
        packed[:, 1 + 4 * place : 5 + 4 * place] = drawn.view(np.uint8).reshape(count, 4)
    return packed


def sealed_piece(seed: int, first: int, count: int, master: bytes) -> bytes:
    """Rows of `profile` in PostgreSQL's binary form, sealed as the service seals them; nine of ten are parents."""
    rng = np.random.default_rng(seed)
    packed = genotypes(rng, count)
    ids = rng.bytes(16 * count)
    random = os.urandom(count * (32 + 12 + 12))
    rows = np.zeros(count, dtype=[("n", ">i2"), *_dtype()])
    rows["n"] = len(_FIELDS)
    for name, width in _FIELDS:
        rows[f"{name}_n"] = width
    kinds = np.where(np.arange(count) % 10 == 0, 0, 1 + np.arange(count) % 2)
    fixed = {
        "region_code": b"500235",
        "kit": b"bench",
        "accepted_by": b"bench",
        "exercise": b"\0",
        "partial": b"\0",
    }
    for name, value in fixed.items():
        rows[name] = np.void(value)
    rows["specimen_id"] = np.frombuffer(ids, dtype="V16")
    for name, dtype, value in (
        ("loci_typed", ">i4", np.full(count, 24)),
        ("accepted_at", ">i8", np.zeros(count)),
        ("generation", ">i8", first + 1 + np.arange(count)),
        ("kind", ">i2", kinds),
        ("key_hash", ">i4", rng.integers(0, 2**31, count)),
    ):
        rows[name] = value.astype(dtype).view(f"V{np.dtype(dtype).itemsize}")
    rows["case_link"] = np.frombuffer(rng.bytes(32 * count), dtype="V32")
    wrapped, sealed = _sealed(ids, random, packed, master)
    rows["wrapped_key"] = np.frombuffer(wrapped, dtype="V60")
    rows["genotype_sealed"] = np.frombuffer(sealed, dtype="V129")
    return rows.tobytes()


def _dtype() -> list[tuple[str, str]]:
    return [pair for name, width in _FIELDS for pair in ((f"{name}_n", ">i4"), (name, f"V{width}"))]


def _sealed(ids: bytes, random: bytes, packed: np.ndarray, master: bytes) -> tuple[bytes, bytes]:
    wrap, boxes, secrets = AESGCM(master).encrypt, [], []
    for place in range(len(packed)):
        h = ids[16 * place : 16 * place + 16].hex()
        name = f"profile|genotype|{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}".encode()
        key, one, two = (random[56 * place + a : 56 * place + b] for a, b in ((0, 32), (32, 44), (44, 56)))
        boxes.append(one + wrap(one, key, b"key|" + name))
        secrets.append(two + AESGCM(key).encrypt(two, packed[place].tobytes(), name))
    return b"".join(boxes), b"".join(secrets)


def fill(url: str, profiles: int, master: bytes) -> None:
    """Write sealed profiles; foreign keys rest meanwhile, since no custody is measured here."""
    jobs = [
        (n, n * A_PIECE, min(A_PIECE, profiles - n * A_PIECE), master) for n in range(-(-profiles // A_PIECE))
    ]
    with psycopg.connect(url) as conn, ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        conn.execute("set session_replication_role = replica")
        conn.execute("set synchronous_commit = off")
        conn.execute("drop index if exists dna_intake.profile_case_link")
        conn.execute("drop index if exists dna_intake.profile_child_hash")
        waiting = [pool.submit(sealed_piece, *job) for job in jobs[:4]]
        for number in range(len(jobs)):
            piece = waiting.pop(0).result()
            if number + 4 < len(jobs):
                waiting.append(pool.submit(sealed_piece, *jobs[number + 4]))
            with conn.cursor().copy(
                f"copy dna_intake.profile ({_COLUMNS}) from stdin (format binary)"
            ) as copy:
                copy.write(_HEADER + piece + b"\xff\xff")
        conn.execute(
            "create index profile_case_link on dna_intake.profile (case_link) where case_link is not null"
        )
        conn.execute("create index profile_child_hash on dna_intake.profile (key_hash) where kind = 0")
        conn.execute(
            "insert into dna_intake.index_generation values (true, %s, %s)"
            " on conflict (id) do update set newest = excluded.newest, newest_family = excluded.newest_family",
            (profiles, profiles),
        )


async def bare_read_s(url: str) -> float:
    """The same rows by the same COPY, one connection, nothing opened."""
    conn = await store_loading.connect(url, "guitu_dna_intake", "dna_intake")
    begun = perf_counter()
    try:
        async with conn.transaction():
            _, _, pages = await store_loading.export_snapshot(conn)

            async def drop(_: bytes) -> None:
                return

            await store_loading.copy_rows(conn, (0, pages), tuple(range(24)), 24, drop)
    finally:
        await conn.close()
    return perf_counter() - begun


async def measured(settings: DnaSettings, profiles: int) -> dict[str, Figure]:
    """Rebuild once, then enter profiles one by one."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from harness.kin_stories import enters, stranger

    run = await _runtime(settings)
    floor = await bare_read_s(settings.database_url)
    matcher = Matcher(run)
    try:
        begun = perf_counter()
        status, _ = await matcher._requests.build(matcher.wanted())
        rebuild_s = perf_counter() - begun
        assert status.profiles == profiles, f"{status.profiles} of {profiles} profiles are in the index."
        matcher.held, matcher.generation, matcher._terms = matcher.wanted(), status.generation, _
        searchable, answered = [], []
        for number in range(ENTERED + 1):
            row = await enters(run, stranger(np.random.default_rng(number)))
            committed = perf_counter()
            await matcher._follow()
            searchable.append(perf_counter() - committed)
            while await matcher.sweep():
                pass
            answered.append(perf_counter() - committed)
            assert matcher.ready(number + 1 + profiles), f"Specimen {row.id} is not in the index."
        return {
            "profiles": Figure(profiles, "profiles"),
            "rebuild_s": Figure(rebuild_s, "s", 120.0, floor),
            "rebuild_per_s": Figure(profiles / rebuild_s, "profiles/s"),
            "bytes_per_profile": Figure(status.nbytes / profiles, "B", 60.0),
            # The first one compiles nothing but fills caches; a service has done so by its first search.
            "searchable_s": Figure(max(searchable[1:]), "s", 2.0),
            "answered_s": Figure(max(answered[1:]), "s"),
        }
    finally:
        await matcher.close()
        await run.pool.close()


async def _runtime(settings: DnaSettings) -> Runtime:
    import structlog

    from guitu.clock import Clock, Ids
    from guitu.pg import open_pool

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    pool = await open_pool(settings.database_url, "dna-intake", size=4)
    return Runtime(
        "dna-intake", settings, pool, Clock(None), Ids(), structlog.get_logger(), "http://127.0.0.1"
    )


def settings_of(env: dict[str, Any]) -> DnaSettings:
    """The service's settings on the bench's own node."""
    fields = {name.removeprefix("GUITU_").lower(): value for name, value in env.items()}
    known = {name: value for name, value in fields.items() if name in DnaSettings.model_fields}
    return DnaSettings(**known)


def figures(quick: bool, profiles: int | None = None) -> dict[str, Figure]:
    """All figures; fewer profiles than ten million, and said so, if the disk is too small for them."""
    wanted = profiles or (PROFILES_QUICK if quick else PROFILES)
    free = shutil.disk_usage(tempfile.gettempdir()).free
    count = min(wanted, free // BYTES_A_PROFILE)
    if count < wanted:
        print(
            f"  The disk has room for {count:,} profiles, not {wanted:,}; the goal is for 10 million.",
            flush=True,
        )
    with Node(ephemeral=True, outside={"GUITU_KAFKA": "127.0.0.1:9"}) as node:
        settings = settings_of(node.env)
        migrate_now(settings.database_url, ("dna_intake",))
        begun = perf_counter()
        fill(settings.database_url, count, master_key(settings.vault_key))
        print(f"  {count:,} profiles sealed and written in {perf_counter() - begun:.0f} s", flush=True)
        return asyncio.run(measured(settings, count))


def main() -> None:
    """This part alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{PROFILES_QUICK:,} profiles")
    parser.add_argument("--profiles", type=int, help="so many instead")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args()
    show("dna_rebuild", figures(options.quick, options.profiles), as_json=options.json)


if __name__ == "__main__":
    main()
