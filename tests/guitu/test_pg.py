"""Which troubles with the database go away by themselves."""

from __future__ import annotations

import asyncio

import asyncpg
import psycopg
import pytest

from guitu.pg import TRANSIENT


async def ended_connection(url: str) -> asyncpg.Connection:
    """A connection that the server has ended, before the client has read any word of it.

    The loop stands still until both the server's word and the end of the stream have arrived.
    """
    conn = await asyncpg.connect(url)
    pid = await conn.fetchval("select pg_backend_pid()")
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("select pg_terminate_backend(%s, 2000)", (pid,))
    return conn


@pytest.mark.parametrize("turns", range(6))
async def test_a_connection_that_the_server_ended_is_transient_trouble_whenever_it_is_used(
    postgres_url: str, turns: int
) -> None:
    """After two turns of the loop asyncpg says InternalClientError, "another operation is in progress".

    Found by killing the database under load: that error looked like a fault of ours and buried the event.
    """
    conn = await ended_connection(postgres_url)
    for _ in range(turns):
        await asyncio.sleep(0)

    with pytest.raises(TRANSIENT):
        await conn.execute("begin")
    conn.terminate()
