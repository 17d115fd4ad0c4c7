"""Regions: every table stands behind row-level security, every route behind a role, and a neighbour sees nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest_asyncio
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from dna_intake.agents import REACTIONS
from dna_intake.api import routers
from dna_intake.matching.matcher import Matcher, matcher_of
from dna_intake.nightly import start as start_run
from dna_intake.settings import DnaSettings
from guitu.auth import Role
from guitu.service import Runtime
from harness.dna_desk import Desk, desk
from harness.dna_stories import CASE, KIT, YUNYANG, alert, profile
from harness.gate_stories import asking
from harness.ground import owner, react
from harness.kin_stories import Here, all_searched, enters, family

RuntimeFor = Callable[[str], Awaitable[Runtime]]
NEIGHBOUR = "500236"
Y = {f"DYS{n}": ["14"] for n in range(390, 402)}

OF_NO_REGION = {
    "alembic_version": "of the migrations",
    "audit": "read by the auditor's command only",
    "audit_seal": "read by the auditor's command only",
    "dead_letter": "of the streams",
    "idempotency": "found by the account that sent it",
    "inbox": "of the streams",
    "index_generation": "one counter of the whole index",
    "outbox": "of the streams",
    "profile_mark": "keyed marks: a child may be sampled in two counties (ADR 0014)",
    "stood_down_case": "that a case is over, before anything of it is known",
}
"""Tables without row-level security, each with its reason."""


async def test_every_table_but_the_named_ones_stands_behind_row_level_security(
    runtime_for: RuntimeFor, postgres_url: str
) -> None:
    await runtime_for("dna-intake")
    conn = await owner(postgres_url)
    try:
        tables = await conn.fetch(
            """
            select c.relname, c.relrowsecurity, exists (select from pg_policy p where p.polrelid = c.oid) as policy
            from pg_class c where c.relnamespace = 'dna_intake'::regnamespace and c.relkind in ('r', 'p')
            """
        )
    finally:
        await conn.close()

    behind = {row["relname"] for row in tables if row["relrowsecurity"] and row["policy"]}
    assert {row["relname"] for row in tables} - behind == set(OF_NO_REGION)


def _calls(dependant: Dependant) -> Iterator[Any]:
    yield dependant.call
    for each in dependant.dependencies:
        yield from _calls(each)


async def test_every_route_asks_who_it_is(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    routes = [route for router in routers(run) for route in router.routes if isinstance(route, APIRoute)]

    open_to_all = [
        f"{route.methods} {route.path}"
        for route in routes
        if not any("allow.<locals>" in getattr(call, "__qualname__", "") for call in _calls(route.dependant))
    ]

    assert len(routes) > 40
    assert open_to_all == []


@pytest_asyncio.fixture
async def run(runtime_for: RuntimeFor) -> AsyncIterator[Runtime]:
    found = await runtime_for("dna-intake")
    found.state["matcher"] = Matcher(found, Here(found.settings))
    await react(found, REACTIONS, alert(found.clock.now()))
    yield found
    await matcher_of(found).close()


async def a_whole_story(run: Runtime, lab: Desk) -> dict[str, str]:
    """One family of Yunyang, from the label to the reveal and the gate; the ids of what came of it."""
    kin = family(31)
    father = await enters(run, kin.father, "parent_of_missing_child", case_id=CASE, relation="father")
    child = await enters(run, kin.child, sex="male")
    await all_searched(run)
    candidate = str(await run.pool.fetchval("select id from candidate where relation = 'parent'"))
    result = {"marker": "y_str", "child": Y, "relative": Y}
    assert (await lab.posts(f"/candidates/{candidate}/second-tier", result)).status_code == 201
    for reviewer in (lab, lab.colleague()):
        verdict = {"verdict": "confirmed"}
        assert (await reviewer.posts(f"/candidates/{candidate}/reviews", verdict)).status_code == 201
    leader = Desk(run, lab.http, "case_leader", YUNYANG)
    told = await leader.posts(f"/candidates/{candidate}/reveal", {"purpose": "file 2026-17"})
    assert told.status_code == 200, told.text
    clerk = Desk(run, lab.http, "registry", YUNYANG)
    system = {"region_code": YUNYANG, "url": "https://office.example/gate"}
    subscription = (await clerk.posts("/gate-subscriptions", system)).json()["id"]
    asked = await clerk.posts("/gate-requests", asking(child.id, subscription_id=subscription))
    assert asked.status_code == 201, asked.text
    await _at_the_bench(lab)
    async with run.tx(actor="lab") as tx:
        assert await start_run(tx, "the comparison of the night")
    search = str(await run.pool.fetchval("select id from search where specimen_id = $1", child.id))
    return {
        "specimen": str(child.id),
        "family": str(father.id),
        "candidate": candidate,
        "search": search,
        "gate": asked.json()["request_id"],
        "shipment": str(await run.pool.fetchval("select id from shipment")),
        "hold": str(await run.pool.fetchval("select id from profile_hold")),
        "staff": str(await run.pool.fetchval("select id from staff_profile")),
        "subscription": subscription,
        "delivery": str(await run.pool.fetchval("select id from gate_delivery")),
        "request": str(await run.pool.fetchval("select id from cross_match_request")),
    }


async def _at_the_bench(lab: Desk) -> None:
    """A box, a member of staff, a file of one profile, and a profile that is held for being the staff's."""
    staff = {"staff_code": "L-1", "region_code": YUNYANG, "kit": KIT, "loci": profile()}
    assert (await lab.posts("/staff-profiles", staff)).status_code == 201
    boxed = await lab.registers()
    await lab.moves(boxed["id"], "collected")
    box = {"seal": "BOX-7", "sent_from": "站", "laboratory": "DNA室", "barcodes": [boxed["barcode"]]}
    sent = (await lab.posts("/shipments", box)).json()
    other = await lab.registers()
    scans = [{"barcode": boxed["barcode"]}, {"barcode": other["barcode"]}]
    found = {"seal": "BOX-7", "location": "DNA室", "scans": scans}
    assert (await lab.posts(f"/shipments/{sent['id']}/received", found)).status_code == 200
    await lab.moves(boxed["id"], "extracted", "quantified", "amplified", "typed", "quality_checked")
    file = {"kit": KIT, "specimens": [{"specimen": boxed["id"], "loci": profile()}]}
    taken = await lab.posts("/profile-imports", file)
    assert taken.status_code == 201, taken.text
    held = await lab.colleague().reads(boxed["id"])
    assert held.status_code == 202, held.text


