"""The registration gate over HTTP, on real PostgreSQL: asked, decided, looked at again, closed."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from contracts.dna import GateDecided
from dna_intake import gate
from dna_intake.gate_counting import count
from dna_intake.kinship import load_table
from dna_intake.metrics_gate import GATE_EXPIRED, GATE_OVERDUE, GATE_WAITING
from dna_intake.settings import dna_settings
from guitu.auth import Role
from guitu.service import Runtime
from harness.dna_desk import Desk, desk
from harness.dna_stories import YUNYANG
from harness.gate_stories import (
    REFERENCE,
    asking,
    becomes,
    child,
    compared,
    family,
    is_now,
    lead,
    looked,
    types,
)
from harness.ground import facts

RuntimeFor = Callable[[str], Awaitable[Runtime]]
ELSEWHERE = "500101"


async def asks(clerk: Desk, specimen_id: UUID, **fields: Any) -> dict[str, Any]:
    answer = await clerk.posts("/gate-requests", asking(specimen_id, **fields))
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


async def says(clerk: Desk, request: dict[str, Any]) -> tuple[str, str]:
    now = await clerk.gets(f"/gate-requests/{request['request_id']}")
    return now["decision"], now["reason"]


def logged_in_anew(clerk: Desk) -> None:
    """A token lasts a day; some of these stories last longer."""
    clerk.headers = Desk(clerk.run, clerk.http, "registry", YUNYANG).headers


async def test_a_compared_child_without_a_lead_is_clear_and_the_decision_says_by_what(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    parent = await family(run)
    await compared(run, parent)
    specimen = await child(run)
    async with desk(run, "registry") as clerk:
        told = await asks(clerk, specimen)

        history = await clerk.gets(f"/gate-requests/{told['request_id']}")

    assert ("clear", "no_relation_found", True) == (told["decision"], told["reason"], told["recorded"])
    assert datetime.fromisoformat(told["valid_until"]) == run.clock.now() + timedelta(hours=72)
    [decided] = history["decisions"]
    assert ({"kit": "K1", "loci_typed": 23}, 1) == (decided["panel"], decided["index_generation"])
    assert load_table("norstr_east_asia").sha256 == decided["table_sha256"]
    [fact] = await facts(run, GateDecided)
    assert (specimen, None, "clear") == (fact.specimen_id, fact.case_id, fact.decision)


@pytest.mark.parametrize(
    ("state", "loci", "decision", "reason"),
    [
        ("registered", None, "hold", "sample_awaited"),
        ("collected", None, "hold", "profile_awaited"),
        ("quality_checked", None, "hold", "profile_awaited"),
        ("rejected", None, "hold", "sample_lost"),
        ("withdrawn", None, "hold", "sample_lost"),
        ("entered", 23, "hold", "comparison_awaited"),
        ("searched", 18, "hold", "profile_partial"),
        ("candidate", 23, "clear", "no_relation_found"),
        ("confirmed", 23, "blocked", "child_identified"),
        ("refuted", 23, "clear", "no_relation_found"),
    ],
)
async def test_each_step_has_its_answer_in_both_languages_with_a_deadline(
    runtime_for: RuntimeFor, state: str, loci: int | None, decision: str, reason: str
) -> None:
    run = await runtime_for("dna-intake")
    specimen = await child(run, state, loci=loci)
    async with desk(run, "registry") as clerk:
        told = await asks(clerk, specimen)

    assert (decision, reason) == (told["decision"], told["reason"])
    assert told["reason_en"]
    assert told["reason_zh"]
    assert (told["deadline"] is None) == (reason in ("no_relation_found", "child_identified"))


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("open", "lead_under_review"),
        ("in_review", "lead_under_review"),
        ("second_tier", "more_markers_awaited"),
        ("confirmed", "child_identified"),
    ],
)
async def test_a_lead_blocks_whatever_the_specimen_says_and_from_whichever_region(
    runtime_for: RuntimeFor, state: str, reason: str
) -> None:
    run = await runtime_for("dna-intake")
    parent = await family(run, region=ELSEWHERE)
    await compared(run, parent)
    specimen = await child(run)
    await lead(run, specimen, parent, state)
    # As if the lead stood under the family's region alone, out of sight of the clerk's.
    await run.pool.execute("update candidate set child_region = $1, family_region = $1", ELSEWHERE)
    async with desk(run, "registry") as clerk:
        told = await asks(clerk, specimen)

    assert ("blocked", reason) == (told["decision"], told["reason"])


async def test_a_clear_is_no_clear_any_more_the_moment_a_family_comes(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    specimen = await child(run)
    async with desk(run, "registry") as clerk:
        told = await asks(clerk, specimen)
        newcomer = await family(run, region=ELSEWHERE)

        at_once = await says(clerk, told)

        listed = await clerk.gets("/gate-requests?decision=clear")
        again = await asks(clerk, specimen)
        refused = await clerk.posts(f"/gate-requests/{told['request_id']}/close", {"outcome": "registered"})
        await compared(run, newcomer)
        await looked(run)
        later = await says(clerk, told)
    assert ("hold", "families_awaited") == at_once == (again["decision"], again["reason"])
    assert listed["gate_requests"] == []
    assert (409, "not_clear") == (refused.status_code, refused.json()["code"])
    assert later == ("clear", "no_relation_found")
    # Within the grace nobody is told twice: the clear was renewed.
    assert ["clear"] == [fact.decision for fact in await facts(run, GateDecided)]


async def test_after_the_grace_the_hold_is_recorded_and_told_and_so_is_the_clear_after_it(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    specimen = await child(run)
    async with desk(run, "registry") as clerk:
        told = await asks(clerk, specimen)
        newcomer = await family(run)
        await looked(run)
        await looked(run, seconds=90)
        held = [fact.decision for fact in await facts(run, GateDecided)]

        await compared(run, newcomer)
        await looked(run, minutes=3)

        history = await clerk.gets(f"/gate-requests/{told['request_id']}")
    assert ["clear", "hold"] == held
    assert ["clear", "hold", "clear"] == [fact.decision for fact in await facts(run, GateDecided)]
    assert [3, 2, 1] == [one["seq"] for one in history["decisions"]]
    assert [2, 2, 0] == [one["index_generation"] for one in history["decisions"]]


async def test_a_clear_ends_with_its_time_and_is_renewed_by_a_new_look(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    specimen = await child(run)
    async with desk(run, "registry") as clerk:
        told = await asks(clerk, specimen)
        run.clock.advance(hours=72)
        logged_in_anew(clerk)

        over = await says(clerk, told)

        await looked(run)
        renewed = await clerk.gets(f"/gate-requests/{told['request_id']}")
    assert over == ("hold", "being_decided")
    assert renewed["decision"] == "clear"
    assert datetime.fromisoformat(renewed["valid_until"]) > run.clock.now()
    assert len(await facts(run, GateDecided)) == 1


async def test_what_is_found_out_is_told_before_it_is_recorded_and_a_clear_only_after(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    parent = await family(run)
    await compared(run, parent)
    specimen = await child(run)
    async with desk(run, "registry") as clerk:
        told = await asks(clerk, specimen)
        found = await lead(run, specimen, parent)
        blocked = await clerk.gets(f"/gate-requests/{told['request_id']}")
        await looked(run, minutes=3)
        await becomes(run, found, "refuted")
        not_yet = await says(clerk, told)
        await looked(run, minutes=3)

        clear = await says(clerk, told)

    assert ("blocked", False) == (blocked["decision"], blocked["recorded"])
    assert not_yet == ("hold", "being_decided")
    assert clear == ("clear", "no_relation_found")
    assert ["clear", "blocked", "clear"] == [fact.decision for fact in await facts(run, GateDecided)]


async def test_a_move_of_the_specimen_is_followed_at_once_and_not_at_the_next_round(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run) as lab, desk(run, "registry") as clerk:
        specimen = await lab.registers(category="adopted")
        told = await asks(clerk, UUID(specimen["id"]))
        await looked(run)
        await lab.moves(specimen["id"], "collected")

        await looked(run, seconds=0)

        row = await run.pool.fetchrow("select decision, reason from gate_request")
    assert ("hold", "sample_awaited") == (told["decision"], told["reason"])
    assert ("hold", "profile_awaited") == tuple(row)


async def test_the_deadline_stands_while_the_reason_does_and_a_late_request_is_found(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    specimen = await child(run, "collected", loci=None)
    async with desk(run, "registry") as clerk:
        told = await asks(clerk, specimen)
        early = await clerk.gets("/gate-requests?overdue=true")
        await looked(run, days=16)
        logged_in_anew(clerk)

        late = await clerk.gets("/gate-requests?overdue=true")

    assert early["gate_requests"] == []
    [found] = late["gate_requests"]
    assert (told["deadline"], True) == (found["deadline"], found["overdue"])


async def test_the_same_reference_for_the_same_specimen_is_one_request(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    specimen = await child(run)
    barcode = await run.pool.fetchval("select barcode from specimen where id = $1", specimen)
    async with desk(run, "registry") as clerk:
        first = await clerk.posts("/gate-requests", asking(specimen))
        by_label = await clerk.posts("/gate-requests", asking(specimen, specimen_id=None, barcode=barcode))
        otherwise = await clerk.posts("/gate-requests", asking(specimen, kind="adoption"))
        another = await clerk.posts("/gate-requests", asking(specimen, office_reference="YY-2026-0013"))

    assert [201, 200, 409, 201] == [a.status_code for a in (first, by_label, otherwise, another)]
    assert first.json()["request_id"] == by_label.json()["request_id"] != another.json()["request_id"]
    assert otherwise.json()["code"] == "reference_used"
    assert len(await facts(run, GateDecided)) == 2


async def test_a_repeated_key_is_answered_as_it_stands_now_and_not_as_it_stood(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    specimen = await child(run)
    key = {"Idempotency-Key": "k-1"}
    async with desk(run, "registry") as clerk:
        first = await clerk.posts("/gate-requests", asking(specimen), **key)
        await family(run)

        again = await clerk.posts("/gate-requests", asking(specimen), **key)

        other_body = await clerk.posts("/gate-requests", asking(specimen, kind="adoption"), **key)
    assert (201, "clear") == (first.status_code, first.json()["decision"])
    assert (200, "hold") == (again.status_code, again.json()["decision"])
    assert other_body.status_code == 422


async def test_closed_as_registered_while_clear_and_then_nobody_is_told_clear_again(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    specimen = await child(run)
    async with desk(run, "registry") as clerk:
        told = await asks(clerk, specimen)
        path = f"/gate-requests/{told['request_id']}/close"
        closed = await clerk.posts(path, {"outcome": "registered"})
        again = await clerk.posts(path, {"outcome": "registered"})
        otherwise = await clerk.posts(path, {"outcome": "given_up"})

        seen = await says(clerk, told)

        await family(run)
        await looked(run, days=10)
    assert [200, 200, 409] == [a.status_code for a in (closed, again, otherwise)]
    assert closed.json() == again.json()
    assert seen == ("hold", "closed")
    assert len(await facts(run, GateDecided)) == 1


async def test_a_request_can_be_given_up_whatever_the_gate_says_and_lapses_by_itself(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    async with desk(run, "registry") as clerk:
        one, two = await child(run, "registered", loci=None), await child(run, "registered", loci=None)
        first, second = await asks(clerk, one), await asks(clerk, two)
        given_up = await clerk.posts(f"/gate-requests/{first['request_id']}/close", {"outcome": "given_up"})
        await looked(run, days=366)
        logged_in_anew(clerk)

        lapsed = await clerk.gets(f"/gate-requests/{second['request_id']}")

    assert (200, "given_up") == (given_up.status_code, given_up.json()["outcome"])
    assert lapsed["outcome"] == "lapsed"


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"barcode": "00000-00001-0"}, 422, "which_specimen"),
        ({"specimen_id": None}, 422, "which_specimen"),
        ({"specimen_id": None, "barcode": "00000-00001-0"}, 422, "barcode_misread"),
        ({"specimen_id": str(UUID(int=1))}, 404, "not_found"),
        ({"subscription_id": str(UUID(int=1))}, 404, "not_found"),
        ({"office_reference": "11010519491231002X"}, 422, "reference_is_personal"),
        ({"office_reference": "YY-13912345678"}, 422, "reference_is_personal"),
        ({"office_reference": "YY/139-1234-5678"}, 422, "reference_is_personal"),
        ({"office_reference": "张三的孩子"}, 422, "invalid_request"),
    ],
)
async def test_what_can_not_be_asked_is_refused_with_its_mend(
    runtime_for: RuntimeFor, fields: dict[str, Any], status: int, code: str
) -> None:
    run = await runtime_for("dna-intake")
    specimen = await child(run)
    async with desk(run, "registry") as clerk:
        answer = await clerk.posts("/gate-requests", asking(specimen) | fields)

    assert (status, code) == (answer.status_code, answer.json()["code"])
    assert "1949" not in answer.text
    assert await run.pool.fetchval("select count(*) from gate_request") == 0


async def test_the_specimen_of_a_parent_is_refused(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    parent = await family(run)
    async with desk(run, "registry") as clerk:
        answer = await clerk.posts("/gate-requests", asking(parent))

    assert (422, "not_a_child") == (answer.status_code, answer.json()["code"])


async def test_another_region_sees_and_closes_nothing(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    specimen = await child(run)
    async with desk(run, "registry") as clerk, desk(run, "registry", ELSEWHERE) as stranger:
        told = await asks(clerk, specimen)
        path = f"/gate-requests/{told['request_id']}"

        answers = [
            await stranger.http.get(path, headers=stranger.headers),
            await stranger.posts(f"{path}/close", {"outcome": "given_up"}),
            await stranger.posts("/gate-requests", asking(specimen)),
        ]

        listed = await stranger.gets("/gate-requests")
    assert [404, 404, 404] == [answer.status_code for answer in answers]
    assert listed == {"gate_requests": [], "next": None}


@pytest.mark.parametrize("role", ["unit", "site", "laboratory", "auditor", "case_leader", "outside_system"])
async def test_only_an_office_asks_and_closes(runtime_for: RuntimeFor, role: Role) -> None:
    run = await runtime_for("dna-intake")
    specimen = await child(run)
    async with desk(run, role) as other:
        asked = await other.posts("/gate-requests", asking(specimen))
        closed = await other.posts(f"/gate-requests/{uuid4()}/close", {"outcome": "given_up"})

    assert [403, 403] == [asked.status_code, closed.status_code]


async def test_every_ask_decision_and_end_is_audited_without_the_office_s_words(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    specimen = await child(run)
    async with desk(run, "registry") as clerk:
        told = await asks(clerk, specimen)
        await family(run)
        await looked(run)
        await looked(run, seconds=90)
        await clerk.posts(f"/gate-requests/{told['request_id']}/close", {"outcome": "given_up"})

    rows = await run.pool.fetch("select action, actor, details from audit order by id")
    assert ["dna.gate_asked", "dna.gate_decided", "dna.gate_decided", "dna.gate_closed"] == [
        row["action"] for row in rows
    ]
    assert ["registry-1", "registry-1", "guitu.dna-intake", "registry-1"] == [row["actor"] for row in rows]
    assert REFERENCE not in json.dumps([row["details"] for row in rows])


async def test_decisions_can_not_be_rewritten(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    specimen = await child(run)
    async with desk(run, "registry") as clerk:
        await asks(clerk, specimen)

    for change in ("update gate_decision set decision = 'hold'", "delete from gate_decision"):
        with pytest.raises(asyncpg.RestrictViolationError):
            await run.pool.execute(change)


READS = (
    "dna_intake.store_search.searched_through",
    "dna_intake.store_search.open_candidates",
    "dna_intake.store.specimen",
    "dna_intake.store.profile",
    "dna_intake.store_search.parents_generation",
)


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("news", ["lead", "family"])
async def test_what_commits_between_two_reads_of_the_evidence_counts_against(
    runtime_for: RuntimeFor, monkeypatch: pytest.MonkeyPatch, read: str, news: str
) -> None:
    """The order of reading is the safeguard: a search commits its lead with its progress just before a read."""
    run = await runtime_for("dna-intake")
    parent = await family(run)
    await compared(run, parent)
    specimen = await child(run, "entered" if news == "lead" else "searched")
    async with desk(run, "registry") as clerk:
        told = await asks(clerk, specimen)
        run.clock.advance(minutes=3)
        came = asyncio.Event()
        reads = attrgetter_of(read)

        async def interrupted(conn: asyncpg.Connection, *of: Any) -> Any:
            if not came.is_set():
                came.set()
                await (_lead_commits(run, specimen, parent) if news == "lead" else family(run))
            return await reads(conn, *of)

        monkeypatch.setattr(read, interrupted)

        async with run.tx(actor="sweep") as tx:
            await gate.look(tx, UUID(told["request_id"]), dna_settings(run.settings))

        now, _ = await says(clerk, told)
    assert came.is_set()
    assert now != "clear"
    if news == "lead":
        assert "clear" not in [fact.decision for fact in await facts(run, GateDecided)]


def attrgetter_of(path: str) -> Callable[..., Awaitable[Any]]:
    """The function that a dotted path names."""
    module, _, name = path.rpartition(".")
    found: Callable[..., Awaitable[Any]] = getattr(importlib.import_module(module), name)
    return found


async def _lead_commits(run: Runtime, specimen: UUID, parent: UUID) -> None:
    await lead(run, specimen, parent)
    await compared(run, specimen)


async def test_an_exercise_stays_marked(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    specimen = await child(run, exercise=True)
    async with desk(run, "registry") as clerk:
        told = await asks(clerk, specimen)

    assert told["exercise"] is True
    assert [True] == [fact.exercise for fact in await facts(run, GateDecided)]


async def test_one_request_that_can_not_be_looked_at_keeps_no_other_from_it(
    runtime_for: RuntimeFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await runtime_for("dna-intake")
    broken, sound = await child(run, "registered", loci=None), await child(run, "registered", loci=None)
    async with desk(run, "registry") as clerk:
        await asks(clerk, broken)
        await asks(clerk, sound)
    await is_now(run, sound, "collected")
    # A reason that a later version wrote and this one can't read.
    await run.pool.execute("update gate_request set reason = 'unheard_of' where specimen_id = $1", broken)

    await looked(run, minutes=3)

    reason = await run.pool.fetchval("select reason from gate_request where specimen_id = $1", sound)
    assert reason == "profile_awaited"


async def test_a_partial_profile_that_was_typed_at_more_loci_is_compared_and_cleared(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("dna-intake")
    specimen = await child(run, "quality_checked", loci=None)
    async with desk(run, "registry") as clerk:
        told = await asks(clerk, specimen)
        await types(run, specimen, 16)
        await is_now(run, specimen, "entered")
        partial = await says(clerk, told)
        await run.pool.execute("update profile set loci_typed = 23 where specimen_id = $1", specimen)
        waiting = await says(clerk, told)
        await compared(run, specimen)
        await looked(run, minutes=3)

        clear = await says(clerk, told)

    assert [("hold", "profile_partial"), ("hold", "comparison_awaited")] == [partial, waiting]
    assert clear == ("clear", "no_relation_found")


async def test_operators_see_who_waits_and_for_too_long(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("dna-intake")
    waiting, cleared = await child(run, "collected", loci=None), await child(run)
    async with desk(run, "registry") as clerk:
        await asks(clerk, waiting)
        told = await asks(clerk, cleared)
        before = GATE_EXPIRED._value.get()
        await family(run)
        await looked(run)
        run.clock.advance(days=16)

        await count(run)

    assert told["decision"] == "clear"
    seen = [GATE_WAITING.labels(YUNYANG, decision)._value.get() for decision in ("clear", "hold", "blocked")]
    assert [1, 1, 0] == seen
    assert GATE_OVERDUE.labels(YUNYANG)._value.get() == 1
    assert GATE_EXPIRED._value.get() == before + 1
