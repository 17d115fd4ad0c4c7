"""Cut the Chinese font to what a county needs: `python deploy/assets/make_font.py` after `npm ci` in this folder.

Noto Sans SC (SIL Open Font License 1.1) has 30,000 glyphs and 10 MB; GB 2312, every character of our own files
and those of given names that GB 2312 lacks have 7,700 and 2 MB. Needs `pip install fonttools==4.68.0`, which
nothing else does. The same font and files give the same bytes; `tests/guitu/test_fonts.py` checks the manifest
and that no character of ours is missing.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PACKAGE = HERE / "node_modules/@expo-google-fonts/noto-sans-sc"
INTO = ROOT / "services/guitu/guitu/fonts"
NAME = "NotoSansSC-Guitu.ttf"

EXTRA = HERE / "characters.txt"
"""Characters of given names and places that GB 2312 (1980) lacks, and signs that pages draw with."""
TEXTS = (".py", ".po", ".csv", ".md", ".html", ".geojson", ".json", ".mjs", ".svg", ".css")
HINTS = ("GSUB", "GPOS", "GDEF", "vhea", "vmtx", "STAT", "BASE", "gasp")


def gb2312() -> set[int]:
    """Every character of GB 2312-80."""
    pairs = (bytes([row, cell]) for row in range(0xA1, 0xF8) for cell in range(0xA1, 0xFF))
    return {ord(text) for text in (pair.decode("gb2312", "ignore") for pair in pairs) if text}


def ours() -> set[int]:
    """Every character that a file of the repository shows somebody."""
    files = [f for folder in ("services", "docs", "deploy") for f in (ROOT / folder).rglob("*")]
    kept = [f for f in files if f.suffix in TEXTS and "node_modules" not in f.parts]
    return {ord(c) for f in kept for c in f.read_text(encoding="utf-8") if ord(c) >= 0x20}


def cut(source: Path, into: Path, characters: set[int]) -> int:
    """Write the subset; returns how many glyphs it has."""
    options = subset.Options(hinting=False, layout_features=[], glyph_names=False, notdef_outline=True)
    options.drop_tables += HINTS
    options.name_languages, options.name_IDs = [0x409], [0, 1, 2, 3, 4, 5, 6, 13, 14]
    font = TTFont(source, recalcTimestamp=False)
    shears = subset.Subsetter(options)
    shears.populate(unicodes=sorted(characters))
    shears.subset(font)
    font.save(into)
    return int(font["maxp"].numGlyphs)


def main() -> None:
    """Cut the font and write its manifest and licence beside it."""
    package = json.loads((PACKAGE / "package.json").read_text())
    characters = (
        gb2312()
        | ours()
        | {ord(c) for c in EXTRA.read_text(encoding="utf-8") if c != "\n"}
        | set(range(0xA0, 0x180))
    )
    glyphs = cut(PACKAGE / "400Regular/NotoSansSC_400Regular.ttf", INTO / NAME, characters)
    shutil.copy(PACKAGE / "LICENSE_FONT", INTO / "OFL.txt")
    made = {
        "file": NAME,
        "family": "Noto Sans SC",
        "licence": "OFL-1.1",
        "from": {"package": package["name"], "version": package["version"]},
        "glyphs": glyphs,
        "sha256": hashlib.sha256((INTO / NAME).read_bytes()).hexdigest(),
    }
    (INTO / "fonts.json").write_text(json.dumps(made, indent=2) + "\n")


if __name__ == "__main__":
    main()
