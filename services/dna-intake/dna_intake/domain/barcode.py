"""Barcodes for tubes and forms: Crockford base32 with its check symbol, so that a misread is noticed.

Source: Douglas Crockford, "Base 32": no I, L, O, U; the check symbol is the number modulo 37. A barcode says
nothing about the person: it is drawn at random.
"""

from __future__ import annotations

_SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHECK_SYMBOLS = _SYMBOLS + "*~$=U"
_LOOKS_LIKE = str.maketrans({"I": "1", "L": "1", "O": "0"})
LENGTH = 10
BITS = LENGTH * 5


class BarcodeMisread(ValueError):
    """The text is not a barcode of ours, or was misread or mistyped."""


def barcode_of(number: int) -> str:
    """The barcode of a random number, e.g. `4Z8K2-M0QXT-7`; only its lowest 50 bits count."""
    number %= 1 << BITS
    symbols = "".join(_SYMBOLS[number >> shift & 31] for shift in range(BITS - 5, -1, -5))
    return f"{symbols[:5]}-{symbols[5:]}-{_CHECK_SYMBOLS[number % 37]}"


def read_barcode(text: str) -> str:
    """The canonical form of what was scanned or typed: case, hyphens and look-alikes do not matter.

    Raises: BarcodeMisread, with the mend.
    """
    plain = text.strip().upper().replace("-", "").replace(" ", "")
    body, check = plain[:-1].translate(_LOOKS_LIKE), plain[-1:].translate(_LOOKS_LIKE)
    if len(body) != LENGTH or set(body) - set(_SYMBOLS):
        raise BarcodeMisread(f"A barcode has {LENGTH} symbols and a check symbol; scan the label again.")
    number = 0
    for symbol in body:
        number = number * 32 + _SYMBOLS.index(symbol)
    if check != _CHECK_SYMBOLS[number % 37]:
        raise BarcodeMisread("The check symbol does not fit; scan the label again or compare each symbol.")
    return barcode_of(number)
