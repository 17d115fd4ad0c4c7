"""The laboratory's pages with the real dna-intake behind them: what is typed gets there, a refusal comes back."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from dna_intake.service import SERVICE
from guitu.auth import Role
from guitu.service import Runtime
from harness.console_owners import Owners
from harness.dna_desk import TO_QUALITY, desk
from harness.dna_stories import CASE, KIT, profile
from harness.kin_stories import a_case_with_a_matcher, all_searched, enters, family

RuntimeFor = Callable[[str], Awaitable[Runtime]]
ODD = {"SE33": ["18", "27.2"]}
"""Alleles that no page has for another reason."""


class Laboratory:
    """dna-intake with one case, and people at the console."""

    def __init__(self, run: Runtime, console: Runtime) -> None:
        self.run, self.owners = run, Owners(console, (SERVICE, run))
        self.desk = self.owners.desk

    async def registers(self, **fields: Any) -> dict[str, Any]:
        """A specimen that somebody registered over HTTP."""
        async with desk(self.run) as lab:
            return await lab.registers(**fields)

    async def checked(self, **fields: Any) -> dict[str, Any]:
        """One whose quality was checked: its profile can be read."""
        async with desk(self.run) as lab:
            made = await lab.registers(**fields)
            await lab.moves(made["id"], *TO_QUALITY)
            return made

    async def lead(self) -> str:
        """A father and a child who find each other; the id of the lead."""
        kin = family(1)
        await enters(self.run, kin.father, "parent_of_missing_child", case_id=CASE, relation="father")
        await enters(self.run, kin.child, sex="male")
        await all_searched(self.run)
        return str(await self.run.pool.fetchval("select id from candidate where relation = 'parent'"))


@pytest_asyncio.fixture
async def lab(runtime_for: RuntimeFor) -> AsyncIterator[Laboratory]:
    console = await runtime_for("console")
    async with a_case_with_a_matcher(runtime_for) as run:
        yield Laboratory(run, console)


def typed_in(loci: dict[str, list[str]]) -> dict[str, str]:
    """A profile as its form sends it."""
    return {f"locus {locus}": " ".join(alleles) for locus, alleles in loci.items()}


async def test_a_sample_goes_all_the_way_by_pages_alone(lab: Laboratory) -> None:
    async with lab.desk("laboratory", "reader-1") as first, lab.desk("laboratory", "reader-2") as second:
        assert str(CASE) in await first.looks(f"/dna/specimens/new?case_id={CASE}")
        page = await first.does(
            "/dna/specimens",
            category="parent_of_missing_child",
            case_id=str(CASE),
            relation="mother",
            registered_sex="female",
            consent="yes",
            key="form-1",
        )
        path = page.removesuffix("?done=registered")
        barcode = str(await lab.run.pool.fetchval("select barcode from specimen"))
        printed = await first.sends(f"{path}/label")
        await first.does(f"{path}/moves", to_state="collected", seal="S-1", location="双江派出所")
        box = await first.does(
            "/dna/shipments", barcodes=f"{barcode}\n", seal="BOX-1", sent_from="双江", laboratory="DNA室"
        )
        opened = await second.sends(
            f"{box.removesuffix('?done=sent')}/received",
            seal="BOX-1",
            intact="yes",
            scans=f"{barcode.lower()} S-1\n",
            location="DNA室",
        )
        for state in TO_QUALITY[2:]:
            await second.does(f"{path}/moves", to_state=state, seal="S-1", location="DNA室")
        reading = {"kit": KIT.split(" + "), **typed_in(profile())}
        waits = await first.does(f"{path}/reading", **reading)
        entered = await second.does(f"{path}/reading", **reading)
        shown = await second.looks(entered)

    row = await lab.run.pool.fetchrow("select state, consent_at, relation from specimen")
    assert printed.content.startswith(b"%PDF")
    assert "已接收" in opened.text
    assert (f"{path}?done=waiting", f"{path}?done=entered") == (waits, entered)
    assert ("entered", "mother", True) == (row["state"], row["relation"], row["consent_at"] is not None)
    assert "reader-1" in shown
    assert "reader-2" in shown


async def test_what_was_read_is_on_no_page_afterwards(lab: Laboratory) -> None:
    made = await lab.checked(case_id=str(CASE))
    path = f"/dna/specimens/{made['id']}"
    async with lab.desk("laboratory", "reader-1") as first, lab.desk("admin") as admin:
        await first.does(f"{path}/reading", kit=KIT.split(" + "), **typed_in(profile() | ODD))

        pages = [path, f"{path}/reading?kit=GlobalFiler", "/dna", "/dna/profiles", f"/dna/cases/{CASE}"]
        texts = [await someone.looks(page) for someone in (first, admin) for page in pages]

    assert [] == [text for text in texts if "27.2" in text]


async def test_a_refused_reading_gives_back_what_was_typed_to_the_reader_alone(lab: Laboratory) -> None:
    made = await lab.checked(case_id=str(CASE))
    path = f"/dna/specimens/{made['id']}/reading"
    async with lab.desk("laboratory") as reader:
        answer = await reader.sends(path, kit="GlobalFiler", **typed_in({"SE33": ["18", "27.2"]}))
        later = await reader.looks(f"{path}?kit=GlobalFiler")

    assert 422 == answer.status_code
    assert 'role="alert"' in answer.text
    assert 'value="18 27.2"' in answer.text
    assert "no-store" in answer.headers["cache-control"]
    assert "27.2" not in later


async def test_a_refused_step_says_why_and_keeps_what_was_typed(lab: Laboratory) -> None:
    made = await lab.registers(category="adopted")
    path = f"/dna/specimens/{made['id']}/moves"
    async with lab.desk("laboratory", language="en") as someone:
        skipped = await someone.sends(path, to_state="typed", seal="S-0001", location="Room 7")
        bad_seal = await someone.sends(path, to_state="collected", seal="no seal", location="Room 7")

    assert (409, 422) == (skipped.status_code, bad_seal.status_code)
    assert "collected" in skipped.text
    for answer in (skipped, bad_seal):
        assert 'value="Room 7"' in answer.text
    assert 'aria-invalid="true"' in bad_seal.text
    assert "registered" == await lab.run.pool.fetchval("select state from specimen")


async def test_the_same_form_sent_twice_registers_one_specimen(lab: Laboratory) -> None:
    form = {"category": "unknown_origin", "consent": "yes", "key": "form-7"}
    async with lab.desk("registry") as clerk:
        first = await clerk.does("/dna/specimens", **form)
        second = await clerk.does("/dna/specimens", **form)

    assert first == second
    assert 1 == await lab.run.pool.fetchval("select count(*) from specimen")


async def test_a_form_keeps_its_key_while_nobody_knows_what_became_of_it(lab: Laboratory) -> None:
    async with lab.desk("laboratory") as someone:
        refused = await someone.sends("/dna/specimens", category="dog", key="form-8")
        lab.owners.away = True
        away = await someone.sends("/dna/specimens", category="adopted", key="form-9")

    assert 422 == refused.status_code
    assert "form-8" not in refused.text
    # Without its owner the form can't be drawn; the person is told, and may send the same form again.
    assert 503 == away.status_code
    assert "dna-intake" in away.text


async def test_a_scanned_label_leads_to_its_specimen_and_a_misread_one_is_told(lab: Laboratory) -> None:
    made = await lab.registers(category="adopted")
    async with lab.desk("laboratory") as someone:
        found = await someone.opens(f"/dna/find?barcode={made['barcode'].lower().replace('-', '')}")
        wrong = "0" if made["barcode"][0] != "0" else "1"
        misread = await someone.opens(f"/dna/find?barcode={wrong}{made['barcode'][1:]}")

    assert (303, f"/dna/specimens/{made['id']}") == (found.status_code, found.headers["location"])
    assert misread.status_code in (404, 422)
    assert 'role="alert"' in misread.text
    assert f'value="{wrong}{made["barcode"][1:]}"' in misread.text


async def test_a_box_that_is_not_whole_shows_what_to_do_about_each_tube(lab: Laboratory) -> None:
    async with desk(lab.run) as station:
        tubes = [await station.registers(category="adopted") for _ in range(2)]
        for tube in tubes:
            await station.moves(tube["id"], "collected")
        sent = {
            "barcodes": [t["barcode"] for t in tubes],
            "seal": "BOX-2",
            "sent_from": "A",
            "laboratory": "B",
        }
        box = (await station.posts("/shipments", sent)).json()
    async with lab.desk("laboratory") as someone:
        answer = await someone.sends(
            f"/dna/shipments/{box['id']}/received",
            seal="BOX-2",
            intact="no",
            location="DNA室",
            scans=f"{tubes[0]['barcode']}\nXX",
        )

    outcomes = re.findall(r'<td data-label="[^"]+"><span class="badge \w+">([^<]+)<', answer.text)
    assert ["封签不符", "箱内没有"] == sorted(outcomes[:2])
    assert "条码无法识别" == outcomes[2]


async def test_a_bad_file_of_profiles_names_each_row_and_no_allele(lab: Laboratory) -> None:
    made = await lab.checked(case_id=str(CASE))
    loci = profile() | {"TH01": ["7", "99.9"]}
    file = json.dumps({"kit": KIT, "specimens": [{"specimen": made["barcode"], "loci": loci}]}).encode()
    async with lab.desk("laboratory") as someone:
        answer = await someone.uploads("/dna/profiles/import", {"file": ("run.json", file)}, act="take")
        without = await someone.uploads("/dna/profiles/import", {}, act="take")

    assert (422, 422) == (answer.status_code, without.status_code)
    assert "TH01" in answer.text
    assert "99.9" not in answer.text
    assert 0 == await lab.run.pool.fetchval("select count(*) from profile_reading")


async def test_a_rehearsed_file_takes_nothing_and_a_taken_one_waits_for_the_second_reader(
    lab: Laboratory,
) -> None:
    made = await lab.checked(case_id=str(CASE))
    file = json.dumps({"kit": KIT, "specimens": [{"specimen": made["barcode"], "loci": profile()}]}).encode()
    async with lab.desk("laboratory") as someone:
        looked = await someone.uploads("/dna/profiles/import", {"file": ("run.json", file)}, act="look")
        kept = await lab.run.pool.fetchval("select count(*) from profile_reading")
        taken = await someone.uploads("/dna/profiles/import", {"file": ("run.json", file)}, act="take")

    assert (200, 0, 200) == (looked.status_code, kept, taken.status_code)
    assert "试导入" in looked.text
    assert "待第二人判读" in taken.text
    assert 1 == await lab.run.pool.fetchval("select count(*) from profile_reading")


async def test_a_held_profile_is_let_in_by_somebody_who_did_not_read_it(lab: Laboratory) -> None:
    made = await lab.checked(category="adopted", registered_sex="male")
    async with desk(lab.run) as reader:
        assert (await reader.enters(made["id"], Amelogenin=["X", "X"])).json()["outcome"] == "held"
    hold = str(await lab.run.pool.fetchval("select id from profile_hold"))
    form = {"because": "amplified again, DYS391 shows"}
    async with lab.desk("laboratory", "laboratory-1") as reader_1, lab.desk("laboratory", "other") as other:
        refused = await reader_1.sends(f"/dna/holds/{hold}/release", **form)
        shown = await other.looks("/dna/profiles")
        await other.does(f"/dna/holds/{hold}/release", **form)

    assert 409 == refused.status_code
    assert form["because"] in refused.text
    assert "性别基因座" in shown
    assert "entered" == await lab.run.pool.fetchval("select state from specimen")


def _without_tokens(page: str) -> str:
    return re.sub(r'(name="csrf" value|data-csrf|name="key" value)="[^"]*"', "", page)


async def test_the_second_reviewers_page_tells_nothing_of_the_first(lab: Laboratory) -> None:
    lead = await lab.lead()
    path = f"/dna/candidates/{lead}"
    async with lab.desk("laboratory", "reviewer-1") as first, lab.desk("laboratory", "reviewer-2") as second:
        before = [await second.looks(page) for page in (path, "/dna/candidates")]
        told = await first.does(f"{path}/reviews", verdict="refuted")
        after = [await second.looks(page) for page in (path, "/dna/candidates")]
        twice = await first.sends(f"{path}/reviews", verdict="confirmed")
        await second.does(f"{path}/reviews", verdict="refuted")
        settled = await second.looks(path)

    assert told.endswith("?done=reviewed")
    assert list(map(_without_tokens, before)) == list(map(_without_tokens, after))
    assert 409 == twice.status_code
    assert "reviewer-1" in settled


async def test_a_confirmed_lead_is_opened_by_a_case_leader_with_a_purpose_and_no_address(
    lab: Laboratory,
) -> None:
    lead = await lab.lead()
    for name in ("reviewer-1", "reviewer-2"):
        async with lab.desk("laboratory", name) as reviewer:
            await reviewer.does(f"/dna/candidates/{lead}/reviews", verdict="confirmed")
    async with lab.desk("case_leader") as leader, lab.desk("laboratory") as someone:
        without = await leader.sends("/dna/reveal", reference=lead, purpose="")
        nonsense = await leader.sends("/dna/reveal", reference="x", purpose="file 2026-17")
        opened = await leader.sends("/dna/reveal", reference=lead, purpose="file 2026-17")
        later = await leader.looks("/dna/reveal")
        refused = await someone.sends("/dna/reveal", reference=lead, purpose="file 2026-17")

    assert (422, 422, 200, 403) == tuple(a.status_code for a in (without, nonsense, opened, refused))
    assert str(CASE) in opened.text
    assert 'data-hide-after="60"' in opened.text
    assert "no-store" in opened.headers["cache-control"]
    assert str(CASE) not in later
    assert 1 == await lab.run.pool.fetchval("select count(*) from reveal")


async def test_a_further_marker_is_recorded_and_its_haplotype_is_on_no_page(lab: Laboratory) -> None:
    path = f"/dna/candidates/{await lab.lead()}"
    lines = "\n".join(f"DYS{n} 14" for n in range(390, 402))
    async with lab.desk("laboratory") as someone:
        await someone.does(f"{path}/second-tier", marker="y_str", child=lines, relative=lines)
        shown = await someone.looks(path)
        half = await someone.sends(f"{path}/second-tier", marker="mtdna", child_variants="16189C")

    assert "相符" in shown
    assert "DYS391 14" not in shown
    assert 422 == half.status_code
    assert "16189C</textarea>" in half.text


async def test_a_search_by_hand_needs_a_purpose_and_is_listed_with_it(lab: Laboratory) -> None:
    await lab.lead()
    barcode = await lab.run.pool.fetchval("select barcode from specimen where category = 'unknown_origin'")
    async with lab.desk("laboratory", "lab-1") as someone:
        without = await someone.sends("/dna/searches", barcode=barcode, purpose="")
        page = await someone.does("/dna/searches", barcode=barcode, purpose="file 2026-17")
        listed = await someone.looks("/dna/searches")
        shown = await someone.looks(page)

    assert 422 == without.status_code
    assert f'value="{barcode}"' in without.text
    assert "人工: file 2026-17" in listed
    assert "file 2026-17" in shown


PAGES: tuple[tuple[str, frozenset[Role]], ...] = (
    ("/dna", frozenset({"laboratory", "registry", "operator", "case_leader", "auditor", "admin"})),
    ("/dna/specimens/new", frozenset({"laboratory", "registry", "operator", "admin"})),
    ("/dna/shipments", frozenset({"laboratory", "registry", "operator", "case_leader", "auditor", "admin"})),
    ("/dna/profiles", frozenset({"laboratory", "admin"})),
    ("/dna/candidates", frozenset({"laboratory", "auditor", "admin"})),
    ("/dna/searches", frozenset({"laboratory", "auditor", "admin"})),
    ("/dna/reveal", frozenset({"case_leader", "admin"})),
)
ROLES: tuple[Role, ...] = ("laboratory", "registry", "operator", "case_leader", "auditor", "admin")


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_reaches_its_pages_and_every_way_they_offer(lab: Laboratory, role: Role) -> None:
    async with lab.desk(role) as someone:
        reached = {path for path, _ in PAGES if (await someone.opens(path)).status_code == 200}
        offered = set(
            re.findall(r'<a class="plain" href="(/(?:dna|gate)[^"?]*)"', await someone.looks("/dna"))
        )
        led = {path: (await someone.opens(path)).status_code for path in offered}

    assert {path for path, roles in PAGES if role in roles} == reached
    assert set(led.values()) == {200}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_every_page_has_its_words_in_both_languages(lab: Laboratory, language: str) -> None:
    lead = await lab.lead()
    lost = await lab.registers(category="adopted", exercise=True)
    search = await lab.run.pool.fetchval("select id from search order by requested_at limit 1")
    async with desk(lab.run) as other:
        await other.moves(lost["id"], "collected", "rejected")
    async with lab.desk("admin", language=language) as someone:
        texts = [
            await someone.looks(path)
            for path in (
                f"/dna/specimens/{lost['id']}",
                f"/dna/specimens/new?resample_of={lost['id']}",
                f"/dna/cases/{CASE}",
                f"/dna/candidates/{lead}",
                f"/dna/searches/{search}",
            )
        ]
        checked = await someone.sends(f"/dna/specimens/{lost['id']}/custody")

    assert {f'<html lang="{language}">'} == {re.findall(r"<html[^>]*>", text)[0] for text in texts}
    assert 'class="exercise-frame"' in texts[0]
    assert 200 == checked.status_code


async def test_a_neighbour_sees_no_specimen_of_this_region(lab: Laboratory) -> None:
    made = await lab.registers(category="adopted")
    async with lab.desk("laboratory", region="500236") as neighbour:
        page = await neighbour.opens(f"/dna/specimens/{made['id']}")
        listed = await neighbour.looks("/dna")

    assert 404 == page.status_code
    assert made["barcode"] not in listed
