"""Keep one process alive: notice that it died, wait a growing while, start it again, count it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from guitu.embedded.trouble import NodeError
from guitu.supervisor.process import Managed

POLL_S = 0.1


class State(StrEnum):
    """Where a process stands."""

    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    GIVEN_UP = "given up"
    STOPPED = "stopped"


@dataclass(frozen=True)
class RestartPolicy:
    """How long to wait before a restart and how often to try."""

    first_pause_s: float = 0.2
    pause_max_s: float = 5.0
    # A process that lived this long after it was ready starts again with the first pause.
    healthy_after_s: float = 5.0
    # Starts in a row that never became ready: then it is our bug or the machine's, and a person must look.
    failures_max: int = 20

    def pause_s(self, failures: int) -> float:
        """Return the pause before the next start, doubled with each failure in a row."""
        return float(min(self.pause_max_s, self.first_pause_s * 2 ** min(failures, 16)))


class Keeper:
    """Watches one process on a thread of its own, from `watch()` until `let_go()`."""

    def __init__(
        self,
        name: str,
        managed: Managed,
        *,
        tell: Callable[[str, str], None],
        changed: Callable[[], None],
        given_up: Callable[[str], None],
        policy: RestartPolicy | None = None,
    ) -> None:
        self.name = name
        self.managed = managed
        self.restarts = 0
        self.state = State.STARTING
        self._tell = tell
        self._changed = changed
        self._given_up = given_up
        self._policy = policy or RestartPolicy()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=f"keeper-{name}", daemon=True)

    def watch(self) -> None:
        """Begin to watch a process that is ready."""
        self._set(State.READY)
        self._thread.start()

    def let_go(self) -> None:
        """Watch no longer: from now on the process may end."""
        self._stop.set()
        self.state = State.STOPPED

    def make_sure(self, timeout_s: float = 1.0) -> None:
        """After the stop: end what a start that was under way at that moment may have brought up."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        if self.managed.is_running():
            self.managed.kill()

    def _loop(self) -> None:
        quick_deaths = 0
        ready_since_s = time.monotonic()
        while not self._stop.wait(POLL_S):
            if self.managed.is_running():
                continue
            lived_s = time.monotonic() - ready_since_s
            quick_deaths = 0 if lived_s >= self._policy.healthy_after_s else quick_deaths + 1
            if not self._bring_back(quick_deaths):
                return
            ready_since_s = time.monotonic()

    def _bring_back(self, quick_deaths: int) -> bool:
        """Start until ready; False if we were told to stop or gave up."""
        self._set(State.RESTARTING)
        for failures in range(self._policy.failures_max):
            pause_s = self._policy.pause_s(quick_deaths + failures)
            self._tell(self.name, f"ended; restart {self.restarts + 1} in {pause_s:.1f} s")
            if self._stop.wait(pause_s):
                return False
            self.restarts += 1
            if self._start():
                self._set(State.READY)
                self._tell(self.name, "ready again")
                return True
        if not self._stop.is_set():
            self._set(State.GIVEN_UP)
            self._given_up(self.name)
        return False

    def _start(self) -> bool:
        try:
            self.managed.start()
        except NodeError as error:
            if not self._stop.is_set():
                self._tell(self.name, str(error))
            return False
        except OSError as error:
            # No memory for a fork, no file handles left: worth another try after a pause.
            self._tell(self.name, f"cannot be started: {error}")
            return False
        return True

    def _set(self, state: State) -> None:
        if not self._stop.is_set():
            self.state = state
        self._changed()
