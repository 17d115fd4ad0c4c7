"""SQL of publications: what the family allowed to be shown to everybody, and when that ended."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import asyncpg

from alerts.domain.publishing import Consent, Publication

# The token stays the same for a case: what is printed on a wall is valid again when consent is given again.
_KEEP = """
insert into publication as p (
    case_id, region_code, police_case_number, consent_by, consent_form, consented_at, photo, name, token,
    recorded_by, recorded_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict (case_id) do update set
    police_case_number = excluded.police_case_number, consent_by = excluded.consent_by,
    consent_form = excluded.consent_form, consented_at = excluded.consented_at, photo = excluded.photo,
    name = excluded.name, recorded_by = excluded.recorded_by, recorded_at = excluded.recorded_at,
    withdrawn_by = null, withdrawn_at = null
where (p.police_case_number, p.consent_by, p.consent_form, p.consented_at, p.photo, p.name, p.withdrawn_at)
    is distinct from (excluded.police_case_number, excluded.consent_by, excluded.consent_form,
        excluded.consented_at, excluded.photo, excluded.name, excluded.withdrawn_at)
"""
_WITHDRAW = """
update publication set withdrawn_by = $2, withdrawn_at = $3 where case_id = $1 and withdrawn_at is null
"""
_COLUMNS = """
case_id, police_case_number, consent_by, consent_form, consented_at, photo, name, token, recorded_by, recorded_at,
withdrawn_by, withdrawn_at
"""
_OF_CASE = f"select {_COLUMNS} from publication where case_id = $1"  # noqa: S608 - a constant list of columns.
_BY_TOKEN = f"select {_COLUMNS} from publication where token = $1"  # noqa: S608 - a constant list of columns.


async def keep(
    conn: asyncpg.Connection,
    case_id: UUID,
    region_code: str,
    said: Consent,
    token: str,
    by: str,
    now: datetime,
) -> bool:
    """Keep what may be published; False if exactly that was kept already."""
    what = (
        said.police_case_number,
        said.consent_by,
        said.consent_form,
        said.consented_at,
        said.photo,
        said.name,
    )
    kept = await conn.execute(_KEEP, case_id, region_code, *what, token, by, now)
    return bool(kept == "INSERT 0 1")


async def withdraw(conn: asyncpg.Connection, case_id: UUID, by: str, now: datetime) -> bool:
    """End a publication; False if there was none, or it had ended."""
    return bool(await conn.execute(_WITHDRAW, case_id, by, now) == "UPDATE 1")


async def of_case(conn: asyncpg.Connection, case_id: UUID) -> Publication | None:
    """The newest word about publishing a case."""
    row = await conn.fetchrow(_OF_CASE, case_id)
    return Publication(**dict(row)) if row else None


async def by_token(conn: asyncpg.Connection, token: str) -> Publication | None:
    """The publication that a public address is of."""
    row = await conn.fetchrow(_BY_TOKEN, token)
    return Publication(**dict(row)) if row else None
