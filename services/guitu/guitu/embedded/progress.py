"""What a person sees while the node starts: one line a step, a bar for the one big download."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Progress:
    """Silent progress, for tests and programs; `ConsoleProgress` shows it."""

    def say(self, line: str) -> None:
        """Tell one step."""

    @contextmanager
    def download(self, what: str, size_bytes: int) -> Iterator[Callable[[int], None]]:
        """Follow a download: the yielded function is told the bytes as they come, from any thread."""
        yield lambda _count_bytes: None


class ConsoleProgress(Progress):
    """Progress on standard error: a moving bar on a terminal, a line every tenth elsewhere."""

    def say(self, line: str) -> None:
        """Print one step at once."""
        print(line, file=sys.stderr, flush=True)

    @contextmanager
    def download(self, what: str, size_bytes: int) -> Iterator[Callable[[int], None]]:
        """Show the bytes as they come."""
        shown = self._bar if sys.stderr.isatty() else self._lines
        with shown(what, size_bytes) as follow:
            yield follow

    @contextmanager
    def _bar(self, what: str, size_bytes: int) -> Iterator[Callable[[int], None]]:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )
        from rich.progress import Progress as Bar

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
        )
        with Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
            task = bar.add_task(f"Downloading {what} (once)", total=size_bytes)
            yield lambda count_bytes: bar.advance(task, count_bytes)

    @contextmanager
    def _lines(self, what: str, size_bytes: int) -> Iterator[Callable[[int], None]]:
        lock, came_bytes, tenths = threading.Lock(), 0, 0

        def follow(count_bytes: int) -> None:
            nonlocal came_bytes, tenths
            with lock:
                came_bytes += count_bytes
                reached = min(10, came_bytes * 10 // max(1, size_bytes))
                if reached > tenths:
                    tenths = reached
                    self.say(f"  {what}: {came_bytes / 1e6:.0f} of {size_bytes / 1e6:.0f} MB")

        self.say(f"Downloading {what} ({size_bytes / 1e6:.0f} MB, once)")
        yield follow
