"""The network versions of a region: bringing one in, going back to an earlier one; each with an audit row."""

from __future__ import annotations

from datetime import datetime

import asyncpg

from dispatch import store, store_network
from dispatch.importing.assembling import NetworkFiles
from dispatch.importing.problems import NetworkFileError, Where, problem
from dispatch.models import NetworkVersion
from dispatch.seed import check_units, region_of, store_files
from guitu import audit
from guitu.clock import Ids

VERSIONS_MAX = 500


class _OnlyTried(Exception):
    """Takes a dry run's transaction back."""


async def import_version(
    conn: asyncpg.Connection,
    region: str,
    files: NetworkFiles,
    now: datetime,
    imported_by: str,
    *,
    dry_run: bool = False,
) -> bool:
    """Make these files the network that the region plans with, in one transaction; True if the version is new.

    A dry run does all of it and takes it back. Raises: NetworkFileError, with nothing changed.
    """
    if files.units and region_of(files.units) != region:
        raise NetworkFileError([problem("regions", Where("units.csv"), found=region_of(files.units))])
    is_new = False
    try:
        async with conn.transaction():
            is_new = await store_files(conn, region, files, now, imported_by)
            about: dict[str, object] = {"version": files.version, "source_kind": files.about.source_kind}
            about |= {"schematic": files.about.schematic, "is_new": is_new}
            await _audit(conn, now, imported_by, "network.imported", region, about)
            if dry_run:
                raise _OnlyTried
    except _OnlyTried:
        pass
    return is_new


async def use_version(
    conn: asyncpg.Connection, region: str, version: str, now: datetime, by: str
) -> NetworkVersion:
    """Plan with an earlier version from now on; plans that were made keep the name of theirs.

    Raises: NetworkFileError, if the region never had it or its units have no base on it.
    """
    async with conn.transaction():
        await store.lock_region(conn, region)
        if await store_network.one_version(conn, region, version) is None:
            values = {"version": version, "region": region}
            raise NetworkFileError([problem("version_unknown", Where("network"), **values)])
        await check_units(conn, region, version)
        await store_network.use_version(conn, region, version)
        await _audit(conn, now, by, "network.switched", region, {"version": version})
        found = await store_network.one_version(conn, region, version)
    assert found is not None, "A locked region's version does not go away."
    return found


async def _audit(
    conn: asyncpg.Connection, now: datetime, by: str, action: str, region: str, details: dict[str, object]
) -> None:
    row = audit.Row(Ids().new(), now, by, action, None, {"region_code": region, **details})
    await audit.insert(conn, [row])
