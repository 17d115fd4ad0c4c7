"""The token in a notice page's address: short, so that a link fits beside a Chinese text in one segment."""

from __future__ import annotations

from uuid import UUID

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZabcdefghijkmnopqrstuvwxyz"
LENGTH = 10
"""10 characters of 57 carry the 58 random bits that are used; a guess hits one of 10,000 open pages at 2**-44."""
_RANDOM_BITS = 58


def page_token_of(random_id: UUID) -> str:
    """A token from the random end of an id; it says nothing about the delivery it stands for."""
    number = random_id.int & ((1 << _RANDOM_BITS) - 1)
    letters = []
    for _ in range(LENGTH):
        number, rest = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[rest])
    return "".join(letters)


def looks_like_token(text: str) -> bool:
    """Could this be a token? Anything else needs no look into the database."""
    return len(text) == LENGTH and all(char in _ALPHABET for char in text)
