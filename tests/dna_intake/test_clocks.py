"""Each step has a clock; what is late is told once, stands first on the worklist, and a lost sample is retaken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, get_args
from uuid import UUID

import pytest

from contracts.dna import SampleRequested
from dna_intake.agents import REACTIONS
from dna_intake.clocks import mark_specimens_overdue
from dna_intake.domain.clocks import NEXT_EN, NEXT_ZH
from dna_intake.domain.custody import LEGAL
from dna_intake.registration import TRIES_MAX
from dna_intake.settings import DnaSettings
from dna_intake.worklist_api import TimedState
from guitu.service import Runtime
from harness.dna_desk import TO_QUALITY, Desk, desk
from harness.dna_stories import CASE, YUNYANG, alert, stood_down
from harness.ground import facts, react

RuntimeFor = Callable[[str], Awaitable[Runtime]]


def test_every_state_with_a_clock_has_words_for_what_to_do_and_no_other_has() -> None:
    timed = list(DnaSettings().step_due_after)

    assert timed == list(NEXT_EN) == list(NEXT_ZH) == list(get_args(TimedState))
    ended = {"entered", "searched", "candidate", "second_tier", "confirmed", "refuted", "expunged"}
    assert set(LEGAL) - set(timed) == ended


async def audited(run: Runtime, action: str) -> list[UUID]:
    return [r["subject"] for r in await run.pool.fetch("select subject from audit where action = $1", action)]


def due(specimen: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(specimen["due_at"])


async def test_each_step_starts_the_clock_of_the_next_and_the_entered_profile_stops_it(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    hours = DnaSettings().step_due_after
    async with desk(run) as lab:
        specimen = await lab.registers()
        seen = [due(specimen) - run.clock.now()]
        for state in TO_QUALITY:
            run.clock.advance(hours=1)
            seen.append(due((await lab.moves(specimen["id"], state)).json()) - run.clock.now())
        await lab.enters(specimen["id"])

        after = await lab.gets(f"/specimens/{specimen['id']}")

    assert seen == [hours[state] for state in ("registered", *TO_QUALITY)]
    assert (after["state"], after["due_at"]) == ("entered", None)


async def test_the_clock_starts_when_it_happened_and_not_when_it_was_recorded(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    taken_at = run.clock.now() - timedelta(hours=3)
    async with desk(run) as lab:
        specimen = await lab.registers()
        body = {"to_state": "collected", "seal": "S-0001", "location": "站", "at": taken_at.isoformat()}

        moved = await lab.posts(f"/specimens/{specimen['id']}/moves", body)

    assert taken_at + timedelta(hours=DnaSettings().step_collected_h) == due(moved.json())


async def test_a_late_specimen_is_audited_once_a_step_and_stands_first(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        late = await lab.registers()
        await lab.moves(late["id"], "collected", "received")
        run.clock.advance(hours=23)
        fresh = await lab.registers()
        run.clock.advance(hours=2)

        counted = [await mark_specimens_overdue(run), await mark_specimens_overdue(run)]

        found = await lab.gets("/worklist")
        only = await lab.gets("/worklist?overdue_only=true")
        registered = await lab.gets("/worklist?state=registered")
        await lab.moves(late["id"], "extracted")
        assert (await lab.gets("/worklist?overdue_only=true"))["specimens"] == []
        run.clock.advance(hours=13)
        counted.append(await mark_specimens_overdue(run))
    assert counted == [1, 0, 1]
    assert [UUID(late["id"])] * 2 == await audited(run, "dna.specimen_overdue")
    told = [(i["id"], i["overdue"], i["late_min"], i["next_zh"]) for i in found["specimens"]]
    assert told == [(late["id"], True, 60, "提取DNA。"), (fresh["id"], False, 0, NEXT_ZH["registered"])]
    assert [late["id"]] == [item["id"] for item in only["specimens"]]
    assert [fresh["id"]] == [item["id"] for item in registered["specimens"]]
    assert found["steps"] == [
        {"state": "registered", "waiting": 1, "overdue": 0},
        {"state": "received", "waiting": 1, "overdue": 1},
    ]


async def test_the_worklist_shows_the_own_region_only_and_no_case(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    async with desk(run) as lab, desk(run, region="500101") as elsewhere:
        await lab.registers(case_id=str(CASE))

        mine, theirs = await lab.gets("/worklist"), await elsewhere.gets("/worklist")

    assert (len(mine["specimens"]), str(CASE) in str(mine)) == (1, False)
    assert (theirs["specimens"], theirs["steps"]) == ([], [])


async def rejected(lab: Desk, **fields: Any) -> dict[str, Any]:
    """A specimen that failed on the way to its profile."""
    specimen = await lab.registers(**fields)
    await lab.moves(specimen["id"], "collected", "received")
    body = {"to_state": "rejected", "seal": "S-0001", "location": "DNA室", "reason": "too_little"}
    answer = await lab.posts(f"/specimens/{specimen['id']}/moves", body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_failed_sample_waits_to_be_taken_again_and_its_successor_inherits_all(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    async with desk(run) as lab:
        lost = await rejected(lab, case_id=str(CASE), relation="mother", registered_sex="female")
        [waiting] = (await lab.gets("/worklist"))["specimens"]
        run.clock.advance(minutes=5)

        again = await lab.registers(resample_of=lost["id"])

        [now_waiting] = (await lab.gets("/worklist"))["specimens"]
        of_case = (await lab.gets(f"/specimens?case_id={CASE}"))["specimens"]
        checks = [await lab.gets(f"/specimens/{s['id']}/custody") for s in (lost, again)]
        request = await lab.sample_request()
        await lab.moves(again["id"], "collected")
        assert await lab.sample_state() == "collected"
    assert (waiting["id"], waiting["next_en"]) == (lost["id"], NEXT_EN["rejected"])
    assert lost["chain"][-1]["reason"] == "too_little"
    kept = (again["resample_of"], again["tries"], again["relation"], again["registered_sex"])
    assert kept == (lost["id"], 2, "mother", "female")
    assert now_waiting["id"] == again["id"]
    assert [lost["id"], again["id"]] == [s["id"] for s in of_case]
    assert [(None, again["id"]), (lost["id"], None)] == [
        (c["resample_of"], c["resampled_as"]) for c in checks
    ]
    assert (request["state"], request["tries"]) == ("open", 2)
    assert len(await facts(run, SampleRequested)) == 2


async def test_a_withdrawn_one_waits_for_its_end_though_it_was_taken_again(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimen = await lab.registers()
        await lab.moves(specimen["id"], "collected", "withdrawn")

        again = await lab.registers(resample_of=specimen["id"])

        waiting = {each["id"]: each["next_en"] for each in (await lab.gets("/worklist"))["specimens"]}
        await lab.moves(specimen["id"], "expunged")
        left = {each["id"] for each in (await lab.gets("/worklist"))["specimens"]}
    assert {specimen["id"]: NEXT_EN["withdrawn"], again["id"]: NEXT_EN["registered"]} == waiting
    assert {again["id"]} == left


async def test_a_lost_specimen_has_one_successor_and_only_a_lost_one_has(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        lost = await rejected(lab, category="unknown_origin")
        body = {"category": "unknown_origin", "region_code": YUNYANG, "resample_of": lost["id"]}
        wrong = await lab.posts("/specimens", body | {"category": "adopted"})
        first = await lab.posts("/specimens", body)

        second = await lab.posts("/specimens", body)
        healthy = await lab.posts("/specimens", body | {"resample_of": first.json()["id"]})
        unknown = await lab.posts("/specimens", body | {"resample_of": str(CASE)})
        await lab.moves(lost["id"], "expunged")
        gone = await lab.posts("/specimens", body)

    assert (wrong.status_code, wrong.json()["code"]) == (422, "resample_differs")
    assert (second.status_code, second.json()["successor"]) == (409, first.json()["id"])
    assert [(409, "not_lost"), (404, "not_found"), (409, "not_lost")] == [
        (answer.status_code, answer.json()["code"]) for answer in (healthy, unknown, gone)
    ]


async def test_tries_are_counted_and_bounded(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimen = await lab.registers()
        for _ in range(TRIES_MAX - 1):
            await lab.moves(specimen["id"], "rejected")
            specimen = await lab.registers(resample_of=specimen["id"])
        await lab.moves(specimen["id"], "rejected")

        body = {"category": "parent_of_missing_child", "region_code": YUNYANG, "resample_of": specimen["id"]}
        refused = await lab.posts("/specimens", body)

    assert (specimen["tries"], refused.status_code, refused.json()["code"]) == (
        TRIES_MAX,
        409,
        "too_many_tries",
    )


async def test_nobody_retakes_a_sample_for_a_case_that_is_over(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    async with desk(run) as lab:
        other_parent = await lab.registers(case_id=str(CASE))
        before = await rejected(lab, case_id=str(CASE))
        await lab.moves(other_parent["id"], "collected")
        await react(run, REACTIONS, stood_down(run.clock.now()))
        after = await lab.moves(other_parent["id"], "rejected")
        run.clock.advance(hours=49)

        assert await mark_specimens_overdue(run) == 1

        assert (await lab.gets("/worklist"))["specimens"] == []
    assert after.json()["due_at"] is None
    assert [UUID(before["id"])] == await audited(run, "dna.retake_dropped")
    assert [] == await audited(run, "dna.specimen_overdue")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"to_state": "received", "seal": "S-0002"}, (409, "seal_differs")),
        ({"to_state": "received"}, (422, "seal_missing")),
        ({"to_state": "received", "seal": "S-0001", "new_seal": "S-0001"}, (422, "seal_reused")),
        ({"to_state": "received", "seal": "S-0001", "reason": "lost"}, (422, "invalid_request")),
        ({"to_state": "rejected", "seal": "S-0001", "reason": "consent_withdrawn"}, (422, "invalid_request")),
        ({"to_state": "withdrawn", "seal": "S-0001", "reason": "too_little"}, (422, "invalid_request")),
    ],
    ids=str,
)
async def test_a_seal_or_reason_that_does_not_fit_is_refused_and_the_recorded_seal_is_not_told(
    runtime_for: RuntimeFor, body: dict[str, str], code: tuple[int, str]
) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimen = await lab.registers()
        await lab.moves(specimen["id"], "collected")

        refused = await lab.posts(f"/specimens/{specimen['id']}/moves", body | {"location": "DNA室"})

        assert (await lab.gets(f"/specimens/{specimen['id']}"))["state"] == "collected"
    assert code == (refused.status_code, refused.json()["code"])
    assert "S-0001" not in refused.text


async def test_a_broken_seal_shows_in_the_verified_chain(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimen = await lab.registers()
        await lab.moves(specimen["id"], "collected", "received")
        opened = {"to_state": "extracted", "seal": "S-0001", "new_seal": "S-0002", "location": "DNA室"}
        path = f"/specimens/{specimen['id']}/moves"
        first, again = await lab.posts(path, opened), await lab.posts(path, opened)
        found = {"to_state": "rejected", "seal": "S-0666", "location": "DNA室", "reason": "seal_broken"}
        await lab.posts(path, found)

        check = await lab.gets(f"/specimens/{specimen['id']}/custody")

    assert first.json() == again.json()
    assert (check["intact"], check["moves"]) == (True, 5)
    assert check["seal_changes"] == [
        {"seq": 4, "before": "S-0001", "after": "S-0002", "declared": True},
        {"seq": 5, "before": "S-0002", "after": "S-0666", "declared": True},
    ]
