"""SQL of shipments: boxes, their lists, and what was found in them."""
# ruff: noqa: S608 - statements are put together from column lists, never from input.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from dna_intake.domain.custody import Link, Move
from dna_intake.domain.shipments import Outcome
from dna_intake.models import SpecimenRow
from dna_intake.shipment_models import ItemRow, ShipmentRow
from dna_intake.store import SPECIMEN

_IS_OPEN = """
exists (
    select from shipment_item i
    where i.shipment_id = shipment.id and i.outcome in ('sent', 'missing', 'seal_refused')
)
"""
# The state follows from the list, so that no step can forget to set it.
_SHIPMENT = f"""
id, region_code, exercise, seal, sent_from, laboratory, sent_at, sent_by, received_at, received_by, seal_found,
seal_intact,
case when not {_IS_OPEN} then 'received' when received_at is null then 'sent' else 'incomplete' end as state
"""
_LOCK_BY_BARCODE = f"select {SPECIMEN} from specimen where barcode = any($1::text[]) order by id for update"
_LOCK_LISTED = f"""
select {SPECIMEN} from specimen
where id in (select specimen_id from shipment_item where shipment_id = $1) order by id for update
"""
_ON_ITS_WAY = """
select s.seal, i.specimen_id from shipment_item i join shipment s on s.id = i.shipment_id
where i.specimen_id = any($1::uuid[]) and i.outcome = 'sent'
"""
_ADD = """
insert into shipment (id, region_code, exercise, seal, sent_from, laboratory, sent_at, sent_by)
values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (region_code, seal) do nothing
"""
_ADD_ITEMS = """
insert into shipment_item (shipment_id, specimen_id, region_code, outcome, changed_at)
select $1, listed, $2, 'sent', $3 from unnest($4::uuid[]) as listed
"""
_BY_SEAL = f"select {_SHIPMENT} from shipment where region_code = $1 and seal = $2"
_BY_ID = f"select {_SHIPMENT} from shipment where id = $1"
_LOCK = f"{_BY_ID} for update"
_RECENT = f"""
select * from (select {_SHIPMENT} from shipment) as every where not $1 or state <> 'received'
order by (state = 'received'), sent_at, id limit $2
"""
_ITEMS = """
select i.specimen_id, s.barcode, s.category, s.state, m.seal, i.outcome
from shipment_item i
join specimen s on s.id = i.specimen_id
join custody_move m on m.specimen_id = s.id and m.seq = s.moves
where i.shipment_id = $1 order by s.barcode
"""
_LAST_LINKS = """
select m.specimen_id, m.seq, m.from_state, m.to_state, m.moved_at, m.recorded_at, m.actor, m.seal, m.location,
    m.hash, m.seal_found, m.reason
from specimen s join custody_move m on m.specimen_id = s.id and m.seq = s.moves
where s.id = any($1::uuid[])
"""
_RECEIVED = """
update shipment set received_at = $2, received_by = $3, seal_found = $4, seal_intact = $5
where id = $1 and received_at is null
"""
_OUTCOME = """
update shipment_item set outcome = $3, changed_at = $4
where shipment_id = $1 and specimen_id = any($2::uuid[]) and outcome <> $3
returning specimen_id
"""
_ADD_EXTRAS = """
insert into shipment_extra (shipment_id, barcode, region_code, seen_at)
select $1, extra, $2, $3 from unnest($4::text[]) as extra
on conflict do nothing returning barcode
"""
_EXTRAS = "select barcode from shipment_extra where shipment_id = $1 order by barcode limit 1000"


async def lock_with_barcodes(conn: asyncpg.Connection, barcodes: Sequence[str]) -> list[SpecimenRow]:
    """The visible specimens under some labels, locked in one order, so that two lists never wait in a circle."""
    records = await conn.fetch(_LOCK_BY_BARCODE, list(barcodes))
    return [SpecimenRow.model_validate(dict(r)) for r in records]


async def lock_listed(conn: asyncpg.Connection, shipment_id: UUID) -> dict[UUID, SpecimenRow]:
    """The specimens of a list, locked in the same order."""
    records = await conn.fetch(_LOCK_LISTED, shipment_id)
    return {r["id"]: SpecimenRow.model_validate(dict(r)) for r in records}


