"""The identity wall: with the key a specimen leads to its case, without it to nothing."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.base import CaseId
from contracts.dna import CrossMatchRequested, CustodyMoved, DnaFact, SampleRequested
from contracts.flow import FACT_BY_TYPE
from dna_intake import store
from dna_intake.agents import REACTIONS
from dna_intake.domain.custody import IllegalMove
from dna_intake.identity import blinded, link_of, move_plain_links, open_case, seal_case
from dna_intake.laboratory import step_on_paper
from dna_intake.models import SpecimenRow
from guitu.service import Runtime
from guitu.vault import Tampered, master_key
from harness.dna_desk import TO_QUALITY, Desk, desk
from harness.dna_stories import CASE, YUNYANG, alert
from harness.ground import START, facts, owner, react

RuntimeFor = Callable[[str], Awaitable[Runtime]]
MASTER = bytes(range(32))
OTHER_CASE = CaseId(UUID(int=0xBEEF))
UUIDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def row(**fields: Any) -> SpecimenRow:
    kept = {"id": UUID(int=7), "barcode": "B", "category": "adopted", "region_code": YUNYANG}
    rest = {"exercise": False, "state": "registered", "moves": 1, "registered_at": START}
    return SpecimenRow(**kept | rest | fields)


def test_the_link_is_one_for_a_case_and_another_for_another_case_or_key() -> None:
    link = link_of(MASTER, CASE)

    assert link == link_of(MASTER, UUID(str(CASE)))
    assert len({link, link_of(MASTER, OTHER_CASE), link_of(MASTER[::-1], CASE)}) == 3
    assert link not in (hashlib.sha256(CASE.bytes).digest(), hashlib.sha256(str(CASE).encode()).digest())


def test_a_sealed_case_opens_in_its_own_row_and_in_no_other() -> None:
    sealed = seal_case(MASTER, UUID(int=7), CASE)

    assert open_case(MASTER, row(case_sealed=sealed)) == CASE
    assert open_case(MASTER, row()) is None
    for elsewhere, key in ((UUID(int=8), MASTER), (UUID(int=7), MASTER[::-1])):
        with pytest.raises(Tampered):
            open_case(key, row(id=elsewhere, case_sealed=sealed))


def test_a_specimen_as_text_shows_no_half_of_the_wall() -> None:
    link, sealed = link_of(MASTER, CASE), seal_case(MASTER, UUID(int=7), CASE)

    text = repr(row(case_link=link, case_sealed=sealed))

    assert "case" not in text


async def a_whole_story(run: Runtime, lab: Desk) -> list[str]:
    """Two cases; of each a parent's specimen through everything that can happen to one; their ids."""
    ids = []
    for number, case_id in enumerate((CASE, OTHER_CASE)):
        await react(run, REACTIONS, alert(run.clock.now(), case_id))
        body = {"category": "parent_of_missing_child", "region_code": YUNYANG, "case_id": str(case_id)}
        made = await lab.posts("/specimens", body, **{"Idempotency-Key": f"k{number}"})
        again = await lab.posts("/specimens", body, **{"Idempotency-Key": f"k{number}"})
        assert (made.status_code, made.json()) == (201, again.json())
        lost = await lab.registers(case_id=str(case_id))
        await lab.moves(lost["id"], "collected", "rejected")
        await lab.moves(made.json()["id"], *TO_QUALITY)
        await lab.enters(made.json()["id"])
        await lab.gets(f"/specimens?case_id={case_id}")
        await lab.gets(f"/specimens/{made.json()['id']}/custody")
        again = await lab.registers(resample_of=lost["id"])
        await lab.moves(again["id"], "collected")
        ids += [made.json()["id"], lost["id"], again["id"]]
    return [*ids, *await shipped_together(lab)]


async def shipped_together(lab: Desk) -> list[str]:
    """A specimen of each case in one box, labelled, sent, and one of the two received."""
    made = [await lab.registers(case_id=str(case_id)) for case_id in (CASE, OTHER_CASE)]
    for specimen in made:
        await lab.moves(specimen["id"], "collected")
    ids, codes = [s["id"] for s in made], [s["barcode"] for s in made]
    assert (await lab.posts("/labels", {"specimen_ids": ids})).status_code == 200
    box = {"seal": "BOX-001", "sent_from": "站", "laboratory": "DNA室", "barcodes": codes}
    sent = (await lab.posts("/shipments", box)).json()
    found = {"seal": "BOX-001", "location": "DNA室", "scans": [{"barcode": codes[0]}]}
    assert (await lab.posts(f"/shipments/{sent['id']}/received", found)).status_code == 200
    return ids


