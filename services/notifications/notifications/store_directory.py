"""SQL of the directory: what files say of sites and contacts, never half of it, and nothing deleted.

Deliveries refer to contacts for years, so a row that is no longer wanted gets `retired_at` and is told no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from notifications.directory_rows import ContactRow, Directory, SiteRow
from notifications.domain.duty import as_multirange, read_duty

Row = Mapping[str, Any]
IMPORT_LOCK = 7_205
SITE_COLUMNS = (
    "site_id, category, name_zh, name_en, township_code, lon, lat, region_code, exercise_ok, retired_at"
)
CONTACT_COLUMNS = (
    "contact_id, site_id, unit_id, region_code, label, role, phone, language, contact_order, two_way, url_ok, "
    "voice, exercise_list, sms_ok, webhook_url, duty_hours, retired_at"
)
# The statements below are put together from these two alone.

# One import at a time: two that see each other's half would count wrong and wait for each other's rows.
_ONE_AT_A_TIME = "select pg_advisory_xact_lock($1, hashtext(current_schema()))"
_PUT_SITES = """
insert into site (site_id, category, name_zh, name_en, township_code, lon, lat, region_code, exercise_ok)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::float8[], $7::float8[],
    $8::text[], $9::boolean[])
on conflict (site_id) do update set category = excluded.category, name_zh = excluded.name_zh,
    name_en = excluded.name_en, township_code = excluded.township_code, lon = excluded.lon, lat = excluded.lat,
    region_code = excluded.region_code, exercise_ok = excluded.exercise_ok, retired_at = null
"""
# An opt-out is the number's: it stays with it, and ends with it.
_PUT_CONTACTS = """
insert into contact (contact_id, site_id, unit_id, region_code, label, role, phone, language, contact_order,
    two_way, url_ok, voice, exercise_list, sms_ok, webhook_url, duty_hours, on_duty, opted_out_at)
select x.contact_id, x.site_id, x.unit_id, x.region_code, x.label, x.role, x.phone, x.language, x.contact_order,
    x.two_way, x.url_ok, x.voice, x.exercise_list, x.sms_ok, x.webhook_url, x.duty_hours, x.on_duty::int4multirange,
    (select max(other.opted_out_at) from contact other where other.phone = x.phone)
from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::int[], $10::boolean[], $11::boolean[], $12::boolean[], $13::boolean[], $14::boolean[], $15::text[],
    $16::text[], $17::text[]) as x (contact_id, site_id, unit_id, region_code, label, role, phone, language,
    contact_order, two_way, url_ok, voice, exercise_list, sms_ok, webhook_url, duty_hours, on_duty)
on conflict (contact_id) do update set site_id = excluded.site_id, unit_id = excluded.unit_id,
    region_code = excluded.region_code, label = excluded.label, role = excluded.role, phone = excluded.phone,
    language = excluded.language, contact_order = excluded.contact_order, two_way = excluded.two_way,
    url_ok = excluded.url_ok, voice = excluded.voice, exercise_list = excluded.exercise_list,
    sms_ok = excluded.sms_ok, webhook_url = excluded.webhook_url, duty_hours = excluded.duty_hours,
    on_duty = excluded.on_duty, opted_out_at = excluded.opted_out_at, retired_at = null
