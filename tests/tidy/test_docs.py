"""What the pages name is there: files, links, commands; and both languages' README say the same state."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from guitu.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/*.md"), *ROOT.glob("bench/*.md")]
)
TOP = ("services/", "tests/", "bench/", "deploy/", "docs/")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    paths = [found for found in re.findall(r"`([\w./-]+)`", text) if found.startswith(TOP)]
    links = [found for found in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in found]

    missing = [path for path in paths if not (ROOT / path).exists()]
    missing += [link for link in links if not (page.parent / link).exists()]

    assert [] == missing


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    called = set(re.findall(r"(?:\./guitu|`guitu) ([a-z][a-z-]+)", text))

    assert called <= set(COMMANDS)


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/adr/*.md")), ids=named)
def test_decision_has_its_parts(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert re.match(r"# ADR-\d{4}: .+\nStatus: (accepted|superseded by ADR-\d{4}) · Area: .+ · Date: ", text)
    assert f"ADR-{page.name[:4]}" in text
    for part in ("Context", "Decision", "Consequences", "Alternatives", "References"):
        assert f"## {part}\n" in text
