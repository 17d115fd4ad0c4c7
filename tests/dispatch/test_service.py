"""Dispatch as it runs: an alert comes by the broker, orders go out by the broker, and pages open."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
from fastapi import FastAPI

from contracts.base import CaseId
from contracts.order import InterceptionOrdered
from dispatch.seed import seed
from dispatch.service import SERVICE
from guitu.embedded.node import Node
from guitu.migrate import migrate_now
from guitu.service import running
from guitu.topics import ensure_topics
from harness import ground
from harness.dispatch_stories import raised


async def test_an_alert_on_the_broker_becomes_orders_whose_pages_open(node: Node) -> None:
    settings = ground.settings_for(node.env)
    await asyncio.to_thread(migrate_now, settings.database_url, ("dispatch",))
    await ensure_topics(settings)
    await ground.truncate(settings.database_url, "dispatch")
    await seed(settings.database_url)
    app, now = FastAPI(), datetime.now(UTC)
    alert = raised(str(uuid4()), occurred_at=now, last_seen_at=now - timedelta(minutes=5))

    async with running(SERVICE, settings, 0, app) as run:
        async with run.tx(actor="test") as tx:
            tx.publish(alert)
        orders = await _orders_on_their_way(run, alert.case_id)
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://dispatch.test") as http:
            page = await http.get(orders[0].page_path)

    assert orders
    assert (page.status_code, orders[0].stop.name_zh in page.text) == (200, True)


async def _orders_on_their_way(run: ground.Runtime, case_id: CaseId) -> list[InterceptionOrdered]:
    """The case's orders once the relay has brought all of them to the broker; waits 20 s at most.

    The broker is shared: alerts of other tests are read here too.
    """
    waiting = "select count(*) from outbox where published_at is null"
    for _ in range(400):
        orders = [each for each in await ground.facts(run, InterceptionOrdered) if each.case_id == case_id]
        if orders and not await run.pool.fetchval(waiting):
            return orders
        await asyncio.sleep(0.05)
    return []
