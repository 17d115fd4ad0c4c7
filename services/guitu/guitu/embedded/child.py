"""Child processes that never outlive us: start, stop within a bound, kill, and the leftovers of a crash.

A child runs in a session of its own (Ctrl-C in the terminal reaches only us) behind `guard.py`, which ties
its life to ours. What a child does is its owner's business (`kafka.py`, `postgres.py`, the supervisor).
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil  # type: ignore[import-untyped]

GUARD = Path(__file__).with_name("guard.py")
KILL_WAIT_S = 10.0


@dataclass(frozen=True)
class Account:
    """The account a child runs as, and the Linux capability it keeps (-1 for none)."""

    uid: int = -1
    gid: int = -1
    capability: int = -1


SAME_ACCOUNT = Account()


class _Spawner:
    """The one thread that forks.

    Linux sends the parent-death signal when the *thread* that forked ends, not the process. Started from a
    pool's thread, a broker would die with the pool; this thread lives as long as the process does.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[
            tuple[Future[subprocess.Popen[bytes]], Callable[[], subprocess.Popen[bytes]]]
        ]
        self._jobs = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def run(self, job: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        """Run a fork on the long-lived thread and return its result or raise its error."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._loop, name="guitu-spawner", daemon=True)
                self._thread.start()
        future: Future[subprocess.Popen[bytes]] = Future()
        self._jobs.put((future, job))
        return future.result()

    def _loop(self) -> None:
        while True:  # Bounded by the process: a daemon thread that only waits for the next fork.
            future, job = self._jobs.get()
            try:
                future.set_result(job())
            except BaseException as error:
                future.set_exception(error)


_spawner = _Spawner()


class Child:
    """One running program: its pid, whether it lives, and the ways to end it."""

    def __init__(self, name: str, process: subprocess.Popen[bytes]) -> None:
        self.name = name
        self.process = process

    @property
    def pid(self) -> int:
        """The process id, valid until the child has been waited for."""
        return self.process.pid

    def is_running(self) -> bool:
        """Tell whether the child still runs."""
        return self.process.poll() is None

    def returncode(self) -> int | None:
        """Return the exit code (negative: the signal that ended it), or None while it runs."""
        return self.process.poll()

    def stop(self, timeout_s: float, with_signal: signal.Signals = signal.SIGTERM) -> bool:
        """Ask the child to end and kill it after `timeout_s`; True if it ended by itself."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(with_signal)
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        return True

    def kill(self) -> None:
        """End the child and everything it started with SIGKILL; returns when all are gone (10 s at most)."""
        kill_tree(self.process.pid)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(KILL_WAIT_S)


def spawn(
    name: str,
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    output: IO[bytes] | int = subprocess.DEVNULL,
    account: Account = SAME_ACCOUNT,
    death_signal: signal.Signals = signal.SIGKILL,
) -> Child:
    """Start a program that gets `death_signal` when we die; both its outputs go to `output`.

    `argv[0]` must be a full path. Raises OSError if the interpreter cannot be started; a program that
    cannot be started shows as a child that ended, with the reason in its output.
    """
    identity = (
        os.getpid(),
        int(death_signal),
        account.uid,
        account.gid,
        account.capability,
    )
    command = [
        sys.executable,
        "-I",
        "-S",
        str(GUARD),
        *map(str, identity),
        *map(str, argv),
    ]

    def fork() -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - starting what we are told is our duty.
            command,
            env=None if env is None else dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    return Child(name, _spawner.run(fork))


def kill_tree(pid: int) -> None:
    """Kill a process and its descendants and wait until none runs (10 s at most); unknown pids are fine."""
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    # The root first, so that it cannot start new children while we go through the old ones.
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    deadline = time.monotonic() + KILL_WAIT_S
    while any(map(_runs, family)) and time.monotonic() < deadline:
        time.sleep(0.005)


def _runs(process: psutil.Process) -> bool:
    """Tell whether a process still runs; one that only waits for its parent to read its exit code does not.

    psutil's own wait is avoided: it would take the exit code away from `subprocess`.
    """
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def remember(pid_file: Path, pid: int) -> None:
    """Write down a child's pid and birth time, so that the next run can tell a leftover from a stranger."""
    born_at_s = psutil.Process(pid).create_time()
    pid_file.write_text(json.dumps({"pid": pid, "born_at_s": born_at_s}))


def end_leftover(pid_file: Path) -> int | None:
    """Kill the child that an earlier, crashed run left behind; returns its pid, or None if there was none.

    A pid that meanwhile belongs to another program is recognised by its birth time and left alone.
    Call it only while holding the data directory's lock: then nobody else can own that child.
    """
    try:
        note = json.loads(pid_file.read_text())
        process = psutil.Process(int(note["pid"]))
        is_ours = abs(process.create_time() - float(note["born_at_s"])) < 1.0
    except (OSError, ValueError, KeyError, TypeError, psutil.NoSuchProcess):
        return None
    if not is_ours or not _runs(process):
        return None
    kill_tree(process.pid)
    return int(note["pid"])
