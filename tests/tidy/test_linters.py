"""The linters are part of the suite: format, lint, types and import walls."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "services", "tests", "bench", "deploy"],
        ["ruff", "format", "--check", "services", "tests", "bench", "deploy"],
        ["mypy", "services/guitu/guitu", "services/contracts/contracts"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
@pytest.mark.timeout(300)
def test_linter_is_content(command: list[str]) -> None:
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert 0 == done.returncode, done.stdout + done.stderr
