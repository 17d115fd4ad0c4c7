"""Names of units and sites: asked of their owners with the person's token and kept for a minute a region.

Facts carry ids only. An owner that does not answer leaves its names out and is named in `missing`: the board is shown
all the same, with short ids in their place.
"""

from __future__ import annotations

import asyncio
import csv
import io
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from console.door.sessions import Visitor
from console.upstream import Upstream
from guitu.problem import Problem

KEPT_S = 60.0
AGAIN_S = 5.0
"""How soon an owner is asked again after it did not answer."""
PATIENCE_S = 1.0
"""How long anybody waits for newer names who has older ones: an owner that stands still must hold up no news."""


@dataclass(frozen=True)
class UnitEntry:
    """A unit as dispatch lists it; the position is its newest one, or None."""

    unit_id: UUID
    code: str
    name_zh: str
    name_en: str
    kind: str
    on_duty: bool
    status: str
    lon: float | None
    lat: float | None


@dataclass(frozen=True)
class SiteEntry:
    """A site as notifications lists it."""

    site_id: UUID
    category: str
    name_zh: str
    name_en: str
    township_code: str
    lon: float
    lat: float
    region_code: str


@dataclass(frozen=True)
class Directory:
    """Who is who in a region; `missing` names the owners that did not answer."""

    units: Mapping[UUID, UnitEntry] = field(default_factory=dict)
    sites: Mapping[UUID, SiteEntry] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    def name_of(self, unit_id: UUID | None, site_id: UUID | None = None) -> tuple[str, str]:
        """A unit's or site's name in Chinese and English; a short id if it is not known, nothing for nobody."""
        known = self.units.get(unit_id) if unit_id else self.sites.get(site_id) if site_id else None
        if known:
            return known.name_zh, known.name_en
        short = str(unit_id or site_id or "")[:8]
        return short, short


@dataclass
class _Shelf:
    directory: Directory
    good_until: float


_Key = tuple[str, str]
_KEPT: WeakKeyDictionary[Upstream, dict[_Key, _Shelf]] = WeakKeyDictionary()
_ASKING: WeakKeyDictionary[Upstream, dict[_Key, asyncio.Task[Directory]]] = WeakKeyDictionary()
REGIONS_MAX = 64


async def directory_of(upstream: Upstream, who: Visitor, region: str) -> Directory:
    """The names of a region, KEPT_S old or little more; `*` is every region the person may see."""
    key = (region, who.principal.region_code)
    kept = _KEPT.setdefault(upstream, {}).get(key)
    if kept and time.monotonic() < kept.good_until:
        return kept.directory
    asking = _ASKING.setdefault(upstream, {})
    asked = asking.get(key)
    if asked is None:
        asked = asking[key] = asyncio.create_task(_renew(upstream, who, key))
        asked.add_done_callback(lambda _: asking.pop(key, None))
    elif kept:
        return kept.directory
    if kept:
        await asyncio.wait({asked}, timeout=PATIENCE_S)
        return asked.result() if asked.done() else kept.directory
    # Whoever leaves must not take the answer with them: others wait for it too.
    return await asyncio.shield(asked)


async def _renew(upstream: Upstream, who: Visitor, key: _Key) -> Directory:
    """Ask the owners and keep what they say."""
    shelves = _KEPT[upstream]
    kept = shelves.get(key)
    directory = await _asked(upstream, who, key[0], kept.directory if kept else Directory())
    if len(shelves) >= REGIONS_MAX:
        shelves.clear()
    shelves[key] = _Shelf(directory, time.monotonic() + (AGAIN_S if directory.missing else KEPT_S))
    return directory


async def _asked(upstream: Upstream, who: Visitor, region: str, before: Directory) -> Directory:
    """Both owners at once; what one does not say stays as it was."""
    units, sites = await asyncio.gather(
        _units(upstream, who), _sites(upstream, who, region), return_exceptions=True
    )
    for said in (units, sites):
        if isinstance(said, BaseException) and not isinstance(said, Problem):
            raise said
    missing = tuple(
        owner
        for owner, said in (("dispatch", units), ("notifications", sites))
        if isinstance(said, BaseException)
    )
    return Directory(
        before.units if isinstance(units, BaseException) else units,
        before.sites if isinstance(sites, BaseException) else sites,
        missing,
    )


async def _units(upstream: Upstream, who: Visitor) -> dict[UUID, UnitEntry]:
    rows = await upstream.get(who, "dispatch", "/units")
    return {UUID(row["unit_id"]): _unit(row) for row in rows}


def _unit(row: dict[str, Any]) -> UnitEntry:
    names = "code", "name_zh", "name_en", "kind", "on_duty", "status", "lon", "lat"
    return UnitEntry(UUID(row["unit_id"]), *(row[name] for name in names))


async def _sites(upstream: Upstream, who: Visitor, region: str) -> dict[UUID, SiteEntry]:
    answer = await upstream.ask(who, "notifications", "GET", "/directory/export", query={"table": "sites"})
    rows = csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff")))
    entries = (_site(row) for row in rows)
    return {entry.site_id: entry for entry in entries if region in ("*", entry.region_code)}


def _site(row: dict[str, str]) -> SiteEntry:
    return SiteEntry(
        UUID(row["site_id"]),
        row["category"],
        row["name_zh"],
        row["name_en"],
        row["township_code"],
        float(row["lon"]),
        float(row["lat"]),
        row["region_code"],
    )
