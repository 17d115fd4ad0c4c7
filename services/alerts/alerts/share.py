"""The picture to share in chats: 1080 x 1440 JPEG, small enough for a bad connection."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO

import segno
from PIL import Image, ImageDraw, ImageFont, ImageOps

from alerts import poster_words
from alerts.poster_words import Line, Poster, fitting, wrapped
from guitu.fonts import FONT

SIZE = (1080, 1440)
BYTES_MAX = 250 * 1024
MARGIN = 54
PHOTO_BOX = (510, 640)
QR_PIXELS = 216
CALL_HEIGHT = 290
RED, INK, GREY = "#a61000", "#121212", "#4d4d4d"
_APPEARANCE_SIZES = (38.0, 32.0, 27.0, 23.0)
_LEADING = 1.28
_QUALITIES = (85, 75, 65, 55, 45)
Draw = ImageDraw.ImageDraw


def share_image(poster: Poster) -> bytes:
    """The whole picture as JPEG under 250 KB, without anything that tells where or when it was made."""
    picture = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(picture)
    top = _head(draw, poster)
    bottom = _child(picture, draw, poster, top)
    _appearance(draw, poster, bottom)
    _call(picture, draw, poster)
    return _small(picture)


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONT), size)


def _text(
    draw: Draw, words: str, x: float, y: float, size: int, fill: str = INK, *, bold: bool = False
) -> None:
    width = max(1, size // 32) if bold else 0
    draw.text((x, y), words, font=_font(size), fill=fill, stroke_width=width, stroke_fill=fill)


def _centred(draw: Draw, words: str, y: float, size: int, *, bold: bool = False) -> None:
    _text(draw, words, (SIZE[0] - _font(size).getlength(words)) / 2, y, size, "white", bold=bold)


def _head(draw: Draw, poster: Poster) -> int:
    top = 0
    if poster.exercise:
        draw.rectangle((0, 0, SIZE[0], 70), fill="black")
        _centred(draw, " ".join(poster_words.EXERCISE), 12, 38, bold=True)
        top = 70
    draw.rectangle((0, top, SIZE[0], top + 196), fill=RED)
    _centred(draw, poster_words.TITLE[0], top + 12, 96, bold=True)
    _centred(draw, poster_words.TITLE[1], top + 130, 44)
    return top + 196 + 28


def _child(picture: Image.Image, draw: Draw, poster: Poster, top: int) -> float:
    left, low = MARGIN, float(top)
    if poster.photo:
        with Image.open(BytesIO(poster.photo)) as opened:
            photo = ImageOps.contain(opened.convert("RGB"), PHOTO_BOX, Image.Resampling.LANCZOS)
        picture.paste(photo, (left + (PHOTO_BOX[0] - photo.width) // 2, top))
        left, low = left + PHOTO_BOX[0] + 30, top + float(photo.height)
    y = float(top)
    for line in poster.lines[:-1]:
        y = _fact(draw, line, left, y)
    return max(y, low)


def _fact(draw: Draw, line: Line, left: int, top: float) -> float:
    _text(draw, f"{line.zh}  {line.en}", left, top, 26, GREY)
    y = top + 34
    for words in wrapped(line.says, SIZE[0] - MARGIN - left, _font(42).getlength, 3):
        _text(draw, words, left, y, 42, bold=True)
        y += 52
    return y + 14


def _appearance(draw: Draw, poster: Poster, top: float) -> None:
    line, y = poster.lines[-1], top + 14
    _text(draw, f"{line.zh}  {line.en}", MARGIN, y, 26, GREY)
    y += 36
    room, width = SIZE[1] - CALL_HEIGHT - 10 - y, SIZE[0] - 2 * MARGIN
    size, lines = fitting(
        line.says, width, room, _APPEARANCE_SIZES, _LEADING, lambda size: _font(int(size)).getlength
    )
    for words in lines:
        _text(draw, words, MARGIN, y, int(size))
        y += size * _LEADING


def _call(picture: Image.Image, draw: Draw, poster: Poster) -> None:
    top = SIZE[1] - CALL_HEIGHT
    draw.rectangle((0, top, SIZE[0], SIZE[1]), fill="#f4f1ea")
    draw.line((0, top, SIZE[0], top), fill=RED, width=6)
    _text(draw, poster_words.CALL[0], MARGIN, top + 26, 40, RED, bold=True)
    _text(draw, poster.phone, MARGIN + 345, top + 4, 76, RED, bold=True)
    _text(draw, f"{poster_words.CALL[1]}: {poster.phone}", MARGIN, top + 96, 26)
    _text(draw, poster_words.CAUTION[0], MARGIN, top + 138, 28)
    numbers = f"{poster.case_code} · {poster.police_case_number}"
    _text(draw, f"{poster.publisher_zh} {numbers}", MARGIN, top + 186, 24, GREY)
    _text(draw, poster_words.OVER[0], MARGIN, top + 226, 24, GREY)
    picture.paste(_qr(poster.url), (SIZE[0] - MARGIN - QR_PIXELS, top + 18))
    _text(draw, poster_words.SCAN[0], SIZE[0] - MARGIN - QR_PIXELS + 10, top + 242, 24)


def _qr(url: str) -> Image.Image:
    """Level Q with its quiet zone, whole pixels a module, then to size without smoothing."""
    written = BytesIO()
    segno.make(url, error="q", micro=False).save(written, kind="png", scale=8, border=3)
    with Image.open(written) as drawn:
        return drawn.convert("RGB").resize((QR_PIXELS, QR_PIXELS), Image.Resampling.BOX)


def _small(picture: Image.Image) -> bytes:
    for quality in _QUALITIES:
        written = BytesIO()
        picture.save(written, "JPEG", quality=quality, optimize=True, progressive=True)
        if written.tell() <= BYTES_MAX:
            return written.getvalue()
    raise AssertionError(
        "At quality 45 a picture of this size takes 2 bits a pixel at the most: 390 KB of noise."
    )
