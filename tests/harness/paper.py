"""Reads a printed page back: which words stand where, and what its bars say to a scanner.

Knows the few operators that our pages use, and Code 128 (ISO/IEC 15417) from its table of widths; shares no
code with what drew the page.
"""

from __future__ import annotations

import base64
import re
import zlib
from dataclasses import dataclass
from itertools import pairwise

# Widths of bar, space, bar, space, bar, space in modules, by symbol value; the stop has a seventh bar.
_TABLE = """
212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222
123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321
232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121
313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224
111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111
111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113
114311 411113 411311 113141 114131 311141 411131 211412 211214 211232
"""
_WIDTHS = tuple(_TABLE.split())
_STOP = "2331112"
_START = {103: "A", 104: "B", 105: "C"}
_SWITCH = {"A": {100: "B", 99: "C"}, "B": {101: "A", 99: "C"}, "C": {101: "A", 100: "B"}}
_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
_NUMBER = r"(-?[\d.]+)"
_LINE = re.compile(
    rf"(?P<q>\bq\b)|(?P<Q>\bQ\b)|1 0 0 1 {_NUMBER} {_NUMBER} (?P<op>cm|Tm)|/(?P<font>F\d) [\d.]+ Tf"
    rf"|{_NUMBER} {_NUMBER} {_NUMBER} {_NUMBER} re|\((?P<text>(?:\\.|[^\\)])*)\) Tj",
    re.DOTALL,
)


@dataclass(frozen=True)
class Words:
    """Text with its place, in points from the lower left."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Page:
    """What is on a page: its words in the order they were set, and what each row of bars says."""

    words: tuple[Words, ...]
    scanned: tuple[str, ...]

    @property
    def text(self) -> str:
        """All words, a line each."""
        return "\n".join(word.text for word in self.words)


def pages(pdf: bytes) -> list[Page]:
    """Every page of a PDF of ours."""
    fonts = _fonts(pdf)
    return [_page(_plain(raw).decode("latin-1"), fonts) for raw in _STREAM.findall(pdf)]


def _plain(raw: bytes) -> bytes:
    return zlib.decompress(base64.a85decode(raw.strip().removesuffix(b"~>")))


def _fonts(pdf: bytes) -> dict[str, str]:
    """Font name -> how its text is encoded."""
    found = {}
    for number in re.findall(rb"/(F\d+) \d+ 0 R", pdf):
        name = number.decode()
        body = next(b for b in pdf.split(b"endobj") if f"/Name /{name} ".encode() in b)
        found[name] = "utf-16-be" if b"UniGB-UCS2-H" in body else "cp1252"
    return found


def _page(stream: str, fonts: dict[str, str]) -> Page:
    places, font, at = [(0.0, 0.0)], "", (0.0, 0.0)
    words: list[Words] = []
    rows: dict[tuple[float, float, float], list[tuple[float, float]]] = {}
    for m in _LINE.finditer(stream):
        if m["q"]:
            places.append(places[-1])
        elif m["Q"]:
            places.pop()
        elif m["op"] == "cm":
            places[-1] = (places[-1][0] + float(m[3]), places[-1][1] + float(m[4]))
        elif m["op"] == "Tm":
            at = (float(m[3]), float(m[4]))
        elif m["font"]:
            font = m["font"]
        elif m["text"] is not None:
            words.append(Words(*at, _unescaped(m["text"]).decode(fonts[font])))
        else:
            x, y, width, height = (float(m[n]) for n in range(7, 11))
            left, bottom = places[-1]
            rows.setdefault((round(left, 2), round(bottom + y, 2), height), []).append((x, width))
    return Page(tuple(words), tuple(scan(sorted(row)) for row in rows.values() if len(row) > 10))


def _unescaped(text: str) -> bytes:
    known = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}

    def one(m: re.Match[str]) -> str:
        return chr(int(m[1], 8)) if m[1][0].isdigit() else known.get(m[1], m[1])

    return re.sub(r"\\([0-7]{1,3}|.)", one, text, flags=re.DOTALL).encode("latin-1")


def scan(bars: list[tuple[float, float]]) -> str:
    """What a scanner reads from bars (left edge, width); asserts start, check symbol and stop."""
    module = min(width for _, width in bars)
    edges = [edge for x, width in bars for edge in (x, x + width)]
    widths = "".join(str(round((b - a) / module)) for a, b in pairwise(edges))
    assert widths.endswith(_STOP), "The stop symbol is missing."
    body = widths.removesuffix(_STOP)
    values = [_WIDTHS.index(body[at : at + 6]) for at in range(0, len(body), 6)]
    *said, check = values
    assert check == (said[0] + sum(n * v for n, v in enumerate(said[1:], start=1))) % 103, "A misread."
    return _letters(said)


def _letters(values: list[int]) -> str:
    code, letters = _START[values[0]], ""
    for value in values[1:]:
        if value in _SWITCH[code]:
            code = _SWITCH[code][value]
        else:
            letters += f"{value:02}" if code == "C" else chr(value + 32)
    return letters
