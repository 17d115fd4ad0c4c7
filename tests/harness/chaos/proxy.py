"""A TCP proxy on loopback that can be cut: bytes stop without a word, as in a network partition, and flow on later.

A cut closes nothing and answers nothing: connections that stand hear silence, and new ones are taken (the kernel
does that) but lead nowhere until the cut is healed. That is what a partition looks like to Kafka's clients.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from guitu.embedded.ports import LOOPBACK, free_port

CHUNK_BYTES = 64 * 1024
CONNECTIONS_MAX = 500


class Proxy:
    """Carries connections from `port` to a port behind it."""

    def __init__(self, port: int, behind: int) -> None:
        self.port = port
        self._behind = behind
        self._open = asyncio.Event()
        self._open.set()
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """What clients are told, host:port."""
        return f"{LOOPBACK}:{self.port}"

    def cut(self) -> None:
        """From now on nothing gets through, in either direction."""
        self._open.clear()

    def heal(self) -> None:
        """What was held back flows on."""
        self._open.set()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection from its beginning to its end."""
        task = asyncio.current_task()
        assert task is not None, "The server runs this as a task."
        if len(self._connections) >= CONNECTIONS_MAX:
            writer.close()
            return
        self._connections.add(task)
        try:
            await self._carry(reader, writer)
        except asyncio.CancelledError:
            # The line was ended by `close`: nothing more runs here, and asyncio's own callback would complain.
            return
        finally:
            self._connections.discard(task)
            writer.close()

    async def close(self) -> None:
        """End every connection."""
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._open.wait()
        try:
            far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self._behind)
        except OSError:
            return
        try:
            ways = [
                asyncio.create_task(self._pump(reader, far_writer)),
                asyncio.create_task(self._pump(far_reader, writer)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        finally:
            far_writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await reader.read(CHUNK_BYTES):  # Bounded by the connection's life.
                await self._open.wait()
                writer.write(chunk)
                await writer.drain()
            # Not even a goodbye gets through a partition.
            await self._open.wait()


@asynccontextmanager
async def open_proxy(behind: int) -> AsyncIterator[Proxy]:
    """Listen on a free port for connections to the port `behind`."""
    proxy = Proxy(free_port(avoid={behind}), behind)
    server = await asyncio.start_server(proxy.take, LOOPBACK, proxy.port)
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
