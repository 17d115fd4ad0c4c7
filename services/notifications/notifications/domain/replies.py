"""What an SMS that comes in means: acknowledged, nothing seen, an opt-out, or else a sighting candidate.

Nothing from a known number is dropped: what we can't read as one of the set answers may be what somebody saw.
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
_ACK_WORDS = ("", "1", "签收", "收到", "已签收", "已收到", "ACK", "OK")
_NIL_WORDS = (
    *(
        "无",
        "没有",
        "未发现",
        "没发现",
        "没有发现",
        "没看到",
        "没有看到",
        "未看到",
        "未见",
        "暂无",
        "暂未发现",
    ),
    *("NIL", "NONE", "NOTHING", "NOTHINGSEEN", "0"),
)
"""Whole answers only: 没看到孩子 may go on with what was seen instead, so a person reads it."""
_CODE_WORDS = ("", "签收码", "码", "CODE")
_OPT_OUT_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "TD", "T", "退订"})
_OPT_IN_WORDS = frozenset({"START", "UNSTOP", "开始", "恢复"})
_RUN = re.compile(r"[0-9A-Z]+")
_NOISE = re.compile(r"[^\w]+|_+")


@dataclass(frozen=True)
class OpenNotice:
    """A notice that its recipient may still answer; newest first in a list."""

    delivery_id: UUID
    case_code: str
    ack_code: str
    answered: bool = False
    drill: bool = False


MeaningKind = Literal["ack", "nil_report", "ambiguous", "opt_out", "opt_in", "sighting", "none"]


@dataclass(frozen=True)
class Meaning:
    """What a reply means; `ack`, `nil_report` and `sighting` are of one delivery."""

    kind: MeaningKind
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


def codes_in(text: str) -> list[str]:
    """Whatever in the text could be a code; which of them are codes only the recipient's open notices say."""
    words = _words(text)
    alone = [code for answer in (_ACK_WORDS, _NIL_WORDS) for code in _coded("".join(words), answer)]
    return sorted({*alone, *_spelled_out(words)})


def read_reply(text: str, open_notices: Sequence[OpenNotice]) -> Meaning:
    """What `text` means to a recipient with these open notices, newest first."""
    words = _words(text)
    joined = "".join(words)
    if joined in _OPT_OUT_WORDS:
        return Meaning("opt_out")
    if joined in _OPT_IN_WORDS:
        return Meaning("opt_in")
    by_code = {notice.ack_code: notice for notice in reversed(open_notices)}
    kinds: tuple[tuple[MeaningKind, tuple[str, ...]], ...] = (("ack", _ACK_WORDS), ("nil_report", _NIL_WORDS))
    for kind, answer in kinds:
        named = [by_code[code] for code in _coded(joined, answer) if code in by_code]
        if named:
            return Meaning(kind, named[0].delivery_id)
        if joined and joined in answer:
            return _without_code(kind, open_notices)
    return _sighting(words, by_code, open_notices)


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).upper()
    return [word for word in _NOISE.split(plain) if word]


def _code(word: str) -> str:
    return word.translate(_LOOKALIKE)


def _coded(joined: str, answer: Sequence[str]) -> list[str]:
    """The codes that the text would have if it were one of these answers before or after a code and nothing else."""
    found = []
    for word in answer:
        for code_word in _CODE_WORDS:
            before, after = word + code_word, word
            if joined.startswith(before):
                found.append(_code(joined.removeprefix(before)))
            if after and joined.startswith(code_word) and joined.endswith(after):
                found.append(_code(joined.removeprefix(code_word).removesuffix(after)))
    return [code for code in found if len(code) == CODE_LENGTH]


def _without_code(kind: MeaningKind, open_notices: Sequence[OpenNotice]) -> Meaning:
    """What is still unanswered is meant; of what is answered, the newest for an acknowledgement.

    That nothing was seen is said of one case only: where several are open it must be said of which.
    """
    waiting = [notice for notice in open_notices if not notice.answered]
    waiting = waiting or list(open_notices if kind == "nil_report" else open_notices[:1])
    if not waiting:
        return Meaning("none")
    if len({notice.case_code for notice in waiting}) > 1:
        return Meaning("ambiguous")
    return Meaning(kind, waiting[0].delivery_id)


def _spelled_out(words: Sequence[str]) -> list[str]:
    """Letters and digits that stand by themselves and are as long as a code: `7K3M往码头去了` has one."""
    runs = (run for word in words for run in _RUN.findall(word))
    return [_code(run) for run in runs if len(run) == CODE_LENGTH]


def _sighting(words: list[str], by_code: dict[str, OpenNotice], notices: Sequence[OpenNotice]) -> Meaning:
    """Of the notice whose code is in the text, else of the newest that is no drill."""
    if not words or not notices:
        return Meaning("none")
    coded = next((by_code[code] for code in _spelled_out(words) if code in by_code), None)
    newest = next((notice for notice in notices if not notice.drill), notices[0])
    return Meaning("sighting", (coded or newest).delivery_id)


def _encode(number: int) -> str:
    return "".join(CODE_ALPHABET[number >> 5 * place & 31] for place in reversed(range(CODE_LENGTH)))
