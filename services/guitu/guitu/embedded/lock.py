"""One node a data directory: a lock that dies with its holder, and says who holds it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from guitu.embedded.trouble import NodeError


class DataDirLock:
    """The right to use a data directory; released by `release()` or by the holder's death."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "node.lock"
        self._stream: IO[str] | None = None

    def acquire(self) -> None:
        """Take the lock; raises NodeError naming the holder if another process has it."""
        stream = _open(self._path)
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = stream.read().strip() or "unknown"
            stream.close()
            raise NodeError(
                f"The data directory {self._path.parent} is in use by process {holder}. Mend: stop that "
                f"one (Ctrl-C in its terminal, or kill {holder}), or start this one with --ephemeral "
                "or another --data-dir."
            ) from None
        stream.seek(0)
        stream.truncate()
        stream.write(f"{os.getpid()}\n")
        stream.flush()
        self._stream = stream

    def release(self) -> None:
        """Give the lock back; the file stays, since removing it would race with the next holder."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def _open(path: Path) -> IO[str]:
    """Open the lock file for reading and writing, without emptying it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise NodeError(
            f"Cannot write in the data directory {path.parent}: {error.strerror}. "
            f"Mend: make it yours (chown -R $(id -u) '{path.parent}') or choose another with --data-dir."
        ) from error
    return os.fdopen(descriptor, "r+")
