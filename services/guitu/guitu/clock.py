"""Time and ids, handed in wherever they are needed, so that tests can advance the one and repeat the other."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID


class Clock:
    """The time of people: aware UTC. In tests and drills a file adds seconds to it, for all processes at once."""

    def __init__(self, offset_file: Path | None = None) -> None:
        self._offset_file = offset_file

    def now(self) -> datetime:
        """The present moment, shifted by the offset file if there is one."""
        return datetime.now(UTC) + timedelta(seconds=self._offset_s())

    def _offset_s(self) -> float:
        if self._offset_file is None:
            return 0.0
        try:
            return float(self._offset_file.read_text() or 0)
        except (FileNotFoundError, ValueError):
            return 0.0


def advance_file(path: Path, seconds: float) -> None:
    """Shift every clock that reads `path` by `seconds` more; the change is atomic."""
    before = float(path.read_text() or 0) if path.exists() else 0.0
    draft = path.with_suffix(".new")
    draft.write_text(repr(before + seconds))
    os.replace(draft, path)


class Ids:
    """Fresh ids: UUID version 7 (RFC 9562), so that rows written together lie together in an index."""

    def new(self) -> UUID:
        """A new id that no other process will make."""
        millis = time.time_ns() // 1_000_000
        random = int.from_bytes(os.urandom(10))  # One call to the kernel: 74 of its 80 bits are used.
        value = (millis & (1 << 48) - 1) << 80 | 0x7 << 76 | (random >> 68) << 64
        return UUID(int=value | 0b10 << 62 | random & (1 << 62) - 1)
