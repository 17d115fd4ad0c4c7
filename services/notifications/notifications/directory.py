"""Reads the directory of sites and contacts from CSV files: all of it, or none with every bad row named.

UTF-8, with or without the mark at its beginning, or GB18030, as a Chinese Excel saves a table.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import ValidationError

from notifications.directory_rows import ContactRow, Directory, DirectoryRefused, SiteRow
from notifications.row_errors import RowError, of_pydantic, row_error

__all__ = [
    "ContactRow",
    "Directory",
    "DirectoryRefused",
    "Found",
    "Known",
    "SiteRow",
    "misfits",
    "read_directory",
    "read_files",
    "read_place",
]
ENCODINGS = ("utf-8-sig", "gb18030")
DERIVED = "sms_ok"
"""A column of the export that follows from the phone; what a file says there is left unread."""
ROWS_MAX = 200_000
ERRORS_MAX = 1_000
"""One mistake in a column is an error in every row; more than this says nothing new."""
R = TypeVar("R", SiteRow, ContactRow)


@dataclass(frozen=True)
class Lines(Generic[R]):
    """The good rows of a file, each with its line."""

    file: str
    rows: list[tuple[int, R]] = field(default_factory=list)
    given: bool = False


@dataclass(frozen=True)
class Found:
    """What the files say, and what is wrong with single rows."""

    sites: Lines[SiteRow]
    contacts: Lines[ContactRow]
    errors: list[RowError]

    @property
    def directory(self) -> Directory:
        """The rows without their lines."""
        return Directory(
            tuple(row for _, row in self.sites.rows), tuple(row for _, row in self.contacts.rows)
        )


@dataclass(frozen=True)
class Known:
    """What the directory has already: the region of each id that the files name, and the sites still in use."""

    region: str = "*"
    sites: Mapping[UUID, str] = field(default_factory=dict)
    contacts: Mapping[UUID, str] = field(default_factory=dict)
    in_use: frozenset[UUID] = frozenset()


def read_directory(place: Path) -> Directory:
    """Read `sites.csv` and `contacts.csv` below `place`. Raises: DirectoryRefused, naming every bad row."""
    return read_place(place).directory


def read_place(place: Path) -> Found:
    """The same, each row with its line. Raises: DirectoryRefused."""
    found = read_files({name: _bytes_of(place / f"{name}.csv") for name in ("sites", "contacts")})
    errors = [*found.errors, *misfits(found, Known())]
    if errors:
        raise DirectoryRefused(errors)
    return found


def read_files(files: Mapping[str, bytes | None]) -> Found:
    """Read `sites` and `contacts`, of which one may be left out; None is a file that should be there."""
    errors: list[RowError] = []
    sites = Lines[SiteRow]("sites.csv", given="sites" in files)
    contacts = Lines[ContactRow]("contacts.csv", given="contacts" in files)
    if sites.given:
        _read(sites, files["sites"], SiteRow, errors)
    if contacts.given:
        _read(contacts, files["contacts"], ContactRow, errors)
    return Found(sites, contacts, errors)


def misfits(found: Found, known: Known) -> list[RowError]:
    """What is wrong although each row is good by itself: ids that are there twice, taken or unknown; regions."""
    errors = [*_twice(found.sites, "site_id"), *_twice(found.contacts, "contact_id")]
    errors += _sites_elsewhere(found.sites, known)
    errors += _contacts_elsewhere(found, known)
    return errors[:ERRORS_MAX]


def _bytes_of(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _read(lines: Lines[R], content: bytes | None, model: type[R], errors: list[RowError]) -> None:
    text = _decoded(content) if content is not None else None
    if text is None:
        errors.append(row_error(lines.file, 0, "", "file_missing" if content is None else "not_csv"))
        return
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        wrong = list(_bad_header(lines.file, reader.fieldnames or (), model))
        errors += wrong
        for fields in reader if not wrong else ():
            if reader.line_num > ROWS_MAX or len(errors) >= ERRORS_MAX:
                errors.append(row_error(lines.file, reader.line_num, "", "too_long"))
                return
            _read_row(lines, reader.line_num, fields, model, errors)
    except csv.Error:
        errors.append(row_error(lines.file, reader.line_num, "", "not_csv"))


def _decoded(content: bytes) -> str | None:
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _bad_header(file: str, names: Any, model: type[R]) -> Iterator[RowError]:
    for name in names:
        if name not in model.model_fields and name != DERIVED:
            # A name that is no column may be a phone number in a file without a header.
            yield row_error(file, 1, name if name.isidentifier() else "", "column_unknown")
    for name, about in model.model_fields.items():
        if about.is_required() and name not in names:
            yield row_error(file, 1, name, "column_missing")


def _read_row(
    lines: Lines[R], number: int, fields: dict[Any, Any], model: type[R], errors: list[RowError]
) -> None:
    if None in fields or None in fields.values():
        wanted = len([name for name in fields if name is not None])
        errors.append(row_error(lines.file, number, "", "columns", n=wanted))
        return
    fields.pop(DERIVED, None)
    try:
        lines.rows.append((number, model.model_validate(fields)))
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        errors += [of_pydantic(lines.file, number, dict(item)) for item in found]


def _twice(lines: Lines[Any], column: str) -> Iterator[RowError]:
    seen: set[UUID] = set()
    for number, row in lines.rows:
        if getattr(row, column) in seen:
            yield row_error(lines.file, number, column, "twice")
        seen.add(getattr(row, column))


def _sites_elsewhere(sites: Lines[SiteRow], known: Known) -> Iterator[RowError]:
    for number, row in sites.rows:
        if known.region not in ("*", row.region_code):
            yield row_error(sites.file, number, "region_code", "region_refused", region=known.region)
        elif known.region not in ("*", known.sites.get(row.site_id, known.region)):
            yield row_error(sites.file, number, "site_id", "id_taken")


def _contacts_elsewhere(found: Found, known: Known) -> Iterator[RowError]:
    named = {row.site_id for _, row in found.sites.rows} | known.in_use
    for number, row in found.contacts.rows:
        if row.site_id is not None and row.site_id not in named:
            yield row_error(found.contacts.file, number, "site_id", "site_unknown", id=row.site_id)
        if known.region not in ("*", known.contacts.get(row.contact_id, known.region)):
            yield row_error(found.contacts.file, number, "contact_id", "id_taken")
