"""What an SMS that comes in means: an acknowledgement, an opt-out, or else a sighting candidate.

Nothing from a known number is dropped: what we can't read as an acknowledgement may be what somebody saw.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U, so that a code can be read aloud and typed on a keypad."""
CODE_LENGTH = 4
_LOOKALIKE = str.maketrans({"I": "1", "L": "1", "O": "0"})
_ACK_WORDS = ("1", "签收", "收到", "已签收", "已收到", "ACK", "OK")
_OPT_OUT_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "TD", "T", "退订"})
_NOISE = re.compile(r"[^\w]+|_+")


@dataclass(frozen=True)
class OpenNotice:
    """A notice that its recipient may still answer; newest first in a list."""

    delivery_id: UUID
    case_code: str
    ack_code: str
    answered: bool = False


@dataclass(frozen=True)
class Meaning:
    """What a reply means: `ack` of one delivery, `ambiguous`, `opt_out`, `sighting` (with a delivery) or `none`."""

    kind: Literal["ack", "ambiguous", "opt_out", "sighting", "none"]
    delivery_id: UUID | None = None


def ack_code_of(random_id: UUID, taken: Sequence[str] = ()) -> str:
    """A code from the random end of an id, unlike the recipient's other open codes."""
    number = random_id.int & ((1 << 5 * CODE_LENGTH) - 1)
    for step in range(len(taken) + 1):
        code = _encode((number + step) % (1 << 5 * CODE_LENGTH))
        if code not in taken and not code.isdigit():
            return code
    # Digits alone could be a time or a price in a sighting, so such a code is lifted to one with a letter.
    return "A" + _encode(number)[1:]


def read_reply(text: str, open_notices: Sequence[OpenNotice]) -> Meaning:
    """What `text` means to a recipient with these open notices, newest first."""
    words = _words(text)
    joined = "".join(words)
    if joined in _OPT_OUT_WORDS:
        return Meaning("opt_out")
    by_code = {notice.ack_code: notice for notice in open_notices}
    coded = _notice_with_code(joined, by_code)
    if coded:
        return Meaning("ack", coded.delivery_id)
    if joined in _ACK_WORDS:
        return _plain_ack(open_notices)
    return _sighting(words, by_code, open_notices)


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).upper()
    return [word for word in _NOISE.split(plain) if word]


def _notice_with_code(joined: str, by_code: dict[str, OpenNotice]) -> OpenNotice | None:
    """The notice whose code is all that was said, with or without a word of acknowledgement before it."""
    for word in ("", *_ACK_WORDS, "签收码"):
        rest = joined.removeprefix(word).translate(_LOOKALIKE)
        if joined.startswith(word) and rest in by_code:
            return by_code[rest]
    return None


def _plain_ack(open_notices: Sequence[OpenNotice]) -> Meaning:
    waiting = [notice for notice in open_notices if not notice.answered] or list(open_notices[:1])
    if not waiting:
        return Meaning("none")
    if len({notice.case_code for notice in waiting}) > 1:
        return Meaning("ambiguous")
    return Meaning("ack", waiting[0].delivery_id)


def _sighting(words: list[str], by_code: dict[str, OpenNotice], notices: Sequence[OpenNotice]) -> Meaning:
    if not words or not notices:
        return Meaning("none")
    coded = by_code.get(words[0].translate(_LOOKALIKE))
    return Meaning("sighting", (coded or notices[0]).delivery_id)


def _encode(number: int) -> str:
    return "".join(CODE_ALPHABET[number >> 5 * place & 31] for place in reversed(range(CODE_LENGTH)))
