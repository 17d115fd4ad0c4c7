"""From an entered profile to a candidate: on real PostgreSQL, with the real matcher's process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import asyncpg
import numpy as np
import pytest
import pytest_asyncio

from contracts.dna import CandidateFound, CrossMatchCompleted, CrossMatchRequested
from dna_intake import laboratory, nightly, results, searching, store, store_candidates, store_search
from dna_intake.kinship import VWA_D12S391, Model, Typing, compare, relations
from dna_intake.matching.matcher import Matcher, matcher_of
from dna_intake.models import MoveSpecimen, SpecimenRow
from dna_intake.models_search import Answer, CandidateRow, Terms
from dna_intake.practice import practice_of
from dna_intake.searching import PARTITIONS
from guitu.service import Runtime
from harness.dna_stories import CASE
from harness.ground import facts, until
from harness.kin_stories import (
    LOCI,
    TABLE,
    Alleles,
    Here,
    a_case_with_a_matcher,
    all_searched,
    enters,
    family,
    put,
    stranger,
)

RuntimeFor = Callable[[str], Awaitable[Runtime]]
FATHER = {"category": "parent_of_missing_child", "case_id": CASE, "relation": "father"}
MOTHER = FATHER | {"relation": "mother"}


@pytest_asyncio.fixture
async def run(runtime_for: RuntimeFor) -> AsyncIterator[Runtime]:
    async with a_case_with_a_matcher(runtime_for) as found:
        yield found


async def candidates(run: Runtime) -> list[CandidateRow]:
    async with run.read() as conn:
        return await store_candidates.candidates(conn, [], None, 200)


async def state_of(run: Runtime, row: SpecimenRow) -> str:
    async with run.read() as conn:
        found = await store.specimen(conn, row.id)
    assert found is not None
    return found.state


async def test_a_child_and_its_parents_find_each_other_whoever_came_first(run: Runtime) -> None:
    kin, rng = family(1), np.random.default_rng(9)
    father = await enters(run, kin.father, **FATHER)
    other = await enters(run, stranger(rng))
    await all_searched(run)
    child = await enters(run, kin.child)
    await all_searched(run)
    await enters(run, kin.mother, **MOTHER)

    await all_searched(run)

    rows = await candidates(run)
    assert ["couple", "parent", "parent"] == sorted(row.relation for row in rows)
    assert {child.id} == {row.child_id for row in rows}
    assert all(row.inconsistent == 0 and row.log10_lr > 4 and row.state == "open" for row in rows)
    assert len(await facts(run, CandidateFound)) == 3
    assert [1, 2] == [f.compared for f in await facts(run, CrossMatchCompleted)]
    states = [await state_of(run, one) for one in (father, child, other)]
    assert ["candidate", "candidate", "searched"] == states


async def test_further_relatives_are_compared_when_no_parent_can_be(run: Runtime) -> None:
    kin, rng = family(2), np.random.default_rng(3)
    brother = {
        locus: (str(rng.choice(kin.father[locus])), str(rng.choice(kin.mother[locus]))) for locus in LOCI
    }
    await enters(run, brother, **(FATHER | {"relation": "full_sibling"}))
    await enters(run, kin.father, **(FATHER | {"relation": "paternal_grandfather"}))
    await all_searched(run)

    await enters(run, kin.child)
    await all_searched(run)

    found = {row.relation for row in await candidates(run)}
    assert "full_sibling" in found
    assert found <= {"full_sibling", "grandparent"}


async def test_a_siblings_linked_loci_are_weighed_together_from_both_sides(run: Runtime) -> None:
    """vWA and D12S391 lie 6 Mb apart: a brother's ratio is not the product of the two."""
    kin, rng = family(2), np.random.default_rng(3)
    brother = {
        locus: (str(rng.choice(kin.father[locus])), str(rng.choice(kin.mother[locus]))) for locus in LOCI
    }
    h1, h2 = relations.full_siblings("child", "brother")
    typed = {"child": Typing(kin.child), "brother": Typing(brother)}
    apart = compare(h1, h2, typed, TABLE, Model()).log10_lr
    together = compare(h1, h2, typed, TABLE, Model(linked=(VWA_D12S391,))).log10_lr
    for first in (True, False):
        order = [(kin.child, {}), (brother, FATHER | {"relation": "full_sibling"})]
        for alleles, who in order if first else order[::-1]:
            await enters(run, alleles, **who)
            await all_searched(run)

    told = [row for row in await candidates(run) if row.relation == "full_sibling"]

    assert abs(together - apart) > 0.03
    # Two children and two brothers of theirs, entered twice: each pair is a lead.
    assert [pytest.approx(together, abs=1e-9)] * 4 == [row.log10_lr for row in told]
    assert {len(LOCI)} == {row.loci for row in told}
    assert {TABLE.minimum_frequency} == {row.model["minimum_frequency"] for row in told}
    assert {"D12S391"} == {pair["second"] for row in told for pair in row.model["linked"]}


