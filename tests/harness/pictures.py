"""Photos of nobody: drawn, seeded, with what a camera writes into its files."""

from __future__ import annotations

import random
import struct
import zlib
from io import BytesIO

from PIL import Image, ImageDraw

CAMERA = "Nobody's Camera"
_ORIENTATION, _MAKE = 0x0112, 0x010F
TURNED_RIGHT = 6
"""EXIF: the camera was held upright; the pixels lie on their side."""


def photo(size: tuple[int, int] = (900, 1200), *, noise: bool = False, orientation: int = 1) -> bytes:
    """A JPEG as a phone makes it: left half red, right half blue; with `noise` it hardly gets smaller."""
    picture = Image.new("RGB", size, "blue")
    ImageDraw.Draw(picture).rectangle((0, 0, size[0] // 2, size[1]), fill="red")
    if noise:
        grain = random.Random(7).randbytes(size[0] * size[1] * 3)
        picture = Image.blend(picture, Image.frombytes("RGB", size, grain), 0.7)
    exif = Image.Exif()
    exif[_ORIENTATION], exif[_MAKE] = orientation, CAMERA
    written = BytesIO()
    picture.save(written, "JPEG", quality=85, exif=exif)
    return written.getvalue()


def bomb(side: int = 40_000) -> bytes:
    """A PNG of a few bytes that claims `side` x `side` pixels."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 64)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
