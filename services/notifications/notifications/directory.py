"""Reads the directory of sites and contacts from CSV files: all of it, or none with every bad row named."""

from __future__ import annotations

import csv
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

import phonenumbers
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from contracts.base import RegionCode, TownshipCode

ERRORS_SHOWN_MAX = 50
ROWS_MAX = 200_000
ROW_BYTES_MAX = 4_096


class DirectoryRefused(Exception):
    """Nothing was imported; `errors` name file, line, field and mend."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__(f"{len(errors)} row(s) need mending, nothing was imported:\n" + "\n".join(errors))
        self.errors = errors


def _e164(text: str) -> str:
    """Possible in its country's numbering plan; reserved numbers for tests count as possible."""
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        raise ValueError("must be E.164, such as +8613800000000") from None
    if not text.startswith("+") or not phonenumbers.is_possible_number(number):
        raise ValueError("is not a possible number of its country")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _empty_is_none(value: Any) -> Any:
    return None if value == "" else value


Flag = Annotated[bool, Field(description="1 or 0.")]
OptionalId = Annotated[UUID | None, BeforeValidator(_empty_is_none)]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class SiteRow(_Row):
    """One line of sites.csv."""

    site_id: UUID
    category: str = Field(min_length=1, max_length=40)
    name_zh: str = Field(min_length=1, max_length=60)
    name_en: str = Field(min_length=1, max_length=80)
    township_code: TownshipCode
    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)
    region_code: RegionCode
    exercise_ok: Flag


class ContactRow(_Row):
    """One line of contacts.csv: of a site, or of a unit."""

    contact_id: UUID
    site_id: OptionalId = None
    unit_id: OptionalId = None
    label: str = Field(default="", max_length=60)
    role: str = Field(min_length=1, max_length=40)
    phone_e164: Annotated[str, AfterValidator(_e164)]
    language: Literal["zh", "en"]
    order: int = Field(ge=1, le=100)
    two_way: Flag
    url_ok: Flag
    voice: Flag
    exercise_list: Flag

    @model_validator(mode="after")
    def _one_owner(self) -> ContactRow:
        if (self.site_id is None) == (self.unit_id is None):
            raise ValueError("give a site_id or a unit_id, not both")
        return self


@dataclass(frozen=True)
class Directory:
    """Sites and contacts that fit together."""

    sites: tuple[SiteRow, ...]
    contacts: tuple[ContactRow, ...]


R = TypeVar("R", bound=_Row)


def read_directory(place: Path) -> Directory:
    """Read `sites.csv` and `contacts.csv` below `place`. Raises: DirectoryRefused, naming every bad row."""
    errors: list[str] = []
    sites = _read(place / "sites.csv", SiteRow, errors)
    contacts = _read(place / "contacts.csv", ContactRow, errors)
    _check_unique("sites.csv", "site_id", sites, lambda row: row.site_id, errors)
    _check_unique("contacts.csv", "contact_id", contacts, lambda row: row.contact_id, errors)
    known = {row.site_id for row in sites}
    errors += [
        f"contacts.csv: contact {row.contact_id} names site {row.site_id}, which sites.csv does not have; add it."
        for row in contacts
        if row.site_id is not None and row.site_id not in known
    ]
    if errors:
        raise DirectoryRefused(errors[:ERRORS_SHOWN_MAX])
    return Directory(tuple(sites), tuple(contacts))


def _read(path: Path, model: type[R], errors: list[str]) -> list[R]:
    rows: list[R] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            for number, fields in enumerate(csv.DictReader(lines), start=2):
                if number > ROWS_MAX:
                    errors.append(f"{path.name}: more than {ROWS_MAX} lines; split it by county.")
                    break
                _read_row(path.name, number, fields, model, rows, errors)
    except FileNotFoundError:
        errors.append(f"{path.name} is missing in {path.parent.name}; give the directory that has it.")
    except (UnicodeDecodeError, csv.Error) as error:
        errors.append(f"{path.name} is not a UTF-8 CSV file ({type(error).__name__}); save it as CSV UTF-8.")
    return rows


def _read_row(
    name: str, number: int, fields: dict[Any, Any], model: type[R], rows: list[R], errors: list[str]
) -> None:
    if None in fields or None in fields.values():
        errors.append(
            f"{name} line {number}: {len(model.model_fields)} columns are expected; check the commas."
        )
        return
    try:
        rows.append(model.model_validate(fields))
    except ValidationError as error:
        # The value is left out: it may be a phone number.
        said = "; ".join(
            f"{'.'.join(str(part) for part in item['loc']) or 'row'}: {item['msg']}"
            for item in error.errors(include_input=False, include_url=False)
        )
        errors.append(f"{name} line {number}: {said}")


def _check_unique(
    name: str, field: str, rows: Iterable[R], key: Callable[[R], uuid.UUID], errors: list[str]
) -> None:
    seen: set[uuid.UUID] = set()
    for row in rows:
        if key(row) in seen:
            errors.append(f"{name}: {field} {key(row)} is there twice; remove one.")
        seen.add(key(row))