async def _counts(run: Runtime, region: str) -> dict[str, int]:
    """How many rows of each table the service sees in a region, under its own database role."""
    async with run.read(region=region) as conn:
        tables = await conn.fetch(
            """
            select relname from pg_class
            where relnamespace = 'dna_intake'::regnamespace and relkind = 'r' and relrowsecurity
            """
        )
        return {t[0]: await conn.fetchval(f'select count(*) from "{t[0]}"') for t in tables}


async def test_a_neighbour_sees_no_row_of_any_table(run: Runtime) -> None:
    async with desk(run) as lab:
        await a_whole_story(run, lab)

    everywhere, here, there = [await _counts(run, region) for region in ("*", YUNYANG, NEIGHBOUR)]

    assert {table for table, rows in everywhere.items() if rows == 0} == set(), "The scan sees every table."
    of_all_regions = {"all_against_all"}
    assert {table for table, rows in here.items() if rows == 0} == of_all_regions
    # Of the log one line is of no specimen: that of the night.
    assert everywhere["search_log"] == here["search_log"] + 1
    assert {table: rows for table, rows in there.items() if rows} == {}


READS: tuple[tuple[Role, str], ...] = (
    ("laboratory", "/requests"),
    ("laboratory", "/requests?case_id={case}"),
    ("laboratory", "/cross-match-requests/{request}"),
    ("laboratory", "/specimens?case_id={case}"),
    ("laboratory", "/specimens/{specimen}"),
    ("laboratory", "/specimens/{specimen}/custody"),
    ("laboratory", "/specimens/{specimen}/readings"),
    ("operator", "/specimens/{specimen}/label.pdf"),
    ("laboratory", "/candidates"),
    ("laboratory", "/candidates?child_id={specimen}"),
    ("laboratory", "/candidates/{candidate}"),
    ("laboratory", "/searches"),
    ("laboratory", "/searches/{search}"),
    ("laboratory", "/searches/{search}/candidates"),
    ("laboratory", "/worklist"),
    ("laboratory", "/shipments"),
    ("laboratory", "/shipments/{shipment}"),
    ("operator", "/shipments/{shipment}/list.pdf"),
    ("laboratory", "/profile-holds"),
    ("laboratory", "/staff-profiles"),
    ("registry", "/gate-requests"),
    ("registry", "/gate-requests?specimen_id={specimen}"),
    ("registry", "/gate-requests/{gate}"),
    ("registry", "/gate-subscriptions"),
    ("registry", "/gate-deliveries"),
)
WRITES: tuple[tuple[Role, str, dict[str, Any]], ...] = (
    ("laboratory", "/searches", {"specimen_id": "{specimen}", "purpose": "file 2026-17"}),
    ("laboratory", "/candidates/{candidate}/reviews", {"verdict": "refuted"}),
    ("laboratory", "/candidates/{candidate}/second-tier", {"marker": "y_str", "child": Y, "relative": Y}),
    ("case_leader", "/candidates/{candidate}/reveal", {"purpose": "file 2026-17"}),
    ("laboratory", "/specimens/{specimen}/profile", {"kit": KIT, "loci": profile()}),
    (
        "laboratory",
        "/specimens/{specimen}/moves",
        {"to_state": "withdrawn", "seal": "S-0001", "location": "DNA室"},
    ),
    ("laboratory", "/profile-holds/{hold}/release", {"because": "looked at it"}),
    ("laboratory", "/profile-holds/{hold}/void", {"because": "looked at it"}),
    ("operator", "/labels", {"specimen_ids": ["{specimen}"]}),
    ("laboratory", "/shipments/{shipment}/received", {"seal": "BOX-7", "location": "DNA室", "scans": []}),
    (
        "laboratory",
        "/likelihood-ratios",
        {
            "purpose": "file 2026-17",
            "people": [{"id": "C", "specimen_id": "{specimen}"}, {"id": "F", "specimen_id": "{family}"}],
            "relation": {"kind": "duo", "child": "C", "parent": "F"},
        },
    ),
    (
        "registry",
        "/gate-requests",
        {"specimen_id": "{specimen}", "office_reference": "N-1", "kind": "adoption"},
    ),
    ("registry", "/gate-requests/{gate}/close", {"outcome": "given_up"}),
    ("registry", "/gate-subscriptions/{subscription}/secret", {}),
    ("registry", "/gate-subscriptions/{subscription}/end", {}),
    ("registry", "/gate-deliveries/{delivery}/again", {}),
)


