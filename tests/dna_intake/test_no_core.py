"""Core dumps: none of the service, and so none of what it starts, since limits are inherited."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from resource import RLIMIT_CORE, getrlimit, setrlimit

import pytest

from dna_intake.no_core import leave_no_core
from dna_intake.service import start
from guitu.service import Runtime

RuntimeFor = Callable[[str], Awaitable[Runtime]]
CRASHES = """
import os
child = os.fork()
if child == 0:
    os.abort()
print(os.WCOREDUMP(os.waitpid(child, 0)[1]))
"""


@pytest.fixture
def cores_allowed() -> Iterator[None]:
    before = getrlimit(RLIMIT_CORE)
    setrlimit(RLIMIT_CORE, (before[1], before[1]))
    yield
    setrlimit(RLIMIT_CORE, before)


@pytest.mark.usefixtures("cores_allowed")
async def test_the_service_and_what_it_starts_leave_no_core(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")

    async with start(run):
        assert getrlimit(RLIMIT_CORE)[0] <= 1


@pytest.mark.usefixtures("cores_allowed")
def test_a_process_that_crashes_afterwards_dumps_nothing(tmp_path: Path) -> None:
    leave_no_core()

    crashed = subprocess.run(
        [sys.executable, "-c", CRASHES], capture_output=True, text=True, check=True, cwd=tmp_path
    )

    assert crashed.stdout.strip() == "False"
