"""How old the picture is: the newest fact that is in it, and how many wait on the broker, topic by topic.

Nothing new is no sign of age: when nothing waits, the picture is as of now; else as of its newest fact, or of when a
partition was first seen to stand still, whichever is older: news of other cases makes what it holds back no newer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse

from console.door.sessions import Visitor, visitor
from console.live import store_live
from console.projection.agents import READ
from console.projection.partitions import partitions
from console.rendering import HEADERS
from guitu.service import Runtime
from guitu.settings import Settings

GROUP = "guitu-console"
ASK_S = 3.0
KEPT_S = 3.0
"""Every page shows the age; the broker is asked once for all of them."""
Places = Mapping[TopicPartition, tuple[int, int]]
"""How far each partition is read, and how far it goes."""
SET_ASIDE_SHOWN = timedelta(days=1)
Anyone = Annotated[Visitor, Depends(visitor())]


@dataclass(frozen=True)
class Age:
    """`waiting` is None when the broker does not answer: then nobody knows what is missing."""

    at: datetime
    seq: int
    facts_at: datetime | None
    waiting: dict[str, int] | None
    stands_since: datetime | None = None
    set_aside: int = 0
    """Messages of the last day that could not be folded; however new the picture is, it is without them."""

    @property
    def as_of(self) -> datetime | None:
        """Up to when the picture is whole; None if it is empty or nobody knows."""
        if self.waiting is not None and not any(self.waiting.values()):
            return self.at
        if self.facts_at is None:
            return None
        # A fact of the future comes from a clock that is ahead; it makes the picture no newer than now.
        return min(self.facts_at, self.stands_since or self.at, self.at)

    def shown(self) -> dict[str, Any]:
        """As JSON."""
        times = {"at": self.at, "facts_at": self.facts_at, "as_of": self.as_of}
        said = {name: moment.isoformat() if moment else None for name, moment in times.items()}
        return said | {"seq": self.seq, "waiting": self.waiting, "set_aside": self.set_aside}


class Standing:
    """Which partitions have something to be read and go on with none of it, and since when."""

    def __init__(self) -> None:
        self._since: dict[TopicPartition, tuple[int, datetime]] = {}

    def look(self, places: Places, now: datetime) -> datetime | None:
        """When the first of those that stand still was first seen there; None if nothing waits."""
        before, self._since = self._since, {}
        for part, (read, end) in places.items():
            if end > read:
                known = before.get(part)
                self._since[part] = known if known and known[0] == read else (read, now)
        return min((since for _, since in self._since.values()), default=None)


class Waiting:
    """How many facts the console has not read yet, asked at most once in KEPT_S."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._asking = settings, asyncio.Lock()
        self._said: dict[str, int] | None = None
        self._standing = Standing()
        self._stands_since: datetime | None = None
        self._good_until = 0.0

    async def now(self, at: datetime) -> tuple[dict[str, int] | None, datetime | None]:
        """By topic, None if the broker does not answer; and since when a partition stands still."""
        loop = asyncio.get_running_loop()
        async with self._asking:
            if loop.time() >= self._good_until:
                try:
                    async with asyncio.timeout(ASK_S):
                        places = await places_of(self._settings)
                    self._said = by_topic(places)
                    self._stands_since = self._standing.look(places, at)
                except (KafkaError, OSError, TimeoutError):
                    self._said = None
                self._good_until = loop.time() + KEPT_S
        return self._said, self._stands_since


async def waiting_by_topic(settings: Settings) -> dict[str, int]:
    """Ask the broker. Raises: KafkaError, OSError."""
    return by_topic(await places_of(settings))


async def places_of(settings: Settings) -> Places:
    """Ask the broker how far each partition is read, and written. Raises: KafkaError, OSError."""
    async with _broker(settings) as (admin, reader):
        parts = await partitions(settings)
        ends, begins = await reader.end_offsets(parts), await reader.beginning_offsets(parts)
        known = await admin.list_consumer_group_offsets(GROUP)
    read = {part: known[part].offset if part in known else -1 for part in parts}
    return {part: (read[part] if read[part] >= 0 else begins[part], ends[part]) for part in parts}


def by_topic(places: Places) -> dict[str, int]:
    """How many facts of each topic wait."""
    waiting = {topic.name: 0 for topic in READ}
    for part, (read, end) in places.items():
        waiting[part.topic] += max(0, end - read)
    return waiting


@asynccontextmanager
async def _broker(settings: Settings) -> AsyncIterator[tuple[AIOKafkaAdminClient, AIOKafkaConsumer]]:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka, client_id="guitu-console-age")
    reader = AIOKafkaConsumer(bootstrap_servers=settings.kafka, client_id="guitu-console-age")
    try:
        await admin.start()
        await reader.start()
        yield admin, reader
    finally:
        await reader.stop()
        await admin.close()


async def age_of(runtime: Runtime) -> Age:
    """The age of this console's picture."""
    waiting: Waiting = runtime.state.setdefault("waiting", Waiting(runtime.settings))
    at = runtime.clock.now()
    async with runtime.read() as conn:
        _, seq, facts_at = await store_live.span(conn)
        aside = await store_live.set_aside(conn, at - SET_ASIDE_SHOWN)
    return Age(at, seq, facts_at, *await waiting.now(at), aside)


def age_router(runtime: Runtime) -> APIRouter:
    """GET /age, for the bar of every page."""
    router = APIRouter(include_in_schema=False)

    @router.get("/age")
    async def age(_who: Anyone) -> Response:
        """The newest fact that is shown, and what waits."""
        return JSONResponse((await age_of(runtime)).shown(), headers=HEADERS)

    return router
