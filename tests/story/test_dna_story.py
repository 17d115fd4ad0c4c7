"""From the parents' blood to a child who is named again, in the words of the people, on real parts."""

from __future__ import annotations

import json

import asyncpg
import numpy as np

from demo.case import Case, Json
from demo.cast import Cast
from demo.scripted import LAST_SEEN
from demo.waiting import eventually
from harness.families import FamilyDrawn, family_drawn

KIT = "VeriFiler Plus"


def a_family(seed: int) -> FamilyDrawn:
    """Each test has a family of its own: the same profile entered again would be held as the same person's."""
    return family_drawn(KIT, np.random.default_rng(seed))


async def reported(cast: Cast) -> Case:
    case = await cast.command_centre.raises_alert(cast.book.site(LAST_SEEN))
    await cast.laboratory.requests(case)
    return case


async def parents_are_entered(cast: Cast, case: Case, family: FamilyDrawn) -> list[Json]:
    parents = []
    for relation, sex in (("father", "male"), ("mother", "female")):
        parent = await cast.laboratory.takes(
            "parent_of_missing_child", case_id=case.case_id, relation=relation, registered_sex=sex
        )
        answer = await cast.laboratory.reads(parent, KIT, family.of(relation))
        assert answer["state"] == "entered", answer
        parents.append(parent)
    return parents


async def test_a_child_of_unknown_origin_is_found_among_the_missing_before_anybody_registers_it(
    cast: Cast,
) -> None:
    family = a_family(20261130)
    case = await reported(cast)
    parents = await parents_are_entered(cast, case, family)
    child = await cast.laboratory.takes("unknown_origin", registered_sex=family.child_sex)
    asked = await cast.registry.asks_the_gate(child, f"YY-{child['barcode'][:5]}")
    assert asked["decision"] == "hold"

    await cast.laboratory.reads(child, KIT, family.of("child"))
    leads = await cast.laboratory.leads_on(child)
    both = next(lead for lead in leads if lead["relation"] == "couple")
    await cast.registry.hears(asked, "blocked")
    await cast.laboratory.reviews(both, "confirmed")
    revealed = await cast.stage.ask(
        "dna-intake",
        "POST",
        f"/candidates/{both['id']}/reveal",
        role="case_leader",
        json={"purpose": "to bring the child home"},
    )

    assert revealed["case_id"] == case.case_id
    assert {both["family_id"], both["spouse_id"]} == {parent["id"] for parent in parents}
    assert (await cast.registry.hears(asked, "blocked"))["reason"] == "child_identified"
    assert "guitu.dna.candidate_reviewed.v1" in await told_of(cast, case)


async def test_a_child_whom_nobody_misses_may_be_registered(cast: Cast) -> None:
    stranger = a_family(7)
    child = await cast.laboratory.takes("registry_applicant", registered_sex=stranger.child_sex)
    asked = await cast.registry.asks_the_gate(child, f"YY-{child['barcode'][:5]}")
    assert asked["decision"] == "hold"

    await cast.laboratory.reads(child, KIT, stranger.of("child"))

    clear = await cast.registry.hears(asked, "clear")
    assert clear["valid_until"] is not None


async def test_no_fact_that_leaves_names_a_case_beside_a_specimen_or_tells_an_allele(
    cast: Cast,
) -> None:
    case = await reported(cast)
    await parents_are_entered(cast, case, a_family(3))

    conn = await asyncpg.connect(cast.stage.settings.database_url)
    try:
        bodies = [json.loads(row["body"]) for row in await conn.fetch(FACTS)]
    finally:
        await conn.close()

    assert bodies, "The laboratory has told of its work."
    for body in bodies:
        assert not (body.get("case_id") and body.get("specimen_id")), body
        assert not {"loci", "alleles"} & set(body), body


FACTS = "select convert_from(payload, 'utf8') as body from dna_intake.outbox"


async def told_of(cast: Cast, case: Case) -> set[str]:
    """The types of DNA facts on the case's own timeline, once a review is among them."""

    async def look() -> set[str]:
        return {entry["type"] for entry in (await cast.command_centre.status(case))["dna"]}

    return await eventually(
        look, "a review on the case", is_there=lambda seen: "guitu.dna.candidate_reviewed.v1" in seen
    )