async def test_two_who_are_entered_at_once_are_compared_by_the_later_one(run: Runtime) -> None:
    """Whatever the order of commits: the generation is locked until then."""
    kin = family(4)
    first, second = asyncio.Event(), asyncio.Event()

    async def child() -> None:
        async with run.tx(actor="lab-1") as tx:
            await put(tx, run, kin.child)
            first.set()
            # The parent's transaction is under way and must wait for this one.
            await asyncio.wait_for(second.wait(), 5)

    async def parent() -> None:
        await first.wait()
        async with run.tx(actor="lab-2") as tx:
            second.set()
            await put(tx, run, kin.father, **FATHER)

    await asyncio.gather(child(), parent())
    changes = await run.pool.fetch("select generation, kind from profile_change order by generation")
    await all_searched(run)

    assert [(1, 0), (2, 1)] == [tuple(change) for change in changes]
    assert ["parent"] == [row.relation for row in await candidates(run)]


@pytest.mark.parametrize("seed", range(3))
async def test_many_entering_in_any_interleaving_leave_no_pair_uncompared(run: Runtime, seed: int) -> None:
    rng = np.random.default_rng(seed)
    kin = [family(100 + n) for n in range(4)]
    people = [(k.father, "parent_of_missing_child", "father") for k in kin]
    people += [(k.child, "unknown_origin", None) for k in kin]
    rng.shuffle(people)

    async def is_killed_before_it_commits(alleles: Alleles, category: str, relation: str | None) -> None:
        async with run.tx(actor="lab-1") as tx:
            await put(tx, run, alleles, category, relation=relation)
            raise RuntimeError

    async def one(place: int) -> None:
        alleles, category, relation = people[place]
        if place == 3:
            with pytest.raises(RuntimeError):
                await is_killed_before_it_commits(alleles, category, relation)
        await enters(run, alleles, category, relation=relation)

    await asyncio.gather(*(one(place) for place in range(len(people))), all_searched(run))
    await all_searched(run)

    found = await candidates(run)
    assert len(found) == 4
    generations = await run.pool.fetch("select generation from profile_change order by generation")
    assert list(range(1, 9)) == [row["generation"] for row in generations]


async def test_a_search_that_dies_half_way_is_done_again_and_written_once(run: Runtime) -> None:
    """With the real process, which is killed."""
    kin, matcher = family(5), Matcher(run)
    run.state["matcher"] = matcher
    await enters(run, kin.father, **FATHER)
    await all_searched(run)
    await enters(run, kin.child)
    pid = matcher._requests.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)

    await all_searched(run)
    await all_searched(run)

    assert len(await candidates(run)) == 1
    assert len(await facts(run, CandidateFound)) == 1
    assert await run.pool.fetchval("select count(*) from search where state = 'waiting'") == 0
    assert await run.pool.fetchval("select count(*) from search_part") == 2


async def test_the_same_answer_twice_counts_once(run: Runtime) -> None:
    kin = family(6)
    await enters(run, kin.father, **FATHER)
    await enters(run, kin.child)
    one, other = Matcher(run, Here(run.settings)), Matcher(run, Here(run.settings))

    try:
        await asyncio.gather(one.sweep(), other.sweep())
        await asyncio.gather(one.sweep(), other.sweep())
    finally:
        await one.close()
        await other.close()

    assert await run.pool.fetchval("select count(*) from search where state <> 'completed'") == 0
    assert await run.pool.fetchval("select count(*) from search_part") == 2
    assert len(await facts(run, CandidateFound)) == 1


