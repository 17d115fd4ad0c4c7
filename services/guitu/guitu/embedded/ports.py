"""Free ports on loopback that stay ours while a server is down."""

from __future__ import annotations

import random
import socket
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


def next_free_port(port: int, span: int = 100, avoid: Collection[int] = ()) -> int:
    """Return `port` if it is free, else the nearest free one above it; raises OSError after `span` tries."""
    for candidate in range(port, min(port + span, 65_536)):
        if candidate not in avoid and is_free(candidate):
            return candidate
    raise OSError(f"No free port on {LOOPBACK} from {port} to {port + span - 1}.")
