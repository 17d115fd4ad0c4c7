"""What the processes say, line by line: to their log files, and to the terminal with a name in front."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections import deque
from pathlib import Path
from typing import IO

LINE_BYTES_MAX = 64 * 1024
FILE_BYTES_MAX = 32 * 1024 * 1024
TAIL_LINES = 12
NAME_WIDTH = 14
COLOURS = (36, 33, 32, 35, 34, 96, 93, 92)


class Terminal:
    """Writes whole lines of many processes to standard output, each with its process's name."""

    def __init__(self, is_shown: bool = True) -> None:
        self._is_shown = is_shown
        self._is_coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self._lock = threading.Lock()
        self._colours: dict[str, int] = {}

    def line(self, name: str, text: str) -> None:
        """Print one line of a process."""
        if not self._is_shown:
            return
        with self._lock:
            try:
                print(f"{self._prefix(name)} {text}", flush=True)
            except (OSError, ValueError):
                # The terminal was closed; the log files still get everything.
                self._is_shown = False

    def _prefix(self, name: str) -> str:
        label = f"{name:<{NAME_WIDTH}} |"
        if not self._is_coloured:
            return label
        colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
        return f"\x1b[{colour}m{label}\x1b[0m"


class LogPump:
    """Drains one process's output so that it never blocks; keeps the last lines for an error message."""

    def __init__(self, name: str, log: Path, terminal: Terminal) -> None:
        self._name = name
        self.log = log
        self._terminal = terminal
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)

    def follow(self, output: IO[bytes]) -> None:
        """Start draining; ends by itself when the process has closed its output."""
        thread = threading.Thread(target=self._drain, args=(output,), name=f"log-{self._name}", daemon=True)
        thread.start()

    def tail(self) -> str:
        """Return the last lines, indented."""
        return "\n".join(f"    {line}" for line in list(self._tail))

    def _drain(self, output: IO[bytes]) -> None:
        with output, self._open() as log:
            # A bound on the line: one endless line must not fill the memory.
            while line := output.readline(LINE_BYTES_MAX):
                self._tail.append(line.decode("utf-8", "replace").rstrip())
                self._keep(log, line)
                self._terminal.line(self._name, self._tail[-1])

    def _open(self) -> IO[bytes]:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        return self.log.open("ab", buffering=0)

    def _keep(self, log: IO[bytes], line: bytes) -> None:
        """Append to the file; past 32 MiB it becomes `.1` and a new one begins. A full disk loses lines."""
        with contextlib.suppress(OSError):
            log.write(line)
            if log.tell() > FILE_BYTES_MAX:
                self.log.with_suffix(".log.1").write_bytes(self.log.read_bytes())
                log.truncate(0)
