"""Every SQL statement of dna-intake; rows come back as the frozen values of `models`."""
# ruff: noqa: S608 - statements are put together from the column lists below, never from input.

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from dna_intake.domain.custody import Link, Move, State
from dna_intake.domain.requests import CrossMatchState, Need
from dna_intake.models import CrossMatchRow, ProfileRow, SampleRow, SpecimenRow

_SAMPLE = """
id, case_id, region_code, exercise, category, state, requested_at, due_at, overdue_at, cancelled_at,
cancelled_because, tries
"""
_CROSS_MATCH = "id, case_id, region_code, exercise, state, waits_for, requested_at, changed_at"
_OPEN_SAMPLE = """
insert into sample_request (id, case_id, region_code, exercise, category, state, requested_at, due_at)
select $1::uuid, $2::uuid, $3, $4, $5, 'open', $6, $7
where not exists (select from stood_down_case where case_id = $2::uuid)
on conflict (case_id) do nothing
"""
_OPEN_CROSS_MATCH = """
insert into cross_match_request
    (id, case_id, region_code, exercise, state, waits_for, requested_at, changed_at)
values ($1, $2, $3, $4, 'waiting', $5, $6, $6)
on conflict (case_id) do nothing
"""
_STAND_DOWN = """
insert into stood_down_case (case_id, outcome, stood_down_at) values ($1, $2, $3)
on conflict (case_id) do nothing
"""
_LOCK_SAMPLE = f"select {_SAMPLE} from sample_request where case_id = $1 for update"
_LOCK_CROSS_MATCH = f"select {_CROSS_MATCH} from cross_match_request where case_id = $1 for update"
_CANCEL_SAMPLE = """
update sample_request set state = 'cancelled', cancelled_at = $2, cancelled_because = $3 where id = $1
"""
_CANCEL_CROSS_MATCH = "update cross_match_request set state = 'cancelled', changed_at = $2 where id = $1"
_OVERDUE = """
update sample_request set overdue_at = $1
where id in (
    select id from sample_request
    where state = 'open' and overdue_at is null and due_at <= $1
    order by due_at limit $2 for update skip locked
)
returning id, case_id, due_at
"""
_SAMPLE_FOLLOWS = """
update sample_request set state = $2, due_at = $3, overdue_at = $4, tries = $5 where id = $1
"""
_CROSS_MATCH_FOLLOWS = """
update cross_match_request set state = $2, waits_for = $3, changed_at = $4 where id = $1
"""
_WAS_STOOD_DOWN = "select outcome from stood_down_case where case_id = $1"
_PARENT_STATES = "select state from specimen where case_link = $1 and category = 'parent_of_missing_child'"
SPECIMEN = """
id, barcode, category, case_link, case_sealed, relation, registered_sex, region_code, exercise, state, moves,
registered_at, resample_of, tries, due_at, overdue_at, consent_at
"""
_REGISTER = """
insert into specimen (id, barcode, category, case_link, case_sealed, relation, registered_sex, region_code,
    exercise, state, moves, registered_at, resample_of, tries, due_at, consent_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'registered', 1, $10, $11, $12, $13, $14)
on conflict (barcode) do nothing
"""
_SPECIMEN_BY_ID = f"select {SPECIMEN} from specimen where id = $1"
_EVERY_REGION = "select set_config('guitu.region', '*', true)"
_SPECIMENS_BY_ID = f"select {SPECIMEN} from specimen where id = any($1::uuid[])"
_EVERY_REGION = "select set_config('guitu.region', '*', true)"
_SPECIMEN_BY_BARCODE = f"select {SPECIMEN} from specimen where barcode = $1"
_SPECIMENS_OF_CASE = (
    f"select {SPECIMEN} from specimen where case_link = $1 order by registered_at, id limit 200"
)
_LOCK_PLAIN_LINKS = """
select id, case_id from specimen where case_id is not null order by id limit $1 for update skip locked
"""
_SEAL_LINK = "update specimen set case_id = null, case_link = $2, case_sealed = $3 where id = $1"
_EXPUNGE_PERSON = """
update specimen set case_id = null, case_link = null, case_sealed = null, relation = null, registered_sex = null
where id = $1
"""
_LEAVE_BOXES = """
update shipment_item set outcome = 'moved_on', changed_at = $2
where specimen_id = $1 and outcome in ('sent', 'missing', 'seal_refused')
"""
_SUCCESSOR = "select id from specimen where resample_of = $1"
_STOP_CLOCK = "update specimen set due_at = null, overdue_at = null where id = $1"
_LOCK_SPECIMEN = f"select {SPECIMEN} from specimen where id = $1 for update"
_LOCK_SPECIMENS = "select id from specimen where id = any($1::uuid[]) order by id for update"
_MOVE_SPECIMEN = "update specimen set state = $2, moves = $3, due_at = $4, overdue_at = null where id = $1"
_APPEND_MOVE = """
insert into custody_move (specimen_id, seq, region_code, from_state, to_state, moved_at, recorded_at, actor,
    seal, location, hash, seal_found, reason)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""
_CHAIN = """
select seq, from_state, to_state, moved_at, recorded_at, actor, seal, location, hash, seal_found, reason
from custody_move where specimen_id = $1 order by seq
"""
_ADD_PROFILE = """
insert into profile (specimen_id, region_code, kit, loci_typed, partial, wrapped_key, genotype_sealed,
    accepted_at, accepted_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_EXTEND_PROFILE = """
update profile set kit = $2, loci_typed = $3, partial = $4, wrapped_key = $5, genotype_sealed = $6, accepted_at = $7,
    accepted_by = $8
where specimen_id = $1 and expunged_at is null
"""
_PROFILE = """
select specimen_id, region_code, kit, loci_typed, partial, wrapped_key, genotype_sealed, accepted_at,
    accepted_by, expunged_at
from profile where specimen_id = $1
"""
_EXPUNGE_PROFILE = """
update profile set wrapped_key = null, genotype_sealed = null, expunged_at = $2
where specimen_id = $1 and expunged_at is null
"""
_SAMPLES_OF_CASE = f"select {_SAMPLE} from sample_request where case_id = $1"
_SAMPLES_OPEN = f"select {_SAMPLE} from sample_request where state = 'open' order by due_at, id limit $1"
_CROSS_MATCHES_OF_CASES = f"select {_CROSS_MATCH} from cross_match_request where case_id = any($1::uuid[])"
_CROSS_MATCH_BY_ID = f"select {_CROSS_MATCH} from cross_match_request where id = $1"


async def open_sample_request(conn: asyncpg.Connection, row: SampleRow) -> bool:
    """Open the case's sample request; False if it has one already or was stood down."""
    status = await conn.execute(
        _OPEN_SAMPLE,
        row.id,
        row.case_id,
        row.region_code,
        row.exercise,
        row.category,
        row.requested_at,
        row.due_at,
    )
    return bool(status == "INSERT 0 1")


async def open_cross_match(conn: asyncpg.Connection, row: CrossMatchRow) -> None:
    """Open the case's cross-matching request; nothing happens if it has one."""
    await conn.execute(
        _OPEN_CROSS_MATCH,
        row.id,
        row.case_id,
        row.region_code,
        row.exercise,
        list(row.waits_for),
        row.requested_at,
    )


async def remember_stand_down(
    conn: asyncpg.Connection, case_id: UUID, outcome: str, stood_down_at: datetime
) -> None:
    """Remember that the case is over, so that a late alert opens nothing."""
    await conn.execute(_STAND_DOWN, case_id, outcome, stood_down_at)


async def lock_sample_request(conn: asyncpg.Connection, case_id: UUID) -> SampleRow | None:
    """The case's sample request, locked for the rest of the transaction."""
    record = await conn.fetchrow(_LOCK_SAMPLE, case_id)
    return SampleRow.model_validate(dict(record)) if record else None


async def lock_cross_match(conn: asyncpg.Connection, case_id: UUID) -> CrossMatchRow | None:
    """The case's cross-matching request, locked for the rest of the transaction."""
    record = await conn.fetchrow(_LOCK_CROSS_MATCH, case_id)
    return CrossMatchRow.model_validate(dict(record)) if record else None


async def cancel_sample_request(
    conn: asyncpg.Connection, request_id: UUID, now: datetime, because: str
) -> None:
    """End a sample request that nobody needs to serve any more."""
    await conn.execute(_CANCEL_SAMPLE, request_id, now, because)


async def cancel_cross_match(conn: asyncpg.Connection, request_id: UUID, now: datetime) -> None:
    """End a cross-matching request."""
    await conn.execute(_CANCEL_CROSS_MATCH, request_id, now)


async def mark_overdue(conn: asyncpg.Connection, now: datetime, limit: int) -> list[asyncpg.Record]:
    """Mark up to `limit` late sample requests, each once; returns id, case_id and due_at of them."""
    return list(await conn.fetch(_OVERDUE, now, limit))


async def sample_requests_of(conn: asyncpg.Connection, case_id: UUID) -> list[SampleRow]:
    """The sample requests of a case; empty if none is visible."""
    return [SampleRow.model_validate(dict(r)) for r in await conn.fetch(_SAMPLES_OF_CASE, case_id)]


async def open_sample_requests(conn: asyncpg.Connection, limit: int) -> list[SampleRow]:
    """The laboratory's worklist: open requests, the most urgent first."""
    return [SampleRow.model_validate(dict(r)) for r in await conn.fetch(_SAMPLES_OPEN, limit)]


async def cross_matches_of(conn: asyncpg.Connection, case_ids: Sequence[UUID]) -> list[CrossMatchRow]:
    """The cross-matching requests of some cases."""
    records = await conn.fetch(_CROSS_MATCHES_OF_CASES, list(case_ids))
    return [CrossMatchRow.model_validate(dict(r)) for r in records]


async def cross_match(conn: asyncpg.Connection, request_id: UUID) -> CrossMatchRow | None:
    """One cross-matching request, if it is visible."""
    record = await conn.fetchrow(_CROSS_MATCH_BY_ID, request_id)
    return CrossMatchRow.model_validate(dict(record)) if record else None


async def sample_follows(conn: asyncpg.Connection, row: SampleRow) -> None:
    """Let a sample request follow its specimens."""
    await conn.execute(_SAMPLE_FOLLOWS, row.id, row.state, row.due_at, row.overdue_at, row.tries)


async def cross_match_follows(
    conn: asyncpg.Connection, request_id: UUID, state: CrossMatchState, needs: Sequence[Need], now: datetime
) -> None:
    """Remember what a comparison waits for now, or that it is completed."""
    await conn.execute(_CROSS_MATCH_FOLLOWS, request_id, state, list(needs), now)


async def stood_down_as(conn: asyncpg.Connection, case_id: UUID) -> str | None:
    """How the case ended; None while it is open."""
    outcome: str | None = await conn.fetchval(_WAS_STOOD_DOWN, case_id)
    return outcome


async def parent_states(conn: asyncpg.Connection, case_link: bytes) -> list[State]:
    """Where the specimens of the case's parents are."""
    return [record["state"] for record in await conn.fetch(_PARENT_STATES, case_link)]


async def add_specimen(conn: asyncpg.Connection, row: SpecimenRow) -> bool:
    """Add a specimen; False if its barcode is taken."""
    status = await conn.execute(
        _REGISTER,
        row.id,
        row.barcode,
        row.category,
        row.case_link,
        row.case_sealed,
        row.relation,
        row.registered_sex,
        row.region_code,
        row.exercise,
        row.registered_at,
        row.resample_of,
        row.tries,
        row.due_at,
        row.consent_at,
    )
    return bool(status == "INSERT 0 1")


async def specimen(conn: asyncpg.Connection, specimen_id: UUID) -> SpecimenRow | None:
    """One specimen, if it is visible."""
    record = await conn.fetchrow(_SPECIMEN_BY_ID, specimen_id)
    return SpecimenRow.model_validate(dict(record)) if record else None


async def specimens(conn: asyncpg.Connection, specimen_ids: Sequence[UUID]) -> list[SpecimenRow]:
    """Those of some specimens that are visible, in no order."""
    records = await conn.fetch(_SPECIMENS_BY_ID, list(specimen_ids))
    return [SpecimenRow.model_validate(dict(r)) for r in records]


async def specimen_with_barcode(conn: asyncpg.Connection, barcode: str) -> SpecimenRow | None:
    """The specimen under a label, if it is visible."""
    record = await conn.fetchrow(_SPECIMEN_BY_BARCODE, barcode)
    return SpecimenRow.model_validate(dict(record)) if record else None


async def specimens_of(conn: asyncpg.Connection, case_link: bytes) -> list[SpecimenRow]:
    """The specimens of a case, 200 at most."""
    return [SpecimenRow.model_validate(dict(r)) for r in await conn.fetch(_SPECIMENS_OF_CASE, case_link)]


async def lock_plain_links(conn: asyncpg.Connection, limit: int) -> list[tuple[UUID, UUID]]:
    """Specimens of an older version that still name their case, with the case; locked."""
    return [(r["id"], r["case_id"]) for r in await conn.fetch(_LOCK_PLAIN_LINKS, limit)]


async def seal_link(conn: asyncpg.Connection, specimen_id: UUID, link: bytes, sealed: bytes) -> None:
    """Put a specimen's plain case id behind the wall."""
    await conn.execute(_SEAL_LINK, specimen_id, link, sealed)


async def successor_of(conn: asyncpg.Connection, specimen_id: UUID) -> UUID | None:
    """The specimen that was taken in the place of a lost one."""
    successor: UUID | None = await conn.fetchval(_SUCCESSOR, specimen_id)
    return successor


async def leave_boxes(conn: asyncpg.Connection, specimen_id: UUID, now: datetime) -> None:
    """A collected specimen goes on, so that no shipment waits for it any more."""
    await conn.execute(_LEAVE_BOXES, specimen_id, now)


async def stop_clock(conn: asyncpg.Connection, specimen_id: UUID) -> None:
    """Nothing is left to do about a specimen."""
    await conn.execute(_STOP_CLOCK, specimen_id)


async def expunge_person(conn: asyncpg.Connection, specimen_id: UUID) -> None:
    """Delete for good whose specimen it was: link, sealed case, relation and sex."""
    await conn.execute(_EXPUNGE_PERSON, specimen_id)


async def lock_specimens(conn: asyncpg.Connection, specimen_ids: Collection[UUID]) -> None:
    """Lock some specimens in the order of their ids, so that two who lock the same ones can't deadlock."""
    await conn.execute(_LOCK_SPECIMENS, list(specimen_ids))


async def lock_specimen(conn: asyncpg.Connection, specimen_id: UUID) -> SpecimenRow | None:
    """One specimen, locked for the rest of the transaction, so that its chain has one writer."""
    record = await conn.fetchrow(_LOCK_SPECIMEN, specimen_id)
    return SpecimenRow.model_validate(dict(record)) if record else None


async def append_move(
    conn: asyncpg.Connection, row: SpecimenRow, found: Link, due_at: datetime | None
) -> None:
    """Append a link to the chain of a specimen that is locked or new, and let the specimen follow."""
    m = found.move
    await conn.execute(
        _APPEND_MOVE,
        row.id,
        m.seq,
        row.region_code,
        m.from_state,
        m.to_state,
        m.moved_at,
        m.recorded_at,
        m.actor,
        m.seal,
        m.location,
        found.hash,
        m.seal_found,
        m.reason,
    )
    if m.from_state is not None:
        await conn.execute(_MOVE_SPECIMEN, row.id, m.to_state, m.seq, due_at)


async def chain(conn: asyncpg.Connection, specimen_id: UUID) -> list[Link]:
    """The whole chain of a specimen: 11 links at most of the tube, and a few on paper for each lead."""
    return [_link(record) for record in await conn.fetch(_CHAIN, specimen_id)]


def _link(record: asyncpg.Record) -> Link:
    fields = dict(record)
    stored: bytes = fields.pop("hash")
    return Link(Move(**fields), stored)


async def add_profile(conn: asyncpg.Connection, row: ProfileRow) -> None:
    """Add the sealed profile of a specimen."""
    await conn.execute(
        _ADD_PROFILE,
        row.specimen_id,
        row.region_code,
        row.kit,
        row.loci_typed,
        row.partial,
        row.wrapped_key,
        row.genotype_sealed,
        row.accepted_at,
        row.accepted_by,
    )


async def extend_profile(conn: asyncpg.Connection, row: ProfileRow) -> None:
    """Put a profile with more loci in place of the entered one."""
    await conn.execute(
        _EXTEND_PROFILE,
        row.specimen_id,
        row.kit,
        row.loci_typed,
        row.partial,
        row.wrapped_key,
        row.genotype_sealed,
        row.accepted_at,
        row.accepted_by,
    )


async def profile(conn: asyncpg.Connection, specimen_id: UUID) -> ProfileRow | None:
    """The sealed profile of a specimen, if there is one."""
    record = await conn.fetchrow(_PROFILE, specimen_id)
    return ProfileRow.model_validate(dict(record)) if record else None


async def expunge_profile(conn: asyncpg.Connection, specimen_id: UUID, now: datetime) -> None:
    """Delete key and genotype for good; nothing happens if there is no profile."""
    await conn.execute(_EXPUNGE_PROFILE, specimen_id, now)


async def specimens_by_id(conn: asyncpg.Connection, ids: Sequence[UUID]) -> dict[UUID, SpecimenRow]:
    """Some specimens by their id; those out of sight are left out."""
    return {row.id: row for row in await specimens(conn, ids)}


async def see_every_region(conn: asyncpg.Connection) -> None:
    """Let the rest of the transaction see all regions: whoever may see a candidate acts for both its regions."""
    await conn.execute(_EVERY_REGION)
