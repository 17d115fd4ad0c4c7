"""The font that is printed with: whole, licensed, and with every character that we have to print."""

from __future__ import annotations

import csv
import hashlib
import json
from io import BytesIO
from pathlib import Path

import pytest
from PIL import ImageFont
from reportlab.pdfbase.ttfonts import TTFontFile
from reportlab.pdfgen.canvas import Canvas

from guitu import fonts

ROOT = Path(__file__).resolve().parents[2]
DATA = [f for f in sorted((ROOT / "services").rglob("*.csv")) if "data" in f.parts]
WORDS = sorted((ROOT / "services").rglob("*.po"))


def missing(text: str) -> str:
    """What the font can't show."""
    known = TTFontFile(str(fonts.FONT)).charToGlyph
    return "".join(sorted({c for c in text if c.isprintable() and ord(c) not in known}))


def test_the_font_is_the_one_of_its_manifest_and_its_licence_lies_beside_it() -> None:
    made = json.loads((fonts.FOLDER / "fonts.json").read_text())

    assert made["sha256"] == hashlib.sha256(fonts.FONT.read_bytes()).hexdigest()
    assert made["file"] == fonts.FONT.name
    assert "SIL OPEN FONT LICENSE" in (fonts.FOLDER / "OFL.txt").read_text()
    assert fonts.FONT.stat().st_size <= 4_000_000


@pytest.mark.parametrize("file", [*DATA, *WORDS], ids=lambda f: f"{f.parent.name}/{f.name}")
def test_every_character_of_the_county_and_of_our_words_can_be_printed(file: Path) -> None:
    """Mend: `python deploy/assets/make_font.py`."""
    cells = csv.reader(file.open(encoding="utf-8")) if file.suffix == ".csv" else [[file.read_text("utf-8")]]

    assert "" == missing("".join("".join(row) for row in cells))


def test_names_of_today_can_be_printed() -> None:
    assert "" == missing("陈喆玥刘堃淼王彧沄蔈草镇")


def test_a_page_carries_the_glyphs_it_uses_and_no_more() -> None:
    paper = BytesIO()
    page = Canvas(paper, invariant=1)
    page.setFont(fonts.registered(), 12)
    page.drawString(10, 10, "云阳县公安局 归途")
    page.save()

    assert b"FontFile2" in paper.getvalue()
    assert len(paper.getvalue()) < 40_000


def test_pictures_are_drawn_with_the_same_font() -> None:
    font = ImageFont.truetype(fonts.FONT, 40)

    assert font.getbbox("归途") != font.getbbox("□□")
    assert ("Noto Sans SC", "Regular") == font.getname()
