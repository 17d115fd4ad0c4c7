"""The listening socket, which a fault may close for a while so that connections are truly refused."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any


class PortTaken(RuntimeError):
    """Somebody else listens there."""


class Listener:
    """Owns host and port; opens, closes and opens again the same address."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.socket = _bind(host, port)
        self.port: int = self.socket.getsockname()[1]
        self.servers: list[asyncio.Server] = []
        self.connections: set[Any] = set()
        self.protocol: Callable[[], asyncio.Protocol] | None = None
        self._reopening: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """What clients put in front of the path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    async def refuse_for(self, seconds: float) -> None:
        """Close the port and every connection now, and open the port again after `seconds`."""
        for server in self.servers:
            server.close()
        self.servers.clear()
        for connection in list(self.connections):
            connection.transport.close()
        self._cancel_reopening()
        self._reopening = asyncio.get_running_loop().call_later(seconds, self._start_reopening)

    async def reopen(self) -> None:
        """Listen again at the same address; does nothing when it already does."""
        self._cancel_reopening()
        if self.servers:
            return
        assert self.protocol is not None, "The listener was never served."
        self.socket = _bind(self.host, self.port)
        server = await asyncio.get_running_loop().create_server(self.protocol, sock=self.socket)
        self.servers.append(server)

    def close(self) -> None:
        """Stop for good."""
        self._cancel_reopening()
        for server in self.servers:
            server.close()
        self.socket.close()

    def _start_reopening(self) -> None:
        task = asyncio.get_running_loop().create_task(self.reopen())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _cancel_reopening(self) -> None:
        if self._reopening is not None:
            self._reopening.cancel()
            self._reopening = None


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise PortTaken(
            f"Cannot listen on {host}:{port} ({error.strerror}); set GUITU_PORT to a free port."
        ) from error
