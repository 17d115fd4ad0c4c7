"""Leads over HTTP: what is shown, the second tier, two blind reviews, and the reveal through the identity wall."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import numpy as np
import pytest
import pytest_asyncio
from fastapi import FastAPI

from contracts.dna import CandidateFound, CandidateReviewed
from dna_intake.agents import REACTIONS
from dna_intake.api import routers
from dna_intake.matching.matcher import Matcher, matcher_of
from guitu import problem
from guitu.auth import Role, mint
from guitu.service import Runtime
from harness.dna_stories import CASE, YUNYANG, alert
from harness.ground import facts, react
from harness.kin_stories import LOCI, TABLE, Family, Here, all_searched, enters, family

RuntimeFor = Callable[[str], Awaitable[Runtime]]
Y = {f"DYS{n}": ["14"] for n in range(390, 402)}


class Person:
    """Somebody with an account of their own."""

    def __init__(self, run: Runtime, http: httpx.AsyncClient, name: str, role: Role, region: str) -> None:
        self.http = http
        token = mint(run.settings, name, role, region, run.clock.now(), timedelta(days=5))
        self.headers = {"Authorization": f"Bearer {token}"}

    async def gets(self, path: str) -> httpx.Response:
        return await self.http.get(path, headers=self.headers)

    async def posts(self, path: str, **body: Any) -> httpx.Response:
        return await self.http.post(path, json=body, headers=self.headers)

    async def reviews(self, candidate: str, verdict: str) -> httpx.Response:
        return await self.posts(f"/candidates/{candidate}/reviews", verdict=verdict)


class Office:
    """The service, and people at it by name."""

    def __init__(self, run: Runtime, http: httpx.AsyncClient) -> None:
        self.run, self._http = run, http

    def person(self, name: str, role: Role = "laboratory", region: str = YUNYANG) -> Person:
        return Person(self.run, self._http, name, role, region)

    async def lead(self, kin: Family, *, child_region: str = YUNYANG) -> str:
        """A father and a child who find each other; the candidate's id."""
        father = {"category": "parent_of_missing_child", "case_id": CASE, "relation": "father"}
        await enters(self.run, kin.father, **father)
        await enters(self.run, kin.child, sex="male", region=child_region)
        await all_searched(self.run)
        return str(await self.run.pool.fetchval("select id from candidate where relation = 'parent'"))


@pytest_asyncio.fixture
async def office(runtime_for: RuntimeFor) -> AsyncIterator[Office]:
    run = await runtime_for("dna-intake")
    run.state["matcher"] = Matcher(run, Here(run.settings))
    await react(run, REACTIONS, alert(run.clock.now()))
    async with _served(run) as http:
        yield Office(run, http)
    await matcher_of(run).close()


