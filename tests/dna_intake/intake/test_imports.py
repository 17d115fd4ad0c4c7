"""Files of profiles over HTTP, on real PostgreSQL: all or nothing, one reading by whoever sends it, no allele told."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from contracts.base import CaseId
from contracts.dna import ProfileAccepted
from dna_intake.agents import REACTIONS
from dna_intake.domain.barcode import barcode_of
from dna_intake.identity import link_of
from dna_intake.intake import kits, store_readings
from dna_intake.practice import practice_of
from guitu.service import Runtime
from harness.dna_desk import TO_QUALITY, Desk, desk
from harness.dna_files import Loci, as_json, cmf, person, rapid, table, wide
from harness.dna_stories import CASE, KIT, alert
from harness.ground import facts, owner, react, until

RuntimeFor = Callable[[str], Awaitable[Runtime]]
RARE = {"SE33": ["27.2", "33.2"], "FGA": ["44.2", "46.2"]}


async def ready(lab: Desk, count: int = 2, **fields: Any) -> list[dict[str, Any]]:
    """Specimens that have passed their quality check."""
    specimens = [await lab.registers(**fields) for _ in range(count)]
    for specimen in specimens:
        await lab.moves(specimen["id"], *TO_QUALITY)
    return specimens


async def sends(lab: Desk, text: str, content_type: str = "", kit: str = KIT, **more: str) -> httpx.Response:
    """Upload a file as the body."""
    headers = lab.headers | ({"Content-Type": content_type} if content_type else {}) | more
    return await lab.http.post(
        "/profile-imports", params={"kit": kit}, content=text.encode(), headers=headers
    )


async def counted(run: Runtime) -> tuple[int, int]:
    """Readings and imports in the database."""
    row = await run.pool.fetchrow(
        "select (select count(*) from profile_reading), (select count(*) from profile_import)"
    )
    return row[0], row[1]


def by_barcode(specimens: list[dict[str, Any]], seed: int = 1) -> dict[str, Loci]:
    return {specimen["barcode"]: person(seed + n) for n, specimen in enumerate(specimens)}


FORMATS = [
    (table, "text/tab-separated-values"),
    (wide, "text/csv"),
    (cmf, "application/xml"),
    (lambda people: rapid(people, KIT), "text/xml"),
    (as_json, "application/json"),
    (table, ""),
]


@pytest.mark.parametrize(("write", "content_type"), FORMATS)
async def test_a_file_is_one_reading_and_the_same_from_a_colleague_enters_it(
    runtime_for: RuntimeFor, write: Callable[[dict[str, Loci]], str], content_type: str
) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        people = by_barcode(await ready(lab))

        first = await sends(lab, write(people), content_type)
        second = await sends(lab.colleague(), write(people), content_type)

    assert (201, 201) == (first.status_code, second.status_code), first.text
    assert [["waiting"] * 2, ["entered"] * 2] == [
        [sample["outcome"] for sample in answer.json()["samples"]] for answer in (first, second)
    ]
    assert 2 == len(await facts(run, ProfileAccepted))


async def test_a_reading_by_hand_and_a_file_agree_whatever_their_order(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        [specimen] = await ready(lab, 1)
        await lab.reads(specimen["id"], person(1))

        answer = await sends(lab.colleague(), as_json({specimen["id"]: person(1)}))

    assert ["entered"] == [sample["outcome"] for sample in answer.json()["samples"]]


async def test_a_form_with_the_file_is_taken_too(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        people = by_barcode(await ready(lab))
        files = {"file": ("plate.txt", table(people).encode("utf-16"), "text/plain")}

        answer = await lab.http.post(
            "/profile-imports", params={"kit": KIT}, files=files, headers=lab.headers
        )
        without = await lab.http.post("/profile-imports", files={"other": b"x"}, headers=lab.headers)

    assert (201, 422) == (answer.status_code, without.status_code)
    assert "file_missing" == without.json()["code"]


async def test_one_bad_row_keeps_the_whole_file_out_and_every_row_is_told(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        good, bad, early = await ready(lab, 2) + [await lab.registers()]
        people = {
            good["barcode"]: person(1),
            bad["barcode"]: person(2) | {"TH01": ["8.3", "9"]},
        }
        by_form = await sends(lab, table(people))
        people = {
            good["barcode"]: person(1),
            early["barcode"]: person(3),
            barcode_of(4711): person(4),
            str(uuid4()): person(5),
            "李某某": person(6),
            good["id"]: person(1),
        }
        by_specimen = await sends(lab, table(people))

    assert (422, 422) == (by_form.status_code, by_specimen.status_code)
    assert [("TH01", bad["barcode"])] == [(r["locus"], r["specimen"]) for r in by_form.json()["rows"]]
    said = [row["says_en"] for row in by_specimen.json()["rows"]]
    assert 5 == len(said)
    assert 2 == sum("No such specimen" in each for each in said)
    assert [True] * 3 == [
        any(words in each for each in said)
        for words in ("can't become entered", "neither a barcode", "is there twice")
    ]
    assert all(row["says_zh"] and row["mend"] and row["line"] for row in by_specimen.json()["rows"])
    assert "李某某" not in by_specimen.text
    assert (0, 0) == await counted(run)


async def test_a_controls_failure_keeps_the_plate_out(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    shown = {locus: list(a) for locus, a in kits.controls()["2800M"].items()}
    async with desk(run) as lab:
        people = by_barcode(await ready(lab))

        good = await sends(lab, table(people | {"PC 2800M": shown, "NC": {"TH01": []}}))
        bad = await sends(lab.colleague(), table(people | {"PC 2800M": shown | {"TH01": ["6", "8"]}}))

    assert (201, 2) == (good.status_code, good.json()["controls"])
    assert (422, ["TH01"]) == (bad.status_code, [row["locus"] for row in bad.json()["rows"]])
    assert (2, 1) == await counted(run)


async def test_a_rehearsal_says_what_would_be_and_keeps_nothing(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        people = by_barcode(await ready(lab))

        answer = await lab.http.post(
            "/profile-imports",
            params={"kit": KIT, "dry_run": True},
            content=table(people),
            headers=lab.headers,
        )

    assert (200, True, None) == (answer.status_code, answer.json()["dry_run"], answer.json()["import_id"])
    assert ["waiting"] * 2 == [sample["outcome"] for sample in answer.json()["samples"]]
    assert (0, 0) == await counted(run)
    assert 0 == await run.pool.fetchval("select count(*) from audit where action = 'dna.profile_read'")


async def test_the_same_file_sent_again_is_answered_the_same(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        people = by_barcode(await ready(lab))
        first = await sends(lab, table(people))
        await sends(lab.colleague(), table(people))

        again = await asyncio.gather(*(sends(lab, table(people)) for _ in range(3)))

    assert [first.json() | {"repeated": True}] * 3 == [answer.json() for answer in again]
    assert (4, 2) == await counted(run)


async def test_the_same_file_after_its_readings_became_void_is_read_anew(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        [(one, loci), (two, more)] = by_barcode(await ready(lab)).items()
        file = table({one: loci, two: more})
        first = await sends(lab, file)
        await sends(lab.colleague(), table({one: loci | {"TH01": ["6", "7"]}, two: more}))
        last = table({one: loci | {"vWA": ["11", "12"]}})
        await sends(lab.colleague(3), last)

        anew = [await sends(lab, file), await sends(lab, file)]
        void = await sends(lab.colleague(3), last)
        by_hand = await lab.colleague().reads(first.json()["samples"][0]["specimen_id"], loci)

    assert [(False, ["waiting", "entered"]), (True, ["waiting", "entered"])] == [
        (answer.json()["repeated"], [sample["outcome"] for sample in answer.json()["samples"]])
        for answer in anew
    ]
    assert {first.json()["import_id"]} == {answer.json()["import_id"] for answer in anew}
    assert (True, "void") == (void.json()["repeated"], void.json()["samples"][0]["outcome"])
    assert 201 == by_hand.status_code


async def test_two_files_about_the_same_families_in_another_order_are_both_taken(
    runtime_for: RuntimeFor,
) -> None:
    """Each holding the family that the other comes to next, one of them would be thrown out."""
    run = await runtime_for("dna-intake")
    master = practice_of(run.settings).master
    cases = sorted((CASE, CaseId(UUID(int=0xCA5F))), key=lambda case: link_of(master, case))
    async with desk(run) as lab:
        people = []
        for case, relation in [(c, r) for r in ("father", "mother") for c in cases]:
            await react(run, REACTIONS, alert(run.clock.now(), case))
            [specimen] = await ready(lab, 1, case_id=str(case), relation=relation)
            sex = "male" if relation == "father" else "female"
            people.append((specimen["barcode"], person(70 + len(people), sex=sex)))
        files = [table(dict(people[:2])), table(dict(reversed(people[2:])))]
        for file in files:
            await sends(lab, file)
        async with run.tx(actor="laboratory-9") as tx:
            await store_readings.family(tx.conn, link_of(master, cases[0]), uuid4(), ())
            sent = []
            for number, file in enumerate(files, start=1):
                sent.append(asyncio.create_task(sends(lab.colleague(), file)))
                await until(run, "select (count(*) = $1)::int from pg_locks where not granted", number)
        answers = await asyncio.gather(*sent)

    assert [201, 201] == [answer.status_code for answer in answers]


async def test_an_idempotency_key_belongs_to_one_file(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    key = {"Idempotency-Key": "plate-7"}
    async with desk(run) as lab:
        people = by_barcode(await ready(lab))
        first = await sends(lab, table(people), **key)

        again = await sends(lab, table(people), **key)
        other = await sends(lab, table(people, ","), **key)
        otherwise = await sends(lab, table(people), kit=KIT + " + VeriFiler Plus", **key)

    assert (first.json(), 422, 422) == (again.json(), other.status_code, otherwise.status_code)
    assert "idempotency_key_reused" == otherwise.json()["code"]
    assert (2, 1) == await counted(run)


async def test_two_files_that_differ_at_a_specimen_keep_both_readings_for_a_third(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        one, two = by_barcode(await ready(lab)).items()
        await sends(lab, table(dict([one, two])))

        answer = await sends(lab.colleague(), table({one[0]: one[1], two[0]: two[1] | {"TH01": ["6", "7"]}}))

    assert [("entered", []), ("differs", ["TH01"])] == [
        (sample["outcome"], sample["loci"]) for sample in answer.json()["samples"]
    ]


async def test_a_service_killed_in_the_middle_leaves_nothing_behind(
    runtime_for: RuntimeFor, postgres_url: str
) -> None:
    """The connection dies while the fifth of ten readings is written."""
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        people = by_barcode(await ready(lab, 10))
        conn = await owner(postgres_url)
        await conn.execute("set search_path to dna_intake")
        await conn.execute(_DIES_AT_FIFTH)
        try:
            died = await sends(lab, table(people))
        finally:
            await conn.execute("drop trigger dies on profile_reading; drop function die()")
            await conn.close()
        left = await counted(run)

        answer = await sends(lab, table(people))

    assert ((0, 0), (10, 1)) == (left, await counted(run))
    assert (503, 201) == (died.status_code, answer.status_code)


_DIES_AT_FIFTH = """
create function die() returns trigger language plpgsql as $$
begin
    if (select count(*) from profile_reading) >= 4 then
        perform pg_terminate_backend(pg_backend_pid());
    end if;
    return new;
