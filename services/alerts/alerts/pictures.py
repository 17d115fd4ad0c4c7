"""What is made of a photo: small renditions without anything that the camera wrote into it.

Runs in a process beside the service (`guitu.worker`): a picture that hangs or kills its decoder must not stop
alerts. Nothing here knows whose photo it is.
"""

from __future__ import annotations

from io import BytesIO
from typing import NamedTuple

from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP")
PIXELS_MAX = 64_000_000
"""The most that a phone's full photo has; a small file can claim more, and fill the memory when it is opened."""
NOTICE_BYTES_MAX = 14 * 1024
"""Leaves room for the page itself in its 25 KB, which load in 5 s at 50 kbit/s."""
NOTICE_BOX = (360, 480)
POSTER_BOX = (1080, 1200)
POSTER_BYTES_MAX = 300 * 1024
"""Leaves room for the font in a poster of 500 KB."""
_POSTER_QUALITIES = (88, 80, 70, 60, 45, 30)
_QUALITIES = (70, 60, 50, 40, 30, 22)
_SHRINKS = (1.0, 0.8, 0.64, 0.5, 0.4)

Image.MAX_IMAGE_PIXELS = PIXELS_MAX


class Renditions(NamedTuple):
    """A photo for the notice page (WebP) and one for print (JPEG)."""

    notice: bytes
    poster: bytes


def trouble_with(photo: bytes) -> str:
    """Why a photo can't be used, as a code; empty if it can. Decodes it, so that a cut file shows here."""
    try:
        with Image.open(BytesIO(photo), formats=FORMATS) as opened:
            if opened.width * opened.height > PIXELS_MAX:
                return "too_many_pixels"
            opened.draft("RGB", POSTER_BOX)
            opened.load()
    except Image.DecompressionBombError:
        return "too_many_pixels"
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return "unreadable"
    return ""


def renditions(photo: bytes) -> Renditions | str:
    """The photo's renditions, upright; or why there can be none (see `trouble_with`)."""
    trouble = trouble_with(photo)
    if trouble:
        return trouble
    upright = _upright(photo)
    return Renditions(_notice(upright), _poster(_within(upright, POSTER_BOX)))


def _upright(photo: bytes) -> Image.Image:
    """The pixels alone, turned as the camera meant them, on white where they are transparent."""
    with Image.open(BytesIO(photo), formats=FORMATS) as opened:
        # JPEG only: decode at a fraction of the size where that is still larger than what is needed.
        opened.draft("RGB", (POSTER_BOX[0] * 2, POSTER_BOX[1] * 2))
        turned = ImageOps.exif_transpose(opened).convert("RGBA")
    bare = Image.new("RGB", turned.size, "white")
    bare.paste(turned, mask=turned.getchannel("A"))
    return bare


def _within(picture: Image.Image, box: tuple[int, int]) -> Image.Image:
    smaller = picture.copy()
    smaller.thumbnail(box, Image.Resampling.LANCZOS)
    return smaller


def _notice(picture: Image.Image) -> bytes:
    """WebP under the bound: first less quality, then fewer pixels."""
    for shrink in _SHRINKS:
        fitted = _within(picture, (round(NOTICE_BOX[0] * shrink), round(NOTICE_BOX[1] * shrink)))
        for quality in _QUALITIES:
            written = BytesIO()
            fitted.save(written, "WEBP", quality=quality, method=4)
            if written.tell() <= NOTICE_BYTES_MAX:
                return written.getvalue()
    raise AssertionError("144 x 192 pixels at the lowest quality stay under 14 KB: 4 bits a pixel.")


def _poster(picture: Image.Image) -> bytes:
    """JPEG under the bound, as good as it can be."""
    for quality in _POSTER_QUALITIES:
        written = BytesIO()
        picture.save(written, "JPEG", quality=quality, optimize=True)
        if written.tell() <= POSTER_BYTES_MAX:
            break
    return written.getvalue()