@asynccontextmanager
async def _served(run: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.state.runtime = run
    problem.install(app)
    for router in routers(run):
        app.include_router(router)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://dna.test") as http:
        yield http


async def states(run: Runtime) -> set[str]:
    return {row["state"] for row in await run.pool.fetch("select state from specimen")}


async def test_a_lead_says_what_it_is_worth_and_that_it_identifies_nobody(office: Office) -> None:
    candidate = await office.lead(family(1))

    shown = (await office.person("lab-1").gets(f"/candidates/{candidate}")).json()

    assert ("parent", "open", 0, 1) == (
        shown["relation"], shown["state"], shown["inconsistent"], shown["compared"],
    )  # fmt: skip
    assert shown["markers"] == ["other_parent", "y_str", "more_loci"]
    assert (shown["table_sha256"], shown["model"]["theta"]) == (TABLE.sha256, 0.01)
    assert "not an identification" in shown["says_en"]
    assert "不等于身份认定" in shown["says_zh"]
    assert (shown["verdict"], shown["reviewers"], shown["second_tier"]) == (None, [], [])
    listed = (await office.person("lab-1").gets("/candidates?state=open")).json()
    assert [candidate] == [row["id"] for row in listed["candidates"]]


async def test_two_equal_verdicts_confirm_and_the_case_hears_it_under_a_name_of_its_own(
    office: Office,
) -> None:
    candidate = await office.lead(family(2))

    first = await office.person("lab-1").reviews(candidate, "confirmed")
    second = await office.person("lab-2").reviews(candidate, "confirmed")

    assert (201, False, 201, True) == (
        first.status_code, first.json()["settled"], second.status_code, second.json()["settled"],
    )  # fmt: skip
    [found] = await facts(office.run, CandidateFound)
    [told] = await facts(office.run, CandidateReviewed)
    assert (CASE, None, "confirmed") == (told.case_id, told.specimen_id, told.verdict)
    assert found.candidate_id == told.candidate_id != candidate
    assert await states(office.run) == {"confirmed"}


ROUTES = (
    "/candidates",
    "/candidates?state=open&state=second_tier&state=in_review",
    "/candidates/{candidate}",
    "/searches",
    "/searches/{search}",
    "/searches/{search}/candidates",
    "/specimens/{child}",
    "/specimens/{child}/custody",
    "/specimens/{family}",
    "/requests?case_id={case}",
    "/all-against-all",
)


async def test_the_second_reviewer_sees_nothing_of_the_first_on_any_route(office: Office) -> None:
    candidate = await office.lead(family(3))
    row = await office.run.pool.fetchrow("select child_id, family_id, search_id from candidate")
    names = {
        "candidate": candidate,
        "search": row["search_id"],
        "child": row["child_id"],
        "family": row["family_id"],
        "case": CASE,
    }
    second = office.person("lab-2")
    before = [(await second.gets(route.format(**names))).text for route in ROUTES]
    await office.person("first-reviewer").reviews(candidate, "refuted")

    after = [(await second.gets(route.format(**names))).text for route in ROUTES]

    assert before == after
    assert not any("first-reviewer" in text for text in after)
    assert await facts(office.run, CandidateReviewed) == []


async def test_nobody_reviews_twice_even_at_once(office: Office) -> None:
    candidate = await office.lead(family(4))
    reviewer = office.person("lab-1")

    answers = await asyncio.gather(*(reviewer.reviews(candidate, "confirmed") for _ in range(3)))

    assert [201, 409, 409] == sorted(answer.status_code for answer in answers)
    assert await office.run.pool.fetchval("select count(*) from review") == 1
    assert await facts(office.run, CandidateReviewed) == []


async def test_two_reviewers_at_once_settle_it_once(office: Office) -> None:
    candidate = await office.lead(family(5))
    answers = await asyncio.gather(
        *(office.person(f"lab-{n}").reviews(candidate, "confirmed") for n in range(4))
    )

    assert [201, 201, 409, 409] == sorted(answer.status_code for answer in answers)
    assert len(await facts(office.run, CandidateReviewed)) == 1


@pytest.mark.parametrize(
    ("verdicts", "state", "told"),
    [
        (["confirmed", "refuted"], "open", []),
        (["confirmed", "refuted", "refuted"], "refuted", ["refuted"]),
        (["confirmed", "refuted", "more_markers"], "second_tier", ["more_markers"]),
        (["more_markers", "more_markers"], "second_tier", ["more_markers"]),
    ],
)
async def test_reviewers_who_differ_need_a_third_or_more_markers(
    office: Office, verdicts: list[str], state: str, told: list[str]
) -> None:
    candidate = await office.lead(family(6))

    for number, verdict in enumerate(verdicts):
        await office.person(f"lab-{number}").reviews(candidate, verdict)

    shown = (await office.person("lab-9").gets(f"/candidates/{candidate}")).json()
    assert (state, told) == (shown["state"], [f.verdict for f in await facts(office.run, CandidateReviewed)])
    assert shown["review_round"] == (2 if told == ["more_markers"] else 1)


async def test_after_more_markers_the_same_people_look_again(office: Office) -> None:
    candidate = await office.lead(family(7))
    for verdict in ("more_markers", "confirmed"):
        for name in ("lab-1", "lab-2"):
            await office.person(name).reviews(candidate, verdict)

    assert ["more_markers", "confirmed"] == [f.verdict for f in await facts(office.run, CandidateReviewed)]
    assert await states(office.run) == {"confirmed"}


async def test_a_settled_candidate_takes_no_review_and_no_result(office: Office) -> None:
    candidate = await office.lead(family(8))
    for name in ("lab-1", "lab-2"):
        await office.person(name).reviews(candidate, "refuted")

    third = office.person("lab-3")
    answers = [
        await third.reviews(candidate, "confirmed"),
        await third.posts(f"/candidates/{candidate}/second-tier", marker="y_str", child=Y, relative=Y),
    ]

    assert [409, 409] == [answer.status_code for answer in answers]
    assert await states(office.run) == {"refuted"}


@pytest.mark.parametrize(
    ("body", "outcome", "mismatches"),
    [
        ({"marker": "y_str", "child": Y, "relative": Y | {"DYS391": ["9"]}}, "inconclusive", 1),
        (
            {
                "marker": "mtdna",
                "child_variants": ["16223T"],
                "relative_variants": ["16223T"],
                "sequenced_first": 16024,
                "sequenced_last": 16383,
            },
            "consistent",
            0,
        ),
    ],
    ids=["y_str", "mtdna"],
)
async def test_a_second_tier_result_is_compared_and_sealed(
    office: Office, body: dict[str, Any], outcome: str, mismatches: int
) -> None:
    candidate = await office.lead(family(9))

    answer = await office.person("lab-1").posts(f"/candidates/{candidate}/second-tier", **body)

    assert (201, outcome, mismatches) == (
        answer.status_code, answer.json()["outcome"], answer.json()["mismatches"],
    )  # fmt: skip
    shown = (await office.person("lab-2").gets(f"/candidates/{candidate}")).json()
    assert ("in_review", [outcome]) == (shown["state"], [r["outcome"] for r in shown["second_tier"]])
    assert await states(office.run) == {"second_tier"}
    assert not [
        text for text in (answer.text, json.dumps(shown), await _everything(office.run)) if "DYS391" in text
    ]


async def _everything(run: Runtime) -> str:
    """All second-tier rows and the audit as text, bytes as they are."""
    rows = [
        *await run.pool.fetch("select * from second_tier_result"),
        *await run.pool.fetch("select * from audit"),
    ]
    return " ".join(str(value) for row in rows for value in row.values())


async def test_more_loci_give_a_new_ratio_and_too_few_are_refused(office: Office) -> None:
    kin, rng = family(10), np.random.default_rng(5)
    candidate = await office.lead(kin)
    extra = [locus for locus in TABLE.loci if locus not in LOCI][:8]
    shared = {locus: [str(a) for a in rng.choice(list(TABLE.loci[locus]), 2)] for locus in extra}
    lab, path = office.person("lab-1"), f"/candidates/{candidate}/second-tier"
    before = (await lab.gets(f"/candidates/{candidate}")).json()

    added = await lab.posts(path, marker="more_loci", child=shared, relative=shared)
    known = {locus: list(kin.child[locus]) for locus in LOCI[:2]}
    refused = await lab.posts(path, marker="more_loci", child=known, relative=known)
    bad = await lab.posts(path, marker="more_loci", child={extra[0]: ["7", "8", "9"]}, relative=shared)

    after = (await lab.gets(f"/candidates/{candidate}")).json()
    assert (201, "consistent") == (added.status_code, added.json()["outcome"])
    assert before["loci"] + len(extra) == after["loci"]
    assert after["log10_lr"] == added.json()["log10_lr"] > before["log10_lr"]
    assert [(422, "no_more_loci"), (422, "second_tier_refused")] == [
        (answer.status_code, answer.json()["code"]) for answer in (refused, bad)
    ]
    assert extra[0] in bad.json()["detail"]


async def _confirmed(office: Office, seed: int, **more: Any) -> str:
    candidate = await office.lead(family(seed), **more)
    for name in ("lab-1", "lab-2"):
        await office.person(name).reviews(candidate, "confirmed")
    return candidate


async def test_a_confirmed_candidate_is_revealed_to_a_case_leader_with_a_purpose(office: Office) -> None:
    candidate = await _confirmed(office, 11)
    [told] = await facts(office.run, CandidateReviewed)
    leader = office.person("leader-1", "case_leader")

    by_reference = await leader.posts(f"/candidates/{told.candidate_id}/reveal", purpose="file 2026-17")
    by_id = await leader.posts(f"/candidates/{candidate}/reveal", purpose="file 2026-17")

    assert by_reference.json() == by_id.json()
    assert by_id.json()["case_id"] == str(CASE)
    logged = await office.run.pool.fetch("select revealed_to, purpose from reveal")
    assert [("leader-1", "file 2026-17")] * 2 == [tuple(row) for row in logged]
    audited = await office.run.pool.fetch(
        "select actor, details from audit where action = 'dna.candidate_revealed'"
    )
    assert ["leader-1", "leader-1"] == [row["actor"] for row in audited]
    assert str(CASE) not in str([dict(row["details"]) for row in audited])


async def test_a_lead_opens_no_case_and_a_reveal_needs_role_purpose_and_measure(office: Office) -> None:
    candidate = await office.lead(family(12))
    leader = office.person("leader-1", "case_leader")
    path = f"/candidates/{candidate}/reveal"

    early = await leader.posts(path, purpose="file 2026-17")
    for name in ("lab-1", "lab-2"):
        await office.person(name).reviews(candidate, "confirmed")
    answers = [
        await office.person("lab-1").posts(path, purpose="file 2026-17"),
        await leader.posts(path),
        await leader.posts(path, purpose="  "),
        await office.person("leader-2", "case_leader", "500101").posts(path, purpose="file 2026-17"),
    ]
    many = [(await leader.posts(path, purpose="file 2026-17")).status_code for _ in range(21)]

    assert (409, "not_confirmed") == (early.status_code, early.json()["code"])
    assert [403, 422, 422, 404] == [answer.status_code for answer in answers]
    assert [200] * 20 + [429] == many


async def test_a_lead_between_two_regions_is_seen_by_both_and_nobody_else(office: Office) -> None:
    candidate = await _confirmed(office, 13, child_region="500101")

    codes = [
        (await office.person("lab", region=region).gets(f"/candidates/{candidate}")).status_code
        for region in (YUNYANG, "500101", "500102")
    ]
    revealed = await office.person("leader", "case_leader", "500101").posts(
        f"/candidates/{candidate}/reveal", purpose="file 2026-17"
    )

    assert ([200, 200, 404], str(CASE)) == (codes, revealed.json()["case_id"])
    assert await states(office.run) == {"confirmed"}


async def test_a_search_by_hand_needs_a_purpose_and_shows_its_progress(office: Office) -> None:
    await office.lead(family(14))
    child = str(await office.run.pool.fetchval("select child_id from candidate"))
    lab = office.person("lab-1")

    asked = await lab.posts("/searches", specimen_id=child, purpose="file 2026-17", relations=["parent"])
    waiting = asked.json()
    await all_searched(office.run)
    done = (await lab.gets(f"/searches/{waiting['id']}")).json()
    leads = (await lab.gets(f"/searches/{waiting['id']}/candidates")).json()["candidates"]

    assert (202, "waiting", 0) == (asked.status_code, waiting["state"], waiting["parts_done"])
    assert ("completed", 24, 1, 1) == (done["state"], done["parts_done"], done["compared"], done["leads"])
    assert ("manual", "file 2026-17", "lab-1") == (done["cause"], done["purpose"], done["asked_by"])
    assert ["parent"] == [lead["relation"] for lead in leads]
    refused = [
        await lab.posts("/searches", specimen_id=child),
        await lab.posts("/searches", specimen_id=str(CASE), purpose="file 2026-17"),
        await office.person("clerk", "registry").posts(
            "/searches", specimen_id=child, purpose="file 2026-17"
        ),
    ]
    assert [422, 404, 403] == [answer.status_code for answer in refused]


async def test_the_newest_searches_are_listed_with_who_asked_and_why(office: Office) -> None:
    await office.lead(family(16))
    child = str(await office.run.pool.fetchval("select child_id from candidate"))
    lab = office.person("lab-1")
    office.run.clock.advance(minutes=1)  # type: ignore[attr-defined]
    asked = (await lab.posts("/searches", specimen_id=child, purpose="file 2026-17")).json()

    listed = (await lab.gets("/searches")).json()["searches"]
    waiting = (await lab.gets("/searches?state=waiting")).json()["searches"]
    elsewhere = (await office.person("lab-9", "laboratory", "500236").gets("/searches")).json()["searches"]

    assert (await lab.gets(f"/searches/{asked['id']}")).json() == listed[0] == waiting[0]
    assert {"manual", "profile_entered"} == {one["cause"] for one in listed}
    assert ([asked["id"]], []) == ([one["id"] for one in waiting], elsewhere)


async def test_all_against_all_is_started_by_hand_once(office: Office) -> None:
    await office.lead(family(15))
    lab = office.person("lab-1")

    first = await lab.posts("/all-against-all", purpose="file 2026-17")
    second = await lab.posts("/all-against-all", purpose="file 2026-17")

    [run] = (await lab.gets("/all-against-all")).json()["runs"]
    assert (202, 409) == (first.status_code, second.status_code)
    assert ("running", 0, 576) == (run["state"], run["steps_done"], run["steps"])
    logged = await office.run.pool.fetchval("select purpose from search_log where cause = 'all_against_all'")
    assert logged == "file 2026-17"


async def test_no_route_and_no_row_of_the_search_tells_a_genotype_or_joins_a_case(office: Office) -> None:
    candidate = await _confirmed(office, 16)
    shown = (await office.person("lab-1").gets(f"/candidates/{candidate}")).text
    tables = ("search", "search_log", "search_part", "candidate", "review", "reveal", "profile_change")

    rows = [
        str([value.hex() if isinstance(value, bytes) else str(value) for value in row.values()])
        for table in tables
        for row in await office.run.pool.fetch(f"select * from {table}")
    ]

    assert not [text for text in (*rows, shown) if str(CASE) in text or "D3S1358" in text]
    by_case = await office.run.pool.fetch("select payload from outbox where key = $1", str(CASE))
    specimens = [str(row["id"]) for row in await office.run.pool.fetch("select id from specimen")]
    told = " ".join(row["payload"].decode() for row in by_case)
    assert not [one for one in (*specimens, candidate) if one in told]
