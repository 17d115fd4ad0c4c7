"""Two independent readings over HTTP, on real PostgreSQL: who may read, what waits, what enters, what is void."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from contracts.dna import ProfileAccepted, SampleRequested
from dna_intake.agents import REACTIONS
from guitu.service import Runtime
from harness.dna_desk import TO_QUALITY, Desk, desk
from harness.dna_files import person
from harness.dna_stories import CASE, KIT, alert
from harness.ground import facts, react

RuntimeFor = Callable[[str], Awaitable[Runtime]]
LOCI = person(1)
OTHERWISE = LOCI | {"TH01": ["6", "7"], "FGA": ["20", "21"]}
NEITHER = LOCI | {"vWA": ["11", "12"]}


async def ready(lab: Desk, **fields: Any) -> str:
    """A specimen that has passed its quality check."""
    specimen = await lab.registers(**fields)
    await lab.moves(specimen["id"], *TO_QUALITY)
    return str(specimen["id"])


async def readings(run: Runtime) -> list[tuple[str, bool]]:
    """State of each reading, and whether its content is still there."""
    rows = await run.pool.fetch(
        "select state, reading_sealed is not null as kept from profile_reading order by read_at, id"
    )
    return [(row["state"], row["kept"]) for row in rows]


def outcome(answer: httpx.Response) -> tuple[int, str]:
    found = answer.json()
    return answer.status_code, found.get("outcome") or found.get("code") or found["state"]


async def test_a_first_reading_waits_and_a_colleague_who_reads_the_same_enters_it(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimen = await ready(lab)

        first = await lab.reads(specimen, LOCI)
        waiting = await readings(run)
        second = await lab.colleague().reads(specimen, LOCI)

        shown = await lab.gets(f"/specimens/{specimen}/readings")
    assert ((202, "waiting"), (201, "entered")) == (outcome(first), outcome(second))
    assert ([("open", True)], [("entered", False)] * 2) == (waiting, await readings(run))
    assert ["laboratory-1", "laboratory-2"] == [each["read_by"] for each in shown["readings"]]
    assert [UUID(specimen)] == [f.specimen_id for f in await facts(run, ProfileAccepted)]


async def test_the_same_person_is_not_the_second_reader(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimen = await ready(lab)
        await lab.reads(specimen, LOCI)

        again, changed = await lab.reads(specimen, LOCI), await lab.reads(specimen, OTHERWISE)

    assert ((202, "waiting"), (409, "same_reader")) == (outcome(again), outcome(changed))
    assert [("open", True)] == await readings(run)
    assert [] == await facts(run, ProfileAccepted)


async def test_readings_that_differ_name_the_loci_and_both_are_kept(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimen = await ready(lab)
        await lab.reads(specimen, LOCI)

        differing = await lab.colleague().reads(specimen, OTHERWISE)
        again = await lab.colleague().reads(specimen, OTHERWISE)
        first_again = await lab.reads(specimen, LOCI)

    assert (409, "readings_differ") == outcome(differing)
    assert ["FGA", "TH01"] == differing.json()["loci"]
    assert differing.json() == again.json() == first_again.json()
    assert [("open", True)] * 2 == await readings(run)


@pytest.mark.parametrize(("third", "enters"), [(LOCI, LOCI), (OTHERWISE, OTHERWISE)])
async def test_a_third_reader_decides(
    runtime_for: RuntimeFor, third: dict[str, list[str]], enters: dict[str, list[str]]
) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimen = await ready(lab)
        await lab.reads(specimen, LOCI)
        await lab.colleague().reads(specimen, OTHERWISE)

        decided = await lab.colleague(3).reads(specimen, third)

        assert (201, "entered") == outcome(await lab.reads(specimen, enters))
    assert (201, "entered") == outcome(decided)
    assert [("entered", False)] * 3 == await readings(run)


async def test_three_readings_that_agree_nowhere_are_void_and_the_reading_begins_anew(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimen = await ready(lab)
        await lab.reads(specimen, LOCI)
        await lab.colleague().reads(specimen, OTHERWISE)

        void = await lab.colleague(3).reads(specimen, NEITHER)
        after = await readings(run)
        anew = [await lab.reads(specimen, LOCI), await lab.colleague().reads(specimen, LOCI)]

    assert (409, "readings_void") == outcome(void)
    assert ["FGA", "TH01", "vWA"] == void.json()["loci"]
    assert "rejected" == void.json()["offers"]["reject"]["to_state"]
    assert [("void", False)] * 3 == after
    assert [(202, "waiting"), (201, "entered")] == [outcome(each) for each in anew]


async def test_two_readers_at_the_same_moment_enter_one_profile(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimen = await ready(lab)

        answers = await asyncio.gather(
            lab.reads(specimen, LOCI), lab.colleague().reads(specimen, LOCI), lab.reads(specimen, LOCI)
        )

    assert {(202, "waiting"), (201, "entered")} == {outcome(each) for each in answers}
    assert 1 == len(await facts(run, ProfileAccepted))


async def test_a_profile_of_too_few_loci_is_refused_with_the_way_to_a_new_sample(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    async with desk(run) as lab:
        specimen = await ready(lab, case_id=str(CASE))

        refusal = await lab.reads(specimen, dict(list(LOCI.items())[:9]))
        offered = refusal.json()["offers"]["reject"]
        rejected = await lab.moves(specimen, offered["to_state"])

        assert f"/specimens/{specimen}/moves" == offered["path"]
        assert (200, "open") == (rejected.status_code, await lab.sample_state())
    assert 422 == refusal.status_code
    assert 2 == len(await facts(run, SampleRequested))


async def test_a_rejected_specimen_forgets_the_reading_that_waited(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimen = await ready(lab)
        await lab.reads(specimen, LOCI)

        await lab.moves(specimen, "rejected")

    assert [("void", False)] == await readings(run)


@pytest.mark.parametrize("kit", ["K1", "", "GlobalFiler + K1"])
async def test_an_unknown_kit_is_refused(runtime_for: RuntimeFor, kit: str) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimen = await ready(lab)

        refusal = await lab.reads(specimen, LOCI, kit=kit)

    assert 422 == refusal.status_code
    assert [] == await readings(run)


async def test_a_third_allele_typed_again_by_both_is_left_out_and_said_so(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    loci = LOCI | {"D3S1358": ["13", "14", "15"]}
    async with desk(run) as lab:
        specimen = await ready(lab)
        first = await lab.reads(specimen, loci, tri_allelic_confirmed=["D3S1358"])

        second = await lab.colleague().reads(specimen, loci, tri_allelic_confirmed=["D3S1358"])

    assert ["D3S1358"] == first.json()["left_out"]
    assert (201, 23) == (second.status_code, second.json()["loci_typed"])


@pytest.mark.parametrize("role", ["registry", "operator", "auditor", "case_leader"])
async def test_only_the_laboratory_reads_or_sees_who_read(runtime_for: RuntimeFor, role: Any) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab, desk(run, role) as other:
        specimen = await ready(lab)

        answers = [
            await other.reads(specimen, LOCI),
            await other.http.get(f"/specimens/{specimen}/readings", headers=other.headers),
            await other.http.get("/profile-holds", headers=other.headers),
            await other.http.get("/staff-profiles", headers=other.headers),
        ]

    assert [403] * 4 == [answer.status_code for answer in answers]


async def test_what_is_read_stands_nowhere_in_the_clear(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    rare = LOCI | {"SE33": ["27.2", "33.2"], "FGA": ["44.2", "46.2"]}
    async with desk(run) as lab:
        specimen = await ready(lab)
        answers = [await lab.reads(specimen, rare), await lab.colleague().reads(specimen, rare)]
        other = await ready(lab)
        answers += [
            await lab.reads(other, rare | {"SE33": ["27.2", "32.2"]}, kit=KIT),
            await lab.colleague().reads(other, rare | {"SE33": ["27.2", "30.2"]}),
        ]
        rows = await everything(run)

    texts = [rows, *(answer.text for answer in answers)]
    assert [] == [a for a in ("27.2", "33.2", "44.2", "46.2", "32.2", "30.2") for t in texts if f'"{a}"' in t]
    assert "44.2" not in rows


async def everything(run: Runtime) -> str:
    """Every row of the service's schema as text; bytes are read as they are."""
    tables = await run.pool.fetch("select tablename from pg_tables where schemaname = 'dna_intake'")
    texts = []
    for table in tables:
        if table["tablename"] != "alembic_version":
            for row in await run.pool.fetch(f"select * from {table['tablename']}"):
                texts += [str(value) for value in row.values()]
    return "\n".join(texts)
