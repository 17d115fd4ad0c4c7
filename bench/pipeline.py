"""Events a second through one service: outbox, relay, Kafka, Faust, inbox, effect; beside bare libraries.

The service is the toy of the tests (one effect row and one audit row an event), so this is the ground's own
cost. The ceiling is bare asyncpg + aiokafka doing the same writes in the same run, without any guarantee.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiokafka
import asyncpg
from fastapi import FastAPI

from _figures import Figure, percentile, show
from guitu.embedded.node import Node
from guitu.migrate import migrate_now
from guitu.service import Runtime, running
from guitu.settings import Settings
from guitu.topics import ensure_topics

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from harness import ground
from harness.examples import report
from toy import TOY

BATCH = 200


async def until(count: Callable[[], Awaitable[int]], wanted: int, timeout_s: float = 120) -> None:
    """Wait until `count()` reaches `wanted`. Raises: TimeoutError."""
    end = time.monotonic() + timeout_s
    while await count() < wanted:
        if time.monotonic() > end:
            raise TimeoutError(f"Only {await count()} of {wanted} effects after {timeout_s} s.")
        await asyncio.sleep(0.02)


async def ours(runtime: Runtime, events: int) -> float:
    """Seconds from the first post to the last committed effect."""

    async def seen() -> int:
        return int(await runtime.pool.fetchval("select count(*) from seen"))

    before, start = await seen(), time.perf_counter()
    for _ in range(events // BATCH):
        async with runtime.tx(actor="bench") as tx:
            for _ in range(BATCH):
                tx.publish(report())
    await until(seen, before + events)
    return time.perf_counter() - start


async def one_by_one(runtime: Runtime, count: int) -> list[float]:
    """Milliseconds from a post to its committed effect, one at a time, on an idle machine."""
    times_ms: list[float] = []
    for _ in range(count):
        fact, start = report(), time.perf_counter()
        async with runtime.tx(actor="bench") as tx:
            tx.publish(fact)
        for _ in range(5000):
            if await runtime.pool.fetchval("select count(*) from seen where report_id = $1", fact.report_id):
                break
            await asyncio.sleep(0.0005)
        times_ms.append((time.perf_counter() - start) * 1000)
        await asyncio.sleep(0.01)
    return times_ms


async def bare(settings: Settings, events: int) -> float:
    """The same rows and messages by asyncpg and aiokafka alone; seconds."""
    conn = await asyncpg.connect(settings.database_url)
    await conn.execute(
        "create table bare_out (k text, v bytea); create table bare_in (id uuid primary key, note text)"
    )
    producer = aiokafka.AIOKafkaProducer(
        bootstrap_servers=settings.kafka, acks="all", enable_idempotence=True
    )
    consumer = aiokafka.AIOKafkaConsumer(
        "guitu.dna", bootstrap_servers=settings.kafka, auto_offset_reset="earliest"
    )
    await producer.start()
    await consumer.start()
    start = time.perf_counter()
    for _ in range(events // BATCH):
        facts = [report() for _ in range(BATCH)]
        values = [fact.model_dump_json().encode() for fact in facts]
        keys = [str(fact.report_id) for fact in facts]
        await conn.execute("insert into bare_out select * from unnest($1::text[], $2::bytea[])", keys, values)
        await asyncio.gather(
            *[await producer.send("guitu.dna", v, key=k.encode()) for k, v in zip(keys, values, strict=True)]
        )
    done = 0
    while done < events:
        for batch in (await consumer.getmany(timeout_ms=200, max_records=500)).values():
            ids = [message.key.decode() for message in batch]
            await conn.execute("insert into bare_in select unnest($1::uuid[]), ''", ids)
            done += len(batch)
    seconds = time.perf_counter() - start
    await producer.stop()
    await consumer.stop()
    await conn.close()
    return seconds


async def measure(settings: Settings, events: int) -> dict[str, Figure]:
    """All figures of this bench."""
    async with running(TOY, settings, 0, FastAPI()) as runtime:
        await ours(runtime, BATCH)
        idle_ms = await one_by_one(runtime, 100)
        took_s = await ours(runtime, events)
    bare_s = await bare(settings, events)
    return {
        "events_per_s": Figure(events / took_s, "1/s", 1000, events / bare_s),
        "hop_ms_p50": Figure(percentile(idle_ms, 0.5), "ms", 10),
        "hop_ms_p99": Figure(percentile(idle_ms, 0.99), "ms", 30),
    }


def main() -> None:
    """Run on a node of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="4,000 events instead of 20,000")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args()
    with Node(ephemeral=True, outside={}) as node:
        settings = ground.settings_for(node.env, log_level="error")
        migrate_now(settings.database_url, ("toy",))
        asyncio.run(ensure_topics(settings))
        figures = asyncio.run(measure(settings, 4_000 if options.quick else 20_000))
    show("pipeline", figures, as_json=options.json)


if __name__ == "__main__":
    main()
