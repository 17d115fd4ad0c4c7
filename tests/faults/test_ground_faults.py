"""The ground under kill -9, with a service of the tests' own: none of 1,000 events lost, none doubled."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from contracts.base import EventId
from guitu import outbox
from guitu.embedded.node import Node
from guitu.migrate import migrate_now
from guitu.topics import ensure_topics
from harness import ground
from harness.examples import report

SEED = int(os.environ.get("GUITU_FAULT_SEED", "20260301"))
REPORTS = 1000
BATCH = 20
KILLS = 4


class Worker:
    """The toy service as a process that can be killed and started again."""

    def __init__(self, request: pytest.FixtureRequest, env: dict[str, str]) -> None:
        # A test that fails must not leave it behind.
        request.addfinalizer(self.kill)
        path = os.pathsep.join([str(ground.repo_root() / "tests"), os.environ.get("PYTHONPATH", "")])
        self._env = os.environ | env | {"PYTHONPATH": path, "GUITU_LOG_LEVEL": "error"}
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "toy"], env=self._env, stdout=subprocess.DEVNULL
        )

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def kill_and_start(self) -> None:
        self.kill()
        self.start()

    def stop(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(15)


@pytest.fixture(scope="module")
def own_node() -> Iterator[Node]:
    """A node of these tests' own, since its parts are killed."""
    with Node(ephemeral=True, outside={}) as running:
        yield running


async def publish(url: str, count: int, note: str = "") -> list[UUID]:
    """Accept reports as an API would: 2xx only after the commit, tried again while the database is away."""
    facts = [report(note) for _ in range(count)]
    rows = [outbox.row(fact, EventId(uuid4()), "test") for fact in facts]
    for _ in range(200):
        try:
            conn = await asyncpg.connect(url, timeout=5)
            try:
                await conn.set_type_codec("jsonb", schema="pg_catalog", encoder=ground.to_json, decoder=str)
                await conn.execute("set search_path to toy")
                await outbox.insert(conn, rows)
            finally:
                await conn.close()
            return [fact.report_id for fact in facts]
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            await asyncio.sleep(0.1)
    raise AssertionError("The database did not come back within 20 s.")


async def seen(url: str) -> list[UUID]:
    conn = await asyncpg.connect(url)
    try:
        return [row["report_id"] for row in await conn.fetch("select report_id from toy.seen")]
    finally:
        await conn.close()


@pytest.mark.timeout(240)
async def test_no_report_is_lost_or_doubled_by_kills_of_service_broker_and_database(
    own_node: Node, request: pytest.FixtureRequest
) -> None:
    """The seed decides when what is killed; set GUITU_FAULT_SEED to repeat a run."""
    settings, rng = ground.settings_for(own_node.env), random.Random(SEED)
    await asyncio.to_thread(migrate_now, settings.database_url, ("toy",))
    await ensure_topics(settings)
    worker = Worker(request, own_node.env)
    assert own_node.kafka
    assert own_node.postgres
    rounds = range(REPORTS // BATCH)
    moments = rng.sample(rounds, KILLS + 2)
    faults = dict.fromkeys(moments[:KILLS], worker.kill_and_start)
    faults |= {moments[-2]: own_node.kafka.restart, moments[-1]: own_node.postgres.restart}

    accepted: list[UUID] = []
    for turn in rounds:
        accepted += await publish(settings.database_url, BATCH)
        if turn in faults:
            await asyncio.sleep(rng.uniform(0, 0.5))
            await asyncio.to_thread(faults[turn])
        await asyncio.sleep(0.02)

    effects: list[UUID] = []
    for _ in range(600):
        effects = await seen(settings.database_url)
        if set(accepted) <= set(effects):
            break
        await asyncio.sleep(0.1)
    exit_code = await asyncio.to_thread(worker.stop)
    lost, doubled = set(accepted) - set(effects), len(effects) - len(set(effects))
    print(f"seed {SEED}: accepted {len(accepted)}, lost {len(lost)}, doubled {doubled}")
    assert (set(), 0) == (lost, doubled), f"seed {SEED}"
    assert exit_code == 0


@pytest.mark.timeout(120)
async def test_an_event_whose_handling_was_cut_off_is_handled_after_the_kill(
    own_node: Node, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """An event is acknowledged after its effect, never before: the group's place on the topic must not pass it."""
    settings, gate = ground.settings_for(own_node.env), tmp_path / "gate"
    await asyncio.to_thread(migrate_now, settings.database_url, ("toy",))
    await ensure_topics(settings)
    worker = Worker(request, own_node.env | {"TOY_GATE": str(gate)})
    [slow] = await publish(settings.database_url, 1, "slow")
    assert await until(asyncio.to_thread, gate.with_suffix(".reached").exists)

    # Time for a worker that acknowledges too early to have it committed: Faust does so every half second.
    await asyncio.sleep(2)
    worker.kill()
    gate.touch()
    worker.start()

    assert await until(is_seen, settings.database_url, slow)
    assert 0 == await asyncio.to_thread(worker.stop)


@pytest.mark.timeout(120)
async def test_a_fact_that_the_broker_did_not_get_is_published_after_the_kill(
    own_node: Node, request: pytest.FixtureRequest
) -> None:
    """A row is marked when the broker has acknowledged it, never before: what waits in memory dies with us."""
    settings = ground.settings_for(own_node.env)
    await asyncio.to_thread(migrate_now, settings.database_url, ("toy",))
    await ensure_topics(settings)
    assert own_node.kafka
    worker = Worker(request, own_node.env)
    [first] = await publish(settings.database_url, 1)
    assert await until(is_seen, settings.database_url, first)

    await asyncio.to_thread(own_node.kafka.kill)
    [waiting] = await publish(settings.database_url, 1)
    # Time for a relay that marks too early to do so: it looks every half second.
    await asyncio.sleep(2)
    worker.kill()
    await asyncio.to_thread(own_node.kafka.start)
    worker.start()

    assert await until(is_seen, settings.database_url, waiting)
    assert 0 == await asyncio.to_thread(worker.stop)


async def is_seen(url: str, report_id: UUID) -> bool:
    return report_id in await seen(url)


async def until(look: Callable[..., Awaitable[bool]], *values: object) -> bool:
    """Look again and again, for 40 s at most."""
    for _ in range(400):
        if await look(*values):
            return True
        await asyncio.sleep(0.1)
    return False
