"""DNA intake as it runs: the broker gives it partitions, and an entered profile is searched without anybody asking."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI

from contracts.dna import CandidateFound
from dna_intake.matching.matcher import matcher_of
from dna_intake.searching import PARTITIONS
from dna_intake.service import SERVICE
from guitu.embedded.node import Node
from guitu.migrate import migrate_now
from guitu.service import running
from guitu.topics import ensure_topics
from harness import ground
from harness.kin_stories import enters, family


async def test_a_child_and_a_father_are_entered_and_the_lead_is_on_its_way(node: Node) -> None:
    settings = ground.settings_for(node.env)
    await asyncio.to_thread(migrate_now, settings.database_url, ("dna_intake",))
    await ensure_topics(settings)
    await ground.truncate(settings.database_url, "dna-intake")
    kin = family(1)

    async with running(SERVICE, settings, 0, FastAPI()) as run:
        await enters(run, kin.father, "parent_of_missing_child", relation="father")
        await enters(run, kin.child)
        found = await ground.until(run, "select count(*) from candidate")
        waiting = await ground.until(run, "select 1 - count(*) from search where state = 'waiting'")
        held, pid = matcher_of(run).held, matcher_of(run)._requests.pid
        [told] = await ground.facts(run, CandidateFound)

    assert (1, 1, PARTITIONS) == (found, waiting, len(held))
    assert pid is not None
    assert told.specimen_id is not None
