"""What an alert and its end do to the requests of a case, on real PostgreSQL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from contracts.base import CaseId
from contracts.dna import CrossMatchRequested, SampleRequested
from dna_intake import store
from dna_intake.agents import REACTIONS
from dna_intake.handlers import mark_overdue
from guitu.service import Runtime
from harness.dna_stories import CASE, alert, stood_down
from harness.ground import facts, react

RuntimeFor = Callable[[str], Awaitable[Runtime]]


async def states(run: Runtime) -> tuple[str, str]:
    async with run.read() as conn:
        [sample] = await store.sample_requests_of(conn, CASE)
        [request] = await store.cross_matches_of(conn, [CASE])
    return sample.state, request.state


async def test_an_alert_makes_the_parents_sample_due_in_two_hours_and_asks_for_the_comparison(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    raised = alert(run.clock.now())

    await react(run, REACTIONS, raised)

    [sample] = await facts(run, SampleRequested)
    [request] = await facts(run, CrossMatchRequested)
    assert raised.occurred_at + timedelta(hours=2) == sample.due_at
    assert request.waits_for == ("parent_sample", "parent_profile", "kinship_search")
    assert CASE == sample.case_id == request.case_id


async def test_a_second_alert_of_the_case_asks_for_nothing_more(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")

    await react(run, REACTIONS, alert(run.clock.now()))
    await react(run, REACTIONS, alert(run.clock.now()))

    assert len(await facts(run, SampleRequested)) == 1
    assert len(await facts(run, CrossMatchRequested)) == 1


async def test_an_exercise_stays_marked(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")

    await react(run, REACTIONS, alert(run.clock.now(), exercise=True))

    assert [f.exercise for f in await facts(run, SampleRequested)] == [True]
    assert [f.exercise for f in await facts(run, CrossMatchRequested)] == [True]


@pytest.mark.parametrize("outcome", ["found", "false_alarm", "merged", "exercise_over"])
async def test_a_stand_down_cancels_a_sample_that_was_not_taken(
    runtime_for: RuntimeFor, outcome: str
) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))

    await react(run, REACTIONS, stood_down(run.clock.now(), outcome))

    assert await states(run) == ("cancelled", "cancelled")


async def test_an_alert_that_comes_after_its_stand_down_opens_nothing(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")

    await react(run, REACTIONS, stood_down(run.clock.now()))
    await react(run, REACTIONS, alert(run.clock.now()))

    assert await facts(run, SampleRequested) == []
    assert await facts(run, CrossMatchRequested) == []


async def test_a_late_sample_is_marked_and_audited_once(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    await react(run, REACTIONS, alert(run.clock.now() + timedelta(hours=1), CaseId(run.ids.new())))
    early = await mark_overdue(run)
    run.clock.advance(hours=2)

    counts = [await mark_overdue(run), await mark_overdue(run)]

    audited = await run.pool.fetchval("select count(*) from audit where action = 'dna.sample_overdue'")
    assert (early, counts, audited) == (0, [1, 0], 1)


async def test_a_cancelled_sample_never_becomes_late(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    await react(run, REACTIONS, stood_down(run.clock.now()))
    run.clock.advance(hours=3)

    assert await mark_overdue(run) == 0
