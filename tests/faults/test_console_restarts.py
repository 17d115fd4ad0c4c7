"""Broker and database are restarted under open live pages: nothing is lost or told twice, and nobody is logged out.

A reader does what the browser does: it asks again from its last number, and reads the page anew when it is told to.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from contracts import wire
from contracts.base import EventId, Fact
from guitu.auth import Principal
from guitu.clock import Clock
from guitu.embedded.node import Node
from guitu.embedded.ports import LOOPBACK, free_port
from guitu.pg import TRANSIENT
from guitu.service import Runtime
from harness.console_door import cookies_of
from harness.console_picture import console_on, process
from harness.console_stories import CaseStory
from harness.ground import START

FACTS = 60
COMES_WITHIN_S = 90.0


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    """A node of this test's own, since its parts are restarted."""
    with Node(ephemeral=True, outside={}) as running:
        yield running


@pytest_asyncio.fixture
async def run(node: Node) -> AsyncIterator[Runtime]:
    async with console_on(node) as opened:
        opened.clock = Clock()
        yield opened


@pytest.fixture
def address(node: Node, request: pytest.FixtureRequest) -> str:
    """A console process, by where it answers."""
    port = free_port()
    process(request, node, "console", GUITU_PORT=str(port))
    return f"http://{LOOPBACK}:{port}"


@dataclass
class Page:
    """An open board as a browser keeps it: lines of its timeline, and where its stream goes on."""

    http: httpx.AsyncClient
    path: str
    seq: int = 0
    lines: Counter[str] = field(default_factory=Counter)
    cuts: int = 0
    logged_out: list[int] = field(default_factory=list)

    async def read(self) -> None:
        """Load the page anew."""
        answer = await self.http.get(f"{self.path}?whole=1", headers={"Accept": "text/html"})
        if answer.status_code in (303, 401):
            self.logged_out.append(answer.status_code)
        answer.raise_for_status()
        self.seq = int(re.findall(r'data-seq="(\d+)"', answer.text)[0])
        self.lines = Counter(re.findall(r'<li id="timeline-([0-9a-f-]+)"', answer.text))

    async def listen(self) -> None:
        """Until cancelled."""
        while True:
            with suppress(httpx.HTTPError, TimeoutError):
                await self._stream()
            self.cuts += 1
            await asyncio.sleep(0.2)

    async def _stream(self) -> None:
        async with self.http.stream("GET", f"{self.path}/live?after={self.seq}") as answer:
            if answer.status_code in (303, 401):
                self.logged_out.append(answer.status_code)
            answer.raise_for_status()
            name = ""
            async for line in answer.aiter_lines():
                kind, _, said = line.partition(": ")
                name = said if kind == "event" else name
                if kind == "data" and name == "patch":
                    self._take(json.loads(said))
                elif kind == "data" and name == "resync":
                    return await self.read()
                elif kind == "data" and name == "ended":
                    self.logged_out.append(0)

    def _take(self, patch: dict[str, object]) -> None:
        assert isinstance(patch["seq"], int)
        assert isinstance(patch["timeline"], list)
        if patch["seq"] > self.seq:
            self.seq = patch["seq"]
            self.lines.update(line["key"] for line in patch["timeline"])


async def comes(run: Runtime, sql: str, *values: object) -> None:
    """Wait until the query says true."""
    async with asyncio.timeout(COMES_WITHIN_S):
        while True:
            with suppress(*TRANSIENT):
                if await run.pool.fetchval(sql, *values):
                    return
            await asyncio.sleep(0.05)


async def answers(address: str) -> None:
    """Wait until the process takes requests."""
    async with asyncio.timeout(COMES_WITHIN_S), httpx.AsyncClient(base_url=address) as http:
        while True:
            with suppress(httpx.HTTPError):
                if (await http.get("/health/live")).status_code == 200:
                    return
            await asyncio.sleep(0.05)


async def open_producer(run: Runtime) -> AIOKafkaProducer:
    """One that has met the broker; it may be restarted in this very moment."""
    while True:
        producer = AIOKafkaProducer(bootstrap_servers=run.settings.kafka, acks="all", enable_idempotence=True)
        try:
            await producer.start()
            return producer
        except KafkaError:
            await producer.stop()
            await asyncio.sleep(0.2)


async def write(run: Runtime, facts: list[tuple[UUID, Fact]]) -> None:
    """As an owner's relay does it, whatever happens to the broker: again until it is there."""
    producer = await open_producer(run)
    try:
        for event_id, fact in facts:
            message = wire.encode(fact, EventId(event_id), "guitu/test")
            sent = {"key": message.key.encode(), "headers": message.headers}
            while True:
                with suppress(Exception):
                    await producer.send_and_wait(message.topic, message.value, **sent)
                    break
                await asyncio.sleep(0.2)
    finally:
        await producer.stop()


@pytest.mark.timeout(400)
async def test_restarts_of_broker_and_database_lose_and_double_no_line_and_log_nobody_out(
    run: Runtime, node: Node, address: str
) -> None:
    assert node.kafka
    assert node.postgres
    story = CaseStory(START)
    facts = [(uuid4(), fact) for fact in (story.raised(), *(story.ordered(1, f"{n}") for n in range(FACTS)))]
    await write(run, facts[:2])
    cookies = await cookies_of(run, Principal("operator-1", "operator", "500235"))
    await comes(run, "select count(*) = 2 from inbox")
    await answers(address)
    async with httpx.AsyncClient(base_url=address, cookies=cookies, timeout=20) as http:
        pages = [Page(http, f"/cases/{story.case_id}") for _ in range(3)]
        for page in pages:
            await page.read()
        listening = [asyncio.create_task(page.listen()) for page in pages]

        for part, some in (
            (node.postgres, facts[2:20]),
            (node.kafka, facts[20:40]),
            (node.postgres, facts[40:]),
        ):
            writing = asyncio.create_task(write(run, some))
            await asyncio.sleep(0)
            await asyncio.to_thread(part.restart)
            await writing
            await comes(run, "select count(*) >= $1 from inbox", facts.index(some[-1]) + 1)
        ids = {str(event_id) for event_id, _ in facts}
        async with asyncio.timeout(COMES_WITHIN_S):
            while any(page.lines.keys() != ids for page in pages):
                await asyncio.sleep(0.05)
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)

    assert [{1}] * 3 == [set(page.lines.values()) for page in pages]
    assert [[]] * 3 == [page.logged_out for page in pages]
