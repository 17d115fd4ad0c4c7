"""SQL of the directory: sites and contacts are replaced by what the files say, never half of them."""

from __future__ import annotations

import asyncpg

from notifications.directory import ContactRow, Directory, SiteRow

_PUT_SITES = """
insert into site (site_id, category, name_zh, name_en, township_code, lon, lat, region_code, exercise_ok)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::float8[], $7::float8[],
    $8::text[], $9::boolean[])
on conflict (site_id) do update set category = excluded.category, name_zh = excluded.name_zh,
    name_en = excluded.name_en, township_code = excluded.township_code, lon = excluded.lon, lat = excluded.lat,
    region_code = excluded.region_code, exercise_ok = excluded.exercise_ok
"""
_PUT_CONTACTS = """
insert into contact (contact_id, site_id, unit_id, region_code, label, role, phone, language, contact_order,
    two_way, url_ok, voice, exercise_list)
select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::int[], $10::boolean[], $11::boolean[], $12::boolean[], $13::boolean[])
on conflict (contact_id) do update set site_id = excluded.site_id, unit_id = excluded.unit_id,
    region_code = excluded.region_code, label = excluded.label, role = excluded.role, phone = excluded.phone,
    language = excluded.language, contact_order = excluded.contact_order, two_way = excluded.two_way,
    url_ok = excluded.url_ok, voice = excluded.voice, exercise_list = excluded.exercise_list
"""


async def put(conn: asyncpg.Connection, directory: Directory, region_code: str) -> None:
    """Add or replace every site and contact; a unit's contact belongs to `region_code`."""
    regions = {site.site_id: site.region_code for site in directory.sites}
    if directory.sites:
        await conn.execute(_PUT_SITES, *_columns([_site(row) for row in directory.sites]))
    if directory.contacts:
        contacts = [
            _contact(row, regions[row.site_id] if row.site_id else region_code) for row in directory.contacts
        ]
        await conn.execute(_PUT_CONTACTS, *_columns(contacts))


def _site(row: SiteRow) -> tuple[object, ...]:
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


def _contact(row: ContactRow, region_code: str) -> tuple[object, ...]:
    return (
        row.contact_id,
        row.site_id,
        row.unit_id,
        region_code,
        row.label,
        row.role,
        row.phone_e164,
        row.language,
        row.order,
        row.two_way,
        row.url_ok,
        row.voice,
        row.exercise_list,
    )


def _columns(rows: list[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
