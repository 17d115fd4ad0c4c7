"""Characters that cost dearly and say nothing more than their plain equals.

One curly quote, dash or no-break space turns an English text from 160 septets into 70 UTF-16 units (trap seen with
every SMS provider). In Chinese, invisible characters take a unit each. Both come from word processors and phones.
"""

from __future__ import annotations

import unicodedata
from typing import Literal

from notifications.segments import is_gsm7

_INVISIBLE = "\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
"""Soft hyphen, zero-width characters, direction marks, byte order mark."""
_FIXED_SPACES = "\u00a0\u202f"
"""No-break spaces: typed by nobody on purpose."""
_EQUALS = {
    "'": "\u2018\u2019\u201a\u201b\u2032\u2035\u02bc\u02b9\u02bb`\u00b4\u2039\u203a",
    '"': "\u201c\u201d\u201e\u201f\u2033\u2036\u00ab\u00bb\u300c\u300d\u300e\u300f",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u00b7\u2022\u30fb\u301c",
    "/": "\u2044\u2215",
    ".": "\u3002",
    ",": "\u3001",
    "x": "\u00d7",
    "*": "\u2217",
    "<": "\u3008\u300a",
    ">": "\u3009\u300b",
    "(": "\u3014",
    ")": "\u3015",
    "[": "\u3010",
    "]": "\u3011",
    " ": "\t\v\u00a0\u1680\u202f\u205f\u3000" + "".join(chr(code) for code in range(0x2000, 0x200B)),
    "\n": "\u2028\u2029\u0085",
    "": _INVISIBLE,
}
_TO_GSM7 = {ord(like): plain for plain, likes in _EQUALS.items() for like in likes}
_TO_CHINESE = dict.fromkeys(map(ord, _INVISIBLE + _FIXED_SPACES), "")


def plain(text: str, language: Literal["zh", "en"]) -> str:
    """The same words without characters that only cost: twice the same as once.

    English: every character that has an equal in the GSM 7-bit alphabet is replaced by it. Chinese: no-break spaces
    and what can't be seen are dropped; the rest stays, since the text is UCS-2 anyway.
    """
    if language == "zh":
        return text.translate(_TO_CHINESE)
    return text if is_gsm7(text) else "".join(map(gsm7_equal, unicodedata.normalize("NFC", text)))


def gsm7_equal(char: str) -> str:
    """The GSM 7-bit equal of one character (full-width forms, ligatures, letters without their accent), or itself."""
    if is_gsm7(char) or ord(char) in _TO_GSM7:
        return char.translate(_TO_GSM7)
    for form in ("NFKC", "NFKD"):
        equal = _bare(unicodedata.normalize(form, char), form).translate(_TO_GSM7)
        if is_gsm7(equal) and (equal or unicodedata.combining(char)):
            return equal
    return char


def _bare(text: str, form: str) -> str:
    """Without accents, once the character is taken apart."""
    return "".join(c for c in text if not unicodedata.combining(c)) if form == "NFKD" else text
