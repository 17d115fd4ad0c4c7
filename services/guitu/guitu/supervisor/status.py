"""The file that says which processes run where, for `guitu status`, tests and people: no secrets in it."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

STATUS_FILE = "processes.json"


@dataclass(frozen=True)
class ProcessStatus:
    """One process as `processes.json` shows it."""

    name: str
    pid: int
    state: str
    restarts: int
    port: int
    url: str


class StatusFile:
    """Writes the status in one step, so that a reader never sees half of it."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / STATUS_FILE
        self._lock = threading.Lock()
        self._is_ours = False

    def write(self, processes: Sequence[ProcessStatus]) -> None:
        """Replace the file."""
        body = {"supervisor_pid": os.getpid(), "processes": {each.name: asdict(each) for each in processes}}
        with self._lock:
            draft = self._path.with_suffix(".draft")
            draft.write_text(json.dumps(body, indent=2))
            os.replace(draft, self._path)
            self._is_ours = True

    def remove(self) -> None:
        """Remove the file at an orderly end; one that another group wrote stays."""
        if self._is_ours:
            self._path.unlink(missing_ok=True)


def read_status(data_dir: Path) -> list[ProcessStatus]:
    """Return what the last supervisor wrote; empty if none runs or the file is gone."""
    try:
        body = json.loads((data_dir / STATUS_FILE).read_text())
        return [ProcessStatus(**fields) for fields in body["processes"].values()]
    except (OSError, ValueError, KeyError, TypeError):
        return []