def _named(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, str):
        return value.format(**ids)
    if isinstance(value, dict):
        return {key: _named(each, ids) for key, each in value.items()}
    return [_named(each, ids) for each in value] if isinstance(value, list) else value


async def test_a_neighbour_reads_and_moves_nothing_on_any_route(run: Runtime) -> None:
    async with desk(run) as lab:
        ids = await a_whole_story(run, lab) | {"case": str(CASE)}
        before = await _counts(run, "*")
        told = {}
        for role, path in READS:
            there = Desk(run, lab.http, role, NEIGHBOUR, 9)
            answer = await there.http.get(path.format(**ids), headers=there.headers)
            told[path] = (answer.status_code, answer.text)
        refused = {}
        for role, path, body in WRITES:
            there = Desk(run, lab.http, role, NEIGHBOUR, 9)
            sent = await there.posts(path.format(**ids), _named(body, ids))
            refused[path] = sent.status_code
        kept = Desk(run, lab.http, "laboratory", NEIGHBOUR, 9)
        staff = await kept.http.delete(f"/staff-profiles/{ids['staff']}", headers=kept.headers)

    assert {path: status for path, (status, _) in told.items() if status not in (200, 404)} == {}
    secrets = [value for name, value in ids.items() if name != "case"]
    asked_for = {path: [one for one in secrets if one in path.format(**ids)] for path, _ in told.items()}
    leaked = [
        (path, one)
        for path, (_, text) in told.items()
        for one in secrets
        if one in text and one not in asked_for[path]
    ]
    assert leaked == []
    assert all(YUNYANG not in text for _, text in told.values())
    assert {path: status for path, status in refused.items() if status != 404} == {}
    assert staff.status_code == 404
    assert before == await _counts(run, "*")


async def test_the_measure_of_reveals_counts_those_of_every_region(run: Runtime) -> None:
    """One person with accounts of two regions: the candidate of the first can't be seen from the second."""
    run.settings = DnaSettings(**(run.settings.model_dump() | {"reveals_a_day": 1}))
    kin, twins = family(32), {}
    await enters(run, kin.father, "parent_of_missing_child", case_id=CASE, relation="father")
    for region in (YUNYANG, NEIGHBOUR):
        twins[region] = (await enters(run, kin.child, sex="male", region=region)).id
    await all_searched(run)
    async with desk(run) as lab:
        answers = []
        for region, child in twins.items():
            candidate = await run.pool.fetchval("select id from candidate where child_id = $1", child)
            for reviewer in (lab, lab.colleague()):
                await reviewer.posts(f"/candidates/{candidate}/reviews", {"verdict": "confirmed"})
            leader = Desk(run, lab.http, "case_leader", region)
            answers.append(await leader.posts(f"/candidates/{candidate}/reveal", {"purpose": "file 2026-17"}))

    assert [200, 429] == [answer.status_code for answer in answers]
