"""Reads a printed page back: which words stand where, and what its bars say to a scanner.

Knows the few operators that our pages use, embedded fonts by their ToUnicode maps (ISO 32000-1, 9.10.3), and
Code 128 (ISO/IEC 15417) from its table of widths; shares no code with what drew the page.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Callable
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
_OBJECT = re.compile(rb"\n(\d+) 0 obj\b(.*?)\bendobj\b", re.DOTALL)
Decode = Callable[[bytes], str]
_NUMBER = r"(-?[\d.]+)"
_LINE = re.compile(
    rf"(?P<q>\bq\b)|(?P<Q>\bQ\b)|1 0 0 1 {_NUMBER} {_NUMBER} (?P<op>cm|Tm)|/(?P<font>F[\d+]+) [\d.]+ Tf"
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
    objects = {int(number): body for number, body in _OBJECT.findall(pdf)}
    fonts = _fonts(objects)
    contents = [_reference(body, "Contents") for body in objects.values() if b"/Type /Page\n" in body]
    return [_page(_plain(objects[number]).decode("latin-1"), fonts) for number in contents]


def _plain(body: bytes) -> bytes:
    """What the stream of an object holds."""
    raw = body.split(b"stream", 1)[1].rsplit(b"endstream", 1)[0].strip(b"\r\n")
    if b"/ASCII85Decode" in body:
        raw = base64.a85decode(raw.strip().removesuffix(b"~>"))
    return zlib.decompress(raw)


def _reference(body: bytes, key: str) -> int:
    found = re.search(rf"/{key} (\d+) 0 R".encode(), body)
    assert found is not None, f"The object has no {key}."
    return int(found[1])


def _fonts(objects: dict[int, bytes]) -> dict[str, Decode]:
    """Font name -> how its text is read."""
    found: dict[str, Decode] = {}
    for body in objects.values():
        if named := re.search(rb"/Name /(F[\d+]+) ", body):
            name = named[1].decode()
            found[name] = (
                _embedded(_plain(objects[_reference(body, "ToUnicode")]))
                if b"/ToUnicode" in body
                else lambda raw: raw.decode("cp1252")
            )
    return found


def _embedded(to_unicode: bytes) -> Decode:
    """Text of an embedded subset, by the map that makes it searchable."""
    pairs = re.findall(rb"^<(\w\w)> <(\w{4})>$", to_unicode, re.MULTILINE)
    signs = {int(code, 16): chr(int(meant, 16)) for code, meant in pairs}
    return lambda raw: "".join(signs[code] for code in raw)


def _page(stream: str, fonts: dict[str, Decode]) -> Page:
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
            words.append(Words(*at, fonts[font](_unescaped(m["text"]))))
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