"""
_RETIRE_SITES = """
update site set retired_at = $3
where region_code = $1 and retired_at is null and not site_id = any($2::uuid[]) returning site_id as id
"""
_RETIRE_CONTACTS = """
update contact set retired_at = $3
where region_code = $1 and retired_at is null and not contact_id = any($2::uuid[]) returning contact_id as id
"""
_SITES_NAMED = f"select {SITE_COLUMNS} from site where site_id = any($1::uuid[])"  # noqa: S608
_CONTACTS_NAMED = f"select {CONTACT_COLUMNS} from contact where contact_id = any($1::uuid[])"  # noqa: S608
_ALL_SITES = f"""
select {SITE_COLUMNS} from site where retired_at is null order by region_code, category, site_id limit $1
"""  # noqa: S608
_ALL_CONTACTS = f"""
select {CONTACT_COLUMNS} from contact where retired_at is null
order by region_code, site_id, unit_id, contact_order, contact_id limit $1
"""  # noqa: S608
_SITE = f"select {SITE_COLUMNS} from site where site_id = $1"  # noqa: S608
_CONTACTS_OF_SITE = f"""
select {CONTACT_COLUMNS}, opted_out_at, on_duty @> $2::int as on_duty_now from contact
where site_id = $1 order by retired_at nulls first, contact_order, contact_id
"""  # noqa: S608
_OPT_OUT = """
update contact set opted_out_at = $2 where phone = $1 and opted_out_at is null
returning contact_id, site_id, unit_id, region_code
"""
_OPT_IN = """
update contact set opted_out_at = null where phone = $1 and opted_out_at is not null returning contact_id
"""


@dataclass(frozen=True)
class Stored:
    """Rows that the directory has under the ids that files name, retired ones too."""

    sites: Mapping[UUID, Row]
    contacts: Mapping[UUID, Row]


async def one_import_at_a_time(conn: asyncpg.Connection) -> None:
    """Wait for another import to end."""
    await conn.execute(_ONE_AT_A_TIME, IMPORT_LOCK)


async def stored(conn: asyncpg.Connection, directory: Directory) -> Stored:
    """What is known of these sites (also of those that contacts name) and contacts."""
    sites = {row.site_id for row in directory.sites} | {
        row.site_id for row in directory.contacts if row.site_id
    }
    contacts = [row.contact_id for row in directory.contacts]
    return Stored(
        {row["site_id"]: row for row in await conn.fetch(_SITES_NAMED, list(sites))},
        {row["contact_id"]: row for row in await conn.fetch(_CONTACTS_NAMED, contacts)},
    )


async def put(
    conn: asyncpg.Connection, directory: Directory, region_code: str, known: Mapping[UUID, str] | None = None
) -> None:
    """Add or replace every site and contact, back in use if they were retired.

    A contact's region is its site's, in the files or else as `known`; that of a unit's contact is `region_code`.
    """
    regions = region_of_sites(directory, known or {})
    if directory.sites:
        await conn.execute(_PUT_SITES, *_columns(site_values(row) for row in directory.sites))
    if directory.contacts:
        values = [contact_values(row, regions, region_code) for row in directory.contacts]
        hours = [as_multirange(read_duty(row.duty_hours)) for row in directory.contacts]
        await conn.execute(_PUT_CONTACTS, *_columns(values), hours)


def region_of_sites(directory: Directory, known: Mapping[UUID, str]) -> dict[UUID, str]:
    """Each site's region: what the file says goes before what was known."""
    return dict(known) | {row.site_id: row.region_code for row in directory.sites}


async def retire_sites(
    conn: asyncpg.Connection, region: str, kept: Iterable[UUID], now: datetime
) -> list[UUID]:
    """Tell the region's other sites no more; returns them."""
    return [row["id"] for row in await conn.fetch(_RETIRE_SITES, region, list(kept), now)]


async def retire_contacts(
    conn: asyncpg.Connection, region: str, kept: Iterable[UUID], now: datetime
) -> list[UUID]:
    """Tell the region's other contacts no more; returns them."""
    return [row["id"] for row in await conn.fetch(_RETIRE_CONTACTS, region, list(kept), now)]


async def all_sites(conn: asyncpg.Connection, limit: int) -> list[Row]:
    """The sites in use."""
    return list(await conn.fetch(_ALL_SITES, limit))


async def all_contacts(conn: asyncpg.Connection, limit: int) -> list[Row]:
    """The contacts in use, with their phones."""
    return list(await conn.fetch(_ALL_CONTACTS, limit))


async def site(conn: asyncpg.Connection, site_id: UUID) -> Row | None:
    """One site."""
    row: Row | None = await conn.fetchrow(_SITE, site_id)
    return row


async def contacts_of_site(conn: asyncpg.Connection, site_id: UUID, minute: int) -> Sequence[Row]:
    """Its contacts, retired ones last, each with whether it is on duty at that minute of the week."""
    return list(await conn.fetch(_CONTACTS_OF_SITE, site_id, minute))


async def opt_out(conn: asyncpg.Connection, phone: str, now: datetime) -> list[Row]:
    """Send nothing to this number any more; returns the contacts for whom that is new."""
    return list(await conn.fetch(_OPT_OUT, phone, now))


async def opt_in(conn: asyncpg.Connection, phone: str) -> list[Row]:
    """This number may be told again; returns the contacts for whom that is new."""
    return list(await conn.fetch(_OPT_IN, phone))


def site_values(row: SiteRow) -> tuple[object, ...]:
    """In the order of SITE_COLUMNS, without `retired_at`."""
    return (
        row.site_id,
        row.category,
        row.name_zh,
        row.name_en,
        row.township_code,
        row.lon,
        row.lat,
        row.region_code,
        row.exercise_ok,
    )


def contact_values(row: ContactRow, regions: Mapping[UUID, str], region_code: str) -> tuple[object, ...]:
    """In the order of CONTACT_COLUMNS, without `retired_at`."""
    return (
        row.contact_id,
        row.site_id,
        row.unit_id,
        regions[row.site_id] if row.site_id else region_code,
        row.label,
        row.role,
        row.phone_e164 or None,
        row.language,
        row.order,
        row.two_way,
        row.url_ok,
        row.voice,
        row.exercise_list,
        row.sms_ok,
        row.webhook_url or None,
        row.duty_hours,
    )


def _columns(rows: Iterable[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
