"""Rows of a live board as HTML: the same for the page, for a patch of the stream, and without JavaScript.

A row's times are absolute; how old they are, and what is late by now, the page's script adds as time goes by.
"""

from __future__ import annotations

import re

from console.board.lines import Board, Line
from console.rendering import ENVIRONMENT
from console.words import Words

_TEMPLATES = {part: f"board/_{part}.html" for part in ("order", "site", "sighting", "aid", "dna", "timeline")}

_BOTH = re.compile(r"^(.*[\u3000-\u9fff\uff00-\uffef]) ?([A-Z][^\u3000-\u9fff]*)$", re.DOTALL)
"""How services write a sentence for people into a fact: in Chinese, then the same in English."""


def own_words(text: str, language: str) -> str:
    """The half of such a sentence that is in the page's language; any other text as it is."""
    both = _BOTH.match(text)
    if both is None:
        return text
    return both[2] if language == "en" else both[1]


ENVIRONMENT.filters["own"] = own_words


def render(part: str, line: Line, words: Words) -> str:
    """One row of a part, with `id="{part}-{key}"`. Raises: KeyError, for a part that has no rows."""
    template = ENVIRONMENT.get_template(_TEMPLATES[part])
    return template.render(line=line, _=words, language=words.language).strip()


def head(board: Board, words: Words) -> str:
    """The case, its ring, the plan's worth and the ways out that are open."""
    template = ENVIRONMENT.get_template("board/_head.html")
    return template.render(board=board, _=words, language=words.language).strip()
