"""Numbers that name a person, so that none comes in as an office's reference."""

from __future__ import annotations

import re

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_IDENTITY = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)", re.ASCII)
_PHONE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)", re.ASCII)


def personal_number(text: str) -> bool:
    """Does a text hold a resident identity number (GB 11643, by its check digit) or a mobile phone number?

    Dashes between the digits do not hide one.
    """
    plain = re.sub(r"[-_/ ]", "", text)
    identities = (*_IDENTITY.findall(text), *_IDENTITY.findall(plain))
    phones = _PHONE.search(text) or _PHONE.search(plain)
    return phones is not None or any(_holds(number.upper()) for number in identities)


def _holds(number: str) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    return _CHECK[total % 11] == number[17]
