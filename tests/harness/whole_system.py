"""The whole system for tests that look at it from outside: broker, database, simulator, services, and its clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.stack import start_seeded
from guitu.clock import advance_file
from guitu.embedded.ports import is_free
from guitu.settings import Settings
from guitu.supervisor.members import MEMBERS
from guitu.supervisor.system import System


@dataclass(frozen=True)
class Stack:
    """What runs, and the clock of all of it."""

    system: System
    settings: Settings
    clock_file: Path

    @property
    def urls(self) -> dict[str, str]:
        """Where each service answers."""
        return self.system.urls

    def troubles(self, service: str) -> list[str]:
        """The last lines of a service's log that are errors or the end of a traceback."""
        log = self.system.node.data_dir / "logs" / f"{service}.log"
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
        return [line[:500] for line in lines if "rror" in line][-5:]

    def advance(self, *, minutes: float) -> None:
        """Let time pass for every service at once."""
        advance_file(self.clock_file, minutes * 60)


@contextmanager
def seeded_stack(folder: Path, first_port: int = 24_000, **extra_env: str) -> Iterator[Stack]:
    """Everything, through the same code as `guitu demo`; nothing of it outlives the block."""
    clock_file = folder / "offset"
    system = System(
        ephemeral=True,
        port_base=_free_base(first_port),
        extra_env={"GUITU_CLOCK_FILE": str(clock_file), "GUITU_PARTITIONS": "4"} | extra_env,
        show_logs=False,
    )
    try:
        yield Stack(system, start_seeded(system), clock_file)
    finally:
        system.stop()


def _free_base(first_port: int) -> int:
    return next(
        base
        for base in range(first_port, first_port + 6_000, 10)
        if all(is_free(base + each.port_offset) for each in MEMBERS)
    )
