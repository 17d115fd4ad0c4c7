"""Searches, leads and the gate while processes die, people act at once and clocks jump: nothing lost, all is true."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from contracts.dna import CrossMatchCompleted
from dna_intake import laboratory, nightly, results, store, store_candidates, store_search
from dna_intake.intake import kits
from dna_intake.matching.matcher import Matcher, matcher_of
from dna_intake.models import MoveSpecimen, SpecimenRow
from dna_intake.models_search import CandidateRow
from dna_intake.practice import practice_of
from dna_intake.searching import PARTITIONS
from guitu.service import Runtime
from harness.dna_desk import desk
from harness.dna_stories import CASE
from harness.gate_stories import asking, looked
from harness.ground import facts
from harness.kin_stories import (
    LOCI,
    TABLE,
    Alleles,
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
SIBLING = FATHER | {"relation": "full_sibling"}


@pytest_asyncio.fixture
async def run(runtime_for: RuntimeFor) -> AsyncIterator[Runtime]:
    async with a_case_with_a_matcher(runtime_for) as found:
        yield found


async def candidates(run: Runtime) -> list[CandidateRow]:
    async with run.read() as conn:
        return await store_candidates.candidates(conn, [], None, 200)


async def withdraws(run: Runtime, row: SpecimenRow) -> None:
    step = MoveSpecimen(to_state="withdrawn", seal="S-0001", location="DNA室", reason="consent_withdrawn")
    async with run.tx(actor="lab-1") as tx:
        await laboratory.move(tx, row.id, step, practice_of(run.settings))


async def by_hand(run: Runtime, row: SpecimenRow, *relations: str) -> str:
    body = {"specimen_id": str(row.id), "purpose": "file 2026-17", "relations": list(relations)}
    async with desk(run) as lab:
        answer = await lab.posts("/searches", body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def test_a_matcher_that_was_killed_idle_answers_a_search_by_hand(run: Runtime) -> None:
    """No profile comes that would tell the service that the index is gone."""
    matcher = run.state["matcher"] = Matcher(run)
    kin = family(1)
    father = await enters(run, kin.father, **FATHER)
    await enters(run, kin.child)
    await all_searched(run)
    pid = matcher._requests.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    search_id = await by_hand(run, father)

    for _ in range(3):
        await matcher.sweep()
        run.clock.advance(minutes=6)

    state = await run.pool.fetchrow("select state, leads from search where id = $1::uuid", search_id)
    assert ("completed", 1) == tuple(state)


async def test_a_search_for_parents_alone_does_not_count_as_a_search_for_siblings(run: Runtime) -> None:
    """A sibling whose own search waits is not compared, whatever else was asked meanwhile."""
    kin, rng = family(2), np.random.default_rng(2)
    child = await enters(run, kin.child, "adopted")
    await all_searched(run)
    sibling = await enters(run, stranger(rng), **SIBLING)
    await run.pool.execute(
        "update search set due_at = due_at + interval '1 minute', attempts = 1 where specimen_id = $1",
        sibling.id,
    )
    await by_hand(run, child, "parent")

    await all_searched(run)

    async with desk(run, "registry") as clerk:
        told = await clerk.posts("/gate-requests", asking(child.id))
    assert ("hold", "families_awaited") == (told.json()["decision"], told.json()["reason"])


async def test_who_withdraws_between_the_look_and_the_lead_is_in_no_lead(
    run: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    kin = family(4)
    father = await enters(run, kin.father, **FATHER)
    await enters(run, kin.child)
    under_way: list[asyncio.Task[None]] = []
    comparable = results._comparable

    def looks(people: Any) -> bool:
        found = comparable(people)
        if not under_way:
            under_way.append(asyncio.get_running_loop().create_task(withdraws(run, father)))
        return found

    monkeypatch.setattr(results, "_comparable", looks)
    add = store_candidates.add_candidate

    async def late(conn: Any, row: CandidateRow) -> bool:
        await asyncio.wait(under_way, timeout=0.3)
        return await add(conn, row)

    monkeypatch.setattr(store_candidates, "add_candidate", late)
    await all_searched(run)
    await asyncio.gather(*under_way)

    assert {"withdrawn"} >= {row.state for row in await candidates(run)}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["enters first", "withdraws first"])
async def test_one_of_a_family_withdraws_while_another_is_entered(
    run: Runtime, monkeypatch: pytest.MonkeyPatch, order: tuple[int, int]
) -> None:
    """Both change the case and the index: whoever is first, neither waits for the other for ever."""
    kin = family(5)
    father = await enters(run, kin.father, **FATHER)
    met, meeting = asyncio.Event(), {"at": 0}
    following = store_search.next_generation
    locking = store.lock_cross_match

    async def meets() -> None:
        """Both are as far as they come without the other's locks."""
        meeting["at"] += 1
        if meeting["at"] == 2:
            met.set()
        with_time = asyncio.create_task(met.wait())
        await asyncio.wait([with_time], timeout=0.3)
        with_time.cancel()

    async def generation(conn: Any, *, family: bool) -> int:
        found = await following(conn, family=family)
        await meets()
        return found

    async def case(conn: Any, case_id: Any) -> Any:
        found = await locking(conn, case_id)
        await meets()
        return found

    monkeypatch.setattr(store_search, "next_generation", generation)
    monkeypatch.setattr(store, "lock_cross_match", case)

    async def mother() -> None:
        async with run.tx(actor="lab-2") as tx:
            await put(tx, run, kin.mother, **MOTHER)

    steps = [mother(), withdraws(run, father)]
    await asyncio.gather(*(steps[place] for place in order))

    states = await run.pool.fetch("select state from specimen order by state")
    assert ["entered", "withdrawn"] == [row["state"] for row in states]


