"""Every night all children are compared with all families: the check that no search has missed anybody.

Searches compare each pair once, when the second of the two is entered. The nightly run asks again, without their
history: whatever it finds that no search had found is counted as missed, and a miss is an alarm, because it says that
the searches have a hole. A run is a row and its steps are numbers in it; a step that was not committed is done again
by whoever comes next, so a kill costs one step.

A step is the children of one partition with the families of one: `step // partitions` and `step % partitions`. A
process takes all steps of a partition's children with the families it holds at once; children of other processes it
reads from the database. So shards together compare everybody with everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dna_intake import results, store_candidates, store_search
from dna_intake.domain import leads
from dna_intake.matching import metrics
from dna_intake.matching.matcher import Matcher, matcher_of
from dna_intake.models_search import Answer, RunAnswer, RunRow, Terms
from dna_intake.practice import practice_of
from dna_intake.searching import PARTITIONS
from dna_intake.settings import dna_settings
from guitu.service import Runtime
from guitu.tx import Tx
from guitu.worker import WorkerTrouble

PURPOSE = "Nightly self-check: all children against all families."
BEIJING = ZoneInfo("Asia/Shanghai")
PAUSE_MAX = timedelta(minutes=10)
AHEAD_MAX = timedelta(days=2)
"""A run that began later than this from now was begun by a clock that was wrong; it counts for no night."""


def due(now: datetime, last: datetime | None, at: time) -> bool:
    """Is it time for the nightly run? Once after each occurrence of `at`, Beijing time.

    A clock that jumps back does not start a second run: the last one then lies in the future and is none of yesterday.
    """
    here = now.astimezone(BEIJING)
    today = datetime.combine(here.date(), at, BEIJING)
    latest = today if here >= today else today - timedelta(days=1)
    return last is None or last < latest.astimezone(UTC)


async def start(tx: Tx, purpose: str) -> RunRow | None:
    """Begin a run at the newest generation; None if one is running. Logged with its purpose."""
    if await store_search.running(tx.conn) is not None:
        return None
    run_id = tx.ids.new()
    await store_search.add_log(tx.conn, run_id, tx.actor, "all_against_all", purpose, None, tx.now)
    generation = await store_search.newest_generation(tx.conn)
    if not await store_search.start_run(tx.conn, run_id, generation, PARTITIONS**2, tx.now):
        return None
    tx.audit("dna.all_against_all_started", subject=run_id, purpose=purpose, generation=generation)
    return await store_search.running(tx.conn)


async def go_on(runtime: Runtime) -> int:
    """Start the nightly run when it is due, and do one step of a running one; returns the steps done."""
    matcher = matcher_of(runtime)
    async with runtime.read() as conn:
        run = await store_search.running(conn)
        last = await store_search.last_run_started(conn, runtime.clock.now() + AHEAD_MAX)
        profiles = run is not None or await store_search.has_profiles(conn)
    if run is None:
        at = dna_settings(runtime.settings).all_against_all_time
        if profiles and due(runtime.clock.now(), last, at):
            async with runtime.tx(actor=f"guitu.{runtime.service}") as tx:
                await start(tx, PURPOSE)
            return 1
        return 0
    # No pause is longer: a moment further off was written by a clock that ran ahead.
    if timedelta(0) < run.due_at - runtime.clock.now() <= PAUSE_MAX:
        return 0
    return await _step(runtime, matcher, run)


async def _step(runtime: Runtime, matcher: Matcher, run: RunRow) -> int:
    mine = [step for step in run.missing if step % PARTITIONS in matcher.held]
    if not mine or not matcher.ready(run.generation):
        return 0
    children = mine[0] // PARTITIONS
    steps = [step for step in mine if step // PARTITIONS == children]
    try:
        answer = await matcher.step(children)
    except WorkerTrouble as trouble:
        runtime.log.error("dna.all_against_all_waits", reason=trouble.reason, children=children)
        await matcher.lost()
        async with runtime.tx(actor=f"guitu.{runtime.service}") as tx:
            pause = min(PAUSE_MAX, timedelta(seconds=2.0 ** min(run.attempts, 10)))
            await store_search.run_failed(tx.conn, run.id, tx.now + pause)
        return 0
    async with runtime.tx(actor=f"guitu.{runtime.service}") as tx:
        missed = await _write(tx, runtime, run, steps, answer, matcher.terms)
    metrics.ALL_AGAINST_ALL_MISSED.inc(missed)
    return 1


async def _write(
    tx: Tx, runtime: Runtime, run: RunRow, steps: Sequence[int], answer: Answer, terms: Terms
) -> int:
    """Steps, once: their leads as candidates, and how many of them no search had found."""
    row = await store_search.lock_run(tx.conn, run.id)
    if row is None or row.state != "running":
        return 0
    # What the process held when it compared counts, not what it held when it was asked.
    done = {step for step in steps if step % PARTITIONS in answer.compared}
    new_steps = sorted(done & set(row.missing))
    if not new_steps:
        return 0
    compared = sum(answer.compared[step % PARTITIONS] for step in new_steps)
    most = dna_settings(runtime.settings).leads_max
    ids = [leads.candidate_id(each.child_id, each.relatives, each.relation) for each in answer.found]
    before = await store_candidates.known(tx.conn, ids)
    new = [each for each, known in zip(answer.found, ids, strict=True) if known not in before]
    unknown = [
        each
        for each in new
        if not await store_search.explained(tx.conn, [each.child_id, *each.relatives], most)
    ]
    practice = practice_of(runtime.settings)
    added = await results.keep(
        tx, run.id, unknown, max(answer.population, 1), answer.generation, terms, practice
    )
    missing = sorted(set(row.missing) - set(new_steps))
    await store_search.step_done(tx.conn, run.id, missing, compared, len(answer.found), len(added), tx.now)
    if not missing:
        tx.audit("dna.all_against_all_completed", subject=run.id, missed=row.missed + len(added))
    if added:
        runtime.log.error("dna.searches_missed", run_id=str(run.id), missed=len(added))
    return len(added)


def as_answer(row: RunRow) -> RunAnswer:
    """A run as people read it."""
    fields = row.model_dump(include=set(RunAnswer.model_fields))
    return RunAnswer(**fields, steps_done=row.steps - len(row.missing))
