"""The poster to print: one A4 page, Chinese first and English, with a code that leads to the newest word.

Drawn in a process beside the service. The same facts give the same bytes, and nothing in the file tells who made it.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import segno
from PIL import Image
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from alerts import poster_words
from alerts.poster_words import Line, Measure, Poster, fitting, wrapped
from alerts.share import share_image
from guitu.fonts import registered

__all__ = ["poster_pdf", "share_image"]

WIDTH_MM, HEIGHT_MM, MARGIN_MM = 210.0, 297.0, 14.0
RED, INK, GREY = (0.65, 0.06, 0.0), (0.07, 0.07, 0.07), (0.3, 0.3, 0.3)
PHOTO_MM = (84.0, 108.0)
CALL_TOP_MM = 87.0
QR_MM = 36.0
_FACT_LINES = 3
_APPEARANCE_SIZES = (19.0, 16.0, 13.0, 11.0)
"""Points; the largest in which the whole description fits above the call is taken."""
_LEADING_MM = 0.45
"""From line to line, a point of size."""


def poster_pdf(poster: Poster) -> bytes:
    """The whole page as PDF."""
    font, written = registered(), BytesIO()
    page = Canvas(written, pagesize=(WIDTH_MM * mm, HEIGHT_MM * mm), invariant=1, pageCompression=1)
    page.setTitle(f"{poster_words.TITLE[0]} {poster.case_code}")
    page.setAuthor(poster.publisher_zh)
    page.setCreator("Guitu")
    y = _head(page, font, poster)
    y = _child(page, font, poster, y)
    _appearance(page, font, poster, y)
    _call(page, font, poster)
    _foot(page, font, poster)
    page.showPage()
    page.save()
    return written.getvalue()


def _text(page: Any, font: str, words: str, x: float, y: float, size: float, bold: bool = False) -> None:
    """A line at (x, y) mm. The one weight there is gets bold by a thin outline."""
    drawn = page.beginText(x * mm, y * mm)
    drawn.setFont(font, size)
    drawn.setTextRenderMode(2 if bold else 0)
    page.setLineWidth(size * 0.028)
    drawn.textOut(words)
    drawn.setTextRenderMode(0)
    page.drawText(drawn)


def _colour(page: Any, colour: tuple[float, float, float]) -> None:
    page.setFillColorRGB(*colour)
    page.setStrokeColorRGB(*colour)


def _centred(page: Any, font: str, words: str, y: float, size: float, bold: bool = False) -> None:
    width = pdfmetrics.stringWidth(words, font, size) / mm
    _text(page, font, words, (WIDTH_MM - width) / 2, y, size, bold)


def _head(page: Any, font: str, poster: Poster) -> float:
    """The red band, and over it a black one in an exercise; gives where the page goes on."""
    top = HEIGHT_MM
    if poster.exercise:
        _colour(page, (0, 0, 0))
        page.rect(0, (top - 13) * mm, WIDTH_MM * mm, 13 * mm, stroke=0, fill=1)
        _colour(page, (1, 1, 1))
        _centred(page, font, " ".join(poster_words.EXERCISE), top - 9, 17, bold=True)
        top -= 13
    _colour(page, RED)
    page.rect(0, (top - 39) * mm, WIDTH_MM * mm, 39 * mm, stroke=0, fill=1)
    _colour(page, (1, 1, 1))
    _centred(page, font, poster_words.TITLE[0], top - 20, 46, bold=True)
    _centred(page, font, poster_words.TITLE[1], top - 33, 24)
    return top - 39 - 8


def _child(page: Any, font: str, poster: Poster, top: float) -> float:
    """The photo with the facts beside it, or the facts alone over the whole width."""
    left, low = MARGIN_MM, top
    if poster.photo:
        low = _photo(page, poster.photo, left, top) - 2
        left += PHOTO_MM[0] + 8
    y = top
    for line in poster.lines[:-1]:
        y = _fact(page, font, line, left, y, WIDTH_MM - MARGIN_MM - left)
    return min(y, low)


def _photo(page: Any, photo: bytes, left: float, top: float) -> float:
    """The photo, centred in its box; gives its lower edge."""
    with Image.open(BytesIO(photo)) as picture:
        scale = min(PHOTO_MM[0] / picture.width, PHOTO_MM[1] / picture.height)
        width, height = picture.width * scale, picture.height * scale
        reader = ImageReader(BytesIO(photo))
    x = left + (PHOTO_MM[0] - width) / 2
    page.drawImage(reader, x * mm, (top - height) * mm, width * mm, height * mm)
    return top - height


def _fact(page: Any, font: str, line: Line, left: float, top: float, width: float) -> float:
    _colour(page, GREY)
    _text(page, font, f"{line.zh}  {line.en}", left, top - 4, 12)
    _colour(page, INK)
    y = top - 4
    for words in _lines(font, line.says, width, 21, _FACT_LINES):
        y -= 9
        _text(page, font, words, left, y, 21, bold=True)
    return y - 5


def _lines(font: str, words: str, width: float, size: float, most: int) -> list[str]:
    return wrapped(words, width * mm, _measure(font, size), most)


def _measure(font: str, size: float) -> Measure:
    return lambda text: float(pdfmetrics.stringWidth(text, font, size))


def _appearance(page: Any, font: str, poster: Poster, top: float) -> None:
    line, y = poster.lines[-1], top - 6
    _colour(page, GREY)
    _text(page, font, f"{line.zh}  {line.en}", MARGIN_MM, y, 12)
    _colour(page, INK)
    room, width = y - CALL_TOP_MM - 3, (WIDTH_MM - 2 * MARGIN_MM) * mm
    size, lines = fitting(
        line.says, width, room, _APPEARANCE_SIZES, _LEADING_MM, lambda pt: _measure(font, pt)
    )
    for words in lines:
        y -= size * _LEADING_MM
        _text(page, font, words, MARGIN_MM, y, size)


def _call(page: Any, font: str, poster: Poster) -> None:
    """Whom to call, and what not to do."""
    _colour(page, RED)
    page.setLineWidth(2)
    page.rect(MARGIN_MM * mm, 50 * mm, 136 * mm, (CALL_TOP_MM - 50) * mm, stroke=1, fill=0)
    left = MARGIN_MM + 4
    _text(page, font, poster_words.CALL[0], left, 76, 17, bold=True)
    _text(page, font, poster.phone, left + 58, 73, 40, bold=True)
    _colour(page, INK)
    _text(page, font, f"{poster_words.CALL[1]}: {poster.phone}", left, 67, 13)
    _text(page, font, poster_words.CAUTION[0], left, 60, 12.5)
    _text(page, font, poster_words.CAUTION[1], left, 54, 10)
    _qr(page, poster.url, WIDTH_MM - MARGIN_MM - QR_MM, 51)
    _text(page, font, poster_words.SCAN[0], WIDTH_MM - MARGIN_MM - QR_MM, 46, 11)
    _text(page, font, poster_words.SCAN[1], WIDTH_MM - MARGIN_MM - QR_MM, 41.5, 9)


def _qr(page: Any, url: str, x: float, y: float) -> None:
    """Level Q: a quarter of it may be wet or torn."""
    matrix = segno.make(url, error="q", micro=False).matrix
    module = QR_MM / (len(matrix) + 4)
    _colour(page, (0, 0, 0))
    for row, modules in enumerate(matrix):
        for column, dark in enumerate(modules):
            if dark:
                left, low = x + (column + 2) * module, y + QR_MM - (row + 3) * module
                # A hair over the edge, or printers leave white lines between the modules.
                page.rect(left * mm, low * mm, module * 1.02 * mm, module * 1.02 * mm, stroke=0, fill=1)


def _foot(page: Any, font: str, poster: Poster) -> None:
    _colour(page, GREY)
    page.setLineWidth(0.6)
    page.line(MARGIN_MM * mm, 37 * mm, (WIDTH_MM - MARGIN_MM) * mm, 37 * mm)
    _text(page, font, f"{poster.publisher_zh}  {poster.publisher_en}", MARGIN_MM, 30, 13)
    numbers = f"案件编号 Case {poster.case_code} · 公安案号 Police {poster.police_case_number}"
    for step, words in enumerate((numbers, " ".join(poster_words.OVER), f"{poster.drawn_on} (UTC+8)")):
        _text(page, font, words, MARGIN_MM, 23.5 - step * 5.5, 9.5)
