"""`python bench/_forward.py PORT BEHIND`: carries connections to another port of this machine until it is killed.

A provider behind it is hard down the moment it is killed: connections that stand are reset, new ones refused.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

CHUNK_BYTES = 64 * 1024
HOST = "127.0.0.1"


async def carry(behind: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, both ways, until either side ends it."""
    far_reader, far_writer = await asyncio.open_connection(HOST, behind)
    ways = [pump(reader, far_writer), pump(far_reader, writer)]
    await asyncio.gather(*ways, return_exceptions=True)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One way."""
    with suppress(ConnectionError):
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    writer.close()


async def main(port: int, behind: int) -> None:
    """Listen until killed."""
    server = await asyncio.start_server(lambda r, w: carry(behind, r, w), HOST, port)
    print("listening", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
