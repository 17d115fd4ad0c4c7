"""The live channel of one case: which rows a change touches, and what they look like now."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from console.board.board import board_of, lines_of
from console.board.lines import Line, key_of, map_of, sort_of
from console.board.rows import head as draw_head
from console.board.rows import render as draw_row
from console.county.directory import Directory
from console.live import store_live
from console.live.hub import CATCH_UP_MAX, Change, Json
from console.words import Language, words

HEAD_EVERY_S = 0.5
"""The head counts everything, and a page draws rings and exits anew with it; nobody reads it faster."""
HEAD_AT_ONCE = {"case", "plan", "sighting"}


class BoardChannel:
    """One case's board; `directory` is the newest that any listener's token brought."""

    def __init__(self, case_id: UUID, directory: Directory) -> None:
        self.key = ("board", str(case_id))
        self._case_id, self.directory = case_id, directory
        self._named = directory.units.keys() | directory.sites.keys()
        self._head_at_s, self._owes_head = float("-inf"), False

    def learn(self, directory: Directory) -> bool:
        """Take newer names; True if some come for the first time, since rows may show short ids in their place."""
        named = directory.units.keys() | directory.sites.keys()
        news = not named <= self._named
        self.directory, self._named = directory, self._named | named
        return news

    def concerns(self, change: Change) -> bool:
        """A change of this case."""
        return bool(change["case_id"] == self._case_id)

    async def missed(self, conn: asyncpg.Connection, after: int, upto: int) -> Sequence[Change]:
        """This case's changes between two numbers."""
        return await store_live.changes_of_case(conn, self._case_id, after, upto, CATCH_UP_MAX + 1)

    def wants_head(self, changes: Sequence[Change], at_s: float) -> bool:
        """Is the head due, for these changes or for some before? At once for what decides, else HEAD_EVERY_S apart."""
        self._owes_head |= bool(changes)
        at_once = any(change["part"] in HEAD_AT_ONCE for change in changes)
        if not self._owes_head or not (at_once or at_s - self._head_at_s >= HEAD_EVERY_S):
            return False
        self._head_at_s, self._owes_head = at_s, False
        return True

    async def patch(
        self, conn: asyncpg.Connection, changes: Sequence[Change], languages: set[Language], head: bool = True
    ) -> dict[Language, Json]:
        """Each changed row once, however often it changed; with `head` the head too, since its counts may have."""
        keys: dict[str, dict[str, None]] = {}
        for change in changes:
            keys.setdefault(change["part"], {})[change["key"]] = None
        lines = await lines_of(conn, self._case_id, keys, self.directory)
        board = await board_of(conn, self._case_id, self.directory, whole=False) if head else None
        rows = [(part, line) for part, line in lines if part != "timeline"]
        told = [line for part, line in lines if part == "timeline"]
        return {
            language: {
                "rows": [_row(part, line, language) for part, line in rows],
                "timeline": [_told(line, language) for line in told],
                "head": draw_head(board, words(language)) if board else None,
            }
            for language in languages
        }


def _row(part: str, line: Line, language: Language) -> Json:
    html = draw_row(part, line, words(language))
    return {"part": part, "key": key_of(line), "html": html, "sort": sort_of(line), "map": map_of(line)}


def _told(line: Line, language: Language) -> Json:
    return {"key": key_of(line), "html": draw_row("timeline", line, words(language))}
