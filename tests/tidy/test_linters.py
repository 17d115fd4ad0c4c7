"""The linters are part of the suite: format, lint, types, import walls and migrations."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PYTHON = ["services", "tests", "bench", "deploy"]
PACKAGES = sorted(str(found.parent.relative_to(ROOT)) for found in ROOT.glob("services/*/*/__init__.py"))
MIGRATIONS = sorted(str(found.relative_to(ROOT)) for found in ROOT.glob("services/*/*/migrations/*.sql"))
COMMANDS = [
    ["ruff", "check", *PYTHON],
    ["ruff", "format", "--check", *PYTHON],
    ["mypy", "--strict", *PACKAGES],
    ["lint-imports"],
    ["squawk", "--config", ".squawk.toml", *MIGRATIONS],
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command[:2]))
@pytest.mark.timeout(600)
def test_linter_is_content(command: list[str]) -> None:
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert 0 == done.returncode, done.stdout + done.stderr


def test_linters_look_at_something() -> None:
    assert len(PACKAGES) >= 8
    assert len(MIGRATIONS) >= 5