async def rows_of(url: str) -> list[dict[str, Any]]:
    """Every row of every table of the schema, as the owner reads it, who is bound by no policy."""
    conn = await owner(url)
    try:
        tables = await conn.fetch("select tablename from pg_tables where schemaname = 'dna_intake'")
        return [
            dict(found) for t in tables for found in await conn.fetch(f'select * from dna_intake."{t[0]}"')
        ]
    finally:
        await conn.close()


def ids_in(found: dict[str, Any]) -> set[str]:
    """Every id that a row names, in any column, as text, in JSON or as bytes."""
    names = set()
    for value in found.values():
        if isinstance(value, bytes):
            names |= {str(UUID(bytes=value[at : at + 16])) for at in range(max(0, len(value) - 15))}
            names |= set(UUIDS.findall(value.decode(errors="ignore")))
        else:
            names |= set(UUIDS.findall(str(value)))
    return names


def reached_from(start: str, rows: Iterable[set[str]]) -> set[str]:
    """All ids that somebody reaches by joining rows that share one, beginning with `start`."""
    reached, waiting = {start}, list(rows)
    while joined := [ids for ids in waiting if ids & reached]:
        reached.update(*joined)
        waiting = [ids for ids in waiting if not ids & reached]
    return reached


async def test_no_join_over_any_rows_leads_from_a_specimen_to_its_case(
    runtime_for: RuntimeFor, postgres_url: str
) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        ids = await a_whole_story(run, lab)

    rows = [ids_in(found) for found in await rows_of(postgres_url)]
    for specimen_id in ids:
        reached = reached_from(specimen_id, rows)
        assert len(reached) > 1, "The scan sees the specimen's own rows."
        assert not reached & {str(CASE), str(OTHER_CASE)}
    assert any(str(CASE) in names for names in rows), "The scan sees the cases."


async def test_no_stored_hash_lets_somebody_who_knows_the_cases_try_each(
    runtime_for: RuntimeFor, postgres_url: str
) -> None:
    run = await runtime_for("dna-intake")
    body = {"category": "parent_of_missing_child", "region_code": YUNYANG, "case_id": str(CASE)}
    await react(run, REACTIONS, alert(run.clock.now()))
    async with desk(run) as lab:
        sent = await lab.posts("/specimens", body, **{"Idempotency-Key": "k"})

    stored = {
        value for found in await rows_of(postgres_url) for value in found.values() if isinstance(value, bytes)
    }
    guesses = [sent.request.content, json.dumps(body).encode(), CASE.bytes, str(CASE).encode()]
    assert not stored & {hashlib.sha256(guess).digest() for guess in guesses}
    blind = blinded(master_key(run.settings.vault_key), sent.request.content)
    assert hashlib.sha256(blind).digest() in stored, "The scan sees what is stored."


