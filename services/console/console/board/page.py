"""The live board of a case: the page, what opens from a row, and what stands beside the rows.

Everything is on the page when it comes, so it can be read without JavaScript; `static/board.mjs` keeps it true from
then on (`live.stream`). What is commanded here is forwarded by `acts` and `command`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from console.board import rows as board_rows
from console.board.board import board_of, lines_of
from console.board.lines import LATE, Board, OrderLine
from console.board.store_board import TIMELINE_MAX
from console.county.directory import Directory, directory_of
from console.door.sessions import Visitor, visitor
from console.live.snapshots import snapshot
from console.live.stream import access_case
from console.rendering import page
from console.upstream import Upstream
from console.words import words
from guitu.problem import Problem
from guitu.service import Runtime

Reader = Annotated[Visitor, Depends(visitor("operator", "case_leader", "auditor"))]
NEXT_MOVES: dict[str, tuple[str, ...]] = {
    "issued": ("accepted",),
    "overdue": ("accepted",),
    "accepted": ("in_position",),
    "in_position": ("nothing_seen", "intercepted"),
    "nothing_seen": ("intercepted",),
    "stood_down": ("stand_down_acknowledged",),
}
"""What a unit may answer next, as on its own page; dispatch refuses everything else."""
STORY_SHOWN = 60
"""Entries of the timeline that come with the page; a link shows the rest."""


def board_router(runtime: Runtime) -> APIRouter:
    """GET /cases/{case_id} and what belongs to it."""
    router = APIRouter(include_in_schema=False)

    @router.get("/cases/{case_id}")
    async def board(
        request: Request,
        who: Reader,
        case_id: UUID,
        order: UUID | None = None,
        site: UUID | None = None,
        sighting: UUID | None = None,
        bare: bool = False,
        wall: bool = False,
        done: str = "",
        whole: bool = False,
    ) -> Response:
        """The whole case; with `order`, `site` or `sighting` that one row with all that can be done about it."""
        wanted = {"order": order, "site": site, "sighting": sighting}
        for part, key in wanted.items():
            if key is not None:
                return await _detail(runtime, request, who, case_id, part, key, bare)
        return await _board(runtime, request, who, case_id, wall, done, whole)

    @router.get("/cases/{case_id}/rings")
    async def rings(request: Request, who: Reader, case_id: UUID) -> Response:
        """The rings that were told and those that are due, as alerts has them."""
        await access_case(runtime, who, case_id)
        return page(request, "board/_rings.html", who, rings=await _rings(runtime, who, case_id))

    return router


async def _board(
    runtime: Runtime, request: Request, who: Visitor, case_id: UUID, wall: bool, done: str, whole: bool
) -> Response:
    found, directory = await _read(runtime, who, case_id, TIMELINE_MAX if whole else STORY_SHOWN)
    said, now = words(who.language), runtime.clock.now()
    rows = {
        part: [board_rows.render(part, one, said) for one in lines]
        for part, lines in _parts(found, now).items()
    }
    return page(
        request,
        "board/board.html",
        who,
        exercise=found.case.exercise,
        board=found,
        case_id=case_id,
        head=board_rows.head(found, said),
        rows=rows,
        earlier=found.counts.story - len(found.timeline),
        rings=await _rings(runtime, who, case_id),
        missing=directory.missing,
        wall=wall,
        done=done,
        spots=_places(found, who),
        may_act=may_act(who),
    )


def _places(board: Board, who: Visitor) -> list[tuple[str, str]]:
    """Where a sighting can be said to be: what the board shows, by name; the value is `lon|lat|name`."""
    zh = who.language == "zh-CN"
    known = {board.case.place_name: (board.case.lon, board.case.lat)} if board.case.place_name else {}
    for line in board.orders:
        if line.lon is not None and line.lat is not None:
            known[line.place_zh if zh else line.place_en or line.place_zh] = (line.lon, line.lat)
    for site in board.sites:
        if site.lon is not None and site.lat is not None:
            known[site.name_zh if zh else site.name_en or site.name_zh] = (site.lon, site.lat)
    return [(f"{lon}|{lat}|{name}", name) for name, (lon, lat) in sorted(known.items())]


def _parts(board: Board, now: datetime) -> Mapping[str, Any]:
    """The lines of each part in the order in which they are read: what is worst first, the newest story first."""

    def badness(line: OrderLine) -> int:
        return line.badness + (LATE if line.due_at and line.due_at < now else 0)

    return {
        "order": sorted(board.orders, key=badness, reverse=True),
        "site": board.sites,
        "sighting": sorted(board.sightings, key=lambda line: (-line.badness, -line.reported_at.timestamp())),
        "aid": sorted(board.aid, key=lambda line: -line.badness),
        "dna": board.dna,
        "timeline": board.timeline[::-1],
    }


async def _read(runtime: Runtime, who: Visitor, case_id: UUID, story_max: int) -> tuple[Board, Directory]:
    """The board, and who is who. Raises: Problem 404."""
    region = await access_case(runtime, who, case_id)
    directory = await directory_of(runtime.state["upstream"], who, region)
    async with snapshot(runtime, who.principal.region_code) as conn:
        found = await board_of(conn, case_id, directory, story_max=story_max)
    assert found is not None, "A case that was there stays."
    return found, directory


async def _rings(runtime: Runtime, who: Visitor, case_id: UUID) -> Any:
    """What alerts says of the rings; None if it does not answer, for the board is shown all the same."""
    upstream: Upstream = runtime.state["upstream"]
    try:
        return (await upstream.get(who, "alerts", f"/cases/{case_id}")).get("rings")
    except Problem:
        return None


async def _detail(
    runtime: Runtime, request: Request, who: Visitor, case_id: UUID, part: str, key: UUID, bare: bool
) -> Response:
    region = await access_case(runtime, who, case_id)
    directory = await directory_of(runtime.state["upstream"], who, region)
    async with snapshot(runtime, who.principal.region_code) as conn:
        head = await board_of(conn, case_id, directory, whole=False)
        found = await lines_of(conn, case_id, {part: [str(key)]}, directory)
    line = next((one for named, one in found if named == part), None)
    if line is None or head is None:
        raise no_row(part)
    return page(
        request,
        f"board/_{part}_detail.html" if bare else "board/detail.html",
        who,
        part=part,
        exercise=head.case.exercise,
        case=head.case,
        case_id=case_id,
        line=line,
        moves=NEXT_MOVES.get(getattr(line, "state", ""), ()),
        may_act=may_act(who),
    )


def no_row(part: str) -> Problem:
    """404: the case has no such order, site or sighting."""
    return Problem(
        404,
        "no_such_row",
        f"The case has no such {part}.",
        "该案件没有这条记录。",
        "Go back to the board; it lists what there is.",
    )


def may_act(who: Visitor) -> bool:
    """Does this role command? The owners decide; this only spares an auditor buttons that would be refused."""
    return who.principal.role in ("operator", "case_leader")
