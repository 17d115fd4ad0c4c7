"""One Chinese font for everything that is printed, so that paper and pictures look the same everywhere.

Noto Sans SC, cut to GB 2312, the characters of our own files and those of given names that GB 2312 lacks
(`deploy/assets/make_font.py`); its licence lies beside it. Screens use the fonts of the reader's machine.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
FONT = FOLDER / "NotoSansSC-Guitu.ttf"
"""A TrueType file, weight 400: for Pillow, and by its folder for fontconfig."""
CHINESE = "NotoSansSC"
"""Its name in a PDF once `registered()` was called."""


@cache
def registered() -> str:
    """Make the font known to reportlab, once a process, and say under which name; only used glyphs are embedded."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    pdfmetrics.registerFont(TTFont(CHINESE, FONT))
    return CHINESE
