"""The statements that fill the index: sealed rows by the million, in a form that is read without a loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import asyncpg

PAGE_BYTES = 8192
_SNAPSHOT = "select pg_export_snapshot()"
_NEWEST = "select coalesce(max(newest), 0) from index_generation"
_PAGES = "select pg_relation_size('profile') / $1"
# Every column has the same width in every row, so that a piece of the answer is an array as it stands. The id comes as
# text, for it is part of what the ciphertext is bound to. A parent that lies elsewhere comes along if its spouse
# lies here: a couple is compared as one.
_ROWS = """
select p.specimen_id::text, p.kind, p.key_hash, coalesce(p.case_link, decode(repeat('00', 32), 'hex')),
    p.wrapped_key, p.genotype_sealed
from profile p
where p.ctid >= '({first},0)'::tid and p.ctid < '({after},0)'::tid and p.generation is not null
    and ({everything} or p.key_hash % {partitions} = any(array[{held}]::integer[])
        or (p.kind between 1 and 3 and p.case_link in (
            select q.case_link from profile q
            where q.kind between 1 and 3 and q.key_hash % {partitions} = any(array[{held}]::integer[]))))
"""
SETTINGS = {
    "statement_timeout": "0",
    "lock_timeout": "10s",
    "jit": "off",
    "application_name": "guitu-dna-matcher",
}


async def connect(url: str, role: str, schema: str) -> asyncpg.Connection:
    """A connection for reading the whole table, under the service's role."""
    settings = SETTINGS | {"role": role, "search_path": schema, "guitu.region": "*"}
    return await asyncpg.connect(url, server_settings=settings)


async def export_snapshot(conn: asyncpg.Connection) -> tuple[str, int, int]:
    """A snapshot that other connections can share, the generation in it, and the pages of the table.

    The caller's transaction is open, of isolation level repeatable read, and stays open while others read.
    """
    name = str(await conn.fetchval(_SNAPSHOT))
    return name, int(await conn.fetchval(_NEWEST)), int(await conn.fetchval(_PAGES, PAGE_BYTES))


async def share_snapshot(conn: asyncpg.Connection, name: str) -> None:
    """Let an open transaction of isolation level repeatable read see what another one sees."""
    assert all(letter.isalnum() or letter == "-" for letter in name), "A name that PostgreSQL gave us."
    await conn.execute(f"set transaction snapshot '{name}'")


async def copy_rows(
    conn: asyncpg.Connection,
    pages: tuple[int, int],
    held: tuple[int, ...],
    partitions: int,
    sink: Callable[[bytes], Awaitable[None]],
) -> None:
    """Give the sealed profiles of these pages of the table to `sink`, in PostgreSQL's binary form."""
    wanted = _ROWS.format(
        first=int(pages[0]),
        after=int(pages[1]),
        everything="true" if len(held) == partitions else "false",
        partitions=int(partitions),
        held=",".join(str(int(each)) for each in held) or "-1",
    )
    await conn.copy_from_query(wanted, output=sink, format="binary")
