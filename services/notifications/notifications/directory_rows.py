"""The rows of the directory's files: what a site and a contact may say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

import phonenumbers
from phonenumbers import PhoneNumberType as Type
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from contracts.base import RegionCode, TownshipCode
from notifications.domain.categories import CATEGORIES
from notifications.domain.duty import HOURS_MAX, DutyUnreadable, read_duty
from notifications.row_errors import RowError, refused

ERRORS_SHOWN_MAX = 50
WEBHOOK_MAX = 500
FORMULA = ("=", "+", "-", "@")
"""A spreadsheet runs what begins so (OWASP, CSV injection)."""
RESERVED = re.compile(r"\+447700900\d{3}|\+1[2-9]\d{2}55501\d{2}", re.ASCII)
"""Numbers for tests and drama, which reach nobody: Ofcom's and NANPA's (555-0100 to 555-0199)."""
NO_SMS = frozenset(
    {Type.FIXED_LINE, Type.TOLL_FREE, Type.PREMIUM_RATE, Type.SHARED_COST, Type.UAN, Type.VOICEMAIL}
)
"""Numbers that take calls only. Where fixed lines and mobiles share a range (+1), an SMS is tried."""


class DirectoryRefused(Exception):
    """Nothing was imported; `errors` say file, line, column, what is wrong and how to mend it."""

    def __init__(self, errors: list[RowError]) -> None:
        shown = "\n".join(str(error) for error in errors[:ERRORS_SHOWN_MAX])
        super().__init__(f"{len(errors)} row(s) need mending, nothing was imported:\n{shown}")
        self.errors = errors


def _e164(text: str) -> str:
    """Valid in its country's numbering plan, or reserved for tests; empty if the contact has a webhook."""
    if not text:
        return ""
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        raise refused("phone_unreadable") from None
    number_e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if not RESERVED.fullmatch(number_e164) and not phonenumbers.is_valid_number(number):
        raise refused("phone_invalid")
    return number_e164


def takes_sms(phone_e164: str) -> bool:
    """Can an SMS reach this number, as far as its numbering plan says?"""
    if not phone_e164:
        return False
    if RESERVED.fullmatch(phone_e164):
        return True
    return phonenumbers.number_type(phonenumbers.parse(phone_e164, None)) not in NO_SMS


def _category(text: str) -> str:
    if text not in CATEGORIES:
        raise refused("category_unknown")
    return text


def _duty(text: str) -> str:
    try:
        read_duty(text)
    except DutyUnreadable as error:
        raise refused("duty_unreadable", part=error.part[:60]) from None
    return text


def _webhook(text: str) -> str:
    """https, or http to this machine; without a name and password, which would end up in logs."""
    if not text:
        return ""
    try:
        url = urlsplit(text)
        host = url.hostname or ""
        _ = url.port
    except ValueError:
        raise refused("webhook_unreadable") from None
    local = host in ("127.0.0.1", "localhost", "::1")
    if not host or "@" in url.netloc or not (url.scheme == "https" or (url.scheme == "http" and local)):
        raise refused("webhook_unreadable")
    return text


def _plain(text: str) -> str:
    if not text.isprintable():
        raise refused("not_printable")
    # The table is given back as a file, and opened in a spreadsheet by somebody else.
    if text.startswith(FORMULA):
        raise refused("formula")
    return text


def _empty_is_none(value: Any) -> Any:
    return None if value == "" else value


Flag = Annotated[bool, Field(description="1 or 0.")]
OptionalId = Annotated[UUID | None, BeforeValidator(_empty_is_none)]
Plain = Annotated[str, AfterValidator(_plain)]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class SiteRow(_Row):
    """One line of sites.csv."""

    site_id: UUID
    category: Annotated[str, AfterValidator(_category)]
    name_zh: Plain = Field(min_length=1, max_length=60)
    name_en: Plain = Field(min_length=1, max_length=80)
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
    label: Plain = Field(default="", max_length=60)
    role: Plain = Field(min_length=1, max_length=40)
    phone_e164: Annotated[str, AfterValidator(_e164)] = ""
    language: Literal["zh", "en"]
    order: int = Field(ge=1, le=100)
    two_way: Flag
    url_ok: Flag
    voice: Flag
    exercise_list: Flag
    webhook_url: Annotated[Plain, AfterValidator(_webhook)] = Field(default="", max_length=WEBHOOK_MAX)
    duty_hours: Annotated[Plain, AfterValidator(_duty)] = Field(default="", max_length=HOURS_MAX)

    @model_validator(mode="after")
    def _fits(self) -> ContactRow:
        if (self.site_id is None) == (self.unit_id is None):
            raise refused("one_owner")
        if not self.phone_e164 and not self.webhook_url:
            raise refused("unreachable")
        if self.phone_e164 and not self.sms_ok and not self.voice:
            raise refused("fixed_line")
        return self

    @property
    def sms_ok(self) -> bool:
        """Can an SMS reach this contact? Derived, whatever a file says."""
        return takes_sms(self.phone_e164)


@dataclass(frozen=True)
class Directory:
    """Sites and contacts that fit together."""

    sites: tuple[SiteRow, ...]
    contacts: tuple[ContactRow, ...]
