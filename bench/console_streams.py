"""How fast a fact on Kafka reaches every open board: 50 streams, 50 facts a second, through fold, hub and HTTP.

Measured from the producer's send to the moment a client has read the patch that carries the fact's line of the
timeline; what a browser adds is measured by the bench `console`. The ceiling is one bare hop in the same run: produce
and consume by aiokafka alone, at the same rate. Changes of 100 ms are one patch, so half of that is our own choice.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from _figures import Figure, percentile, show
from _stack import open_desk, running, until
from contracts import wire
from contracts.base import EventId, Fact
from contracts.order import OrderAccepted
from guitu import auth
from guitu.settings import Settings

KNOWN = "select 1 from console.case_line where case_id = $1::text::uuid and body is not null"
RATE_PER_S = 50
STREAMS = 50
ORDERS = 200
SETTLE_S = 5.0


class Board:
    """One open stream and when each line of the timeline came."""

    def __init__(self) -> None:
        self.came_s: dict[str, float] = {}
        self.doubled = 0
        self.bytes = 0

    async def read(self, answer: aiohttp.ClientResponse) -> None:
        """Read until the stream ends."""
        async for line in answer.content:
            self.bytes += len(line)
            if not line.startswith(b'data: {"seq"'):
                continue
            came_s = time.perf_counter()
            for told in json.loads(line[6:]).get("timeline", ()):
                self.doubled += told["key"] in self.came_s
                self.came_s.setdefault(told["key"], came_s)


@asynccontextmanager
async def open_boards(url: str, token: str, case_id: str, many: int) -> AsyncIterator[list[Board]]:
    """So many streams of one case, each a connection of its own, of one person's session."""
    # Patches of hundreds of rows are longer lines than aiohttp reads by default.
    connector, jar = aiohttp.TCPConnector(limit=many + 4), aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=jar, read_bufsize=2**22, timeout=aiohttp.ClientTimeout(total=None)
    ) as http:
        form, origin = {"token": token, "to": "/cases"}, {"Origin": url}
        async with http.post(f"{url}/login", data=form, headers=origin, allow_redirects=False) as answer:
            assert 303 == answer.status, await answer.text()
        boards, tasks, answers = [], [], []
        for _ in range(many):
            answer = await http.get(f"{url}/cases/{case_id}/live?after=0")
            assert 200 == answer.status, await answer.text()
            boards.append(Board())
            answers.append(answer)
            tasks.append(asyncio.create_task(boards[-1].read(answer)))
        try:
            yield boards
        finally:
            for task, answer in zip(tasks, answers, strict=True):
                task.cancel()
                answer.close()
            await asyncio.gather(*tasks, return_exceptions=True)


def some_facts(case_id: str, region: str, many: int) -> list[Fact]:
    """Answers of units that nobody has ordered: the board shows them, and nobody plans because of them."""
    orders = [(uuid4(), uuid4()) for _ in range(ORDERS)]
    return [
        OrderAccepted(
            region_code=region,
            occurred_at=datetime.now(UTC),
            case_id=UUID(case_id),  # type: ignore[arg-type]
            order_id=orders[n % ORDERS][0],  # type: ignore[arg-type]
            unit_id=orders[n % ORDERS][1],  # type: ignore[arg-type]
        )
        for n in range(many)
    ]


async def send(settings: Settings, facts: Sequence[Fact]) -> dict[str, float]:
    """Open loop: a fact every 20 ms whatever happens; returns when each was sent, by its event id."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka, acks="all", linger_ms=0)
    await producer.start()
    sent_s: dict[str, float] = {}
    begin, waiting = time.perf_counter(), []
    for n, fact in enumerate(facts):
        await asyncio.sleep(max(0.0, begin + n / RATE_PER_S - time.perf_counter()))
        message = wire.encode(fact, EventId(uuid4()), "guitu/bench")
        sent_s[str(message.event_id)] = time.perf_counter()
        waiting.append(
            await producer.send(
                message.topic, message.value, key=message.key.encode(), headers=message.headers
            )
        )
    await asyncio.gather(*waiting)
    await producer.stop()
    return sent_s


async def bare_hop(settings: Settings, many: int) -> list[float]:
    """Milliseconds of produce and consume alone, at the same rate."""
    topic, came_s = "guitu.dna.dlq", {}
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=settings.kafka, auto_offset_reset="latest")
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka, acks="all", linger_ms=0)
    await consumer.start()
    await producer.start()
    await consumer.seek_to_end()

    async def read() -> None:
        while len(came_s) < many:
            message: Any = await consumer.getone()
            came_s[message.value] = time.perf_counter()

    reading = asyncio.create_task(read())
    begin, sent_s = time.perf_counter(), {}
    for n in range(many):
        await asyncio.sleep(max(0.0, begin + n / RATE_PER_S - time.perf_counter()))
        value = str(n).encode()
        sent_s[value] = time.perf_counter()
        await producer.send(topic, value)
    await asyncio.wait_for(reading, 30)
    await producer.stop()
    await consumer.stop()
    return [(came_s[value] - sent_s[value]) * 1000 for value in sent_s]


async def measure(system: Any, settings: Settings, seconds: float, streams: int) -> dict[str, Figure]:
    """The figures, and that every stream had every fact once."""
    many, url = int(seconds * RATE_PER_S), system.urls["console"]
    token = auth.mint(settings, "bench", "operator", "500235", datetime.now(UTC), timedelta(hours=1))
    conn = await asyncpg.connect(settings.database_url)
    hop_ms = await bare_hop(settings, many // 2)
    async with open_desk(system, settings) as desk:
        filed = await desk.files()
        await until(conn, KNOWN, filed.case_id)
        await asyncio.sleep(SETTLE_S)  # The case's own orders and notices go past first.
        async with open_boards(url, token, filed.case_id, streams) as boards:
            sent_s = await send(settings, some_facts(filed.case_id, "500235", many))
            await _all_there(boards, set(sent_s))
    await conn.close()
    took_ms = [(board.came_s[key] - at_s) * 1000 for board in boards for key, at_s in sent_s.items()]
    per_s = sum(board.bytes for board in boards) / len(boards) / seconds
    return {
        "stream_ms_p50": Figure(percentile(took_ms, 0.5), "ms", None, percentile(hop_ms, 0.5)),
        "stream_ms_p95": Figure(percentile(took_ms, 0.95), "ms", 400, percentile(hop_ms, 0.95)),
        "stream_ms_p99": Figure(percentile(took_ms, 0.99), "ms", 1000, percentile(hop_ms, 0.99)),
        "stream_kb_per_s": Figure(per_s / 1000, "kB/s"),
        "facts_lost": Figure(sum(len(set(sent_s) - set(board.came_s)) for board in boards), "facts", 0),
        "facts_doubled": Figure(sum(board.doubled for board in boards), "facts", 0),
    }


async def _all_there(boards: Sequence[Board], keys: set[str]) -> None:
    """Wait until every stream had every fact, 20 s at most; who lacks some then has lost them."""
    for _ in range(200):
        if all(keys <= set(board.came_s) for board in boards):
            return
        await asyncio.sleep(0.1)


def main() -> None:
    """50 streams at 50 facts a second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10 s instead of 30 s")
    parser.add_argument("--streams", type=int, default=STREAMS, help="how many open boards")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args()
    with running() as (system, settings):
        seconds = 10.0 if options.quick else 30.0
        figures = asyncio.run(measure(system, settings, seconds, options.streams))
    show("console_streams", figures, as_json=options.json)


if __name__ == "__main__":
    main()