async def test_more_loci_change_every_figure_of_a_lead(run: Runtime) -> None:
    """A lead that more loci contradict must not be shown as free of contradictions."""

    kin = family(6)
    await enters(run, kin.father, **FATHER)
    await enters(run, kin.child)
    await all_searched(run)
    [before] = await candidates(run)
    extra = [locus for locus in TABLE.loci if locus not in LOCI][:3]
    alleles = {locus: list(TABLE.loci[locus]) for locus in extra}
    mine = {locus: [found[0], found[0]] for locus, found in alleles.items()}
    theirs = {locus: [found[1], found[1]] for locus, found in alleles.items()}
    body = {"marker": "more_loci", "child": mine, "relative": theirs}

    async with desk(run) as lab:
        answer = await lab.posts(f"/candidates/{before.id}/second-tier", body)

    assert answer.status_code == 201, answer.text
    [after] = await candidates(run)
    assert (before.loci + 3, 3) == (after.loci, after.inconsistent)
    assert after.log10_lr < before.log10_lr
    assert after.strangers_by_lr > before.strangers_by_lr
    assert after.strangers_by_mismatch is None


async def test_a_step_of_the_night_asked_of_other_partitions_does_not_count(run: Runtime) -> None:
    """The partitions move while the step waits for the process: who was asked for holds them no more."""
    kin = family(7)
    await enters(run, kin.father, **FATHER)
    await enters(run, kin.child)
    await all_searched(run)
    matcher = matcher_of(run)
    await nightly.go_on(run)
    asked = matcher._requests.step

    async def moved(partition: int, elsewhere: Any) -> Any:
        matcher._requests.step = asked
        await matcher._requests.build(tuple(each for each in range(PARTITIONS) if each != partition))
        return await asked(partition, elsewhere)

    matcher._requests.step = moved
    await nightly.go_on(run)

    done = await run.pool.fetchval("select steps - cardinality(missing) from all_against_all")
    assert done == 0


