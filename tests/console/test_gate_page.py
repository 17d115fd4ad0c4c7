"""The registration gate's page, with the real gate behind it: what it says now, why, and what the office may do."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from dna_intake.gate import recheck
from dna_intake.service import SERVICE
from guitu.auth import Role
from guitu.service import Runtime
from harness.console_owners import Owners
from harness.dna_desk import desk
from harness.dna_stories import CASE
from harness.kin_stories import a_case_with_a_matcher, all_searched, enters, family

RuntimeFor = Callable[[str], Awaitable[Runtime]]
FORM = {"office_reference": "YY-2026-0012", "kind": "household_registration"}


class Gate:
    """dna-intake, and people at the console."""

    def __init__(self, run: Runtime, console: Runtime) -> None:
        self.run, self.owners = run, Owners(console, (SERVICE, run))
        self.desk = self.owners.desk

    async def child(self) -> str:
        """The barcode of a child of whom nothing is known yet."""
        async with desk(self.run) as lab:
            return str((await lab.registers(category="registry_applicant"))["barcode"])

    async def child_with_a_lead(self) -> str:
        """The barcode of a child whose father may be looking."""
        kin = family(1)
        await enters(self.run, kin.father, "parent_of_missing_child", case_id=CASE, relation="father")
        child = await enters(self.run, kin.child, sex="male")
        await all_searched(self.run)
        return child.barcode

    async def clear_child(self) -> str:
        """The barcode of a child who was compared with every family there is, and is nobody's."""
        child = await enters(self.run, family(2).child, sex="male")
        await all_searched(self.run)
        return child.barcode


@pytest_asyncio.fixture
async def gate(runtime_for: RuntimeFor) -> AsyncIterator[Gate]:
    console = await runtime_for("console")
    async with a_case_with_a_matcher(runtime_for) as run:
        yield Gate(run, console)


def said(page: str) -> str:
    """What the gate says, in big letters."""
    found = re.search(r'<p class="big"><span class="badge (\w+)">', page)
    assert found, page
    return found[1]


async def test_the_office_asks_by_label_and_reads_why_it_must_wait(gate: Gate) -> None:
    barcode = await gate.child()
    async with gate.desk("registry") as clerk:
        page = await clerk.does("/gate", barcode=barcode, key="k1", **FORM)
        shown = await clerk.looks(page)
        listed = await clerk.looks("/gate")

    assert "wait" == said(shown)
    assert "尚未采集该儿童的检材。" in shown
    assert FORM["office_reference"] in listed


async def test_the_same_reference_leads_to_the_same_request(gate: Gate) -> None:
    barcode = await gate.child()
    async with gate.desk("registry") as clerk:
        first = await clerk.does("/gate", barcode=barcode, key="k1", **FORM)
        second = await clerk.does("/gate", barcode=barcode, key="k2", **FORM)

    assert first == second
    assert 1 == await gate.run.pool.fetchval("select count(*) from gate_request")


async def test_a_child_with_a_lead_is_blocked_and_can_not_be_entered_as_registered(gate: Gate) -> None:
    barcode = await gate.child_with_a_lead()
    async with gate.desk("registry") as clerk:
        page = await clerk.does("/gate", barcode=barcode, **FORM)
        shown = await clerk.looks(page)
        refused = await clerk.sends(f"{page}/close", outcome="registered")
        given_up = await clerk.does(f"{page}/close", outcome="given_up")
        closed = await clerk.looks(given_up)

    assert "bad" == said(shown)
    assert 409 == refused.status_code
    assert 'role="alert"' in refused.text
    assert "off" == said(closed)
    assert "/close" not in closed


async def test_a_clear_child_is_registered_only_as_long_as_the_gate_says_so(gate: Gate) -> None:
    barcode = await gate.clear_child()
    async with gate.desk("registry") as clerk:
        page = await clerk.does("/gate", barcode=barcode, **FORM)
        before = said(await clerk.looks(page))
        await enters(gate.run, family(3).father, "parent_of_missing_child", case_id=CASE, relation="father")
        newcomer = said(await clerk.looks(page))
        refused = await clerk.sends(f"{page}/close", outcome="registered")
        await all_searched(gate.run)
        await recheck(gate.run)
        again = said(await clerk.looks(page))
        await clerk.does(f"{page}/close", outcome="registered")

    assert ("good", "wait", 409, "good") == (before, newcomer, refused.status_code, again)
    assert "registered" == await gate.run.pool.fetchval("select outcome from gate_request")


@pytest.mark.parametrize(
    "typed",
    [{"office_reference": "张三 13800000000"}, {"barcode": "XXXXX-XXXXX-X"}, {"kind": "other"}],
    ids=["a name as reference", "misread label", "another kind"],
)
async def test_a_question_that_can_not_be_right_is_refused_and_kept(
    gate: Gate, typed: dict[str, str]
) -> None:
    fields = {"barcode": await gate.child()} | FORM | typed
    async with gate.desk("registry") as clerk:
        answer = await clerk.sends("/gate", **fields)

    assert 422 == answer.status_code
    assert f'value="{fields["barcode"]}"' in answer.text
    assert f'value="{fields["office_reference"]}"' in answer.text
    assert 0 == await gate.run.pool.fetchval("select count(*) from gate_request")


@pytest.mark.parametrize(
    ("role", "may_ask"),
    [
        ("registry", True),
        ("operator", True),
        ("laboratory", False),
        ("case_leader", False),
        ("auditor", False),
    ],
)
async def test_who_may_only_look_gets_no_form_and_is_refused(gate: Gate, role: Role, may_ask: bool) -> None:
    barcode = await gate.child()
    async with gate.desk(role, language="en") as someone:
        shown = await someone.looks("/gate")
        answer = await someone.sends("/gate", barcode=barcode, **FORM)

    assert may_ask == ('action="/gate"' in shown)
    assert (303 if may_ask else 403) == answer.status_code


async def test_requests_of_another_county_are_not_there(gate: Gate) -> None:
    barcode = await gate.child()
    async with gate.desk("registry") as clerk, gate.desk("registry", region="500236") as neighbour:
        page = await clerk.does("/gate", barcode=barcode, **FORM)
        there = await neighbour.opens(page)
        listed = await neighbour.looks("/gate?show=every")

    assert 404 == there.status_code
    assert FORM["office_reference"] not in listed