class Shard(Matcher):
    """A matcher that was given some partitions."""

    def __init__(self, run: Runtime, partitions: tuple[int, ...]) -> None:
        super().__init__(run, Here(run.settings))
        self.partitions = partitions

    def wanted(self) -> tuple[int, ...]:
        return self.partitions


async def test_shards_answer_together_and_another_takes_over_from_a_dead_one(run: Runtime) -> None:
    kin, rng = family(7), np.random.default_rng(8)
    await enters(run, kin.father, **FATHER)
    await enters(run, kin.mother, **MOTHER)
    for _ in range(4):
        await enters(run, stranger(rng))
    even, odd = Shard(run, tuple(range(0, PARTITIONS, 2))), Shard(run, tuple(range(1, PARTITIONS, 2)))
    try:
        await even.sweep()
        halves = await run.pool.fetchval("select count(*) from search where state = 'waiting'")
        await odd.sweep()
        await enters(run, kin.child)
        await even.sweep()
        waiting = await run.pool.fetchval("select cardinality(missing) from search where state = 'waiting'")
        await odd.close()
        even.partitions = tuple(range(PARTITIONS))

        await all_searched(run, even)
    finally:
        await even.close()
        await odd.close()

    assert (halves, waiting) == (6, PARTITIONS // 2)
    assert ["couple", "parent", "parent"] == sorted(row.relation for row in await candidates(run))
    compared = await run.pool.fetch("select compared from search order by generation")
    assert [4, 4, 2, 2, 2, 2, 2] == [row["compared"] for row in compared]


async def test_a_couple_over_two_shards_is_compared_by_one_of_them(run: Runtime) -> None:
    kin = [family(20 + n) for n in range(3)]
    even, odd = Shard(run, tuple(range(0, PARTITIONS, 2))), Shard(run, tuple(range(1, PARTITIONS, 2)))
    try:
        await enters(run, kin[0].father, **FATHER)
        await all_searched(run, even)
        await all_searched(run, odd)
        await enters(run, kin[0].mother, **MOTHER)
        await enters(run, kin[0].child)
        for _ in range(3):
            await even.sweep()
            await odd.sweep()
    finally:
        await even.close()
        await odd.close()

    assert ["couple", "parent", "parent"] == sorted(row.relation for row in await candidates(run))


async def withdrawn(run: Runtime, row: SpecimenRow) -> None:
    async with run.tx(actor="lab-1") as tx:
        step = MoveSpecimen(to_state="withdrawn", seal="S-0001", location="DNA室")
        await laboratory.move(tx, row.id, step, practice_of(run.settings))


async def test_a_withdrawal_while_the_answer_is_written_waits_for_it(run: Runtime) -> None:
    """Each locking what the other needs next, one of the two would be thrown out."""
    father = await enters(run, family(22).father, **FATHER)
    search_id = await run.pool.fetchval("select id from search")
    nobody = Answer(1, dict.fromkeys(range(PARTITIONS), 0), (), 0.0)
    async with run.tx(actor="matcher") as tx:
        await store_search.lock_search(tx.conn, search_id)
        leaving = asyncio.create_task(withdrawn(run, father))
        waiting = await until(run, "select count(*) from pg_locks where not granted")

        practice = practice_of(run.settings)
        await results.record(tx, search_id, range(PARTITIONS), nobody, Terms("t", "0" * 64, {}), practice, 10)
    await leaving

    assert waiting > 0
    assert await run.pool.fetchval("select state from search") == "completed"
    assert await state_of(run, father) == "withdrawn"


async def test_who_is_withdrawn_is_found_no_more_and_leads_about_them_end(run: Runtime) -> None:
    kin = family(8)
    father = await enters(run, kin.father, **FATHER)
    await enters(run, kin.child)
    await all_searched(run)
    await withdrawn(run, father)
    await enters(run, kin.child, "adopted")

    await all_searched(run)

    assert ["withdrawn"] == [row.state for row in await candidates(run)]
    assert matcher_of(run).generation == 4


async def test_who_is_withdrawn_while_the_search_runs_becomes_no_candidate(run: Runtime) -> None:
    kin = family(9)
    father = await enters(run, kin.father, **FATHER)
    await enters(run, kin.child)
    matcher = matcher_of(run)
    compare = matcher._compare

    async def meanwhile(*arguments: object) -> object:
        answer = await compare(*arguments)
        if await state_of(run, father) != "withdrawn":
            await withdrawn(run, father)
        return answer

    matcher._compare = meanwhile
    await all_searched(run)

    assert await candidates(run) == []


async def test_a_new_sample_takes_a_completed_comparison_back_to_waiting(run: Runtime) -> None:
    kin = family(10)
    await enters(run, kin.father, **FATHER)
    await all_searched(run)
    before = await run.pool.fetchrow("select state, waits_for from cross_match_request")
    await enters(run, kin.mother, **MOTHER)
    between = await run.pool.fetchrow("select state, waits_for from cross_match_request")

    await all_searched(run)

    after = await run.pool.fetchrow("select state, waits_for from cross_match_request")
    assert [("completed", []), ("waiting", ["kinship_search"]), ("completed", [])] == [
        tuple(row) for row in (before, between, after)
    ]
    assert len(await facts(run, CrossMatchCompleted)) == 2
    assert (await facts(run, CrossMatchRequested))[-1].waits_for == ("kinship_search",)


async def test_nothing_is_compared_without_a_line_in_the_log(run: Runtime) -> None:
    kin = family(11)
    row = await enters(run, kin.father, **FATHER)
    await all_searched(run)

    lines = await run.pool.fetch("select l.cause, l.purpose from search s join search_log l on l.id = s.id")
    assert ["profile_entered"] == [line["cause"] for line in lines]
    assert (
        await run.pool.fetchval("select count(*) from search_part p join search_log l on l.id = p.search_id")
        == 1
    )
    async with run.read() as conn:
        search = await store_search.search(conn, await conn.fetchval("select id from search"))
    assert search is not None
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await store_search.add_search(run.pool, search.model_copy(update={"id": row.id}))
    for change in ("update search_log set purpose = 'none'", "delete from search_log"):
        with pytest.raises(asyncpg.RestrictViolationError):
            await run.pool.execute(change)


async def test_an_exercise_is_never_compared_with_reality(run: Runtime) -> None:
    kin = family(12)
    await enters(run, kin.father, **FATHER)
    await enters(run, kin.child, exercise=True)

    await all_searched(run)

    assert await candidates(run) == []


async def test_a_profile_that_cannot_be_opened_holds_up_nobody(run: Runtime) -> None:
    """Nor does it count as searched: its search waits and is tried again, ever more rarely."""
    kin = family(13)
    mother = await enters(run, stranger(np.random.default_rng(1)), **MOTHER)
    await run.pool.execute("update profile set wrapped_key = substr(genotype_sealed, 1, 60)")
    await enters(run, kin.father, **FATHER)
    await enters(run, kin.child)

    await all_searched(run)

    assert ["parent"] == [row.relation for row in await candidates(run)]
    [failed] = await run.pool.fetch(
        "select specimen_id, attempts, due_at from search where state = 'waiting'"
    )
    assert (mother.id, 1) == (failed["specimen_id"], failed["attempts"])
    assert failed["due_at"] > run.clock.now()
    assert await state_of(run, mother) == "entered"


async def test_the_nightly_run_finds_nothing_that_the_searches_missed_and_says_how_far_it_is(
    run: Runtime,
) -> None:
    kin = family(14)
    await enters(run, kin.father, **FATHER)
    await enters(run, kin.mother, **MOTHER)
    await enters(run, kin.child)
    await all_searched(run)
    before = await candidates(run)

    steps = [await nightly.go_on(run) for _ in range(40)]

    [found] = [nightly.as_answer(row) for row in await rows_of_runs(run)]
    assert ("completed", PARTITIONS**2, 0) == (found.state, found.steps_done, found.missed)
    assert found.leads >= 2
    assert before == await candidates(run)
    assert sum(steps) == 1 + PARTITIONS


async def rows_of_runs(run: Runtime) -> list:
    async with run.read() as conn:
        return await store_search.runs(conn, 10)


async def test_the_nightly_run_goes_on_where_it_was_killed_and_reports_what_searches_missed(
    run: Runtime,
) -> None:
    kin = family(15)
    await enters(run, kin.father, **FATHER)
    await enters(run, kin.child)
    await all_searched(run)
    # A hole in the searches: the lead was never written.
    await run.pool.execute("delete from candidate")
    for _ in range(5):
        await nightly.go_on(run)
    done = nightly.as_answer((await rows_of_runs(run))[0]).steps_done
    await matcher_of(run).lost()
    await matcher_of(run).sweep()

    for _ in range(40):
        await nightly.go_on(run)

    [found] = [nightly.as_answer(row) for row in await rows_of_runs(run)]
    assert (4 * PARTITIONS, "completed", 1) == (done, found.state, found.missed)
    assert ["parent"] == [row.relation for row in await candidates(run)]


@pytest.mark.parametrize(
    ("hours", "started"), [(-30, False), (1, False), (25, True)], ids=["back", "the same day", "the next day"]
)
async def test_a_clock_that_jumps_starts_no_second_night(run: Runtime, hours: float, started: bool) -> None:
    await enters(run, family(16).father, **FATHER)
    await all_searched(run)
    for _ in range(40):
        await nightly.go_on(run)

    run.clock.moment += timedelta(hours=hours)
    await nightly.go_on(run)

    assert (2 if started else 1) == len(await rows_of_runs(run))


async def test_a_service_without_profiles_starts_no_process(run: Runtime) -> None:
    run.state["matcher"] = Matcher(run)

    await all_searched(run)

    assert matcher_of(run)._requests.pid is None


async def test_how_far_a_child_has_been_compared_is_known_for_the_gate(run: Runtime) -> None:
    kin = family(17)
    child = await enters(run, kin.child)
    async with run.read() as conn:
        before = await store_search.searched_through(conn, child.id)
    await all_searched(run)
    await enters(run, kin.father, **FATHER)
    async with run.read() as conn:
        between = (
            await store_search.searched_through(conn, child.id),
            await store_search.parents_generation(conn),
        )
    await all_searched(run)

    async with run.read() as conn:
        after = await store_search.searched_through(conn, child.id)
        [(_, state)] = await store_search.open_candidates(conn, child.id)
    assert (None, (1, 2), 2, "open") == (before, between, after, state)


async def test_a_re_typed_profile_is_compared_again_both_ways(run: Runtime) -> None:
    kin = family(18)
    father = await enters(run, kin.father, **FATHER)
    await enters(run, kin.child)
    await all_searched(run)
    async with run.tx(actor="lab-1") as tx:
        await searching.profile_entered(tx, father)

    await all_searched(run)

    causes = await run.pool.fetch("select cause from search_log order by asked_at, id")
    assert ["profile_entered", "profile_entered", "retyped"] == [row["cause"] for row in causes]
    assert len(await candidates(run)) == 1


async def test_an_answer_from_an_index_older_than_the_search_is_none(run: Runtime) -> None:
    await enters(run, family(19).father, **FATHER)
    search_id = await run.pool.fetchval("select id from search")
    old = Answer(0, dict.fromkeys(range(PARTITIONS), 0), (), 0.0)
    terms = Terms("table", "0" * 64, {})

    async with run.tx(actor="matcher") as tx:
        practice = practice_of(run.settings)
        added = await results.record(tx, search_id, range(PARTITIONS), old, terms, practice, 10)

    assert added == 0
    assert await run.pool.fetchval("select state from search") == "waiting"
    assert await run.pool.fetchval("select count(*) from search_part") == 0


async def test_what_leaves_the_index_is_overwritten_in_memory(run: Runtime) -> None:
    kin = family(21)
    father = await enters(run, kin.father, **FATHER)
    await all_searched(run)
    [state] = matcher_of(run)._requests._held
    codes = [view.segment.codes for view in state.held.groups["parents"].snapshot().views]
    before = [array.copy() for array in codes]
    await withdrawn(run, father)

    await all_searched(run)

    assert any((array[:1] != 255).any() for array in before)
    assert all((array[:1] == 255).all() or not len(array) for array in codes)
    assert state.held.profiles == 0
    assert all(segment.count == 0 for segment in state.held.groups["parents"].segments)
