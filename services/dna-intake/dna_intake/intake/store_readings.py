"""Every SQL statement of profiles in: readings, holds, staff, marks, imports."""
# ruff: noqa: S608 - statements are put together from the column lists below, never from input.

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from dna_intake.intake.rows import HoldRow, ReadingRow, ReadingState, StaffRow
from dna_intake.models import ProfileRow, SpecimenRow
from dna_intake.store import SPECIMEN

_READING = """
id, specimen_id, region_code, kit, loci_typed, partial, state, import_id, wrapped_key, reading_sealed, read_at,
read_by, ended_at
"""
_ADD_READING = f"""
insert into profile_reading ({_READING})
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""
_READINGS = f"select {_READING} from profile_reading where specimen_id = $1 order by read_at, id limit 100"
_END_READINGS = """
update profile_reading set state = $2, ended_at = $3, wrapped_key = null, reading_sealed = null
where specimen_id = $1 and ended_at is null
"""
_HOLD = "id, specimen_id, region_code, reasons, held_at, ended_at, ended_by, ended_as, because"
_ADD_HOLD = """
insert into profile_hold (id, specimen_id, region_code, reasons, held_at) values ($1, $2, $3, $4, $5)
"""
_OPEN_HOLD = f"select {_HOLD} from profile_hold where specimen_id = $1 and ended_at is null"
_HOLD_BY_ID = f"select {_HOLD} from profile_hold where id = $1"
_OPEN_HOLDS = f"select {_HOLD} from profile_hold where ended_at is null order by held_at, id limit $1"
_END_HOLD = """
update profile_hold set ended_at = $2, ended_by = $3, ended_as = $4, because = $5
where specimen_id = $1 and ended_at is null
"""
# Its own holds keep what was suspected and at which loci; nobody's hold names it any more.
_FORGET_IN_HOLDS = """
update profile_hold set reasons = (
    select coalesce(jsonb_agg(case when specimen_id = $1
        then reason || '{"others": [], "relation": null}'
        else reason || jsonb_build_object('others', (reason -> 'others') - $1::uuid::text)
    end order by place), '[]')
    from jsonb_array_elements(reasons) with ordinality as each (reason, place)
)
where specimen_id = $1 or reasons @> jsonb_build_array(jsonb_build_object('others', jsonb_build_array($1)))
"""
_STAFF = """
id, region_code, staff_code, kit, loci_typed, wrapped_key, genotype_sealed, registered_at, registered_by,
retired_at
"""
_ADD_STAFF = f"""
insert into staff_profile ({_STAFF}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (region_code, staff_code) where retired_at is null do nothing
"""
_STAFF_LIVE = (
    f"select {_STAFF} from staff_profile where retired_at is null order by registered_at, id limit $1"
)
_RETIRE_STAFF = """
update staff_profile set retired_at = $2, wrapped_key = null, genotype_sealed = null
where id = $1 and retired_at is null
"""
_ADD_MARKS = """
insert into profile_mark (specimen_id, part, mark) select $1, * from unnest($2::smallint[], $3::bytea[])
on conflict do nothing
"""
_FORGET_MARKS = "delete from profile_mark where specimen_id = $1"
# Two specimens of one person that are entered at the same moment wait for each other here.
_LOCK_MARKS = """
select pg_advisory_xact_lock(hashtextextended(encode(mark, 'hex'), 4))
from (select mark from unnest($1::bytea[]) as given (mark) order by mark) as ordered
"""
_MARKED = """
select distinct m.specimen_id
from unnest($1::smallint[], $2::bytea[]) as given (part, mark)
join profile_mark m on m.part = given.part and m.mark = given.mark
where m.specimen_id <> $3
limit $4
"""
_PROFILES = """
select specimen_id, region_code, kit, loci_typed, partial, wrapped_key, genotype_sealed, accepted_at, accepted_by,
    expunged_at
from profile where specimen_id = any($1::uuid[]) and wrapped_key is not null
"""
_LOCK_FAMILY = "select pg_advisory_xact_lock(hashtextextended(encode($1::bytea, 'hex'), 5))"
_LOCK_FAMILIES = """
select pg_advisory_xact_lock(hashtextextended(encode(link, 'hex'), 5))
from (select distinct link from unnest($1::bytea[]) as given (link) order by link) as ordered
"""
_BEGUN = "select distinct specimen_id from profile_reading where specimen_id = any($1::uuid[]) and ended_at is null"
_FAMILY = """
select s.id, s.relation from specimen s join profile p on p.specimen_id = s.id
where s.case_link = $1 and s.id <> $2 and s.relation is not null and p.wrapped_key is not null
    and s.state <> all($3::text[])
order by s.id limit 50
"""
# In the order of ids, so that two files about the same specimens wait for each other instead of locking up.
_LOCK_SPECIMENS = f"""
select {SPECIMEN} from specimen where id = any($1::uuid[]) or barcode = any($2::text[]) order by id for update
"""
_IMPORT = "select answer from profile_import where uploaded_by = $1 and digest = $2"
_LOCK_IMPORT = "select pg_advisory_xact_lock(hashtextextended(encode($1::bytea, 'hex'), 6))"
_ADD_IMPORT = """
insert into profile_import (id, region_code, uploaded_by, digest, answer, imported_at)
values ($1, $2, $3, $4, $5, $6)
on conflict (uploaded_by, digest) do update set answer = excluded.answer, imported_at = excluded.imported_at
"""
_VOID_SINCE = """
select r.specimen_id from profile_reading r join specimen s on s.id = r.specimen_id
where r.import_id = $1 and r.state = 'void' and s.state = 'quality_checked' and not exists (
    select from profile_reading open
    where open.specimen_id = r.specimen_id and open.read_by = r.read_by and open.ended_at is null
)
"""
_REGION_NOW = "select current_setting('guitu.region', true)"
_SET_REGION = "select set_config('guitu.region', $1, true)"


async def add_reading(conn: asyncpg.Connection, row: ReadingRow) -> None:
    """Add what one person read."""
    await conn.execute(_ADD_READING, *row.model_dump().values())


async def readings(conn: asyncpg.Connection, specimen_id: UUID) -> list[ReadingRow]:
    """Every reading of a specimen, the first first; those that ended have no content."""
    return [ReadingRow.model_validate(dict(r)) for r in await conn.fetch(_READINGS, specimen_id)]


async def end_readings(
    conn: asyncpg.Connection, specimen_id: UUID, state: ReadingState, now: datetime
) -> None:
    """End the open readings of a specimen; key and content are deleted."""
    await conn.execute(_END_READINGS, specimen_id, state, now)


async def add_hold(conn: asyncpg.Connection, row: HoldRow) -> None:
    """Hold a profile."""
    reasons = [reason.model_dump(mode="json") for reason in row.reasons]
    await conn.execute(_ADD_HOLD, row.id, row.specimen_id, row.region_code, reasons, row.held_at)


async def open_hold(conn: asyncpg.Connection, specimen_id: UUID) -> HoldRow | None:
    """The hold under which a specimen's profile waits."""
    return _hold(await conn.fetchrow(_OPEN_HOLD, specimen_id))


async def hold(conn: asyncpg.Connection, hold_id: UUID) -> HoldRow | None:
    """One hold, if it is visible."""
    return _hold(await conn.fetchrow(_HOLD_BY_ID, hold_id))


async def open_holds(conn: asyncpg.Connection, limit: int) -> list[HoldRow]:
    """The worklist, the oldest first."""
    return [HoldRow.model_validate(dict(r)) for r in await conn.fetch(_OPEN_HOLDS, limit)]


async def end_hold(
    conn: asyncpg.Connection, specimen_id: UUID, now: datetime, by: str, ended_as: str, because: str
) -> None:
    """End the open hold of a specimen, if there is one."""
    await conn.execute(_END_HOLD, specimen_id, now, by, ended_as, because)


async def forget_in_holds(conn: asyncpg.Connection, specimen_id: UUID) -> None:
    """Let no hold, of any region, say whose family or whose double an expunged specimen was."""
    async with everywhere(conn):
        await conn.execute(_FORGET_IN_HOLDS, specimen_id)


def _hold(record: asyncpg.Record | None) -> HoldRow | None:
    return HoldRow.model_validate(dict(record)) if record else None


async def add_staff(conn: asyncpg.Connection, row: StaffRow) -> bool:
    """Add a staff profile; False if the code has one already."""
    return bool(await conn.execute(_ADD_STAFF, *row.model_dump().values()) == "INSERT 0 1")


async def staff(conn: asyncpg.Connection, limit: int) -> list[StaffRow]:
    """The elimination list."""
    return [StaffRow.model_validate(dict(r)) for r in await conn.fetch(_STAFF_LIVE, limit)]


async def retire_staff(conn: asyncpg.Connection, staff_id: UUID, now: datetime) -> bool:
    """Delete a staff profile's key and genotype; False if there is none to delete."""
    return bool(await conn.execute(_RETIRE_STAFF, staff_id, now) == "UPDATE 1")


async def lock_marks(conn: asyncpg.Connection, marks: Sequence[tuple[int, bytes]]) -> None:
    """Let whoever enters a profile with one of these marks wait for the end of this transaction."""
    await conn.execute(_LOCK_MARKS, [mark for _, mark in marks])


async def marked_alike(
    conn: asyncpg.Connection, marks: Sequence[tuple[int, bytes]], except_id: UUID, limit: int
) -> list[UUID]:
    """The specimens that share a mark with these, found by index."""
    parts, values = [part for part, _ in marks], [mark for _, mark in marks]
    return [r["specimen_id"] for r in await conn.fetch(_MARKED, parts, values, except_id, limit)]


async def add_marks(conn: asyncpg.Connection, specimen_id: UUID, marks: Sequence[tuple[int, bytes]]) -> None:
    """Remember the marks of an entered profile."""
    await conn.execute(_ADD_MARKS, specimen_id, [part for part, _ in marks], [mark for _, mark in marks])


async def profiles(conn: asyncpg.Connection, specimen_ids: Sequence[UUID]) -> list[ProfileRow]:
    """The sealed profiles of some specimens, those that were not expunged."""
    return [ProfileRow.model_validate(dict(r)) for r in await conn.fetch(_PROFILES, list(specimen_ids))]


async def family(
    conn: asyncpg.Connection, case_link: bytes, except_id: UUID, gone: Sequence[str]
) -> dict[UUID, str]:
    """The declared relatives of a case whose profile is in, by specimen; who enters another one waits."""
    await conn.execute(_LOCK_FAMILY, case_link)
    records = await conn.fetch(_FAMILY, case_link, except_id, list(gone))
    return {r["id"]: r["relation"] for r in records}


async def lock_families(conn: asyncpg.Connection, case_links: Sequence[bytes]) -> None:
    """Let whoever enters a profile of one of these families wait for the end of this transaction."""
    await conn.execute(_LOCK_FAMILIES, list(case_links))


async def begun(conn: asyncpg.Connection, specimen_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these specimens somebody has read already."""
    return {r["specimen_id"] for r in await conn.fetch(_BEGUN, list(specimen_ids))}


async def end_intake(conn: asyncpg.Connection, specimen_id: UUID, now: datetime, by: str) -> None:
    """Forget what waits for a specimen that is rejected, withdrawn or expunged, and its marks."""
    await end_readings(conn, specimen_id, "void", now)
    await end_hold(conn, specimen_id, now, by, "void", "The specimen left the laboratory's way.")
    await conn.execute(_FORGET_MARKS, specimen_id)


async def lock_specimens(
    conn: asyncpg.Connection, ids: Sequence[UUID], barcodes: Sequence[str]
) -> list[SpecimenRow]:
    """The specimens that a file is about, locked."""
    records = await conn.fetch(_LOCK_SPECIMENS, list(ids), list(barcodes))
    return [SpecimenRow.model_validate(dict(r)) for r in records]


async def imported(conn: asyncpg.Connection, uploaded_by: str, digest: bytes) -> Any:
    """What was answered to the same file of the same person; another request with it waits for this one."""
    await conn.execute(_LOCK_IMPORT, digest)
    return await conn.fetchval(_IMPORT, uploaded_by, digest)


async def add_import(
    conn: asyncpg.Connection,
    import_id: UUID,
    region_code: str,
    uploaded_by: str,
    digest: bytes,
    answer: Any,
    now: datetime,
) -> None:
    """Remember a file that was taken, by a keyed digest; one that is taken anew has the latest answer."""
    await conn.execute(_ADD_IMPORT, import_id, region_code, uploaded_by, digest, answer, now)


async def void_since(conn: asyncpg.Connection, import_id: UUID) -> set[UUID]:
    """The specimens whose reading from this file is void, and which its reader has not read anew."""
    return {r["specimen_id"] for r in await conn.fetch(_VOID_SINCE, import_id)}


@asynccontextmanager
async def everywhere(conn: asyncpg.Connection) -> AsyncIterator[None]:
    """Look beyond the region of who asks, for a comparison alone; the region is put back afterwards.

    After an error nothing is put back: the transaction ends, and the setting with it.
    """
    region = await conn.fetchval(_REGION_NOW)
    await conn.execute(_SET_REGION, "*")
    yield
    await conn.execute(_SET_REGION, region)
