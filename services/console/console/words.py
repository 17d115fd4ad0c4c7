"""Every word that people read, in both languages, from gettext catalogues (`locale/<language>/<part>.po`).

A message id is its English text; each page has a part of its own, and a part has a file in each language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from babel.messages.pofile import read_po

Language = Literal["zh-CN", "en"]
LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")
FOLDERS: dict[Language, str] = {"zh-CN": "zh_CN", "en": "en"}
LOCALE = Path(__file__).parent / "locale"


def marked(text: str) -> str:
    """Mark a text for the catalogues where it is named; it is translated where it is shown."""
    return text


class MissingWord(Exception):
    """A page says something that no catalogue has; the message names it and the language."""


@dataclass(frozen=True)
class Words:
    """One language: `words("Sighting")` is what people read."""

    language: Language
    messages: Mapping[str, str]

    def __call__(self, message_id: str, **values: object) -> str:
        """The text, with `{names}` filled in. Raises: MissingWord."""
        text = self.messages.get(message_id)
        if not text:
            raise MissingWord(f"No {self.language} text for {message_id!r}; add it to locale/*.po.")
        return text.format(**values) if values else text


@lru_cache(maxsize=4)
def words(language: Language) -> Words:
    """All catalogues of a language as one."""
    messages: dict[str, str] = {}
    for file in sorted((LOCALE / FOLDERS[language]).glob("*.po")):
        with file.open("rb") as opened:
            for message in read_po(opened, locale=FOLDERS[language]):
                if message.id and isinstance(message.string, str):
                    messages[str(message.id)] = message.string
    return Words(language, messages)


if __name__ == "__main__":
    import sys

    from console.words_check import main

    sys.exit(main(sys.argv[1:]))