async def test_a_fact_is_of_a_case_or_of_a_specimen_and_the_case_hears_how_far_its_sample_is(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        await a_whole_story(run, lab)

    told = [
        FACT_BY_TYPE[found["type"]].model_validate_json(found["payload"])
        for found in await run.pool.fetch("select type, payload from outbox order by seq")
    ]
    of_laboratory = [fact for fact in told if isinstance(fact, DnaFact)]
    assert len(of_laboratory) == len(told) > 20
    assert all((fact.case_id is None) != (fact.specimen_id is None) for fact in of_laboratory)
    waits = [f.waits_for for f in await facts(run, CrossMatchRequested) if f.case_id == CASE]
    assert waits[-3:] == [
        ("parent_sample", "parent_profile", "kinship_search"),
        ("parent_profile", "kinship_search"),
        ("kinship_search",),
    ]
    assert all(f.specimen_id is None for f in await facts(run, SampleRequested))


async def test_the_specimens_of_a_case_are_found_by_who_knows_the_case_and_that_is_audited(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    async with desk(run) as lab:
        mine = await lab.registers(case_id=str(CASE), relation="mother", registered_sex="female")
        await lab.registers()

        found = (await lab.gets(f"/specimens?case_id={CASE}"))["specimens"]

    assert [(mine["id"], True, "mother", "female")] == [
        (s["id"], s["linked_to_case"], s["relation"], s["registered_sex"]) for s in found
    ]
    assert str(CASE) not in json.dumps(found)
    [line] = await run.pool.fetch("select subject, details from audit where action like '%of_case_read'")
    assert (line["subject"], line["details"]) == (CASE, {"specimens": 1})


async def test_expunging_erases_whose_specimen_it_was(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    async with desk(run) as lab:
        specimen = await lab.registers(case_id=str(CASE), relation="father", registered_sex="male")
        moved = (await lab.moves(specimen["id"], "withdrawn", "expunged")).json()

        after = await lab.gets(f"/specimens/{specimen['id']}")
        of_case = await lab.gets(f"/specimens?case_id={CASE}")

    for told in (moved, after):
        assert (told["linked_to_case"], told["relation"], told["registered_sex"]) == (False, None, None)
    assert of_case["specimens"] == []
    kept = await run.pool.fetchrow("select case_id, case_link, case_sealed from specimen")
    assert tuple(kept) == (None, None, None)


async def test_expunging_leaves_relation_and_sex_in_no_row(
    runtime_for: RuntimeFor, postgres_url: str
) -> None:
    """Not in the answer that is kept for a retry, and not in what the index was told."""
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    person = {"case_id": str(CASE), "relation": "paternal_grandmother", "registered_sex": "female"}
    body = {"category": "parent_of_missing_child", "region_code": YUNYANG} | person
    async with desk(run) as lab:
        made = await lab.posts("/specimens", body, **{"Idempotency-Key": "k"})
        again = await lab.posts("/specimens", body, **{"Idempotency-Key": "k"})
        assert (201, made.json()) == (made.status_code, again.json())
        await lab.moves(made.json()["id"], *TO_QUALITY)
        assert (await lab.enters(made.json()["id"])).status_code == 201
        await lab.moves(made.json()["id"], "withdrawn", "expunged")
        after = await lab.posts("/specimens", body, **{"Idempotency-Key": "k"})

    assert [False, None, None] == [after.json()[k] for k in ("linked_to_case", "relation", "registered_sex")]
    rows = await rows_of(postgres_url)
    assert not [found for found in rows if "female" in str(found) or "paternal_grandmother" in str(found)]
    kinds = [found["kind"] for found in rows if isinstance(found.get("kind"), int)]
    assert kinds, "The scan sees what the index was told."
    assert set(kinds) == {3}


async def test_what_an_older_version_wrote_in_the_clear_is_sealed_once(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    async with desk(run) as lab:
        specimen = await lab.registers()
        await run.pool.execute("update specimen set case_id = $1", CASE)

        sealed = [await move_plain_links(run), await move_plain_links(run)]

        found = (await lab.gets(f"/specimens?case_id={CASE}"))["specimens"]
        await lab.moves(specimen["id"], "collected")
        assert await lab.sample_state() == "collected"
    assert sealed == [1, 0]
    assert [specimen["id"]] == [s["id"] for s in found]
    assert await run.pool.fetchval("select count(*) from specimen where case_id is not null") == 0


async def test_steps_on_paper_are_chained_and_told_to_nobody_and_the_tube_can_still_be_withdrawn(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimen = await lab.registers()
        await lab.moves(specimen["id"], *TO_QUALITY)
        await lab.enters(specimen["id"])
        told = len(await facts(run, CustodyMoved))
        for state in ("searched", "searched", "candidate", "second_tier", "refuted", "candidate"):
            run.clock.moment += timedelta(minutes=1)
            async with run.tx(actor="matcher") as tx:
                found = await store.specimen(tx.conn, UUID(specimen["id"]))
                assert found is not None
                await step_on_paper(tx, found, state)
        assert len(await facts(run, CustodyMoved)) == told

        await lab.moves(specimen["id"], "withdrawn")

        after = await lab.gets(f"/specimens/{specimen['id']}")
        check = await lab.gets(f"/specimens/{specimen['id']}/custody")
    states = [link["to_state"] for link in after["chain"]]
    assert states[-6:] == ["searched", "candidate", "second_tier", "refuted", "candidate", "withdrawn"]
    assert (check["intact"], check["moves"]) == (True, len(states))
    [*_, last] = await facts(run, CustodyMoved)
    assert (last.from_state, last.to_state) == ("entered", "withdrawn")


async def test_a_step_on_paper_that_is_not_legal_is_refused_and_leaves_no_trace(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimen = await lab.registers()
        found = await run.pool.fetchval("select count(*) from custody_move")

        async with run.tx(actor="matcher") as tx:
            row = await store.specimen(tx.conn, UUID(specimen["id"]))
            assert row is not None
            with pytest.raises(IllegalMove):
                await step_on_paper(tx, row, "searched")

    assert found == await run.pool.fetchval("select count(*) from custody_move")
