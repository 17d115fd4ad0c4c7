"""A group of processes: phases in order, one keeper a process, one end for all."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

from guitu.supervisor.keeper import Keeper, RestartPolicy, State
from guitu.supervisor.log_pump import Terminal
from guitu.supervisor.process import Managed, ManagedProcess, ProcessSpec
from guitu.supervisor.status import ProcessStatus, StatusFile

STOP_BUDGET_S = 10.0
LEAST_STOP_S = 1.0
POLL_S = 0.2
OWN_NAME = "supervisor"
INTERRUPTED = 130
SHOW_CURSOR = b"\x1b[?25h"
STOPPING = "\nStopping; once more ends it at once. 正在停止,再按一次立即结束。\n".encode()


class Supervisor:
    """Starts phases of processes, keeps them alive, and ends them in reverse order.

    State lies in `data_dir`: `processes.json` (who runs where) and `logs/` (what they said).
    """

    def __init__(
        self, data_dir: Path, terminal: Terminal | None = None, policy: RestartPolicy | None = None
    ) -> None:
        self.data_dir = data_dir
        self._terminal = terminal or Terminal()
        self._policy = policy
        self._status = StatusFile(data_dir)
        self._phases: list[list[Keeper]] = []
        self._addresses: dict[str, tuple[int, str]] = {}
        self._asked_to_stop = threading.Event()
        self._aborts: list[Callable[[], None]] = []
        self._lost = ""

    # -- Starting ----------------------------------------------------------------------------------

    def start_phase(self, specs: Sequence[ProcessSpec]) -> None:
        """Start some processes side by side; returns when all are ready.

        Raises: NodeError for the first that fails; the others are left to `stop()`.
        """
        managed = [ManagedProcess(spec, self.data_dir / "logs", self._terminal) for spec in specs]
        keepers = [
            self._keeper(spec.name, each, spec.port, spec.url)
            for spec, each in zip(specs, managed, strict=True)
        ]
        self._phases.append(keepers)
        if self._asked_to_stop.is_set():
            # The signal came before these could be told of it.
            self._abort_starts()
        self._write_status()
        with ThreadPoolExecutor(max(1, len(managed))) as pool:
            started = [pool.submit(each.start) for each in managed]
        for keeper, future in zip(keepers, started, strict=True):
            future.result()
            keeper.watch()

    def adopt(self, name: str, managed: Managed, port: int = 0, url: str = "") -> None:
        """Look after something that is already ready: the embedded broker, the embedded database."""
        keeper = self._keeper(name, managed, port, url)
        self._phases.append([keeper])
        keeper.watch()

    def _keeper(self, name: str, managed: Managed, port: int, url: str) -> Keeper:
        self._addresses[name] = (port, url)
        return Keeper(
            name,
            managed,
            tell=self.say,
            changed=self._write_status,
            given_up=self._give_up,
            policy=self._policy,
        )

    # -- While it runs -----------------------------------------------------------------------------

    def status(self) -> list[ProcessStatus]:
        """Return every process with its pid, state and number of restarts, in the order of starting."""
        return [
            ProcessStatus(each.name, each.managed.pid, each.state, each.restarts, *self._addresses[each.name])
            for each in self._keepers()
        ]

    def pid(self, name: str) -> int:
        """Return the process id of the last start; raises KeyError for an unknown name."""
        return {each.name: each.managed.pid for each in self._keepers()}[name]

    def ask_to_stop(self) -> None:
        """Make `wait()` return; may be called from a signal handler or another thread."""
        self._asked_to_stop.set()

    def wait(self) -> int:
        """Wait until Ctrl-C, SIGTERM or `ask_to_stop()`; returns the exit code, 1 if one was given up."""
        while not self._asked_to_stop.wait(POLL_S):
            pass
        return 1 if self._lost else 0

    @contextlib.contextmanager
    def stopping_on_signals(self) -> Iterator[None]:
        """Let Ctrl-C, SIGTERM and a closed terminal end `wait()` or a start under way. Main thread only.

        A second signal kills everything and leaves at once with code 130.
        """

        def handle(number: int, _frame: FrameType | None) -> None:
            if self._asked_to_stop.is_set():
                # A shell passes the end of its terminal on to us, beside the one we got ourselves.
                if number == signal.SIGHUP:
                    return
                self.kill()
                # A progress bar may have hidden the cursor and can't bring it back any more.
                _say_at_once(SHOW_CURSOR if sys.stderr.isatty() else b"")
                os._exit(INTERRUPTED)
            self.ask_to_stop()
            _say_at_once(STOPPING)
            self._abort_starts()

        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, handle) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def is_asked_to_stop(self) -> bool:
        """Tell whether somebody wants the group to end."""
        return self._asked_to_stop.is_set()

    def when_aborted(self, end: Callable[[], None]) -> None:
        """Have `end` called if a signal comes while things are still starting."""
        self._aborts.append(end)

    def _abort_starts(self) -> None:
        """Kill what is not ready yet: whoever waits for it then gets a NodeError."""
        starting = [keeper for keeper in self._keepers() if keeper.state is State.STARTING]
        for keeper in self._keepers():
            # What is killed now must not be brought back.
            keeper.let_go()
        for end in self._aborts:
            end()
        for keeper in starting:
            # Not only killed: one whose start is just beginning must not begin any more.
            keeper.managed.stop(0.0)

    def say(self, name: str, text: str) -> None:
        """Print a line about a process."""
        for line in text.splitlines():
            self._terminal.line(OWN_NAME, f"{name}: {line}")

    # -- Ending ------------------------------------------------------------------------------------

    def stop(self, budget_s: float = STOP_BUDGET_S) -> None:
        """End every process in reverse order; what has not ended when the budget is used up is killed."""
        deadline = time.monotonic() + budget_s
        for keeper in self._keepers():
            keeper.let_go()
        for phase in reversed(self._phases):
            left_s = max(LEAST_STOP_S, deadline - time.monotonic())
            with ThreadPoolExecutor(max(1, len(phase))) as pool:
                list(pool.map(lambda each, left_s=left_s: each.managed.stop(left_s), phase))
        for keeper in self._keepers():
            keeper.make_sure()
        self._status.remove()

    def kill(self) -> None:
        """End every process at once."""
        for keeper in self._keepers():
            keeper.let_go()
        for keeper in reversed(self._keepers()):
            keeper.managed.kill()

    def _keepers(self) -> list[Keeper]:
        return [keeper for phase in self._phases for keeper in phase]

    def _give_up(self, name: str) -> None:
        self._lost = name
        self.say(
            name, "does not start any more; ending the group. Mend: read its lines above, then start again."
        )
        self.ask_to_stop()

    def _write_status(self) -> None:
        # A full disk must not stop the watching; the next change writes again.
        with contextlib.suppress(OSError):
            self._status.write(self.status())


def _say_at_once(words: bytes) -> None:
    """Write to the terminal from a signal handler: not by print, the signal may have come in the middle of one."""
    with contextlib.suppress(OSError, ValueError):
        os.write(sys.stderr.fileno(), words)
