"""From an entered profile to a candidate: on real PostgreSQL, with the real matcher's process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import numpy as np
import pytest
import pytest_asyncio

from contracts.dna import CandidateFound, CrossMatchCompleted
from dna_intake import store_candidates, store_search
from dna_intake.agents import REACTIONS
from dna_intake.matching.matcher import matcher_of
from guitu.service import Runtime
from harness.dna_stories import CASE, alert
from harness.ground import facts, react
from harness.kin_stories import all_searched, enters, family, stranger

RuntimeFor = Callable[[str], Awaitable[Runtime]]


@pytest_asyncio.fixture
async def run(runtime_for: RuntimeFor) -> AsyncIterator[Runtime]:
    found = await runtime_for("dna-intake")
    await react(found, REACTIONS, alert(found.clock.now()))
    yield found
    await matcher_of(found).close()


async def candidates(run: Runtime) -> list[tuple[str, str, int]]:
    async with run.read() as conn:
        rows = await store_candidates.candidates(conn, [], None, 200)
    return [(row.relation, row.state, row.inconsistent) for row in rows]


async def test_a_child_and_its_parents_find_each_other_whoever_came_first(run: Runtime) -> None:
    kin, rng = family(1), np.random.default_rng(9)
    await enters(run, kin.father, "parent_of_missing_child", case_id=CASE, relation="father")
    await enters(run, stranger(rng))
    await all_searched(run)
    child = await enters(run, kin.child)
    await all_searched(run)
    await enters(run, kin.mother, "parent_of_missing_child", case_id=CASE, relation="mother")

    await all_searched(run)

    async with run.read() as conn:
        rows = await store_candidates.candidates_of(conn, child.id, 10)
    assert {"parent", "couple"} == {row.relation for row in rows}
    assert len(rows) == 3
    assert all(row.inconsistent == 0 and row.log10_lr > 4 for row in rows)
    assert len(await facts(run, CandidateFound)) == 3
    assert [f.compared for f in await facts(run, CrossMatchCompleted)] == [1, 2]
