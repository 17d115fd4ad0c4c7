"""Of which region a case is and whether it is an exercise, for the pages beside its board."""

from __future__ import annotations

from uuid import UUID

from console.board import store_board
from console.door.sessions import Visitor
from console.live.stream import access_case
from guitu.service import Runtime


async def region_and_exercise(runtime: Runtime, who: Visitor, case_id: UUID) -> tuple[str, bool]:
    """For somebody who may see the case. Raises: Problem 404."""
    region = await access_case(runtime, who, case_id)
    async with runtime.read(region=who.principal.region_code) as conn:
        row = await store_board.case(conn, case_id)
    return region, bool(row and row["exercise"])
