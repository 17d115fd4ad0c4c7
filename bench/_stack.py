"""What the benches stand on: everything started as `guitu demo` does, on ephemeral data, and watched from outside."""

from __future__ import annotations

import asyncio
import csv
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4, uuid5

import aiohttp
import asyncpg
from aiokafka import AIOKafkaConsumer

from demo.stack import seed_yunyang, settings_of
from guitu import auth
from guitu.embedded.ports import next_free_port
from guitu.settings import Settings
from guitu.supervisor.system import System
from notifications.directory import ContactRow, SiteRow

COACH_CENTRE = (108.706, 30.93)
WAIT_S = 60.0
_NAMES = UUID("5b0c5c4e-54a1-5c0f-9a51-0d1f0a0000ff")


class TooSlow(Exception):
    """Something awaited did not come within its bound; says what."""


@contextmanager
def running(directory: Path | None = None, **extra_env: str) -> Iterator[tuple[System, Settings]]:
    """Start broker, database, simulator and services with the county's network and a directory of sites."""
    base = next_free_port(26_000, span=4_000)
    env = {"GUITU_LOG_LEVEL": "warning"} | extra_env
    system = System(ephemeral=True, port_base=base, extra_env=env, show_logs=False)
    try:
        system.start()
        settings = settings_of(system.env)
        asyncio.run(seed_yunyang(settings, sites=directory))
        yield system, settings
    finally:
        system.stop()


def write_directory(folder: Path, sites: int) -> Path:
    """A directory of so many hotels around the county seat, a phone each; every number is reserved for fiction.

    +1 NXX 555 01XX: 100 numbers an area code, so at most 80,000 sites.
    """
    assert sites <= 80_000, "The reserved range ends there."
    with (folder / "sites.csv").open("w") as file, (folder / "contacts.csv").open("w") as contacts:
        site_rows, contact_rows = csv.writer(file), csv.writer(contacts)
        site_rows.writerow(SiteRow.model_fields)
        contact_rows.writerow(ContactRow.model_fields)
        for n in range(sites):
            site, contact = uuid5(_NAMES, f"site {n}"), uuid5(_NAMES, f"contact {n}")
            phone = f"+1{200 + n // 100}55501{n % 100:02}"
            lon, lat = COACH_CENTRE[0] + n % 100 * 0.001, COACH_CENTRE[1] + n // 100 % 100 * 0.001
            place = ["hotel", f"测试宾馆{n}", f"Bench hotel {n}", "500235001", lon, lat, "500235", 1]
            site_rows.writerow([site, *place])
            contact_rows.writerow([contact, site, "", "值班", "on_duty", phone, "zh", 1, 1, 0, 0, 1, "", ""])
    return folder


@dataclass(frozen=True)
class Filed:
    """A report as its sender saw it; times are `perf_counter` seconds, `answered_at` is the wall clock's."""

    case_id: str
    code: str
    posted_s: float
    answered_s: float
    answered_at: float


