"""The county's table of units over HTTP: taken as a file, all of it or nothing, and given back as one."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response, UploadFile
from pydantic import BaseModel

from dispatch import store, store_network, store_units
from dispatch.access import Administrator, Reader
from dispatch.command_checks import no_network
from dispatch.conditions_api import Region, region_of
from dispatch.counties import county_of
from dispatch.domain.rows import PlaceRow, UnitRow
from dispatch.importing.problems import NetworkFileError, Problem
from dispatch.importing.unit_files import FILE, checked_units, read_units, written
from dispatch.unit_tables import IDS_SHOWN_MAX, UnitsChange, import_units
from guitu import problem
from guitu.problem import refusals
from guitu.service import Runtime

ERRORS_MAX = 500
_CSV: dict[int | str, dict[str, Any]] = {
    200: {"description": "The table as a file.", "content": {"text/csv": {"schema": {"type": "string"}}}}
}


class UnitsImported(BaseModel):
    """What an import did, or would do; ids are the first ones of what somebody would look up."""

    dry_run: bool
    added: int
    changed: int
    unchanged: int
    retired: int
    changed_ids: list[UUID]
    retired_ids: list[UUID]
    cases_replanned: int


class _OnlyLooked(Exception):
    """Takes the transaction of a dry run back."""


def units_files_router(runtime: Runtime) -> APIRouter:
    """POST /units/import, GET /units/export."""
    router = APIRouter(tags=["units"])

    @router.post("/units/import", responses=refusals(409, 413))
    async def import_table(
        p: Administrator,
        units: UploadFile,
        dry_run: Annotated[bool, Query(description="Only say what would be; nothing is kept.")] = True,
        replace: Annotated[bool, Query(description="Plan no more with units that it no longer has.")] = False,
        region_code: Region = None,
    ) -> UnitsImported:
        """Take `units` as CSV (UTF-8 or GB18030): all rows or, with every error named, none."""
        region = region_of(p, region_code)
        try:
            rows = await _checked(runtime, region, await units.read())
            change, replanned = await _import(runtime, p.subject, region, rows, dry_run, replace)
        except NetworkFileError as refused:
            raise _refusal(refused) from None
        if not dry_run:
            runtime.wake()
        return _said(change, replanned, dry_run=dry_run)

    @router.get("/units/export", response_class=Response, responses=_CSV)
    async def export(p: Reader, region_code: Region = None) -> Response:
        """The table as it can be imported again."""
        region = region_of(p, region_code)
        async with runtime.read(region=p.region_code) as conn:
            found = await store.units(conn, region)
        name = {"Content-Disposition": f'attachment; filename="{FILE}"', "Cache-Control": "no-store"}
        text = written(one.row for one in found)
        return Response(text, media_type="text/csv; charset=utf-8", headers=name)

    return router


async def _checked(runtime: Runtime, region: str, content: bytes) -> tuple[UnitRow, ...]:
    tables = await asyncio.to_thread(read_units, content)
    ids = [lined.row.unit_id for lined in tables.of(FILE)]
    # Ids of other regions are looked at too, else a row could take one of them over.
    async with runtime.read() as conn:
        county = await county_of(conn, region)
        if county is None:
            raise no_network(region, "Load its network first, then send the table again.")
        places = await store_network.rows_of(conn, PlaceRow, region, county.version)
        taken = await store_units.of_other_regions(conn, ids, region)
    return await asyncio.to_thread(checked_units, tables, region, county.network, places, taken)


async def _import(
    runtime: Runtime, actor: str, region: str, rows: tuple[UnitRow, ...], dry_run: bool, replace: bool
) -> tuple[UnitsChange, int]:
    """A dry run does all of it, and takes it back."""
    change, replanned = UnitsChange((), (), 0), 0
    try:
        async with runtime.tx(actor=actor, region=region) as tx:
            change, replanned = await import_units(tx, region, rows, replace=replace)
            if dry_run:
                raise _OnlyLooked
    except _OnlyLooked:
        pass
    return change, replanned


def _said(change: UnitsChange, replanned: int, *, dry_run: bool) -> UnitsImported:
    return UnitsImported(
        dry_run=dry_run,
        **change.counts(),
        changed_ids=list(change.changed[:IDS_SHOWN_MAX]),
        retired_ids=list(change.retired[:IDS_SHOWN_MAX]),
        cases_replanned=replanned,
    )


def _refusal(refused: NetworkFileError) -> problem.Problem:
    count = len(refused.found)
    told = problem.Problem(
        422,
        "units_refused",
        f"{count} thing(s) need mending; nothing was imported.",
        f"有{count}处需要改正,未导入任何内容。",
        "Each of `errors` names the line and the mend.",
    )
    told.extra = {"errors": [_row(one) for one in refused.found[:ERRORS_MAX]]}
    return told


def _row(one: Problem) -> dict[str, Any]:
    return {
        "file": one.where.file,
        "line": one.where.number,
        "code": one.code,
        "says": one.en,
        "says_zh": one.zh,
    }
