"""HTTP of the directory: import and export of its two tables, and one site with its contacts.

Whole phone numbers are for the administrator alone, in the export; staff see the last two digits.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response, UploadFile

from guitu.auth import Principal
from guitu.limits import BODY_BYTES_MAX
from guitu.problem import Problem, refusals
from guitu.service import Runtime
from notifications import store_directory
from notifications.access import Administrator, Staff, access_site
from notifications.directory import DirectoryRefused, Found, read_files
from notifications.directory_rows import ContactRow, SiteRow
from notifications.domain.categories import CATEGORIES
from notifications.domain.duty import minute_of_week
from notifications.importing import Change, import_directory
from notifications.store_directory import Row

EXPORTED_MAX = 200_000
Table = Literal["sites", "contacts"]
COLUMNS: dict[Table, tuple[str, ...]] = {
    "sites": tuple(SiteRow.model_fields),
    "contacts": (*ContactRow.model_fields, "sms_ok"),
}
_CALLED_IN_FILES = {"phone_e164": "phone", "order": "contact_order"}
_CSV: dict[int | str, dict[str, Any]] = {
    200: {"description": "The table as a file.", "content": {"text/csv": {"schema": {"type": "string"}}}}
}


class _OnlyLooked(Exception):
    """Takes the transaction of a dry run back."""


def directory_router(runtime: Runtime) -> APIRouter:
    """POST /directory/import, GET /directory/export, GET /directory/categories, GET /sites/{site_id}."""
    router = APIRouter(tags=["directory"])

    @router.post("/directory/import", responses=refusals(413, 422))
    async def import_tables(
        principal: Administrator,
        sites: UploadFile | None = None,
        contacts: UploadFile | None = None,
        dry_run: Annotated[bool, Query(description="Only say what would be; nothing is kept.")] = True,
        replace: Annotated[bool, Query(description="Retire what a given file no longer has.")] = False,
    ) -> dict[str, Any]:
        """Take `sites` and `contacts` as CSV (UTF-8 or GB18030): all rows or, with every error named, none."""
        found = read_files(await _contents(sites=sites, contacts=contacts))
        try:
            changes = await _import(runtime, principal, found, dry_run, replace)
        except DirectoryRefused as refused:
            raise _refusal(refused) from None
        return {"dry_run": dry_run} | {table: change.shown() for table, change in changes.items()}

    @router.get("/directory/export", response_class=Response, responses=_CSV)
    async def export(principal: Staff, table: Table) -> Response:
        """A table as it can be imported again; phones and webhooks only for the administrator."""
        async with runtime.read(region=principal.region_code) as conn:
            read = store_directory.all_sites if table == "sites" else store_directory.all_contacts
            rows = await read(conn, EXPORTED_MAX)
        name = {"Content-Disposition": f'attachment; filename="{table}.csv"', "Cache-Control": "no-store"}
        text = _as_csv(COLUMNS[table], (_of_file(row, principal) for row in rows))
        return Response(text, media_type="text/csv; charset=utf-8", headers=name)

    @router.get("/directory/categories")
    async def categories(principal: Staff) -> dict[str, Any]:
        """The kinds of place that a site can be."""
        return {"categories": [{"category": c, "zh": zh, "en": en} for c, (zh, en) in CATEGORIES.items()]}

    @router.get("/sites/{site_id}", responses=refusals(404))
    async def one_site(site_id: UUID, principal: Staff) -> dict[str, Any]:
        """A site and whom it would be told through, in the order in which they are asked."""
        async with runtime.read(region=principal.region_code) as conn:
            row = access_site(principal, await store_directory.site(conn, site_id))
            minute = minute_of_week(runtime.clock.now())
            contacts = await store_directory.contacts_of_site(conn, site_id, minute)
        zh, en = CATEGORIES.get(row["category"], CATEGORIES["other"])
        labels = {"category_zh": zh, "category_en": en}
        return dict(row) | labels | {"contacts": [_masked(contact) for contact in contacts]}

    return router


async def _import(
    runtime: Runtime, principal: Principal, found: Found, dry_run: bool, replace: bool
) -> Mapping[str, Change]:
    """A dry run does all of it, and takes it back."""
    changes: Mapping[str, Change] = {}
    region = principal.region_code
    home = runtime.settings.region_code if region == "*" else region
    # Ids of other regions are looked at too, else a row could take one of them over.
    async with runtime.read() as conn:
        stored = await store_directory.stored(conn, found.directory)
    try:
        async with runtime.tx(actor=principal.subject, region=region) as tx:
            await store_directory.one_import_at_a_time(tx.conn)
            changes = await import_directory(
                tx, found, stored, region=region, home_region=home, replace=replace
            )
            if dry_run:
                raise _OnlyLooked
    except _OnlyLooked:
        pass
    return changes


async def _contents(**files: UploadFile | None) -> dict[str, bytes | None]:
    """The files that were sent; all bodies are bounded before they come here."""
    given: dict[str, bytes | None] = {name: await file.read() for name, file in files.items() if file}
    if not given:
        raise Problem(
            422,
            "no_file",
            "Neither `sites` nor `contacts` was sent.",
            "未收到sites或contacts文件。",
            f"Send multipart/form-data with one or both, at most {BODY_BYTES_MAX // 2**20} MiB in all.",
        )
    return given


def _refusal(refused: DirectoryRefused) -> Problem:
    count = len(refused.errors)
    problem = Problem(
        422,
        "directory_refused",
        f"{count} thing(s) need mending; nothing was imported.",
        f"有{count}处需要改正,未导入任何内容。",
        "Each of `errors` names file, line, column and mend.",
    )
    problem.extra = {"errors": [error.shown() for error in refused.errors]}
    return problem


def _of_file(row: Row, principal: Principal) -> dict[str, Any]:
    fields = {column: row.get(_CALLED_IN_FILES.get(column, column)) for column in _names(row)}
    if "phone" in row and principal.role != "admin":
        fields |= {"phone_e164": masked(row["phone"]), "webhook_url": ""}
    return {name: _cell(value) for name, value in fields.items()}


def _names(row: Row) -> tuple[str, ...]:
    return COLUMNS["contacts" if "contact_id" in row else "sites"]


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    return "" if value is None else value


def _as_csv(columns: tuple[str, ...], rows: Iterable[dict[str, Any]]) -> str:
    """With the mark at the beginning by which Excel knows UTF-8."""
    text = io.StringIO(newline="")
    text.write("\ufeff")
    writer = csv.DictWriter(text, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def masked(phone: str | None) -> str:
    """The last two digits: enough to tell two phones of a site apart."""
    return f"***{phone[-2:]}" if phone else ""


def _masked(contact: Row) -> dict[str, Any]:
    fields = dict(contact)
    fields["phone"] = masked(fields["phone"])
    fields["webhook"] = fields.pop("webhook_url") is not None
    return fields
