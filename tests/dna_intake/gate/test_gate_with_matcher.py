"""The gate and the real matcher: from an asked child to a blocked one, on drawn families that are nobody's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest_asyncio

from contracts.dna import GateDecided
from dna_intake.practice import practice_of
from guitu.auth import mint
from guitu.service import Runtime
from harness.dna_desk import Desk, desk
from harness.dna_stories import CASE
from harness.gate_stories import asking, looked
from harness.ground import facts
from harness.kin_stories import a_case_with_a_matcher, all_searched, enters, family, moved, stranger

RuntimeFor = Callable[[str], Awaitable[Runtime]]
FATHER = {"category": "parent_of_missing_child", "case_id": CASE, "relation": "father"}


@pytest_asyncio.fixture
async def run(runtime_for: RuntimeFor) -> AsyncIterator[Runtime]:
    async with a_case_with_a_matcher(runtime_for) as found:
        yield found


async def reviewed(run: Runtime, child_id: UUID, verdict: str) -> None:
    """Two people look at every open lead of the child."""
    for reviewer in ("rev-1", "rev-2"):
        async with desk(run, "laboratory", "*") as lab:
            lab.headers = _as(lab, reviewer)
            for lead in (await lab.gets(f"/candidates?child_id={child_id}"))["candidates"]:
                answer = await lab.posts(f"/candidates/{lead['id']}/reviews", {"verdict": verdict})
                assert answer.status_code == 201, answer.text


def _as(lab: Desk, subject: str) -> dict[str, str]:
    token = mint(lab.run.settings, subject, "laboratory", "*", lab.run.clock.now(), timedelta(days=1))
    return {"Authorization": f"Bearer {token}"}


async def says(clerk: Desk, request: dict[str, Any]) -> str:
    return str((await clerk.gets(f"/gate-requests/{request['request_id']}"))["reason"])


async def test_a_child_is_cleared_held_for_newcomers_and_blocked_by_its_father(run: Runtime) -> None:
    kin, rng = family(1), np.random.default_rng(9)
    child = await enters(run, kin.child, "adopted")
    seen = []
    async with desk(run, "registry") as clerk:
        told = (await clerk.posts("/gate-requests", asking(child.id))).json()
        seen.append(told["reason"])
        await all_searched(run)
        await looked(run)
        seen.append(await says(clerk, told))
        await enters(run, stranger(rng), **FATHER)
        seen.append(await says(clerk, told))
        await all_searched(run)
        await looked(run)
        seen.append(await says(clerk, told))
        await enters(run, kin.father, **FATHER)
        seen.append(await says(clerk, told))
        await all_searched(run)
        seen.append(await says(clerk, told))
        await looked(run, seconds=0)
        await reviewed(run, child.id, "confirmed")
        seen.append(await says(clerk, told))
        await looked(run, seconds=0)

    assert seen == [
        "comparison_awaited",
        "no_relation_found",
        "families_awaited",
        "no_relation_found",
        "families_awaited",
        "lead_under_review",
        "child_identified",
    ]
    said = [(fact.decision, fact.specimen_id, fact.case_id) for fact in await facts(run, GateDecided)]
    assert [(d, child.id, None) for d in ("hold", "clear", "blocked", "blocked")] == said


async def test_a_refuted_lead_and_one_whose_family_withdrew_block_no_more(run: Runtime) -> None:
    kin = family(2)
    father = await enters(run, kin.father, **FATHER)
    child = await enters(run, kin.child, "adopted")
    other = await enters(run, kin.child, "adopted")
    await all_searched(run)
    async with desk(run, "registry") as clerk:
        first = (await clerk.posts("/gate-requests", asking(child.id))).json()
        second = (await clerk.posts("/gate-requests", asking(other.id))).json()
        await reviewed(run, child.id, "refuted")
        await looked(run, minutes=3)
        refuted = [await says(clerk, told) for told in (first, second)]
        async with run.tx(actor="lab-1") as tx:
            await moved(tx, father, "withdrawn", practice_of(run.settings))
        await all_searched(run)
        await looked(run, minutes=3)

        withdrawn = await says(clerk, second)

    assert ["lead_under_review", "lead_under_review"] == [first["reason"], second["reason"]]
    assert ["no_relation_found", "lead_under_review"] == refuted
    assert withdrawn == "no_relation_found"
