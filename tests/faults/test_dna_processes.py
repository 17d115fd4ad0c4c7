"""DNA intake's processes are killed, stopped and cut off while profiles are entered and searched: none is lost."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from contracts.dna import CandidateFound
from dna_intake.agents import REACTIONS
from dna_intake.searching import PARTITIONS
from guitu.embedded.node import Node
from guitu.migrate import migrate_now
from guitu.pg import TRANSIENT
from guitu.service import Runtime
from guitu.settings import Settings
from harness import dna_process, ground
from harness.dna_stories import alert

SEED = int(os.environ.get("GUITU_FAULT_SEED", "20261130"))
FAMILIES = 12
EVEN, ODD = tuple(range(0, PARTITIONS, 2)), tuple(range(1, PARTITIONS, 2))


@pytest.fixture(scope="module")
def own_settings() -> Iterator[tuple[Node, Settings]]:
    """A PostgreSQL of this test's own, since it is restarted."""
    with Node(ephemeral=True, outside={"GUITU_KAFKA": "127.0.0.1:9"}) as running:
        yield running, ground.settings_for(running.env)


@pytest.mark.timeout(120)
async def test_all_accepted_profiles_are_compared_whatever_dies_meanwhile(
    own_settings: tuple[Node, Settings], tmp_path: Path
) -> None:
    """The seed decides when what is struck; set GUITU_FAULT_SEED to repeat a run."""
    node, settings = own_settings
    rng, noted = random.Random(SEED), tmp_path / "accepted"
    noted.touch()
    await asyncio.to_thread(migrate_now, settings.database_url, ("dna_intake",))
    people = [(seed, role) for seed in range(FAMILIES) for role in ("father", "child")]
    rng.shuffle(people)
    started: list[BaseProcess] = []

    def begins(*, partitions: tuple[int, ...] = (), entering: bool = False) -> BaseProcess:
        rest = tuple(one for one in people if one not in accepted(noted)) if entering else ()
        told = dna_process.Start(settings.model_dump(), noted, rest, partitions)
        started.append(dna_process.start(told))
        return started[-1]

    async with ground.runtime("dna-intake", settings) as run:
        await react_to_alert(run)
        laboratory, even, odd = begins(entering=True), begins(partitions=EVEN), begins(partitions=ODD)
        try:
            await until(lambda: len(accepted(noted)) >= rng.randint(3, 6))
            struck(laboratory, signal.SIGKILL)
            laboratory = begins(entering=True)
            await until(lambda: len(accepted(noted)) >= rng.randint(8, 11))
            struck(even, signal.SIGSTOP)
            struck(odd, signal.SIGKILL)
            begins(partitions=tuple(range(PARTITIONS)))
            struck(laboratory, signal.SIGSTOP)
            assert node.postgres
            await asyncio.to_thread(node.postgres.restart)
            struck(laboratory, signal.SIGCONT)
            await until(lambda: len(accepted(noted)) == len(people))
            struck(even, signal.SIGCONT)
            await until_searched(run)
        finally:
            for process in started:
                struck(process, signal.SIGCONT)
                process.kill()
                process.join(10)
        await all_is_told_once(run, accepted(noted))


async def all_is_told_once(run: Runtime, people: dict[tuple[int, str], str]) -> None:
    rows = await run.pool.fetch("select id, child_id::text, family_id::text from candidate")
    found = {(row["child_id"], row["family_id"]) for row in rows}
    lost = [seed for seed in range(FAMILIES) if (people[seed, "child"], people[seed, "father"]) not in found]
    told = Counter(fact.candidate_id for fact in await ground.facts(run, CandidateFound))
    generations = [row["generation"] for row in await run.pool.fetch("select generation from profile_change")]
    assert lost == [], f"seed {SEED}"
    assert len(found) == len(rows) == len(told) == told.total(), f"seed {SEED}"
    assert sorted(generations) == list(range(1, len(generations) + 1))
    assert set(people.values()) <= {
        row["id"] for row in await run.pool.fetch("select specimen_id::text as id from profile_change")
    }
    compared = await run.pool.fetch(
        "select missing, partitions from search_part p join search s on s.id = search_id"
    )
    assert all(not row["missing"] for row in compared)
    doubled = await run.pool.fetchval(
        """
        select count(*) from (
            select search_id, unnest(partitions) from search_part group by 1, 2 having count(*) > 1) as twice
        """
    )
    assert doubled == 0


def accepted(noted: Path) -> dict[tuple[int, str], str]:
    lines = [line.split() for line in noted.read_text().splitlines()]
    return {(int(seed), role): specimen for seed, role, specimen in lines}


def struck(process: BaseProcess, by: signal.Signals) -> None:
    if process.pid is not None and process.is_alive():
        os.kill(process.pid, by)


async def react_to_alert(run: Runtime) -> None:
    await ground.react(run, REACTIONS, alert(datetime.now(UTC)))


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(1200):
        if holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"seed {SEED}: it did not come to that within 60 s.")


async def until_searched(run: Runtime) -> None:
    for _ in range(200):
        try:
            waiting = await run.pool.fetchval("select count(*) from search where state = 'waiting'")
        except TRANSIENT:
            waiting = -1
        if waiting == 0:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"seed {SEED}: {waiting} searches wait.")