async def test_a_clock_that_ran_ahead_holds_up_no_search_no_look_and_no_night(run: Runtime) -> None:
    kin = family(8)
    run.clock.advance(days=400)
    father = await enters(run, kin.father, **FATHER)
    child = await enters(run, kin.child, "adopted")
    async with desk(run, "registry") as clerk:
        await clerk.posts("/gate-requests", asking(child.id))
    await nightly.go_on(run)
    run.clock.advance(days=-400)

    await all_searched(run)
    for _ in range(PARTITIONS + 2):
        await nightly.go_on(run)
    await looked(run)
    run.clock.advance(hours=30)
    await nightly.go_on(run)

    assert len(await candidates(run)) == 1
    assert "blocked" == await run.pool.fetchval("select decision from gate_request")
    assert 2 == await run.pool.fetchval("select count(*) from all_against_all")
    assert father.id is not None


def kit_loci(name: str) -> list[str]:
    """The loci of a kit."""
    return sorted(kits.kit(name).ladder)


def typed(person: Alleles, loci: Sequence[str]) -> dict[str, list[str]]:
    """A genotype at those of the loci that it has, as the laboratory sends it."""
    return {locus: list(person[locus]) for locus in loci if locus in person}


def few_of(person: Alleles) -> Alleles:
    """What an older kit types of somebody."""
    return {locus: person[locus] for locus in kit_loci("Identifiler Plus") if locus in person}


def unlike(person: Alleles) -> Alleles:
    """Somebody who shares no allele with this person, on the ladder of GlobalFiler."""
    ladder = kits.kit("GlobalFiler").ladder
    return {
        locus: (next(a for a in sorted(ladder[locus] & set(TABLE.loci[locus])) if a not in alleles),)
        for locus, alleles in person.items()
        if locus in ladder
    }


async def test_more_loci_of_a_father_are_read_twice_and_compared_again_with_all_that_follows(
    run: Runtime,
) -> None:
    """The case waits again, its leads get the figures of all loci, and what they contradict says so."""
    kin = family(9)
    child = await enters(run, kin.child, "adopted")
    father = await enters(run, few_of(kin.father), **FATHER)
    await all_searched(run)
    [before] = await candidates(run)
    # The other loci are another man's: with them the lead falls.
    sent = {
        "kit": "GlobalFiler",
        "loci": typed({**unlike(kin.child), **few_of(kin.father)}, kit_loci("GlobalFiler")),
    }

    async with desk(run) as lab:
        first = await lab.posts(f"/specimens/{father.id}/profile", sent)
        second = await lab.colleague().posts(f"/specimens/{father.id}/profile", sent)
        between = await lab.waits_for()
        again = await lab.colleague().posts(f"/specimens/{father.id}/profile", sent)
        await all_searched(run)
        after = await lab.waits_for()

    [lead] = await candidates(run)
    assert [202, 201, 201] == [each.status_code for each in (first, second, again)]
    assert (["kinship_search"], []) == (between, after)
    assert before.id == lead.id
    assert lead.loci > before.loci
    assert lead.inconsistent > 2
    assert lead.log10_lr < before.log10_lr
    assert [(1, 1), (1, 1)] == [
        (fact.compared, fact.candidates) for fact in await facts(run, CrossMatchCompleted)
    ]
    causes = await run.pool.fetch(
        "select l.cause from search s join search_log l using (id) order by generation"
    )
    assert ["profile_entered", "profile_entered", "retyped"] == [row["cause"] for row in causes]
    assert child.id == lead.child_id


async def test_a_reading_that_contradicts_the_entered_profile_adds_nothing(run: Runtime) -> None:
    kin = family(10)
    father = await enters(run, few_of(kin.father), **FATHER)
    sent = {"kit": "GlobalFiler", "loci": typed(unlike(kin.father), kit_loci("GlobalFiler"))}

    async with desk(run) as lab:
        answer = await lab.posts(f"/specimens/{father.id}/profile", sent)

    assert (409, "profile_exists") == (answer.status_code, answer.json()["code"])
    assert 0 == await run.pool.fetchval("select count(*) from profile_reading")
