"""Labels say what a scanner and a person need, and nothing of the person or the case."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.dna import SpecimenCategory
from dna_intake.agents import REACTIONS
from dna_intake.domain.barcode import barcode_of, read_barcode
from dna_intake.domain.words import CATEGORY_EN, CATEGORY_ZH
from dna_intake.labels import PAPERS, Label, Layout, labels_pdf
from guitu.auth import Role
from guitu.service import Runtime
from harness.dna_desk import Desk, desk
from harness.dna_stories import CASE, YUNYANG, alert
from harness.ground import react
from harness.paper import pages

RuntimeFor = Callable[[str], Awaitable[Runtime]]
BARCODE = barcode_of(0x2F3A5C7E9B1D)


def label(barcode: str = BARCODE, **fields: object) -> Label:
    return Label(
        **{"category": "adopted", "region_code": YUNYANG, "exercise": False} | fields, barcode=barcode
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, (1 << 50) - 1), st.sampled_from(get_args(Layout)))
def test_the_bars_of_any_label_scan_as_its_barcode(number: int, layout: Layout) -> None:
    barcode = barcode_of(number)

    [page] = pages(labels_pdf([label(barcode)], layout))

    assert (barcode.replace("-", ""),) == page.scanned
    assert barcode == read_barcode(page.scanned[0]) == page.words[0].text


@pytest.mark.parametrize("category", get_args(SpecimenCategory))
def test_a_label_names_category_and_region_in_both_languages_and_nothing_else(
    category: SpecimenCategory,
) -> None:
    [page] = pages(labels_pdf([label(category=category)], "single"))

    assert [BARCODE, CATEGORY_ZH[category], f"{CATEGORY_EN[category]} · {YUNYANG}"] == page.text.split("\n")


def test_exercise_and_retake_are_marked_on_the_label() -> None:
    [plain] = pages(labels_pdf([label()], "single"))
    [marked] = pages(labels_pdf([label(exercise=True, tries=3)], "single"))

    extra = {word.text for word in marked.words} - {word.text for word in plain.words}
    assert extra == {"演练", "EXERCISE", "补采3"}


def test_a_sheet_fills_its_places_in_order_after_those_that_are_used() -> None:
    barcodes = [barcode_of(number) for number in range(30)]

    first, second = pages(labels_pdf([label(b) for b in barcodes], "sheet", skip=5))

    assert (19, 11) == (len(first.scanned), len(second.scanned))
    assert [b.replace("-", "") for b in barcodes] == [*first.scanned, *second.scanned]
    codes = [word for word in first.words if word.text in barcodes]
    # Place 5 is the last of the second row: alone in it, and right of the first of the next.
    assert codes[0].y > codes[1].y == codes[2].y == codes[3].y
    assert codes[0].x == codes[3].x > codes[2].x > codes[1].x


@pytest.mark.parametrize("layout", get_args(Layout))
def test_everything_on_a_label_stays_on_its_paper_and_the_quiet_zone_is_white(layout: Layout) -> None:
    paper = PAPERS[layout]
    full = [label(category="parent_of_missing_child", exercise=True, tries=9)] * paper.on_a_page

    [page] = pages(labels_pdf(full, layout))

    mm = 72 / 25.4
    assert paper.width >= 176 * paper.module
    for word in page.words:
        assert 0 < word.x < paper.page_width * mm
        assert 0 < word.y < paper.page_height * mm
    assert len(page.scanned) == paper.on_a_page


def test_the_same_labels_are_the_same_bytes_and_tell_no_moment() -> None:
    once, again = (labels_pdf([label()], "single") for _ in range(2))

    assert once == again
    assert b"CreationDate (D:2000" in once


async def printed(lab: Desk, path: str) -> bytes:
    answer = await lab.http.get(path, headers=lab.headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    return answer.content


async def test_a_printed_label_scans_as_its_specimen_and_names_no_case_and_the_printing_is_audited(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    await react(run, REACTIONS, alert(run.clock.now(), exercise=True))
    async with desk(run, "operator") as station:
        specimen = await station.registers(case_id=str(CASE), relation="mother", registered_sex="female")

        page = await printed(station, f"/specimens/{specimen['id']}/label.pdf")

        [read] = pages(page)
        found = await station.gets(f"/specimens?barcode={read.scanned[0]}")
    assert [specimen["id"]] == [s["id"] for s in found["specimens"]]
    assert "演练" in read.text
    assert not [told for told in (str(CASE), specimen["id"], "mother", "母") if told in read.text]
    lines = await run.pool.fetch("select subject, details from audit where action = 'dna.label_printed'")
    assert [(UUID(specimen["id"]), {"copies": 1})] == [tuple(line) for line in lines]


async def test_a_batch_keeps_its_order_and_its_copies_stand_together(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        made = [await lab.registers() for _ in range(3)]
        body = {"specimen_ids": [s["id"] for s in reversed(made)], "copies": 2, "skip": 23}

        answer = await lab.posts("/labels", body)

    first, second = pages(answer.content)
    expected = [s["barcode"].replace("-", "") for s in reversed(made) for _ in range(2)]
    assert expected == [*first.scanned, *second.scanned]
    assert len(first.scanned) == 1


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"specimen_ids": []}, 422),
        ({"skip": 24}, 422),
        ({"layout": "single", "skip": 1}, 422),
        ({"copies": 5}, 422),
        ({"layout": "poster"}, 422),
        ({"specimen_ids": [str(CASE)]}, 404),
    ],
    ids=str,
)
async def test_labels_that_cannot_be_printed_are_refused_and_none_is(
    runtime_for: RuntimeFor, change: dict[str, object], status: int
) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab:
        specimen = await lab.registers()

        answer = await lab.posts("/labels", {"specimen_ids": [specimen["id"]]} | change)

    assert status == answer.status_code
    assert await run.pool.fetchval("select count(*) from audit where action = 'dna.label_printed'") == 0


async def test_an_expunged_specimen_and_one_of_another_region_get_no_label(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab, desk(run, region="500101") as elsewhere:
        specimen = await lab.registers()
        path = f"/specimens/{specimen['id']}/label.pdf"
        foreign = await elsewhere.http.get(path, headers=elsewhere.headers)
        await lab.moves(specimen["id"], "withdrawn", "expunged")
        gone = await lab.http.get(path, headers=lab.headers)
        twice = await lab.posts("/labels", {"specimen_ids": [specimen["id"]] * 2})

    assert (foreign.status_code, gone.status_code, twice.status_code) == (404, 409, 422)


@pytest.mark.parametrize("role", ["unit", "site", "auditor"])
async def test_who_registers_no_specimen_prints_no_label(runtime_for: RuntimeFor, role: Role) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab, desk(run, role) as other:
        specimen = await lab.registers()

        answer = await other.http.get(f"/specimens/{specimen['id']}/label.pdf", headers=other.headers)

    assert answer.status_code == 403