class Desk:
    """The operator's desk, with a client that costs little itself."""

    def __init__(self, http: aiohttp.ClientSession, system: System, settings: Settings) -> None:
        token = auth.mint(settings, "bench", "operator", "500235", datetime.now(UTC), timedelta(hours=12))
        self._headers = {"Authorization": f"Bearer {token}"}
        self._http, self._urls = http, system.urls

    async def files(self, lon: float = COACH_CENTRE[0], lat: float = COACH_CENTRE[1], **more: Any) -> Filed:
        """File one report. Raises: AssertionError if it is refused."""
        body = {
            "last_seen_place": {"lon": lon, "lat": lat, "name": "云阳客运中心"},
            "last_seen_at": (datetime.now(UTC) - timedelta(minutes=15)).isoformat(),
            "sex": "female",
            "age_years": 6,
            "appearance": "红色羽绒服,蓝色书包",
        } | more
        headers = self._headers | {"Idempotency-Key": str(uuid4())}
        posted_s = time.perf_counter()
        async with self._http.post(f"{self._urls['alerts']}/reports", json=body, headers=headers) as answer:
            found = await answer.json()
            answered_s, answered_at = time.perf_counter(), time.time()
            assert 201 == answer.status, found
        return Filed(found["case_id"], found["case_code"], posted_s, answered_s, answered_at)

    async def stands_down(self, filed: Filed) -> None:
        """End the case."""
        url = f"{self._urls['alerts']}/cases/{filed.case_id}/stand-down"
        async with self._http.post(url, json={"outcome": "found"}, headers=self._headers) as answer:
            assert 200 == answer.status, await answer.text()

    async def texts(self, filed: Filed, at_least: int = 1) -> list[dict[str, Any]]:
        """The SMS about a case that the provider accepted, once there are so many."""
        query = {"containing": filed.code, "at_least": at_least, "wait_s": 30, "limit": 100_000}
        url = f"{self._urls['sms-simulator']}/simulator/messages"
        async with self._http.get(url, params=query) as answer:
            return list((await answer.json())["messages"])

    async def simulator(self, method: str, path: str, **body: Any) -> Any:
        """Ask or change the simulator."""
        url = f"{self._urls['sms-simulator']}/simulator/{path}"
        async with self._http.request(method, url, **({"json": body} if body else {})) as answer:
            assert answer.ok, await answer.text()
            return await answer.json()


@asynccontextmanager
async def open_desk(system: System, settings: Settings) -> AsyncIterator[Desk]:
    """Yield a desk whose connections close afterwards."""
    connector = aiohttp.TCPConnector(limit=64)
    async with aiohttp.ClientSession(connector=connector) as http:
        yield Desk(http, system, settings)


class Arrivals:
    """When the first fact of a type came for a case, by a reader of the topics who belongs to nobody."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], float] = {}
        self._news = asyncio.Condition()

    async def read(self, consumer: AIOKafkaConsumer) -> None:
        """Read until cancelled."""
        async for message in consumer:
            headers = dict(message.headers)
            key = (headers.get("ce_subject", b"").decode(), headers.get("ce_type", b"").decode())
            if key not in self._first:
                self._first[key] = time.perf_counter()
                async with self._news:
                    self._news.notify_all()

    async def first(self, case_id: str, type_: str) -> float:
        """The `perf_counter` second of the first one. Raises: TooSlow."""
        try:
            async with asyncio.timeout(WAIT_S), self._news:
                await self._news.wait_for(lambda: (case_id, type_) in self._first)
        except TimeoutError:
            raise TooSlow(f"No {type_} of case {case_id} within {WAIT_S:g} s.") from None
        return self._first[case_id, type_]


@asynccontextmanager
async def open_arrivals(settings: Settings, *topics: str) -> AsyncIterator[Arrivals]:
    """Read topics from now on."""
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=settings.kafka, auto_offset_reset="latest")
    await consumer.start()
    await consumer.seek_to_end()
    arrivals = Arrivals()
    task = asyncio.create_task(arrivals.read(consumer))
    try:
        yield arrivals
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await consumer.stop()


async def until(
    conn: asyncpg.Connection, sql: str, *values: Any, pause_s: float = 0.001, bound_s: float = WAIT_S
) -> float:
    """Ask until the answer is true; returns the `perf_counter` second of it. Raises: TooSlow."""
    end = time.perf_counter() + bound_s
    while not await conn.fetchval(sql, *values):
        if time.perf_counter() > end:
            raise TooSlow(f"Not within {bound_s:g} s: {sql}")
        await asyncio.sleep(pause_s)
    return time.perf_counter()


def ms(pairs: Sequence[tuple[float, float]]) -> list[float]:
    """Milliseconds from the first to the second of each pair."""
    return [(end - begin) * 1000 for begin, end in pairs]
