"""A county small enough to flow through a thousand times: short rings, few units, hotels some kilometres apart.

Yunyang's own directory has 109 sites in the first ring, so a thousand reports would be 110,000 SMS. Here the rings
are 8 and 16 km and 20 sites lie about 9 km apart, so that a report concerns two or three of them, each case others,
and 14 of the county's 54 units are on duty, so that cases compete for them. Network, places and exits are Yunyang's.
"""

from __future__ import annotations

import asyncio
import csv
import random
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid5

import dispatch.seed
import notifications.seed
from dispatch.network_files import YUNYANG as NETWORK
from guitu.embedded.ports import free_port, next_free_port
from guitu.pg import open_pool
from guitu.settings import Settings
from guitu.supervisor.system import System
from harness import ground
from harness.chaos.proxy import Proxy, open_proxy
from notifications.directory import SiteRow
from notifications.seed import YUNYANG as DIRECTORY

_NAMES = UUID("5b0c5c4e-54a1-5c0f-9a51-0d1f0a00c4a0")
RINGS_KM = (8.0, 16.0)
COLUMNS, ROWS = 5, 4
EVERY_NTH_UNIT = 4
SITE_HEAD = list(SiteRow.model_fields)
ENV = {
    "GUITU_LOG_LEVEL": "warning",
    "GUITU_PARTITIONS": "4",
    "GUITU_RING_RADII_KM": str(list(RINGS_KM)),
    # A unit that nobody answers for is overdue within the run.
    "GUITU_ORDER_RESPOND_S": "40",
    # The grace before an unknown outcome is looked up is timeout + lag + 5 s; shorter than the defaults' 20 s.
    "GUITU_SMS_TIMEOUT_S": "3",
    "GUITU_SMS_VISIBILITY_LAG_S": "3",
    # Hundreds of cases are open at once, as no county has them: each plan is looked at again, on few routes.
    "GUITU_SECOND_LOOK_ROUTES": "50",
    "GUITU_SECOND_LOOK_EVERY_MIN": "0",
}


@dataclass(frozen=True)
class Area:
    """A box of WGS-84 degrees."""

    west: float
    south: float
    east: float
    north: float


AREA = Area(108.50, 30.75, 108.97, 31.08)
"""45 by 37 km around the county seat."""


@dataclass(frozen=True)
class County:
    """What runs; `proxy` stands between services and broker."""

    system: System
    settings: Settings
    proxy: Proxy

    @property
    def journal(self) -> Path:
        """Where the SMS simulator writes down what it accepted."""
        return self.system.node.data_dir / "sms-simulator" / "journal.jsonl"

    @property
    def broker(self) -> str:
        """The broker's own address, which no partition touches."""
        assert self.system.node.kafka, "The broker is ours, since it is to be killed."
        return self.system.node.kafka.bootstrap


@asynccontextmanager
async def open_county() -> AsyncIterator[County]:
    """Start proxy, broker, database, simulator and all services on data of their own; end them all."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        behind = free_port()
        proxy = await stack.enter_async_context(open_proxy(behind))
        env = ENV | {"GUITU_KAFKA": proxy.address}
        base = next_free_port(28_000, span=2_000)
        system = System(ephemeral=True, port_base=base, proxy_port=proxy.port, extra_env=env, show_logs=False)
        assert system.node.kafka, "GUITU_KAFKA must not be set: these tests kill the broker."
        system.node.kafka.proxied_port = behind
        stack.push_async_callback(asyncio.to_thread, system.stop)
        await asyncio.to_thread(system.start)
        settings = ground.settings_for(system.env)
        await _seed(settings, folder)
        yield County(system, settings, proxy)


async def _seed(settings: Settings, folder: Path) -> None:
    units = _write_network(folder / "network")
    _write_directory(folder / "directory", units)
    await dispatch.seed.seed(settings.database_url, folder / "network")
    pool = await open_pool(settings.database_url, "notifications", size=1)
    try:
        await notifications.seed.seed(pool, folder / "directory")
    finally:
        await pool.close()


def _write_network(folder: Path) -> set[str]:
    """Yunyang's network with fewer units; returns their ids."""
    shutil.copytree(NETWORK, folder)
    with (folder / "units.csv").open(newline="", encoding="utf-8") as lines:
        head, *rows = csv.reader(lines)
    kept = rows[::EVERY_NTH_UNIT]
    with (folder / "units.csv").open("w", newline="", encoding="utf-8") as lines:
        csv.writer(lines).writerows([head, *kept])
    return {row[head.index("unit_id")] for row in kept}


def _write_directory(folder: Path, units: set[str]) -> None:
    """Hotels on a crooked grid with a phone each, and the units' own phones; all numbers are for fiction."""
    folder.mkdir()
    with (DIRECTORY / "contacts.csv").open(newline="", encoding="utf-8-sig") as lines:
        head, *rows = csv.reader(lines)
    contacts = [row for row in rows if row[head.index("unit_id")] in units]
    sites, rng = [], random.Random(1)
    for n in range(COLUMNS * ROWS):
        lon = AREA.west + (n % COLUMNS + rng.uniform(0.2, 0.8)) * (AREA.east - AREA.west) / COLUMNS
        lat = AREA.south + (n // COLUMNS + rng.uniform(0.2, 0.8)) * (AREA.north - AREA.south) / ROWS
        site, contact = uuid5(_NAMES, f"site {n}"), uuid5(_NAMES, f"contact {n}")
        names = [f"测试宾馆{n}", f"Test hotel {n}"]
        sites.append([str(site), "hotel", *names, "500235001", f"{lon:.6f}", f"{lat:.6f}", "500235", "1"])
        phone = f"+1{201 + n // 100}55501{n % 100:02}"
        contacts.append([str(contact), str(site), "", "值班", "on_duty", phone, "zh", *"11001"])
    for name, table in (("sites.csv", [SITE_HEAD, *sites]), ("contacts.csv", [head, *contacts])):
        with (folder / name).open("w", newline="", encoding="utf-8") as lines:
            csv.writer(lines).writerows(table)
