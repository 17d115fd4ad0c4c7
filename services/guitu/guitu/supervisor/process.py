"""One process of the group: how it is started, when it counts as ready, how it ends."""

from __future__ import annotations

import contextlib
import http.client
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from guitu.embedded.child import Child, end_leftover, remember, spawn
from guitu.embedded.trouble import NodeError, mend_for
from guitu.supervisor.log_pump import LogPump, Terminal

POLL_S = 0.05
ASK_TIMEOUT_S = 2.0
KILLED_WAIT_S = 10.0


@dataclass(frozen=True)
class ProcessSpec:
    """What to run and how to tell that it works.

    Ready means: `ready_url` answers 200, or `ready_check` returns True; with neither, as soon as it runs.
    `env` is complete: nothing is inherited beside it.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    ready_url: str = ""
    ready_check: Callable[[], bool] | None = None
    ready_timeout_s: float = 60.0
    stop_timeout_s: float = 10.0
    url: str = ""
    port: int = 0


class Managed(Protocol):
    """What a supervisor can look after: one of our processes, the embedded broker, the embedded database."""

    @property
    def pid(self) -> int:
        """The process id of the last start."""

    def start(self) -> None:
        """Start it; returns when ready, raises NodeError otherwise."""

    def is_running(self) -> bool:
        """Tell whether it lives."""

    def stop(self, timeout_s: float) -> None:
        """End it in order, by force after `timeout_s`."""

    def kill(self) -> None:
        """End it at once."""


class ManagedProcess:
    """A process made from a `ProcessSpec`; its output goes through a `LogPump`."""

    def __init__(self, spec: ProcessSpec, log_dir: Path, terminal: Terminal) -> None:
        self.spec = spec
        self._pid_file = log_dir / f"{spec.name}.pid"
        self._pump = LogPump(spec.name, log_dir / f"{spec.name}.log", terminal)
        self._child: Child | None = None
        self._stopping = threading.Event()

    @property
    def pid(self) -> int:
        """The process id of the last start; 0 before the first."""
        return self._child.pid if self._child else 0

    def is_running(self) -> bool:
        """Tell whether the process lives."""
        return self._child is not None and self._child.is_running()

    def start(self) -> None:
        """Start the process; returns when it is ready.

        Raises: NodeError with its last lines, if it ends or is not ready in time. It is not left running
        then.
        """
        if self._stopping.is_set():
            raise NodeError(f"{self.spec.name} is being stopped.")
        self._pid_file.parent.mkdir(parents=True, exist_ok=True)
        end_leftover(self._pid_file)
        command, env = list(self.spec.argv), self.spec.env
        self._child = spawn(self.spec.name, command, env=env, output=subprocess.PIPE)
        assert self._child.process.stdout is not None, "spawned with a pipe"
        self._pump.follow(self._child.process.stdout)
        with contextlib.suppress(ProcessLookupError, ValueError, LookupError):
            remember(self._pid_file, self._child.pid)
        self._wait_until_ready(self._child)

    def stop(self, timeout_s: float) -> None:
        """Ask it to end; SIGKILL after the smaller of `timeout_s` and the spec's own bound."""
        self._stopping.set()
        if self._child is not None:
            self._child.stop(min(timeout_s, self.spec.stop_timeout_s))
            self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """End it at once with SIGKILL, together with what it started."""
        if self._child is not None:
            self._child.kill()

    def _wait_until_ready(self, child: Child) -> None:
        deadline = time.monotonic() + self.spec.ready_timeout_s
        while time.monotonic() < deadline:
            if self._stopping.is_set():
                break
            if not child.is_running():
                raise NodeError(self._trouble(f"ended with code {child.returncode()} before it was ready"))
            if self._is_ready():
                return
            time.sleep(POLL_S)
        child.kill()
        if self._stopping.is_set():
            raise NodeError(f"{self.spec.name} is being stopped.")
        raise NodeError(self._trouble(f"was not ready within {self.spec.ready_timeout_s:.0f} s"))

    def _is_ready(self) -> bool:
        if self.spec.ready_check is not None:
            return self.spec.ready_check()
        return not self.spec.ready_url or answers_ok(self.spec.ready_url)

    def _trouble(self, what: str) -> str:
        words = self._pump.tail()
        mend = " ".join(filter(None, [f"{self.spec.name} {what}.", mend_for(words)]))
        return f"{mend} Its log ({self._pump.log}) ends with:\n{words}"


def answers_ok(url: str, timeout_s: float = ASK_TIMEOUT_S) -> bool:
    """Tell whether an HTTP address on this machine answers 200; never raises for trouble of the network."""
    parts = urlsplit(url)
    wire = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        wire.request("GET", parts.path or "/")
        return wire.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        wire.close()
