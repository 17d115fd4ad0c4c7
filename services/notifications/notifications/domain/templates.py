"""The grammar of a text's template: words with holes, and optional parts; parsed once, filled many times.

    {case}                 what the code knows; bare, it is always said
    [ {height}]            said only where everything in it is known and still fits
    [{looks}|ask 110]      the first of several that can be said
    [, check passengers]   spare words without a hole: left out first where the text gets too long

Brackets do not nest, and braces, square brackets and bars can't be said. The exercise mark and the signature
are put before every text by the code (`texts.head`), so no author can forget or forge them. What fits into one
segment is the ladder's business (`domain/texts.py`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from notifications.domain.lookalikes import plain

Language = Literal["zh", "en"]
BODY_MAX = 400
"""Characters of a template; more than four segments of UCS-2 would hold, holes and brackets included."""


class Refusal(NamedTuple):
    """One reason why a template is refused, with the place (characters from 1, 0 for all of it)."""

    position: int
    en: str
    zh: str


class TemplateRefused(ValueError):
    """The template can't be used; `reasons` has every one that was found."""

    def __init__(self, reasons: list[Refusal]) -> None:
        super().__init__("; ".join(reason.en for reason in reasons))
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Hole:
    """A value's place."""

    name: str
    position: int


Arm = tuple[str | Hole, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Alternatives, of which the first that can be said is said; one without a hole is spare words."""

    arms: tuple[Arm, ...]

    @property
    def spare(self) -> bool:
        """Words that may be left out."""
        return len(self.arms) == 1 and not any(isinstance(part, Hole) for part in self.arms[0])


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template."""

    body: str
    parts: tuple[str | Hole | Choice, ...]

    @property
    def has_spare(self) -> bool:
        """Has it words that may be left out?"""
        return any(isinstance(part, Choice) and part.spare for part in self.parts)

    @property
    def holes(self) -> Iterator[tuple[Hole, bool]]:
        """Every hole, and whether it stands in brackets."""
        for part in self.parts:
            if isinstance(part, Hole):
                yield part, False
            elif isinstance(part, Choice):
                yield from ((hole, True) for arm in part.arms for hole in arm if isinstance(hole, Hole))

    def filled(self, values: Mapping[str, str], spare: bool = True) -> str | None:
        """The words with these values; None if a hole that is always said has no value."""
        said = []
        for part in self.parts:
            if isinstance(part, Choice):
                said.append(_first(part, values) if spare or not part.spare else "")
                continue
            word = part if isinstance(part, str) else values.get(part.name, "")
            if not word:
                return None
            said.append(word)
        return "".join(said)

    def always_says(self, names: Collection[str], known: Collection[str]) -> bool:
        """Is one of these values in the text whichever alternatives are chosen, if what is `known` has values?"""
        return any(
            part.name in names if isinstance(part, Hole) else _always(part, names, known)
            for part in self.parts
            if not isinstance(part, str)
        )


def _always(choice: Choice, names: Collection[str], known: Collection[str]) -> bool:
    """The first alternative that can be said wins: each needs one of the names, and the last must not fail."""
    holes = [{part.name for part in arm if isinstance(part, Hole)} for arm in choice.arms]
    return all(found & set(names) for found in holes) and holes[-1] <= set(known)


def _first(part: Choice, values: Mapping[str, str]) -> str:
    for arm in part.arms:
        words = [word if isinstance(word, str) else values.get(word.name, "") for word in arm]
        if all(words):
            return "".join(words)
    return ""


def parse(body: str, language: Language) -> Template:
    """Read a template, without the characters that only cost. Raises: TemplateRefused, with every reason."""
    body = body.translate(_HALF_WIDTH)
    reasons = list(_misuse(body))
    parts: list[str | Hole | Choice] = []
    for found in _TOKEN.finditer(body):
        text, at = found.group(), found.start() + 1
        if found.lastgroup == "choice":
            parts.append(Choice(tuple(_arms(text[1:-1], at + 1, language, reasons))))
        elif found.lastgroup == "hole":
            parts.append(Hole(text[1:-1], at))
        elif found.lastgroup == "stray":
            reasons.append(_stray(text, at))
        else:
            parts.append(plain(text, language))
    if reasons:
        raise TemplateRefused(sorted(reasons))
    return Template(body, tuple(part for part in parts if part != ""))


_HALF_WIDTH = str.maketrans("\uff5b\uff5d\uff3b\uff3d\uff5c", "{}[]|")
"""Chinese keyboards type braces, brackets and bars in full width; they mean the same."""
_TOKEN = re.compile(
    r"(?P<choice>\[[^\[\]]*\])|(?P<hole>\{[^{}\[\]|]*\})|(?P<stray>[\[\]{}|])|(?P<words>[^\[\]{}|]+)"
)


def _arms(inside: str, at: int, language: Language, reasons: list[Refusal]) -> Iterator[Arm]:
    for arm in inside.split("|"):
        yield _arm(arm, at, language, reasons)
        at += len(arm) + 1


def _arm(arm: str, at: int, language: Language, reasons: list[Refusal]) -> Arm:
    parts: list[str | Hole] = []
    for found in _TOKEN.finditer(arm):
        text, start = found.group(), at + found.start()
        if found.lastgroup == "hole":
            parts.append(Hole(text[1:-1], start))
        elif found.lastgroup == "words":
            parts.append(plain(text, language))
        else:
            reasons.append(_stray(text, start))
    if not arm:
        reasons.append(
            Refusal(at, f"Nothing is said here (character {at}).", f"第{at}个字符处方括号内为空。")
        )
    return tuple(part for part in parts if part != "")


def _stray(char: str, at: int) -> Refusal:
    if char == "|":
        return Refusal(
            at, f"A bar at character {at} stands outside square brackets.", f"第{at}个字符“|”须写在方括号内。"
        )
    return Refusal(
        at,
        f"'{char}' at character {at} has no partner, or brackets stand in each other.",
        f"第{at}个字符“{char}”不成对,或括号嵌套。",
    )


_FORBIDDEN = (
    (re.compile(r"[\x00-\x1f\x7f]"), "has a control character or line break", "含控制字符或换行"),
    (
        re.compile(r"[【】]"),
        "has 【 or 】; the signature is put before it by itself",
        "含【】;签名由系统自动添加",
    ),
    (re.compile(r"https?:|www\.", re.I), "has a link of its own; use {link}", "含自带链接;请用 {link}"),
    (re.compile(r"\+?\d(?:[\s-]?\d){6,}"), "has what looks like a phone number", "疑含电话号码"),
)
"""What no author may write. Links and numbers are what carriers filter, and a family's number is theirs alone."""


def _misuse(body: str) -> Iterator[Refusal]:
    if not body.strip():
        yield Refusal(0, "The template is empty.", "模板为空。")
    if len(body) > BODY_MAX:
        yield Refusal(0, f"It has more than {BODY_MAX} characters.", f"超过{BODY_MAX}个字符。")
    for pattern, en, zh in _FORBIDDEN:
        for found in pattern.finditer(body):
            at = found.start() + 1
            yield Refusal(at, f"The template {en} (character {at}).", f"模板{zh}(第{at}个字符)。")
