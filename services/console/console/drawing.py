"""How a board's rows and head become HTML: `board_rows` draws them; without it, their plain text."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from markupsafe import escape

from console.board_lines import Board, Line, key_of
from console.words import Words

_ROWS: Any = import_module("console.board_rows") if find_spec("console.board_rows") else None


def draw_row(part: str, line: Line, words: Words) -> str:
    """One row of a part."""
    if _ROWS:
        return str(_ROWS.render(part, line, words))
    return str(escape(f"{part} {key_of(line)}"))


def draw_head(board: Board, words: Words) -> str:
    """The head of a board."""
    if _ROWS:
        return str(_ROWS.head(board, words))
    return str(escape(board.case.case_code))