async def on_their_way(conn: asyncpg.Connection, specimen_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Which of some specimens are in a box already, with the box's seal."""
    return {r["specimen_id"]: r["seal"] for r in await conn.fetch(_ON_ITS_WAY, list(specimen_ids))}


async def add_shipment(conn: asyncpg.Connection, row: ShipmentRow, specimen_ids: Sequence[UUID]) -> bool:
    """Add a shipment with its list; False if a box bore this seal before."""
    place = row.sent_from, row.laboratory
    added = await conn.execute(
        _ADD, row.id, row.region_code, row.exercise, row.seal, *place, row.sent_at, row.sent_by
    )
    if added != "INSERT 0 1":
        return False
    await conn.execute(_ADD_ITEMS, row.id, row.region_code, row.sent_at, list(specimen_ids))
    return True


async def shipment_under_seal(conn: asyncpg.Connection, region_code: str, seal: str) -> ShipmentRow | None:
    """The shipment whose box bears a seal."""
    record = await conn.fetchrow(_BY_SEAL, region_code, seal)
    return ShipmentRow.model_validate(dict(record)) if record else None


async def shipment(conn: asyncpg.Connection, shipment_id: UUID, *, lock: bool = False) -> ShipmentRow | None:
    """One shipment, if it is visible."""
    record = await conn.fetchrow(_LOCK if lock else _BY_ID, shipment_id)
    return ShipmentRow.model_validate(dict(record)) if record else None


async def shipments(conn: asyncpg.Connection, limit: int, *, open_only: bool) -> list[ShipmentRow]:
    """Shipments: the open ones first, those on their way longest at the top."""
    return [ShipmentRow.model_validate(dict(r)) for r in await conn.fetch(_RECENT, open_only, limit)]


async def items_of(conn: asyncpg.Connection, shipment_id: UUID) -> list[ItemRow]:
    """The list of a shipment."""
    return [ItemRow.model_validate(dict(r)) for r in await conn.fetch(_ITEMS, shipment_id)]


async def last_links(conn: asyncpg.Connection, specimen_ids: Sequence[UUID]) -> dict[UUID, Link]:
    """The end of the chain of some specimens, which are locked."""
    found = {}
    for record in await conn.fetch(_LAST_LINKS, list(specimen_ids)):
        fields = dict(record)
        specimen_id, stored = fields.pop("specimen_id"), fields.pop("hash")
        found[specimen_id] = Link(Move(**fields), stored)
    return found


async def remember_received(conn: asyncpg.Connection, row: ShipmentRow) -> None:
    """Keep how a box was found; only the first opening counts."""
    found = row.received_at, row.received_by, row.seal_found, row.seal_intact
    await conn.execute(_RECEIVED, row.id, *found)


async def set_outcomes(
    conn: asyncpg.Connection, shipment_id: UUID, outcomes: Mapping[UUID, Outcome], now: datetime
) -> dict[UUID, Outcome]:
    """Keep what became of the specimens of a list; returns those for whom that is news."""
    changed: dict[UUID, Outcome] = {}
    for outcome in sorted(set(outcomes.values())):
        ids = [each for each, became in outcomes.items() if became == outcome]
        records = await conn.fetch(_OUTCOME, shipment_id, ids, outcome, now)
        changed |= {record["specimen_id"]: outcome for record in records}
    return changed


async def add_extras(
    conn: asyncpg.Connection, row: ShipmentRow, barcodes: Sequence[str], now: datetime
) -> list[str]:
    """Keep what was in a box and not on its list; returns what is new."""
    records = await conn.fetch(_ADD_EXTRAS, row.id, row.region_code, now, list(barcodes))
    return [record["barcode"] for record in records]


async def extras_of(conn: asyncpg.Connection, shipment_id: UUID) -> list[str]:
    """What was in a box and not on its list, 1,000 at most."""
    return [record["barcode"] for record in await conn.fetch(_EXTRAS, shipment_id)]
