"""The append-only file that lets accepted messages survive a kill: one JSON line a change, before the answer.

A line goes to the kernel with one write and no fsync: it outlives the process, not the machine. That is the
promise a far side needs here, and it costs microseconds.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Entry = dict[str, Any]
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


class JournalBusy(RuntimeError):
    """Another simulator holds this journal."""


class Journal:
    """One process's exclusive hold on one journal file; without a path it forgets everything."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._file = -1
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = _exclusive(path)

    def append(self, entry: Entry) -> None:
        """Write one change; it survives a kill of this process when this returns."""
        if self._file >= 0:
            _write_all(self._file, _line(entry))

    def entries(self) -> Iterator[Entry]:
        """Yield what was written; a line torn by a kill is skipped, as its message was never answered."""
        if self.path is None:
            return
        with self.path.open("rb") as lines:
            for line in lines:
                with contextlib.suppress(ValueError):
                    yield json.loads(line)

    def rewrite(self, entries: Iterable[Entry]) -> None:
        """Replace the file by `entries`, atomically: a kill leaves the old file or the new one."""
        if self.path is None:
            return
        spare = self.path.with_suffix(".new")
        spare.unlink(missing_ok=True)
        file = _exclusive(spare)
        for entry in entries:
            _write_all(file, _line(entry))
        spare.replace(self.path)
        os.close(self._file)
        self._file = file

    def mend_tail(self) -> None:
        """End a torn last line, so that the next entry starts on a line of its own."""
        if self._file < 0 or os.fstat(self._file).st_size == 0:
            return
        if os.pread(self._file, 1, os.fstat(self._file).st_size - 1) != b"\n":
            _write_all(self._file, b"\n")

    def close(self) -> None:
        """Give the file up to another simulator."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _line(entry: Entry) -> bytes:
    return _encode(entry).encode() + b"\n"


def _exclusive(path: Path) -> int:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise JournalBusy(
            f"Another SMS simulator holds {path}; stop it, set another GUITU_DATA_DIR, or pass --ephemeral."
        ) from None
    return file


def _write_all(file: int, data: bytes) -> None:
    written = os.write(file, data)
    while written < len(data):  # Bounded: a short write moves forward or raises (disk full).
        written += os.write(file, data[written:])
