"""Specimens over HTTP, on real PostgreSQL: label, custody, profile, and what the requests make of them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from contracts.dna import (
    CrossMatchRequested,
    CustodyMoved,
    ProfileAccepted,
    SampleRegistered,
    SampleRequested,
)
from dna_intake.agents import REACTIONS
from dna_intake.handlers import mark_overdue
from guitu.auth import Role
from guitu.service import Runtime
from harness.dna_desk import TO_QUALITY, desk
from harness.dna_stories import CASE, YUNYANG, alert, stood_down
from harness.ground import facts, owner, react

RuntimeFor = Callable[[str], Awaitable[Runtime]]


async def test_the_requests_move_on_with_the_sample_until_only_the_search_is_missing(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    async with desk(run) as lab:
        specimen = await lab.registers(case_id=str(CASE))
        seen = [await lab.waits_for()]
        await lab.moves(specimen["id"], "collected")
        seen.append(await lab.waits_for())
        await lab.moves(specimen["id"], *TO_QUALITY[1:])

        entered = await lab.enters(specimen["id"])

        seen.append(await lab.waits_for())
        assert (entered.status_code, await lab.sample_state()) == (201, "entered")
    assert seen == [
        ["parent_sample", "parent_profile", "kinship_search"],
        ["parent_profile", "kinship_search"],
        ["kinship_search"],
    ]
    assert seen == [list(f.waits_for) for f in await facts(run, CrossMatchRequested)]
    assert len({f.request_id for f in await facts(run, CrossMatchRequested)}) == 1
    assert [f.loci_typed for f in await facts(run, ProfileAccepted)] == [24]
    assert [*TO_QUALITY, "entered"] == [f.to_state for f in await facts(run, CustodyMoved)]
    assert [UUID(specimen["id"])] == [f.specimen_id for f in await facts(run, SampleRegistered)]


async def test_that_the_giver_consented_is_kept_with_its_time_and_audited(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    async with desk(run) as lab:
        without = await lab.registers(case_id=str(CASE))
        asked = await lab.registers(case_id=str(CASE), consent=True)
        found = await lab.gets(f"/specimens/{asked['id']}")

    said = await run.pool.fetch(
        "select details from audit where action = 'dna.specimen_registered' order by at, id"
    )
    assert (None, run.clock.now().isoformat()) == (
        without["consent_at"],
        found["consent_at"].replace("Z", "+00:00"),
    )
    assert [True] == [row["details"]["consent"] for row in said if "consent" in row["details"]]


async def test_the_request_says_in_both_languages_what_it_waits_for(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    [request] = await facts(run, CrossMatchRequested)

    async with desk(run, "case_leader") as leader:
        answer = await leader.gets(f"/cross-match-requests/{request.request_id}")

    assert "comparison of the family's profiles with every child" in answer["says_en"]
    assert "全部儿童的亲缘比对" in answer["says_zh"]


async def test_an_illegal_move_is_refused_with_the_legal_ones(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimen = await lab.registers()

        refusal = await lab.moves(specimen["id"], "typed")

        assert (refusal.status_code, refusal.json()["code"]) == (409, "illegal_move")
        assert refusal.json()["legal"] == ["collected", "rejected", "withdrawn"]
        assert len((await lab.gets(f"/specimens/{specimen['id']}"))["chain"]) == 1


async def test_a_move_sent_again_is_recorded_once(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimen = await lab.registers()
        first = await lab.moves(specimen["id"], "collected")

        again = await lab.moves(specimen["id"], "collected")

    assert (200, first.json()) == (again.status_code, again.json())
    assert len(await facts(run, CustodyMoved)) == 1


async def test_entered_is_reached_by_a_profile_only_and_after_the_quality_check(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimen = await lab.registers()
        too_early = await lab.enters(specimen["id"])
        await lab.moves(specimen["id"], *TO_QUALITY)

        by_move = await lab.moves(specimen["id"], "entered")

    assert (too_early.status_code, by_move.status_code) == (409, 409)
    assert "profile" in by_move.json()["mend"]
    assert await facts(run, ProfileAccepted) == []


async def test_a_bad_profile_is_refused_by_locus_and_nothing_is_entered(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimen = await lab.registers()
        await lab.moves(specimen["id"], *TO_QUALITY)

        refusal = await lab.enters(specimen["id"], D3S1358=["77", "88", "99"], TH01=["77.9"])

        assert (await lab.gets(f"/specimens/{specimen['id']}"))["state"] == "quality_checked"
    assert refusal.status_code == 422
    assert {"D3S1358", "TH01"} == {line["locus"] for line in refusal.json()["loci"]}
    # An id or a barcode is random, and may happen to hold the same digits.
    said = refusal.text.replace(specimen["id"], "").replace(specimen["barcode"], "")
    assert not [allele for allele in ("77", "88", "99") if allele in said]


async def test_the_same_profile_again_changes_nothing_and_another_is_refused(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimen = await lab.registers()
        await lab.moves(specimen["id"], *TO_QUALITY)
        first = await lab.enters(specimen["id"], TH01=["6", "9.3"])

        again = await lab.enters(specimen["id"], TH01=["9.3", "6"])
        other = await lab.enters(specimen["id"], TH01=["6", "8"])

    assert (201, first.json()) == (again.status_code, again.json())
    assert (other.status_code, other.json()["code"]) == (409, "profile_exists")
    assert "9.3" not in other.text
    assert len(await facts(run, ProfileAccepted)) == 1


async def test_a_genotype_stands_nowhere_in_the_clear(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimen = await lab.registers()
        await lab.moves(specimen["id"], *TO_QUALITY)
        answer = await lab.enters(specimen["id"], SE33=["27.2", "31.2"])
        shown = json.dumps(await lab.gets(f"/specimens/{specimen['id']}"))

    rows = await everything(run)
    assert not [text for text in (answer.text, shown, rows) if "31.2" in text or "SE33" in text]


async def everything(run: Runtime) -> str:
    """Every row of the service's schema as text; bytes are read as they are."""
    tables = await run.pool.fetch("select tablename from pg_tables where schemaname = 'dna_intake'")
    texts = []
    for table in tables:
        if table["tablename"] != "alembic_version":
            for row in await run.pool.fetch(f"select * from {table['tablename']}"):
                texts += [
                    v.decode(errors="replace") if isinstance(v, bytes) else str(v) for v in row.values()
                ]
    return " ".join(texts)


