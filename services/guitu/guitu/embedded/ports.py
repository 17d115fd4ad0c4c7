"""Free ports on loopback that stay ours while a server is down."""

from __future__ import annotations

import random
import socket
import sys
from collections.abc import Collection

LOOPBACK = "127.0.0.1"
# Below the range that Linux hands to outgoing connections (32768 and up). While a broker is down, a client
# that keeps connecting to a port inside that range can be given the very same port and end up connected to
# itself; the broker then finds its port taken when it comes back.
FIRST_PORT, LAST_PORT = 20_000, 32_000
TRIES = 200


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this loopback port now (a port in TIME_WAIT counts as free)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port(avoid: Collection[int] = ()) -> int:
    """Return a port that is free now; raises OSError when 200 random tries found none."""
    for _ in range(TRIES):
        # Random on purpose: two nodes that start at the same moment should not pick the same port.
        port = random.SystemRandom().randint(FIRST_PORT, LAST_PORT)
        if port not in avoid and is_free(port):
            return port
    raise OSError(f"No free port on {LOOPBACK} between {FIRST_PORT} and {LAST_PORT} in {TRIES} tries.")


class PortClaims:
    """Ports that are ours among all nodes of this machine, from choosing them until long after.

    Between choosing a port and listening on it lie seconds; two nodes that start together would choose the
    same, and each would take the other's services for its own. A claim is a name in Linux's abstract
    namespace: no file, and gone with its holder. Elsewhere nothing is claimed.
    """

    def __init__(self) -> None:
        self._held: list[socket.socket] = []

    def take(self, port: int) -> bool:
        """Claim a port; False if another node has."""
        if not sys.platform.startswith("linux"):
            return True
        name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            name.bind(f"\0guitu-port-{port}")
        except OSError:
            name.close()
            return False
        self._held.append(name)
        return True

    def release(self) -> None:
        """Give all of them back."""
        for name in self._held:
            name.close()
        self._held.clear()


def next_free_port(
    port: int, span: int = 100, avoid: Collection[int] = (), claims: PortClaims | None = None
) -> int:
    """Return `port` if it is free, else the nearest free one above it, and claim it where `claims` are given.

    Raises: OSError after `span` tries.
    """
    for candidate in range(port, min(port + span, 65_536)):
        if candidate not in avoid and is_free(candidate) and (claims is None or claims.take(candidate)):
            return candidate
    raise OSError(f"No free port on {LOOPBACK} from {port} to {port + span - 1}.")