end
$$;
alter function die() security definer;
create trigger dies before insert on profile_reading for each row execute function die();
"""


async def test_no_allele_is_in_any_answer_log_audit_topic_or_row(
    runtime_for: RuntimeFor, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    run = await runtime_for("dna-intake")
    caplog.set_level(logging.DEBUG)
    async with desk(run) as lab:
        one, two = await ready(lab)
        people = {one["barcode"]: person(1) | RARE, two["barcode"]: person(2) | RARE}
        wrong = {one["barcode"]: person(1) | {"SE33": ["27.2", "43.2"]}, two["barcode"]: person(2)}
        answers = [
            await sends(lab, table(wrong)),
            await sends(lab, table(people)),
            await sends(
                lab.colleague(), cmf({**people, two["barcode"]: person(2) | {"SE33": ["27.2", "31.2"]}})
            ),
            await sends(lab.colleague(3), as_json(people)),
            await sends(lab.colleague(4), "{" + as_json(people)),
        ]
        rows = await clear_text(run)

    logged = capsys.readouterr()
    texts = [rows, caplog.text, logged.out, logged.err, *(answer.text for answer in answers)]
    assert [422, 201, 201, 201, 422] == [answer.status_code for answer in answers]
    secrets = ("27.2", "33.2", "44.2", "46.2", "43.2", "31.2")
    assert [] == [(n, a) for a in secrets for n, text in enumerate(texts) if a in text]


async def clear_text(run: Runtime) -> str:
    """Every row of the service's schema, what is sealed left out: its bytes are random."""
    rows = await run.pool.fetch("select tablename from pg_tables where schemaname = 'dna_intake'")
    texts = []
    for name in sorted(row["tablename"] for row in rows if row["tablename"] != "alembic_version"):
        for row in await run.pool.fetch(f"select * from {name}"):
            texts += [
                json.dumps(value, default=str) for value in row.values() if not isinstance(value, bytes)
            ]
    return "\n".join(texts)


async def test_the_known_kits_are_listed_with_their_sources(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        found = (await lab.gets("/kits"))["kits"]

    assert {"GlobalFiler", "PowerPlex 21", "VeriFiler Plus"} <= {kit["name"] for kit in found}
    assert all(kit["sources"] for kit in found)
