"""How many SMS segments a text takes, before anybody pays for or waits for them.

GSM-7: 160 septets in one, 153 in each of several; UCS-2: 70 UTF-16 units in one, 67 in each of several (the rest
carries the chain's header). A character of the GSM-7 extension table takes two septets and an emoji or a rare Han
character two units; neither is split over two segments. One curly quote or no-break space makes all of it UCS-2.
Source: 3GPP TS 23.038, section 6.2.1 and TS 23.040, section 9.2.3.24.1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
_ALL = _BASIC | _EXTENSION
_ALONE = {"GSM-7": 160, "UCS-2": 70}
_CHAINED = {"GSM-7": 153, "UCS-2": 67}


@dataclass(frozen=True, slots=True)
class Segmentation:
    """What a text takes: `units` are septets in GSM-7 and UTF-16 units in UCS-2."""

    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    segments: int


def segmentation(text: str) -> Segmentation:
    """Return encoding, units and segments of `text`; an empty text takes one segment."""
    encoding: Literal["GSM-7", "UCS-2"] = "GSM-7" if is_gsm7(text) else "UCS-2"
    wide = _EXTENSION.__contains__ if encoding == "GSM-7" else _is_surrogate_pair
    units = len(text) + sum(map(wide, text))
    if units <= _ALONE[encoding]:
        return Segmentation(encoding, units, 1)
    return Segmentation(encoding, units, _segments((2 if wide(c) else 1 for c in text), _CHAINED[encoding]))


def characters_max(begin: str, segments: int) -> int:
    """No text that begins so and takes so many segments has more characters; cheaper to ask than to count."""
    return _ALONE["GSM-7" if is_gsm7(begin) else "UCS-2"] * segments


def is_gsm7(text: str) -> bool:
    """Say whether every character is in the GSM 7-bit default alphabet or its extension table."""
    return _ALL.issuperset(text)


def not_gsm7(text: str) -> list[str]:
    """The characters that force UCS-2, each once, in their order."""
    return [char for char in dict.fromkeys(text) if not is_gsm7(char)]


def units_left(size: Segmentation) -> int:
    """How many more units the segments that are taken anyway can hold (one less if a wide character must fit)."""
    full = _ALONE[size.encoding] if size.segments == 1 else _CHAINED[size.encoding] * size.segments
    return full - size.units


def _is_surrogate_pair(char: str) -> bool:
    return ord(char) > 0xFFFF


def _segments(widths: Iterable[int], chained: int) -> int:
    segments, free = 1, chained
    for width in widths:
        if width > free:
            segments, free = segments + 1, chained
        free -= width
    return segments
