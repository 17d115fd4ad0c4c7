"""Paper for the laboratory: a PDF page with Chinese text and Code 128 barcodes, the same bytes for the same rows.

Chinese is set in the font that we bring (`guitu.fonts`), and its glyphs are inside the file: it prints the same
on every machine, also on one without any Chinese font.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from dna_intake.domain.words import EXERCISE_EN, EXERCISE_ZH
from guitu import fonts

CHINESE, LATIN, CODE = fonts.registered(), "Helvetica", "Courier-Bold"
SYMBOLS_MODULES = 156
"""Width of a barcode of 11 symbols in modules: start, 11 symbols, check and stop (ISO/IEC 15417)."""
QUIET_MODULES = 10
"""White on both sides of the bars (ISO/IEC 15417)."""


def canvas(buffer: BytesIO, width_mm: float, height_mm: float, title: str) -> Any:
    """A page to draw on; nothing in the file tells when, where or by whom it was made."""
    page = Canvas(buffer, pagesize=(width_mm * mm, height_mm * mm), invariant=1)
    page.setTitle(title)
    page.setAuthor("")
    page.setCreator("Guitu")
    return page


def scannable(barcode: str) -> str:
    """What the bars say: the barcode without its hyphens, which are for people."""
    return barcode.replace("-", "")


def bars(page: Any, barcode: str, x_mm: float, y_mm: float, *, module_mm: float, height_mm: float) -> None:
    """Draw the bars of a barcode with its quiet zone; `x_mm` is where the quiet zone begins."""
    drawn = Code128(scannable(barcode), barWidth=module_mm * mm, barHeight=height_mm * mm, quiet=False)
    drawn.drawOn(page, (x_mm + QUIET_MODULES * module_mm) * mm, y_mm * mm)


def bars_width_mm(module_mm: float) -> float:
    """How wide the bars of a barcode are with their quiet zones."""
    return (SYMBOLS_MODULES + 2 * QUIET_MODULES) * module_mm


def text(page: Any, words: str, x_mm: float, y_mm: float, *, size_pt: float, font: str = LATIN) -> None:
    """Set a line of text; Chinese needs `CHINESE`."""
    page.setFont(font, size_pt)
    page.drawString(x_mm * mm, y_mm * mm, words)


def exercise_mark(page: Any, right_mm: float, y_mm: float, *, size_pt: float) -> None:
    """White on black, so that it can't be overlooked; its right edge is at `right_mm`."""
    chinese = pdfmetrics.stringWidth(EXERCISE_ZH, CHINESE, size_pt)
    english = pdfmetrics.stringWidth(EXERCISE_EN, LATIN, size_pt)
    left, width = right_mm * mm - chinese - english - size_pt, chinese + english + size_pt
    page.rect(left, y_mm * mm - size_pt * 0.3, width, size_pt * 1.25, stroke=0, fill=1)
    page.setFillGray(1)
    text(page, EXERCISE_ZH, (left + size_pt * 0.3) / mm, y_mm, size_pt=size_pt, font=CHINESE)
    text(page, EXERCISE_EN, (left + chinese + size_pt * 0.7) / mm, y_mm, size_pt=size_pt)
    page.setFillGray(0)


def tick_box(page: Any, x_mm: float, y_mm: float, *, size_mm: float) -> None:
    """An empty square."""
    page.setLineWidth(0.6)
    page.rect(x_mm * mm, y_mm * mm, size_mm * mm, size_mm * mm, stroke=1, fill=0)
