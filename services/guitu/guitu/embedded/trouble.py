"""What can go wrong when real servers are started on somebody's machine, said so that it can be mended."""

from __future__ import annotations

from pathlib import Path

LOG_TAIL_LINES = 12
LOG_TAIL_BYTES = 16_384


class NodeError(RuntimeError):
    """The embedded node cannot start or go on; the message says what happened and how to mend it."""


class Interrupted(NodeError):
    """Somebody pressed Ctrl-C before it was done; nothing is left running."""


def log_tail(log: Path) -> str:
    """Return the last lines of a server's log, indented, for an error message; empty if there is none."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - LOG_TAIL_BYTES))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in text.splitlines()[-LOG_TAIL_LINES:])


def mend_for(log_text: str) -> str:
    """Translate what a server wrote before it died into what a person can do; empty if it is not known."""
    known = {
        "No space left on device": "The disk is full: free some space or choose another --data-dir.",
        "Permission denied": "A file is not accessible: check who owns the data directory.",
        "Read-only file system": "The disk is read-only: choose another --data-dir.",
        "Cannot allocate memory": "Memory is short: the node needs about 1 GiB free.",
        "Could not reserve enough space": "Memory is short: the node needs about 1 GiB free.",
        "Address already in use": "A port is taken: stop the other program or let the node choose its ports.",
        "incompatible with server": "The data is of another version: choose another --data-dir.",
    }
    return next((mend for sign, mend in known.items() if sign in log_text), "")
