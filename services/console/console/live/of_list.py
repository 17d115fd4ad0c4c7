"""The live channel of a region's list of cases."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from console.cases import store_cases
from console.cases.lines import CaseLine, case_line
from console.cases.words import OUTCOMES, SEXES, TIERS
from console.live import store_live
from console.live.hub import CATCH_UP_MAX, Change, Json
from console.rendering import ENVIRONMENT
from console.words import Language, words


class ListChannel:
    """The cases of one region, or of all (`*`)."""

    def __init__(self, region: str) -> None:
        self.key = ("list", region)
        self._region = region

    def concerns(self, change: Change) -> bool:
        """A change of a case of the region."""
        return change["case_id"] is not None and self._region in ("*", change["region_code"])

    async def missed(self, conn: asyncpg.Connection, after: int, upto: int) -> Sequence[Change]:
        """The region's changes between two numbers."""
        return await store_live.changes_of_region(conn, self._region, after, upto, CATCH_UP_MAX + 1)

    def wants_head(self, changes: Sequence[Change], at_s: float) -> bool:
        """The list has none."""
        return False

    async def patch(
        self, conn: asyncpg.Connection, changes: Sequence[Change], languages: set[Language], head: bool = True
    ) -> dict[Language, Json]:
        """Each changed case once."""
        ids = {change["case_id"]: None for change in changes if change["case_id"]}
        lines = [case_line(row) for row in await store_cases.lines(conn, list(ids))]
        return {
            language: {"rows": [_row(line, language) for line in lines], "timeline": [], "head": None}
            for language in languages
        }


def _row(line: CaseLine, language: Language) -> Json:
    html = draw_case(line, language)
    return {"part": "case", "key": str(line.case.case_id), "html": html, "sort": line.badness, "map": None}


def draw_case(line: CaseLine, language: Language) -> str:
    """One row of the list; page and stream draw it by the same template."""
    template = ENVIRONMENT.get_template("cases/row.html")
    names = {"outcomes": OUTCOMES, "tiers": TIERS, "sexes": SEXES}
    return template.render(line=line, _=words(language), language=language, **names)
