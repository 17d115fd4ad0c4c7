"""The proxy that plays a network partition: bytes flow, stop without a word, and flow on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from guitu.embedded.ports import LOOPBACK
from harness.chaos.proxy import Proxy, open_proxy

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Give back each line, until the other side has closed."""
    while line := await reader.readline():
        writer.write(line)
    writer.close()


@asynccontextmanager
async def proxied_echo() -> AsyncIterator[Proxy]:
    server = await asyncio.start_server(echo, LOOPBACK, 0)
    async with server, open_proxy(server.sockets[0].getsockname()[1]) as proxy:
        yield proxy


async def says(ends: Ends, line: bytes) -> None:
    ends[1].write(line)
    await ends[1].drain()


async def test_bytes_go_through_and_back() -> None:
    async with proxied_echo() as proxy:
        ends = await asyncio.open_connection(LOOPBACK, proxy.port)

        await says(ends, b"one\n")

        assert b"one\n" == await ends[0].readline()
        ends[1].close()


async def test_a_cut_holds_bytes_back_and_healing_lets_them_flow() -> None:
    async with proxied_echo() as proxy:
        ends = await asyncio.open_connection(LOOPBACK, proxy.port)
        await says(ends, b"one\n")
        await ends[0].readline()

        proxy.cut()
        await says(ends, b"two\n")
        answer = asyncio.create_task(ends[0].readline())
        done, _ = await asyncio.wait({answer}, timeout=0.3)
        proxy.heal()

        assert set() == done, "Bytes went through a cut."
        assert b"two\n" == await answer
        ends[1].close()


async def test_a_connection_made_during_a_cut_leads_nowhere_until_it_is_healed() -> None:
    async with proxied_echo() as proxy:
        proxy.cut()
        ends = await asyncio.open_connection(LOOPBACK, proxy.port)
        await says(ends, b"one\n")
        answer = asyncio.create_task(ends[0].readline())
        done, _ = await asyncio.wait({answer}, timeout=0.3)

        proxy.heal()

        assert set() == done
        assert b"one\n" == await answer
        ends[1].close()


async def test_a_far_side_that_is_down_closes_the_connection() -> None:
    async with open_proxy(9) as proxy:
        reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)

        assert b"" == await reader.read()
        writer.close()
