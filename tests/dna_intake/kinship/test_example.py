"""The example of the page is run as it stands, and prints what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[3] / "docs/kinship.md"


def test_the_page_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    code, says = re.search(r"```python\n(.*?)```\n\nprints `(.*?)`", text, re.S).groups()

    exec(compile(code, str(PAGE), "exec"), {})

    assert says == capsys.readouterr().out.strip()
