"""Profiles that may be of the wrong person are held, on real PostgreSQL, until somebody else has looked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from contracts.dna import ProfileAccepted
from dna_intake.agents import REACTIONS
from dna_intake.intake import readings
from dna_intake.models import EnterProfile
from dna_intake.practice import practice_of
from guitu.service import Runtime
from harness.dna_desk import TO_QUALITY, Desk, desk
from harness.dna_files import Loci, child, person
from harness.dna_stories import CASE, KIT, YUNYANG, alert
from harness.ground import facts, react, until

RuntimeFor = Callable[[str], Awaitable[Runtime]]
FATHER, MOTHER = person(1), person(2, sex="female")
SIBLING = child(FATHER, MOTHER, 3)
BECAUSE = "Compared both chains; one person, sampled twice."


async def read(lab: Desk, loci: Loci, **fields: Any) -> tuple[str, dict[str, Any]]:
    """A specimen through the laboratory, and what the second reader is told."""
    specimen = await lab.registers(**fields)
    await lab.moves(specimen["id"], *TO_QUALITY)
    await lab.reads(specimen["id"], loci)
    answer = await lab.colleague().reads(specimen["id"], loci)
    assert answer.status_code in (201, 202), answer.text
    return specimen["id"], answer.json()


def codes(answer: dict[str, Any]) -> list[str]:
    return list(answer.get("reasons", []))


async def test_the_same_person_under_another_label_is_held_and_the_other_specimen_named(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        first, entered = await read(lab, FATHER)

        _, held = await read(lab, FATHER)

        [hold] = (await lab.gets("/profile-holds"))["holds"]
    assert ("entered", ["duplicate"]) == (entered["state"], codes(held))
    assert [first] == hold["reasons"][0]["others"]
    assert {"laboratory-1", "laboratory-2"} == set(hold["read_by"])
    assert all(hold["reasons"][0][words] for words in ("says_en", "says_zh", "mend"))
    assert 1 == len(await facts(run, ProfileAccepted))


@pytest.mark.parametrize(
    ("change", "held"),
    [
        ({"TH01": ["6", "6"]}, True),
        ({"TH01": ["6", "6"], "FGA": ["20", "21"]}, True),
        ({"TH01": ["6", "6"], "FGA": ["20", "21"], "vWA": ["11", "12"]}, False),
    ],
)
async def test_a_duplicate_is_found_in_spite_of_two_typing_errors(
    runtime_for: RuntimeFor, change: Loci, held: bool
) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        await read(lab, FATHER)

        _, answer = await read(lab, FATHER | change)

    assert held is ("duplicate" in codes(answer))


async def test_a_partial_duplicate_of_another_region_is_found_without_its_region_being_shown(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    part = {locus: a for locus, a in FATHER.items() if locus not in ("FGA", "SE33", "vWA", "Penta E")}
    async with desk(run) as lab, desk(run, region="500101") as elsewhere:
        await read(elsewhere, FATHER, region_code="500101")

        _, held = await read(lab, part)

        assert 1 == len((await lab.gets("/profile-holds"))["holds"])
        assert [] == (await elsewhere.gets("/profile-holds"))["holds"]
    assert ["duplicate"] == codes(held)


async def test_who_enters_the_same_person_meanwhile_waits_and_is_held(runtime_for: RuntimeFor) -> None:
    """The first entry has not committed yet while the second looks for duplicates."""
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimens = [(await lab.registers())["id"] for _ in range(2)]
        for specimen in specimens:
            await lab.moves(specimen, *TO_QUALITY)
            await lab.reads(specimen, FATHER)
        async with run.tx(actor="laboratory-2") as tx:
            sent = EnterProfile(kit=KIT, loci=FATHER)
            first = await readings.read(tx, UUID(specimens[0]), sent, practice_of(run.settings))

            second = asyncio.create_task(lab.colleague().reads(specimens[1], FATHER))
            waiting = await until(run, "select count(*) from pg_locks where not granted")

        assert ("entered", True) == (first.kind, waiting > 0)
        assert (202, ["duplicate"]) == ((await second).status_code, codes(second.result().json()))


async def test_a_withdrawn_specimen_is_no_duplicate_any_more(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        first, _ = await read(lab, FATHER)
        await lab.moves(first, "withdrawn")

        _, answer = await read(lab, FATHER)

        assert 0 == await run.pool.fetchval("select count(*) from profile_mark where specimen_id = $1", first)
    assert "entered" == answer["state"]


async def test_a_staff_members_profile_is_contamination(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    body = {"staff_code": "T-07", "region_code": YUNYANG, "kit": KIT, "loci": FATHER}
    async with desk(run) as lab:
        listed = await lab.posts("/staff-profiles", body)
        twice = await lab.posts("/staff-profiles", body)

        _, held = await read(lab, FATHER | {"TH01": ["6", "6"]})
        gone = await lab.http.delete(f"/staff-profiles/{listed.json()['id']}", headers=lab.headers)
        again = await lab.http.delete(f"/staff-profiles/{listed.json()['id']}", headers=lab.headers)
        _, entered = await read(lab, FATHER)

        assert [] == (await lab.gets("/staff-profiles"))["staff"]
    assert (201, 409, 204, 404) == tuple(a.status_code for a in (listed, twice, gone, again))
    assert (["staff"], "entered") == (codes(held), entered["state"])
    row = await run.pool.fetchrow("select wrapped_key, genotype_sealed from staff_profile")
    assert (None, None) == tuple(row)


@pytest.mark.parametrize(
    ("loci", "fields", "reasons"),
    [
        (FATHER, {"registered_sex": "male"}, []),
        (FATHER, {"registered_sex": "female"}, ["sex_differs"]),
        (MOTHER, {"relation": "father"}, ["sex_differs"]),
        (MOTHER | {"D3S1358": ["13", "14", "15"]}, {}, ["three_alleles"]),
    ],
)
async def test_sex_and_unconfirmed_third_alleles_are_looked_at(
    runtime_for: RuntimeFor, loci: Loci, fields: dict[str, str], reasons: list[str]
) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        _, answer = await read(lab, loci, **fields)

    assert reasons == codes(answer)


@pytest.mark.parametrize(
    ("first", "second", "held"),
    [
        ({"relation": "father"}, {"relation": "full_sibling"}, False),
        ({"relation": "full_sibling"}, {"relation": "father"}, False),
        ({"relation": "father", "stranger": True}, {"relation": "full_sibling"}, True),
        ({"relation": "full_sibling", "stranger": True}, {"relation": "father"}, True),
        ({"relation": "uncle_aunt", "stranger": True}, {"relation": "full_sibling"}, False),
        ({"stranger": True}, {"relation": "full_sibling"}, False),
    ],
)
async def test_a_family_that_cannot_be_is_held(
    runtime_for: RuntimeFor, first: dict[str, Any], second: dict[str, Any], held: bool
) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    stranger = first.pop("stranger", False) if (first := dict(first)) else False
    known = {"father": FATHER, "full_sibling": SIBLING}
    async with desk(run) as lab:
        loci = person(50) if stranger else known[first["relation"]]
        await read(lab, loci, case_id=str(CASE), **first)

        _, answer = await read(lab, known[second["relation"]], case_id=str(CASE), **second)

    assert held is ("family" in codes(answer))


async def test_a_sibling_of_one_parent_only_is_held_by_the_couple(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    half = child(FATHER, person(60, sex="female"), 4)
    async with desk(run) as lab:
        await read(lab, FATHER, case_id=str(CASE), relation="father")
        await read(lab, MOTHER, case_id=str(CASE), relation="mother")

        specimen, answer = await read(lab, half, case_id=str(CASE), relation="full_sibling")

        [hold] = (await lab.gets("/profile-holds"))["holds"]
    assert ["family"] * 2 == codes(answer)
    assert {"mother", "couple"} == {reason["relation"] for reason in hold["reasons"]}
    assert all(len(reason["loci"]) >= 3 for reason in hold["reasons"])
    assert specimen == hold["specimen_id"]


async def test_a_held_profile_is_let_in_by_somebody_who_did_not_read_it(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        await read(lab, FATHER)
        specimen, held = await read(lab, FATHER)
        path = f"/profile-holds/{held['hold_id']}/release"

        own = await lab.colleague().posts(path, {"because": BECAUSE})
        short = await lab.colleague(3).posts(path, {"because": "ok"})
        let_in = await lab.colleague(3).posts(path, {"because": BECAUSE})
        again = await lab.colleague(3).posts(path, {"because": BECAUSE})
        voided = await lab.colleague(3).posts(path.replace("release", "void"), {"because": BECAUSE})

        assert "entered" == (await lab.gets(f"/specimens/{specimen}"))["state"]
        assert [] == (await lab.gets("/profile-holds"))["holds"]
    assert (409, 422, 200, 200, 409) == tuple(a.status_code for a in (own, short, let_in, again, voided))
    assert let_in.json() == again.json()
    assert 2 == len(await facts(run, ProfileAccepted))
    told = await run.pool.fetch("select actor, details from audit where action = 'dna.hold_released'")
    assert [("laboratory-3", ["duplicate"])] == [(row["actor"], row["details"]["reasons"]) for row in told]


async def test_a_held_profile_can_be_voided_and_typed_again(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        await read(lab, FATHER)
        specimen, held = await read(lab, FATHER)
        meanwhile = await lab.colleague(3).reads(specimen, MOTHER)
        repeated = await lab.reads(specimen, FATHER)

        voided = await lab.posts(f"/profile-holds/{held['hold_id']}/void", {"because": BECAUSE})
        await lab.reads(specimen, MOTHER)
        entered = await lab.colleague().reads(specimen, MOTHER)

    assert (409, "profile_held") == (meanwhile.status_code, meanwhile.json()["code"])
    assert (202, "held") == (repeated.status_code, repeated.json()["outcome"])
    assert (200, 201) == (voided.status_code, entered.status_code)


async def test_a_hold_of_another_region_is_not_there(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab, desk(run, region="500101") as elsewhere:
        await read(lab, FATHER)
        _, held = await read(lab, FATHER)

        answer = await elsewhere.posts(f"/profile-holds/{held['hold_id']}/release", {"because": BECAUSE})

    assert 404 == answer.status_code


async def test_no_hold_says_whose_family_or_double_an_expunged_specimen_was(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    stranger = person(60, sex="female")
    async with desk(run) as lab, desk(run, region="500101") as elsewhere:
        mother, _ = await read(lab, stranger, case_id=str(CASE), relation="mother")
        father, _ = await read(lab, FATHER, case_id=str(CASE), relation="father")
        sibling, _ = await read(lab, SIBLING, case_id=str(CASE), relation="full_sibling")
        await read(elsewhere, stranger, region_code="500101")
        [double] = (await elsewhere.gets("/profile-holds"))["holds"]
        await lab.moves(sibling, "withdrawn", "expunged")
        own = await run.pool.fetchval(
            "select reasons from profile_hold where specimen_id = $1", UUID(sibling)
        )

        await lab.moves(mother, "withdrawn", "expunged")

        [after] = (await elsewhere.gets("/profile-holds"))["holds"]
    assert all((reason["others"], reason["relation"]) == ([], None) and reason["loci"] for reason in own)
    assert ([mother], []) == (double["reasons"][0]["others"], after["reasons"][0]["others"])
    assert father not in str(own)