async def test_expunging_deletes_key_and_genotype(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimen = await lab.registers()
        await lab.moves(specimen["id"], *TO_QUALITY)
        await lab.enters(specimen["id"])

        await lab.moves(specimen["id"], "withdrawn", "expunged")

    row = await run.pool.fetchrow("select wrapped_key, genotype_sealed, expunged_at from profile")
    assert (None, None, run.clock.now()) == tuple(row)


async def test_a_rejected_sample_is_asked_for_again_with_a_fresh_clock(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    async with desk(run) as lab:
        specimen = await lab.registers(case_id=str(CASE))
        await lab.moves(specimen["id"], "collected")
        run.clock.advance(hours=1)

        await lab.moves(specimen["id"], "rejected")

        assert (await lab.sample_state(), (await lab.waits_for())[0]) == ("open", "parent_sample")
    [asked, again] = await facts(run, SampleRequested)
    assert asked.due_at + timedelta(hours=1) == again.due_at


async def test_a_second_parents_sample_keeps_the_request_served(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    async with desk(run) as lab:
        first, second = await lab.registers(case_id=str(CASE)), await lab.registers(case_id=str(CASE))
        await lab.moves(first["id"], "collected")
        await lab.moves(second["id"], "collected")

        await lab.moves(first["id"], "rejected")

        assert (await lab.sample_state(), (await lab.waits_for())[0]) == ("collected", "parent_profile")
    assert len(await facts(run, SampleRequested)) == 1


async def test_a_collected_sample_never_becomes_late(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    async with desk(run) as lab:
        specimen = await lab.registers(case_id=str(CASE))
        await lab.moves(specimen["id"], "collected")
    run.clock.advance(hours=5)

    assert await mark_overdue(run) == 0


@pytest.mark.parametrize(
    ("outcome", "cross_match"), [("found", "waiting"), ("false_alarm", "cancelled"), ("merged", "cancelled")]
)
async def test_after_the_sample_was_taken_only_a_found_child_keeps_its_comparison(
    runtime_for: RuntimeFor, outcome: str, cross_match: str
) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    async with desk(run) as lab:
        specimen = await lab.registers(case_id=str(CASE))
        await lab.moves(specimen["id"], "collected")

        await react(run, REACTIONS, stood_down(run.clock.now(), outcome))

        found = await lab.gets(f"/requests?case_id={CASE}")
    assert found["sample_requests"][0]["state"] == "collected"
    assert cross_match == found["cross_match_requests"][0]["state"]


async def test_a_sample_lost_after_the_stand_down_is_not_asked_for_again(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    async with desk(run) as lab:
        specimen = await lab.registers(case_id=str(CASE))
        await lab.moves(specimen["id"], "collected")
        await react(run, REACTIONS, stood_down(run.clock.now()))

        await lab.moves(specimen["id"], "rejected")

        assert await lab.sample_state() == "cancelled"
    assert len(await facts(run, SampleRequested)) == 1


async def test_a_case_that_needs_no_sample_gets_no_specimen(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    await react(run, REACTIONS, stood_down(run.clock.now(), "false_alarm"))
    body = {"category": "parent_of_missing_child", "region_code": YUNYANG}
    async with desk(run) as lab:
        cancelled = await lab.posts("/specimens", body | {"case_id": str(CASE)})
        unknown = await lab.posts("/specimens", body | {"case_id": str(uuid4())})

    assert (cancelled.status_code, unknown.status_code) == (409, 404)


async def test_a_specimen_of_an_exercise_is_marked(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now(), exercise=True))
    async with desk(run) as lab:
        specimen = await lab.registers(case_id=str(CASE))

    assert specimen["exercise"] is True
    assert [f.exercise for f in await facts(run, SampleRegistered)] == [True]


async def test_a_registration_sent_again_makes_no_second_specimen(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    body = {"category": "adopted", "region_code": YUNYANG}
    async with desk(run, "registry") as clerk:
        first = await clerk.posts("/specimens", body, **{"Idempotency-Key": "k1"})
        again = await clerk.posts("/specimens", body, **{"Idempotency-Key": "k1"})

    assert first.json() == again.json()
    assert len(await facts(run, SampleRegistered)) == 1


async def test_a_scanned_label_finds_its_specimen_and_a_misread_one_is_told(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimen = await lab.registers()
        label = specimen["barcode"].lower().replace("-", "")
        found = await lab.gets(f"/specimens?barcode={label}")
        misread = await lab.http.get("/specimens?barcode=00000-00001-0", headers=lab.headers)

    assert [specimen["id"]] == [row["id"] for row in found["specimens"]]
    assert (misread.status_code, misread.json()["code"]) == (422, "barcode_misread")


async def test_custody_moves_cannot_be_rewritten_and_a_forged_one_shows(
    runtime_for: RuntimeFor, postgres_url: str
) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimen = await lab.registers()
        await lab.moves(specimen["id"], "collected", "received")
        intact = await lab.gets(f"/specimens/{specimen['id']}/custody")
        for change in ("update custody_move set seal = 'S-0002'", "delete from custody_move"):
            with pytest.raises(asyncpg.RestrictViolationError):
                await run.pool.execute(change)
        await forge(postgres_url)

        broken = await lab.gets(f"/specimens/{specimen['id']}/custody")

    assert (intact["intact"], intact["moves"]) == (True, 3)
    assert (broken["intact"], broken["broken_at"]) == (False, 2)


async def forge(postgres_url: str) -> None:
    """What only the owner could do: take the guard away, change a seal, and put it back."""
    conn = await owner(postgres_url)
    try:
        await conn.execute("alter table dna_intake.custody_move disable trigger custody_move_append_only")
        await conn.execute("update dna_intake.custody_move set seal = 'S-0002' where seq = 2")
        await conn.execute("alter table dna_intake.custody_move enable trigger custody_move_append_only")
    finally:
        await conn.close()


async def test_another_region_sees_nothing_and_may_write_nothing(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    async with desk(run) as lab, desk(run, region="500101") as elsewhere:
        specimen = await lab.registers(case_id=str(CASE))
        body = {"category": "adopted", "region_code": YUNYANG}

        seen = await elsewhere.gets(f"/requests?case_id={CASE}")
        answers = [
            await elsewhere.moves(specimen["id"], "collected"),
            await elsewhere.enters(specimen["id"]),
            await elsewhere.posts("/specimens", body),
        ]

    assert seen == {"sample_requests": [], "cross_match_requests": []}
    assert [answer.status_code for answer in answers] == [404, 404, 403]


@pytest.mark.parametrize("role", ["unit", "site", "operator", "auditor", "registry"])
async def test_only_the_laboratory_moves_specimens(runtime_for: RuntimeFor, role: Role) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab, desk(run, role) as other:
        specimen = await lab.registers()

        refusal = await other.moves(specimen["id"], "collected")

    assert refusal.status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        {"seal": "bad seal"},
        {"location": ""},
        {"to_state": "searched"},
        {"at": "2026-03-01T06:00:00"},
        {"by": "x"},
        {"location": "a\x00b"},
        {"at": "9999-12-31T23:59:59-12:00"},
        {"at": "0001-01-01T00:00:00+12:00"},
    ],
)
async def test_a_malformed_move_is_refused_with_the_field(
    runtime_for: RuntimeFor, change: dict[str, str]
) -> None:
    run = await runtime_for("dna-intake")
    body = {"to_state": "collected", "seal": "S-0001", "location": "DNA室"} | change
    async with desk(run) as lab:
        specimen = await lab.registers()

        refusal = await lab.posts(f"/specimens/{specimen['id']}/moves", body)

    assert refusal.status_code == 422
    assert next(iter(change)) in refusal.json()["detail"]
