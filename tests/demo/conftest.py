"""`guitu demo` as a visitor runs it: a process of its own, its terminal's words, and commands in a second terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from guitu.embedded.ports import is_free

PARTITIONS = 4
DEADLINE_S = 240.0
"""A bound for a broken machine; here it takes half a minute."""


class Visitor:
    """Runs `guitu demo` in a directory of its own, reads what it prints, and goes away by Ctrl-C."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = folder / "data 数据"
        self._output = folder / "output"
        own = {name: value for name, value in os.environ.items() if not name.startswith("GUITU_")}
        self.env = own | {
            "GUITU_DATA_DIR": str(self.data_dir),
            "GUITU_PARTITIONS": str(PARTITIONS),
            "COLUMNS": "80",
        }
        self._base = next(
            base for base in range(12_000, 19_000, 10) if all(map(is_free, range(base, base + 10)))
        )
        self._process: subprocess.Popen[bytes] | None = None

    def starts(self, *words: str) -> None:
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "guitu", "demo", "--port-base", str(self._base), *words],
                env=self.env,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def reads_until(self, words: str) -> str:
        """Wait for the words; returns everything that was printed."""
        assert self._process is not None
        deadline = time.monotonic() + DEADLINE_S
        while words not in self.output():
            assert self._process.poll() is None, f"ended with {self._process.poll()}:\n{self.output()}"
            assert time.monotonic() < deadline, f"not within {DEADLINE_S:.0f} s: {words}\n{self.output()}"
            time.sleep(0.05)
        return self.output()

    def output(self) -> str:
        return self._output.read_text(encoding="utf-8")

    def waits_for_the_end(self) -> int:
        assert self._process is not None
        return self._process.wait(DEADLINE_S)

    def presses_ctrl_c(self) -> int:
        """Returns the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        return self.waits_for_the_end()

    def says(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command in a second terminal."""
        return subprocess.run(
            [sys.executable, "-m", "guitu", *words],
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE_S,
        )

    def left_behind(self) -> list[str]:
        """Command lines of processes that still work for this data directory."""
        mark, found = str(self.data_dir), []
        for each in psutil.process_iter(["cmdline", "environ"]):
            line = " ".join(each.info["cmdline"] or [])
            if mark in line or (each.info["environ"] or {}).get("GUITU_DATA_DIR") == mark:
                found.append(line)
        return found

    def is_gone(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """Somebody whose demo has played its story and waits for him."""
    folder = tmp_path_factory.mktemp("demo")
    # The database's account has to pass, when the tests run as root.
    folder.chmod(0o711)
    someone = Visitor(folder)
    someone.starts()
    someone.reads_until("Ctrl-C ends all of it")
    yield someone
    someone.is_gone()
