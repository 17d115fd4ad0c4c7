"""Names in words that thousands will read: found, and replaced by 孩子 (child) or 家长 (parent).

Whoever reports a child writes as people speak: "小明 wears a red coat". Descriptions go out by SMS and stay on
phones; names stay in the vault. A Chinese name is found by any two characters of it that follow each other, other
names by whole words. Too much is taken out rather than too little, but a word that is also said of clothes and
people ("long", "red") counts as a name only where it is written as one, with a capital.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

HAN_PIECE_MIN = 2
WORD_MIN = 2
TURNS_MAX = 20
"""What is put in can make a piece with what follows it ("孩子" + "明"); who says more of that says nothing else."""
_HAN = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_LETTER = rf"[^\W\d_{_HAN}]"
_BETWEEN_HAN = "[\\s\u00b7\u2022\u2027\u30fb.\u200b-\u200d\u2060\ufeff]"
"""What people and machines put between the characters of a name."""
_NOBODY = {"不详", "不明", "未知", "无名", "无名氏", "匿名", "无", "unknown", "none", "no", "name", "nn"}
"""Written where the name is not known; the same words may describe anything."""
_OURS = {"孩子", "家长", "child", "parent"}
_SAID_OF_ANYTHING = frozenset(
    re.findall(
        r"\w+",
        "an and are black blue brown can cap day down fan for gang gray green grey had has hat he his in is joy long "
        "man may men no not on pan pink red rose run sang she shy so song summer sun tan ten the to too wan was white "
        "will with yellow you young",
    )
)


def leaks(text: str, names: Sequence[str]) -> list[str]:
    """The pieces of these names that stand in the text, as they are written there."""
    pattern = _pattern(names)
    return (
        [found.group() for found in pattern.finditer(unicodedata.normalize("NFKC", text))] if pattern else []
    )


def without_names(text: str, child: Sequence[str], parents: Sequence[str] = ()) -> str:
    """The text with 孩子 or child for the child's names, and 家长 or parent for the parents'."""
    for names, han, latin in ((child, "孩子", "child"), (parents, "家长", "parent")):
        text = _replaced(text, names, han, latin)
    return text


def _replaced(text: str, names: Sequence[str], han: str, latin: str) -> str:
    pattern = _pattern(names)
    if pattern is None:
        return text
    for _ in range(TURNS_MAX):
        if not leaks(text, names):
            return text
        written = text if pattern.search(text) else unicodedata.normalize("NFKC", text)
        text = pattern.sub(lambda found: han if re.match(f"[{_HAN}]", found.group()) else latin, written)
    return han if leaks(text, names) else text


def _pattern(names: Sequence[str]) -> re.Pattern[str] | None:
    pieces = {piece for name in names for piece in _pieces(unicodedata.normalize("NFKC", name).strip())}
    # The longest first: the whole name becomes one word, not two.
    return re.compile("|".join(sorted(pieces, key=lambda piece: (-len(piece), piece)))) if pieces else None


def _pieces(name: str) -> Iterator[str]:
    if name.casefold() in _NOBODY:
        return
    joined = re.sub(rf"(?<=[{_HAN}]){_BETWEEN_HAN}+(?=[{_HAN}])", "", name)
    for run in re.findall(rf"[{_HAN}]+", joined):
        yield from _of_han(run)
    words = re.findall(rf"{_LETTER}+(?:['\u2019-]{_LETTER}+)*", name)
    yield from (_word(word) for word in words if len(word) >= WORD_MIN and word.casefold() not in _OURS)
    if len(words) > 1:
        yield from (_whole(words), _whole(words[::-1]))


def _of_han(run: str) -> Iterator[str]:
    for start in range(len(run) - HAN_PIECE_MIN + 1):
        for end in range(start + HAN_PIECE_MIN, len(run) + 1):
            if run[start:end] not in _OURS | _NOBODY:
                yield f"{_BETWEEN_HAN}{{0,2}}".join(run[start:end])


def _word(word: str) -> str:
    spelled = re.escape(word).replace("'", "['\u2019]")
    if word.casefold() in _SAID_OF_ANYTHING or len(word) == WORD_MIN:
        either = dict.fromkeys((word.capitalize(), word.upper()))
        spelled = "(?:" + "|".join(map(re.escape, either)) + ")"
        return f"(?<!{_LETTER}){spelled}(?!{_LETTER})"
    return f"(?i:(?<!{_LETTER}){spelled}(?!{_LETTER}))"


def _whole(words: Sequence[str]) -> str:
    return f"(?i:(?<!{_LETTER})" + "[\\s'\u2019-]*".join(map(re.escape, words)) + f"(?!{_LETTER}))"
