"""Import of the directory: every row is checked before any is written, and the answer says what changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from guitu.tx import Tx
from notifications import store_directory
from notifications.directory import Directory, DirectoryRefused, Found, Known, misfits
from notifications.store_directory import Row, Stored

IDS_SHOWN_MAX = 200


@dataclass(frozen=True)
class Change:
    """What an import does to one table."""

    added: list[UUID]
    changed: list[UUID]
    unchanged: int
    retired: list[UUID]

    def counts(self) -> dict[str, int]:
        """How many rows of each."""
        added, changed, retired = (len(ids) for ids in (self.added, self.changed, self.retired))
        return {"added": added, "changed": changed, "unchanged": self.unchanged, "retired": retired}

    def shown(self) -> dict[str, Any]:
        """The counts, with the first ids of what an administrator would look up."""
        return self.counts() | {
            "changed_ids": self.changed[:IDS_SHOWN_MAX],
            "retired_ids": self.retired[:IDS_SHOWN_MAX],
        }


async def import_directory(
    tx: Tx, found: Found, stored: Stored, *, region: str, home_region: str, replace: bool = False
) -> dict[str, Change]:
    """Write what the files say; with `replace`, what a given file no longer has is retired.

    `region` is the caller's (`*` for every one), `home_region` that of units' contacts and of what `replace`
    retires. The caller decides whether the transaction is kept: a dry run does all of it and takes it back.
    Raises: DirectoryRefused, with every bad row, before anything is changed.
    """
    errors = [*found.errors, *misfits(found, _known(stored, found, region, home_region if replace else ""))]
    if errors:
        raise DirectoryRefused(errors)
    directory, known = found.directory, {key: row["region_code"] for key, row in stored.sites.items()}
    changes = _compared(directory, stored, known, home_region)
    await store_directory.put(tx.conn, _only(directory, changes), home_region, known | _regions(directory))
    if replace:
        await _retire(tx, found, changes, home_region)
    if any(change.added or change.changed or change.retired for change in changes.values()):
        tx.audit("directory.imported", replace=replace, counts={t: c.counts() for t, c in changes.items()})
    return changes


def _known(stored: Stored, found: Found, region: str, replaced: str) -> Known:
    """With `replaced`, sites of that region that the files leave out are about to be retired: nobody may name them."""
    goes = found.sites.given and bool(replaced)
    in_use = frozenset(
        key
        for key, row in stored.sites.items()
        if row["retired_at"] is None
        and region in ("*", row["region_code"])
        and not (goes and row["region_code"] == replaced)
    )
    return Known(
        region,
        {key: row["region_code"] for key, row in stored.sites.items()},
        {key: row["region_code"] for key, row in stored.contacts.items()},
        in_use,
    )


def _regions(directory: Directory) -> dict[UUID, str]:
    return {row.site_id: row.region_code for row in directory.sites}


def _compared(
    directory: Directory, stored: Stored, known: Mapping[UUID, str], home_region: str
) -> dict[str, Change]:
    regions = store_directory.region_of_sites(directory, known)
    sites = ((row.site_id, store_directory.site_values(row)) for row in directory.sites)
    contacts = (
        (row.contact_id, store_directory.contact_values(row, regions, home_region))
        for row in directory.contacts
    )
    return {"sites": _change(sites, stored.sites), "contacts": _change(contacts, stored.contacts)}


def _change(rows: Iterable[tuple[UUID, tuple[object, ...]]], before: Mapping[UUID, Row]) -> Change:
    change = Change([], [], 0, [])
    unchanged = 0
    for key, values in rows:
        old = before.get(key)
        if old is None:
            change.added.append(key)
        elif tuple(old.values()) == (*values, None):
            unchanged += 1
        else:
            change.changed.append(key)
    return Change(change.added, change.changed, unchanged, change.retired)


def _only(directory: Directory, changes: Mapping[str, Change]) -> Directory:
    """The rows that say something new."""
    sites, contacts = ({*c.added, *c.changed} for c in (changes["sites"], changes["contacts"]))
    return Directory(
        tuple(row for row in directory.sites if row.site_id in sites),
        tuple(row for row in directory.contacts if row.contact_id in contacts),
    )


async def _retire(tx: Tx, found: Found, changes: Mapping[str, Change], region: str) -> None:
    """Only what a file was given for: contacts alone say nothing of the sites."""
    directory = found.directory
    if found.sites.given:
        kept = [row.site_id for row in directory.sites]
        changes["sites"].retired.extend(await store_directory.retire_sites(tx.conn, region, kept, tx.now))
    if found.contacts.given:
        kept = [row.contact_id for row in directory.contacts]
        changes["contacts"].retired.extend(
            await store_directory.retire_contacts(tx.conn, region, kept, tx.now)
        )
