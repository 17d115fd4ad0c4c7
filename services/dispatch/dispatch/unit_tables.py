"""Import of a county's units from a file: every row is checked before any is written, and open cases plan again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from contracts.base import UnitId
from dispatch import store, store_live, store_network, store_units
from dispatch.domain.rows import UnitRow
from dispatch.importing.problems import NetworkFileError, Where, problem
from dispatch.importing.unit_files import FILE
from dispatch.models import UnitNow
from guitu.tx import Tx

IDS_SHOWN_MAX = 200
NEW_UNITS = "警力表已更新。The table of units has changed."
"""Why open cases are planned again after an import."""


@dataclass(frozen=True)
class UnitsChange:
    """What an import does to the table."""

    added: tuple[UUID, ...]
    changed: tuple[UUID, ...]
    unchanged: int
    retired: tuple[UUID, ...] = ()

    @property
    def is_news(self) -> bool:
        """Anything is different afterwards."""
        return bool(self.added or self.changed or self.retired)

    def counts(self) -> dict[str, int]:
        """How many rows of each."""
        return {
            "added": len(self.added),
            "changed": len(self.changed),
            "unchanged": self.unchanged,
            "retired": len(self.retired),
        }


async def import_units(
    tx: Tx, region_code: str, units: Sequence[UnitRow], *, replace: bool
) -> tuple[UnitsChange, int]:
    """Write what the file says; how many open cases are planned again because of it.

    With `replace`, units that the file no longer has are planned with no more; one with an open order can't be left
    out. The caller decides whether the transaction is kept: a dry run does all of it and takes it back.
    Raises: NetworkFileError, with nothing changed.
    """
    await store.lock_region(tx.conn, region_code)
    before = {one.row.unit_id: one for one in await store.units(tx.conn, region_code)}
    change = _compared(units, before)
    written = {*change.added, *change.changed}
    await store_network.add_or_change_units(tx.conn, [unit for unit in units if unit.unit_id in written])
    if replace:
        change = await _replaced(tx.conn, region_code, units, before, change)
    if not change.is_news:
        return change, 0
    tx.audit("units.imported", region_code=region_code, replace=replace, counts=change.counts())
    return change, await store_live.wish_replans(tx.conn, region_code, NEW_UNITS, tx.now)


def _compared(units: Sequence[UnitRow], before: Mapping[UnitId, UnitNow]) -> UnitsChange:
    added = tuple(unit.unit_id for unit in units if unit.unit_id not in before)
    known = [unit for unit in units if unit.unit_id in before]
    changed = tuple(unit.unit_id for unit in known if before[unit.unit_id].row != unit)
    return UnitsChange(added, changed, len(known) - len(changed))


async def _replaced(
    conn: asyncpg.Connection,
    region_code: str,
    units: Sequence[UnitRow],
    before: Mapping[UnitId, UnitNow],
    change: UnitsChange,
) -> UnitsChange:
    kept = {unit.unit_id for unit in units}
    busy = [one.row.code for key, one in before.items() if key not in kept and one.busy_order_id is not None]
    if busy:
        raise NetworkFileError([problem("unit_busy", Where(FILE), unit=code) for code in busy])
    retired = await store_units.retire_all_but(conn, region_code, kept)
    return UnitsChange(change.added, change.changed, change.unchanged, tuple(retired))
