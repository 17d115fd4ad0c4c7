"""What the ground alone costs: outbox, relay, Kafka, Faust, inbox and one effect, by the toy service of the tests."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI

from _bare import bare_events_per_s
from _figures import Figure, percentile
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


async def _measure(settings: Settings, events: int) -> dict[str, Figure]:
    async with running(TOY, settings, 0, FastAPI()) as runtime:
        await ours(runtime, BATCH)
        idle_ms = await one_by_one(runtime, 100)
        took_s = await ours(runtime, events)
    bare = await bare_events_per_s(settings, events)
    return {
        "ground_events_per_s": Figure(events / took_s, "1/s", None, bare),
        "ground_hop_ms_p50": Figure(percentile(idle_ms, 0.5), "ms", 10),
        "ground_hop_ms_p99": Figure(percentile(idle_ms, 0.99), "ms", 30),
    }


def measure_ground(events: int) -> dict[str, Figure]:
    """Figures of the ground, on a node of its own."""
    with Node(ephemeral=True, outside={}) as node:
        settings = ground.settings_for(node.env, log_level="error")
        migrate_now(settings.database_url, ("toy",))
        asyncio.run(ensure_topics(settings))
        return asyncio.run(_measure(settings, events))
