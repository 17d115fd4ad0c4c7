"""A box is accounted for tube by tube: received, missing, held for a seal, or refused because nobody listed it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import product
from typing import Any, get_args

import pytest

from contracts.dna import CrossMatchRequested, CustodyMoved
from dna_intake.agents import REACTIONS
from dna_intake.domain.barcode import barcode_of
from dna_intake.domain.custody import LEGAL
from dna_intake.domain.shipments import OUTCOME_EN, OUTCOME_ZH, Listed, Outcome, Scan, outcome_of
from dna_intake.settings import DnaSettings
from guitu.auth import Role
from guitu.service import Runtime
from harness.dna_desk import Desk, desk
from harness.dna_stories import CASE, alert
from harness.ground import facts, react
from harness.paper import pages

RuntimeFor = Callable[[str], Awaitable[Runtime]]


@pytest.mark.parametrize(
    ("listed", "scan", "box_intact", "becomes"),
    [
        (Listed("collected", "S-1", "sent"), Scan("B", ""), True, "received"),
        (Listed("collected", "S-1", "sent"), Scan("B", "S-1"), True, "received"),
        (Listed("collected", "S-1", "sent"), Scan("B", "S-2"), True, "seal_refused"),
        (Listed("collected", "S-1", "sent"), Scan("B", ""), False, "seal_refused"),
        (Listed("collected", "S-1", "sent"), Scan("B", "S-1"), False, "received"),
        (Listed("collected", "S-1", "sent"), None, True, "missing"),
        (Listed("collected", "S-1", "missing"), None, True, "missing"),
        (Listed("collected", "S-1", "missing"), Scan("B", ""), True, "received"),
        (Listed("collected", "S-1", "seal_refused"), None, True, "seal_refused"),
        (Listed("collected", "S-1", "seal_refused"), Scan("B", "S-1"), False, "received"),
        (Listed("collected", "S-1", "seal_refused"), Scan("B", ""), True, "seal_refused"),
        (Listed("received", "S-1", "received"), None, False, "received"),
        (Listed("rejected", "S-1", "missing"), Scan("B", "S-1"), True, "moved_on"),
    ],
    ids=str,
)
def test_what_becomes_of_a_tube_follows_from_its_scan_and_the_seals(
    listed: Listed, scan: Scan | None, box_intact: bool, becomes: Outcome
) -> None:
    assert becomes == outcome_of(listed, scan, box_intact=box_intact)


def test_no_tube_arrives_unscanned_or_against_its_seal() -> None:
    every = product(LEGAL, ("S-1", ""), get_args(Outcome), (None, "", "S-1", "S-2"), (True, False))
    for state, seal, before, read, intact in every:
        scan = None if read is None else Scan("B", read)
        became = outcome_of(Listed(state, seal, before), scan, box_intact=intact)

        if became == "received" != before:
            assert (state, scan is not None) == ("collected", True)
            assert read == seal or (intact and not read)


def test_every_outcome_has_words_in_both_languages() -> None:
    assert set(OUTCOME_EN) == set(OUTCOME_ZH) == {*get_args(Outcome), "extra_refused", "unreadable"}


async def collected(lab: Desk, many: int = 1, **fields: Any) -> list[dict[str, Any]]:
    made = [await lab.registers(**fields) for _ in range(many)]
    for specimen in made:
        await lab.moves(specimen["id"], "collected")
    return made


def listed(made: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    box = {"seal": "BOX-001", "sent_from": "云阳县公安局", "laboratory": "市局DNA实验室"}
    return box | {"barcodes": [s["barcode"] for s in made]} | fields


def scanned(made: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    scans = [{"barcode": s["barcode"].replace("-", "")} for s in made]
    return {"seal": "BOX-001", "location": "收样室", "scans": scans} | fields


async def sent(lab: Desk, made: list[dict[str, Any]]) -> str:
    answer = await lab.posts("/shipments", listed(made))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def outcomes(answer: Any) -> list[tuple[str, str | None]]:
    assert answer.status_code == 200, answer.text
    return [(each["outcome"], each["barcode"]) for each in answer.json()["outcomes"]]


async def states(lab: Desk, made: list[dict[str, Any]]) -> list[str]:
    return [(await lab.gets(f"/specimens/{s['id']}"))["state"] for s in made]


async def test_a_box_that_is_whole_is_received_at_once_and_its_cases_hear_nothing_new(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    async with desk(run) as lab:
        made = await collected(lab, 2, case_id=str(CASE)) + await collected(lab, category="adopted")
        box = await sent(lab, made)
        heard = len(await facts(run, CrossMatchRequested))
        run.clock.advance(hours=5)

        first = await lab.posts(f"/shipments/{box}/received", scanned(made))
        again = await lab.posts(f"/shipments/{box}/received", scanned(made))

        assert await states(lab, made) == ["received"] * 3
        chains = [(await lab.gets(f"/specimens/{s['id']}/custody"))["intact"] for s in made]
    assert sorted(s["barcode"] for s in made) == [code for _, code in outcomes(first)]
    assert {"received"} == {outcome for outcome, _ in outcomes(first)}
    assert first.json() == again.json()
    assert (first.json()["shipment"]["state"], chains) == ("received", [True] * 3)
    moves = [f.to_state for f in await facts(run, CustodyMoved)]
    assert (moves.count("received"), len(await facts(run, CrossMatchRequested))) == (3, heard)
    lines = await run.pool.fetch("select details from audit where action = 'dna.shipment_received'")
    assert [{"intact": True, "received": 3}] == [line["details"] for line in lines]


async def test_a_missing_tube_is_alarmed_once_stands_on_the_worklist_and_may_still_turn_up(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        here, gone = await collected(lab, 2)
        box = await sent(lab, [here, gone])
        run.clock.advance(hours=1)
        told = [outcomes(await lab.posts(f"/shipments/{box}/received", scanned([here]))) for _ in range(2)]
        open_boxes = (await lab.gets("/shipments?open_only=true"))["shipments"]
        waiting = {item["id"]: item for item in (await lab.gets("/worklist"))["specimens"]}
        found_at = run.clock.now()
        run.clock.advance(hours=1)

        found = await lab.posts(f"/shipments/{box}/received", scanned([gone]))

        assert await states(lab, [here, gone]) == ["received", "received"]
        assert (await lab.gets("/shipments?open_only=true"))["shipments"] == []
    assert told[0] == told[1]
    assert {("received", here["barcode"]), ("missing", gone["barcode"])} == set(told[0])
    assert [(box, "incomplete")] == [(b["id"], b["state"]) for b in open_boxes]
    item = waiting[gone["id"]]
    assert (item["held_by_shipment"], "look for it" in item["next_en"]) == (box, True)
    assert item["due_at"][:19] == (found_at + timedelta(hours=DnaSettings().missing_h)).isoformat()[:19]
    assert waiting[here["id"]]["held_by_shipment"] is None
    assert {"received"} == {outcome for outcome, _ in outcomes(found)}
    alarms = await run.pool.fetchval("select count(*) from audit where action = 'dna.specimen_missing'")
    assert alarms == 1


async def test_a_tube_that_is_lost_for_good_is_rejected_and_its_box_waits_no_more(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        here, gone = await collected(lab, 2)
        box = await sent(lab, [here, gone])
        await lab.posts(f"/shipments/{box}/received", scanned([here]))
        lost = {"to_state": "rejected", "location": "收样室", "reason": "lost"}

        answer = await lab.posts(f"/specimens/{gone['id']}/moves", lost)

        assert answer.status_code == 200, answer.text
        shipment = await lab.gets(f"/shipments/{box}")
    assert shipment["state"] == "received"
    assert {i["barcode"]: i["outcome"] for i in shipment["items"]} == {
        here["barcode"]: "received",
        gone["barcode"]: "moved_on",
    }


async def test_what_is_not_on_the_list_is_refused_and_told_once(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        on_list, beside = await collected(lab, 2)
        box = await sent(lab, [on_list])
        nobodys = barcode_of(12345)
        body = scanned([beside, on_list, {"barcode": nobodys}, {"barcode": "smudged"}])

        first = await lab.posts(f"/shipments/{box}/received", body)
        again = await lab.posts(f"/shipments/{box}/received", body)

        assert await states(lab, [on_list, beside]) == ["received", "collected"]
    assert first.json() == again.json()
    assert outcomes(first) == [
        ("received", on_list["barcode"]),
        ("extra_refused", beside["barcode"]),
        ("extra_refused", nobodys),
        ("unreadable", None),
    ]
    assert [None, 0, 2, 3] == [each["position"] for each in first.json()["outcomes"]]
    assert sorted([beside["barcode"], nobodys]) == first.json()["shipment"]["extras"]
    assert await run.pool.fetchval("select count(*) from audit where action = 'dna.shipment_extra'") == 1
    assert "smudged" not in first.text


@pytest.mark.parametrize("found", [{"intact": False}, {"seal": "BOX-666"}], ids=str)
async def test_a_broken_box_speaks_for_no_tube_until_its_own_seal_is_read(
    runtime_for: RuntimeFor, found: dict[str, Any]
) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        read, unread, swapped = made = await collected(lab, 3)
        box = await sent(lab, made)
        scans = scanned(made)["scans"]
        scans[0]["seal"], scans[2]["seal"] = "S-0001", "S-0666"

        answer = await lab.posts(f"/shipments/{box}/received", scanned([], **found, scans=scans))

        assert await states(lab, made) == ["received", "collected", "collected"]
        held = [i for i in (await lab.gets("/worklist"))["specimens"] if i["held_by_shipment"]]
        otherwise = await lab.posts(f"/shipments/{box}/received", scanned(made))
        scans[1]["seal"] = "S-0001"
        later = await lab.posts(f"/shipments/{box}/received", scanned([], **found, scans=scans))
    assert set(outcomes(answer)) == {
        ("received", read["barcode"]),
        ("seal_refused", unread["barcode"]),
        ("seal_refused", swapped["barcode"]),
    }
    assert answer.json()["shipment"]["seal_intact"] is False
    assert {unread["id"], swapped["id"]} == {i["id"] for i in held}
    assert (otherwise.status_code, otherwise.json()["code"]) == (409, "opened_before")
    assert ("received", unread["barcode"]) in outcomes(later)
    assert ("seal_refused", swapped["barcode"]) in outcomes(later)


async def test_two_tubes_under_one_label_are_not_received_as_one(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        [tube] = made = await collected(lab, 1)
        box = await sent(lab, made)
        scans = [{"barcode": tube["barcode"], "seal": seal} for seal in ("S-0666", "S-0001")]

        both = await lab.posts(f"/shipments/{box}/received", scanned([], scans=scans))
        one = await lab.posts(f"/shipments/{box}/received", scanned([], scans=scans[1:]))

    assert [("seal_refused", tube["barcode"])] == outcomes(both)
    assert [("received", tube["barcode"])] == outcomes(one)


async def test_the_same_list_under_the_same_seal_is_one_shipment_and_another_is_refused(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run, "laboratory") as lab:
        one, two = await collected(lab, 2)
        first = await lab.posts("/shipments", listed([one]))

        again = await lab.posts("/shipments", listed([one]))
        reused = await lab.posts("/shipments", listed([two]))
        boxed = await lab.posts("/shipments", listed([one, two], seal="BOX-002"))

    assert (201, first.json()) == (again.status_code, again.json())
    assert (reused.status_code, reused.json()["code"]) == (409, "seal_in_use")
    assert (boxed.status_code, boxed.json()["code"]) == (409, "cannot_travel")
    assert [one["barcode"]] == [each["barcode"] for each in boxed.json()["specimens"]]
    assert await run.pool.fetchval("select count(*) from shipment") == 1


async def test_a_list_with_a_mistake_sends_nothing(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab, desk(run, region="*") as everywhere:
        good = await collected(lab)
        drill = await collected(lab, exercise=True)
        far = await collected(everywhere, region_code="500101")
        unused = [await lab.registers()]
        bad = listed(good)["barcodes"]
        answers = [
            await lab.posts("/shipments", listed(good, barcodes=[*bad, "00000-00001-0"])),
            await lab.posts("/shipments", listed(good, barcodes=bad * 2)),
            await lab.posts("/shipments", listed(good + drill)),
            await lab.posts("/shipments", listed(good + unused)),
            await lab.posts("/shipments", listed(good + far)),
            await everywhere.posts("/shipments", listed(good + far)),
            await lab.posts("/shipments", listed(good, seal="no")),
            await lab.posts("/shipments", listed([])),
        ]

    assert [
        (422, "barcode_misread"),
        (422, "listed_twice"),
        (422, "mixed_box"),
        (409, "cannot_travel"),
        (404, "not_found"),
        (422, "mixed_box"),
        (422, "invalid_request"),
        (422, "invalid_request"),
    ] == [(answer.status_code, answer.json()["code"]) for answer in answers]
    assert answers[0].json()["positions"] == [1]
    assert await run.pool.fetchval("select count(*) from shipment") == 0


async def test_one_tube_that_can_not_be_moved_leaves_the_whole_box_unopened(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        made = await collected(lab, 2)
        box = await sent(lab, made)
        too_early = (run.clock.now() - timedelta(hours=1)).isoformat()

        answer = await lab.posts(f"/shipments/{box}/received", scanned(made, at=too_early))

        assert await states(lab, made) == ["collected", "collected"]
        shipment = await lab.gets(f"/shipments/{box}")
    assert (answer.status_code, answer.json()["code"]) == (422, "moment_refused")
    assert (shipment["state"], shipment["received_at"]) == ("sent", None)


async def test_a_box_scanned_by_two_people_at_once_is_received_once(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now()))
    async with desk(run) as lab:
        made = await collected(lab, 4, case_id=str(CASE))
        box = await sent(lab, made)
        path, body = f"/shipments/{box}/received", scanned(made)

        one, two, by_hand = await asyncio.gather(
            lab.posts(path, body), lab.posts(path, body), lab.moves(made[0]["id"], "received")
        )

        assert await states(lab, made) == ["received"] * 4
    assert (one.status_code, two.status_code, by_hand.status_code) in ((200, 200, 200), (200, 200, 409))
    received = [f for f in await facts(run, CustodyMoved) if f.to_state == "received"]
    assert len(received) == len({f.specimen_id for f in received}) == 4


async def test_the_printed_list_scans_as_its_tubes_and_names_no_case(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now(), exercise=True))
    async with desk(run) as lab:
        made = await collected(lab, 20, case_id=str(CASE))
        box = await sent(lab, made)

        answer = await lab.http.get(f"/shipments/{box}/list.pdf", headers=lab.headers)

    sheets = pages(answer.content)
    assert [18, 2] == [len(sheet.scanned) for sheet in sheets]
    barcodes = sorted(s["barcode"] for s in made)
    assert [b.replace("-", "") for b in barcodes] == [code for sheet in sheets for code in sheet.scanned]
    for sheet in sheets:
        for words in ("检材交接清单", "演练", "云阳县公安局", "市局DNA实验室", "BOX-001", "接收人", "S-0001"):
            assert words in sheet.text
        assert str(CASE) not in sheet.text
    assert "2026-03-01 14:00" in sheets[0].text


async def test_another_region_sees_no_shipment(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab, desk(run, region="500101") as elsewhere:
        made = await collected(lab)
        box = await sent(lab, made)

        seen = await elsewhere.gets("/shipments")
        one = await elsewhere.http.get(f"/shipments/{box}", headers=elsewhere.headers)
        printed = await elsewhere.http.get(f"/shipments/{box}/list.pdf", headers=elsewhere.headers)
        taken = await elsewhere.posts(f"/shipments/{box}/received", scanned(made))

    assert seen == {"shipments": []}
    assert [one.status_code, printed.status_code, taken.status_code] == [404, 404, 404]


@pytest.mark.parametrize(("role", "may_send"), [("registry", True), ("operator", True), ("auditor", False)])
async def test_a_station_sends_and_only_the_laboratory_receives(
    runtime_for: RuntimeFor, role: Role, may_send: bool
) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab, desk(run, role) as other:
        made = await collected(lab)
        sending = await other.posts("/shipments", listed(made))
        box = sending.json()["id"] if may_send else await sent(lab, made)

        receiving = await other.posts(f"/shipments/{box}/received", scanned(made))

    assert (sending.status_code, receiving.status_code) == (201 if may_send else 403, 403)
