"""Rubbish on each topic that the console reads: the picture goes on without it, and says that it is without it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI

from console.live.age import age_of
from console.projection.agents import READ
from console.service import SERVICE
from contracts import wire
from contracts.base import EventId
from guitu.embedded.node import Node
from guitu.migrate import migrate_now
from guitu.service import Runtime, running
from guitu.topics import ensure_topics
from harness import ground
from harness.console_stories import CaseStory
from harness.ground import START, until

KEY = b"one-partition"


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    """A node of this test's own: what it leaves on the topics is rubbish to whoever reads them from the beginning."""
    with Node(ephemeral=True, outside={}) as running:
        yield running


@pytest_asyncio.fixture(scope="module")
async def console(node: Node) -> AsyncIterator[Runtime]:
    """The console's own reader on a real broker."""
    settings = ground.settings_for(node.env)
    await asyncio.to_thread(migrate_now, settings.database_url, ("console",))
    await ensure_topics(settings)
    await ground.truncate(settings.database_url, "console")
    async with running(SERVICE, settings, 0, FastAPI()) as runtime:
        yield runtime


@pytest.mark.timeout(120)
async def test_rubbish_on_every_topic_is_set_aside_and_the_picture_says_so(console: Runtime) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=console.settings.kafka)
    await producer.start()
    good = wire.encode(CaseStory(START).raised(), EventId(uuid4()), "guitu/test")
    sent = 0
    for topic in READ:
        type_ = topic.facts[0].type_.encode()
        for kind, body in (
            (type_.replace(b".v1", b".v9"), b"{}"),
            (b"guitu.report.filed.v1", b"{}"),
            (b"\xff\xfe", b"{}"),
            (type_, b"\xff\xfe{}"),
            (type_, b"[" * 5_000),
            (type_, b'{"note": "' + b"x" * wire.BODY_BYTES_MAX + b'"}'),
            (type_, None),
        ):
            headers = [("ce_id", str(uuid4()).encode()), ("ce_type", kind), ("x", None)]
            await producer.send_and_wait(topic.name, body, key=KEY, headers=headers)
            sent += 1
    await producer.send_and_wait(good.topic, good.value, key=KEY, headers=good.headers)
    await producer.stop()

    assert await until(console, "select count(*) from case_line"), "It stands still behind rubbish."
    assert await until(console, "select count(*) from dead_letter having count(*) >= $1", sent)
    assert sent == (await age_of(console)).shown()["set_aside"]
