"""The script that needs only Python: what it says when even that is missing, and what it will not touch."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
TOOLS = (
    "sh",
    "awk",
    "cat",
    "cksum",
    "dirname",
    "grep",
    "ls",
    "mkdir",
    "mv",
    "readlink",
    "rm",
    "rmdir",
    "sed",
)
MORE_TOOLS = ("cut", "sleep", "tail", "tee")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with a space in its path, holding only what the script reads before it installs."""
    place = tmp_path / "a checkout"
    place.mkdir()
    for name in ("guitu", "pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(CHECKOUT / name, place)
    return place


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A directory with the tools every system has, and no Python."""
    place = tmp_path / "bin"
    place.mkdir()
    for name in (*TOOLS, *MORE_TOOLS):
        found = shutil.which(name)
        assert found is not None, f"{name} is part of every system"
        (place / name).symlink_to(found)
    return place


def run(script: Path, tools: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(script), "doctor"],
        env={"PATH": str(tools), **env},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


def fake(tools: Path, name: str, body: str) -> None:
    (tools / name).write_text(f"#!{shutil.which('sh')}\n{body}\n")
    (tools / name).chmod(0o755)


def test_machine_without_a_fitting_python_is_told_which_to_install(checkout: Path, tools: Path) -> None:
    fake(tools, "python3", 'case "$1" in --version) echo "Python 3.8.10" ;; *) exit 1 ;; esac')

    done = run(checkout / "guitu", tools)

    assert done.returncode == 1
    assert "No Python 3.11 to 3.14 found (Python 3.8.10). Mend: install one" in done.stderr
    assert not (checkout / ".venv.lock").exists()


def test_python_without_venv_is_told_which_package_to_install(checkout: Path, tools: Path) -> None:
    fake(tools, "python3", 'case "$2" in *ensurepip*) exit 1 ;; esac')

    done = run(checkout / "guitu", tools)

    assert done.returncode == 1
    assert "python3 has no module venv or ensurepip. Mend: install it" in done.stderr


def test_directory_that_is_no_environment_is_not_removed(checkout: Path, tools: Path, tmp_path: Path) -> None:
    fake(tools, "python3", "exit 0")
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "letter").touch()

    done = run(checkout / "guitu", tools, GUITU_VENV=str(precious))

    assert done.returncode == 1
    assert "is no Python environment. Mend: move it away" in done.stderr
    assert (precious / "letter").exists()


def test_script_finds_its_checkout_through_a_link(checkout: Path, tools: Path, tmp_path: Path) -> None:
    fake(tools, "python3", "exit 1")
    link = tmp_path / "guitu-link"
    link.symlink_to(os.path.relpath(checkout / "guitu", tmp_path))

    done = run(link, tools)

    assert "No Python 3.11 to 3.14 found" in done.stderr
    assert "No such file" not in done.stderr


def test_lock_of_a_dead_installation_is_taken_over(checkout: Path, tools: Path) -> None:
    fake(tools, "python3", "exit 1")
    dead = subprocess.Popen(["true"])
    dead.wait()
    (checkout / ".venv.lock").mkdir()
    (checkout / ".venv.lock" / "pid").write_text(str(dead.pid))

    done = run(checkout / "guitu", tools)

    assert "No Python 3.11 to 3.14 found" in done.stderr


def test_locks_pin_every_package_and_name_no_index() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (CHECKOUT / name).read_text()
        assert "://" not in text
        packages = [line for line in text.splitlines() if line[:1].isalnum()]
        assert all("==" in line and line.endswith("\\") for line in packages)


def test_ci_runs_the_same_command_as_a_person() -> None:
    assert "./guitu test" in (CHECKOUT / ".ci" / "run").read_text().splitlines()[-1]
