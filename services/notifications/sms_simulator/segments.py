"""How many segments a text costs: GSM-7 160 alone or 153 in a chain, UCS-2 70 or 67.

The alphabet is 3GPP TS 23.038 (basic and extension table). A character of the extension table takes two
septets and one outside the basic multilingual plane two UCS-2 units; neither is split over two segments.
"""

from __future__ import annotations

GSM7_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_EXTENSION = frozenset("\f^{}\\[~]|€")
GSM7_ALL = GSM7_BASIC | GSM7_EXTENSION


def count_segments(text: str) -> int:
    """Return the number of segments of `text`; an empty text still costs one."""
    if GSM7_ALL.issuperset(text):
        return _fill([2 if char in GSM7_EXTENSION else 1 for char in text], alone=160, chained=153)
    if len(text) <= 35:  # Even if every character took two units it would fit one segment.
        return 1
    return _fill([2 if ord(char) > 0xFFFF else 1 for char in text], alone=70, chained=67)


def _fill(widths: list[int], alone: int, chained: int) -> int:
    if sum(widths) <= alone:
        return 1
    segments, used = 1, 0
    for width in widths:
        if used + width > chained:
            segments, used = segments + 1, 0
        used += width
    return segments
