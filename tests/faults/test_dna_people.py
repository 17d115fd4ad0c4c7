"""People at once, cases that end or do not, and an office's system that is away for hours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from contracts.dna import CandidateReviewed
from dna_intake import store, store_candidates
from dna_intake.agents import REACTIONS
from dna_intake.domain.requests import StandDownOutcome
from dna_intake.gate_sending import telling_offices
from dna_intake.settings import DnaSettings
from guitu.service import Runtime
from harness.dna_desk import Desk, desk
from harness.dna_stories import CASE, YUNYANG, stood_down
from harness.far_systems import Said, listening
from harness.gate_stories import asking, child, compared, looked
from harness.gate_stories import family as comes
from harness.ground import facts, react
from harness.kin_stories import a_case_with_a_matcher, all_searched, enters, family
from harness.office_system import OfficeSystem

RuntimeFor = Callable[[str], Awaitable[Runtime]]
FATHER = {"category": "parent_of_missing_child", "case_id": CASE, "relation": "father"}
MOTHER = FATHER | {"relation": "mother"}


@pytest_asyncio.fixture
async def run(runtime_for: RuntimeFor) -> AsyncIterator[Runtime]:
    async with a_case_with_a_matcher(runtime_for) as found:
        yield found


async def gives(lab: Desk, candidate_id: Any, verdict: str) -> int:
    answer = await lab.posts(f"/candidates/{candidate_id}/reviews", {"verdict": verdict})
    return answer.status_code


async def test_a_child_confirmed_by_its_father_stays_so_when_another_lead_is_refuted(run: Runtime) -> None:
    kin = family(1)
    await enters(run, kin.father, **FATHER)
    found = await enters(run, kin.child)
    await all_searched(run)
    async with desk(run) as lab:
        [first] = (await lab.gets("/candidates"))["candidates"]
        for reviewer in (lab, lab.colleague()):
            await gives(reviewer, first["id"], "confirmed")
        await enters(run, kin.mother, **MOTHER)
        await all_searched(run)
        for lead in (await lab.gets("/candidates?state=open"))["candidates"]:
            for reviewer in (lab, lab.colleague()):
                await gives(reviewer, lead["id"], "refuted")
    async with run.read() as conn:
        row = await store.specimen(conn, found.id)
    assert row is not None
    assert row.state == "confirmed"


async def test_two_reviewers_and_the_matcher_at_once_end_without_a_deadlock(
    run: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The matcher has the people and wants the lead; who reviews must not have the lead and want the people."""
    kin = family(2)
    father = await enters(run, kin.father, **FATHER)
    await enters(run, kin.child)
    await all_searched(run)
    again = store_candidates.found_again
    asked: list[asyncio.Task[list[int]]] = []

    async def late(conn: Any, row: Any) -> None:
        async def both() -> list[int]:
            async with desk(run) as lab:
                return list(
                    await asyncio.gather(*(gives(one, row.id, "confirmed") for one in (lab, lab.colleague())))
                )

        asked.append(asyncio.create_task(both()))
        await asyncio.wait(asked, timeout=0.3)
        await again(conn, row)

    monkeypatch.setattr(store_candidates, "found_again", late)
    async with desk(run) as lab:
        await lab.posts("/searches", {"specimen_id": str(father.id), "purpose": "file 2026-17"})
    await all_searched(run)

    assert [201, 201] == await asked[0]
    assert 1 == len(await facts(run, CandidateReviewed))


@pytest.mark.parametrize("outcome", [None, "found", "false_alarm"])
async def test_a_family_is_compared_with_every_later_child_however_its_case_ended(
    run: Runtime, outcome: StandDownOutcome | None
) -> None:
    """A child who was not found may be sampled decades later; only a withdrawal ends the comparison."""
    kin = family(3)
    await enters(run, kin.father, **FATHER)
    await all_searched(run)
    if outcome is not None:
        await react(run, REACTIONS, stood_down(run.clock.now(), outcome))
    run.clock.advance(days=365 * 20)

    await enters(run, kin.child)
    await all_searched(run)

    assert 1 == await run.pool.fetchval("select count(*) from candidate")
    assert "completed" == await run.pool.fetchval("select state from cross_match_request")


async def test_an_office_that_was_away_for_hours_hears_once_how_things_stand(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    own = {"gate_webhook_private_ok": True, "gate_webhook_timeout_s": 0.5}
    run.settings = DnaSettings(**(run.settings.model_dump() | own))
    async with (
        listening(OfficeSystem) as office,
        desk(run, "registry") as clerk,
        telling_offices(run) as sender,
    ):
        told = await clerk.posts("/gate-subscriptions", {"region_code": YUNYANG, "url": f"{office.url}/gate"})
        office.secrets.append(told.json()["secret"])
        office.next = [Said(503)] * 500
        await clerk.posts("/gate-requests", asking(await child(run), subscription_id=told.json()["id"]))
        for hour in range(12):
            if hour == 3:
                newcomer = await comes(run)
                await looked(run, minutes=2)
            if hour == 6:
                await compared(run, newcomer)
                await looked(run, minutes=3)
            run.clock.advance(hours=1)
            await looked(run)
            await sender.pump()
            await sender.drain()
        office.next = []
        for _ in range(8):
            run.clock.advance(hours=1)
            await sender.pump()
            await sender.drain()

        states = [row["state"] for row in (await clerk.gets("/gate-deliveries"))["gate_deliveries"]]

    assert ["clear"] == office.decisions
    assert ["delivered", "superseded", "superseded"] == sorted(states)
