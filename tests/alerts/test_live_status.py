"""What the others did, as the case shows it: counts, open exits, sightings, DNA, timeline."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest_asyncio

from alerts.agents import REACTIONS
from contracts import notice, order
from contracts.base import Fact, Place, Position
from contracts.dna import CandidateFound, CrossMatchRequested, CustodyMoved, SampleRequested
from contracts.flow import DNA, NOTICES, ORDERS, REPORTS, SIGHTINGS
from contracts.sighting import SightingAssessed, SightingReported
from guitu.service import Runtime
from harness.alert_stories import SEAT, YUNYANG, Desk, desk
from harness.ground import facts, react

RuntimeFor = Callable[[str], Awaitable[Runtime]]


@pytest_asyncio.fixture
async def command(runtime_for: RuntimeFor) -> AsyncIterator[Desk]:
    async with desk(await runtime_for("alerts")) as opened:
        yield opened


def common(command: Desk, case: dict[str, Any]) -> dict[str, Any]:
    return {"region_code": YUNYANG, "occurred_at": command.runtime.clock.now(), "case_id": case["case_id"]}


async def tell(command: Desk, *told: Fact) -> None:
    for fact in told:
        await react(command.runtime, REACTIONS, fact)


def stop() -> order.Stop:
    return order.Stop(place_id=uuid4(), name_zh="卡点", name_en="gate", position=Position(**SEAT))


def issued(base: dict[str, Any], order_id: UUID, unit_id: UUID) -> order.InterceptionOrdered:
    at = base["occurred_at"]
    return order.InterceptionOrdered(
        **base,
        order_id=order_id,
        unit_id=unit_id,
        plan_id=uuid4(),
        case_code="CY-0001",
        stop=stop(),
        arrive_by=at,
        unit_ready_at=at,
        earliest_arrival_at=at,
        margin_s=60,
        respond_by=at,
        reason="first",
        child_summary="girl, 6",
        page_path="/o/secret-token",
    )


def planned(base: dict[str, Any], number: int, exits: int) -> order.PlanPublished:
    open_exits = [
        {"exit_id": uuid4(), "name_zh": "口", "name_en": f"exit {n}", "earliest_arrival_at": None}
        for n in range(exits)
    ]
    return order.PlanPublished(
        **base,
        plan_id=uuid4(),
        plan_number=number,
        alert_version=1,
        network_version="v1",
        trigger="alert",
        order_ids=(),
        closed_exits=3,
        open_exits=open_exits,
        units_free=0,
    )


def test_every_fact_that_the_flow_lets_alerts_read_has_a_reaction() -> None:
    readable = {fact for topic in (REPORTS, ORDERS, NOTICES, SIGHTINGS, DNA) for fact in topic.facts}

    assert {reaction.fact for reaction in REACTIONS} == readable
    assert len(REACTIONS) == len(readable)


async def test_orders_are_counted_by_their_furthest_state_and_exits_by_the_newest_plan(command: Desk) -> None:
    case = await command.reports()
    base, one, two, unit = common(command, case), uuid4(), uuid4(), uuid4()
    who = {"order_id": one, "unit_id": unit}

    await tell(command, planned(base, 2, 1), planned(base, 1, 4))
    await tell(command, order.OrderAccepted(**base, **who), issued(base, one, unit), issued(base, two, unit))
    await tell(command, order.UnitInPosition(**base, **who))
    await tell(command, order.CheckpointReported(**base, **who, outcome="nothing_seen", stop=stop()))

    status = await command.case(case["case_id"])
    assert status["orders"] == {"issued": 1, "nothing_seen": 1}
    assert (status["plan_number"], [e["name_en"] for e in status["open_exits"]]) == (2, ["exit 0"])
    assert "secret-token" not in str(status)


async def test_what_changed_a_plan_and_which_neighbour_was_asked_is_in_the_timeline(command: Desk) -> None:
    case = await command.reports()
    base = common(command, case)
    aid = {"request_id": uuid4(), "neighbour": "wanzhou", "exit_id": uuid4(), "case_code": "CY-0001"}
    asked = order.MutualAidRequested(
        **base,
        **aid,
        plan_id=uuid4(),
        exit_name_zh="口",
        exit_name_en="exit",
        position=Position(**SEAT),
        earliest_arrival_at=base["occurred_at"],
        reason="no unit in time",
        child_summary="girl, 6",
    )
    plan = planned(base, 1, 1).model_copy(update={"cause": "Road e001 is closed."})

    await tell(command, plan, asked, order.MutualAidWithdrawn(**base, **aid, reason="exit_closed"))

    lines = (await command.case(case["case_id"]))["timeline"]
    told = {line["type"]: line["details"] for line in lines}
    assert told["guitu.plan.published.v1"]["cause"] == "Road e001 is closed."
    assert told["guitu.mutual_aid.requested.v1"]["exit_name_en"] == "exit"
    assert told["guitu.mutual_aid.withdrawn.v1"]["reason"] == "exit_closed"
    assert "girl" not in str(lines)


async def test_how_good_the_plan_is_and_that_its_optimiser_died_are_on_the_board(command: Desk) -> None:
    case = await command.reports()
    base = common(command, case)
    figures = order.PlanFigures(
        verdict="probabilistic", intercepted=0.8, low=0.77, high=0.83, bound=0.81, gap=0.0125, proven=False
    )
    first = planned(base, 1, 1)

    await tell(command, first, planned(base, 2, 1).model_copy(update={"figures": figures}))

    plan = (await command.case(case["case_id"]))["plan"]
    assert (0.8, [0.77, 0.83], "probabilistic") == (
        plan["figures"]["intercepted"],
        [plan["figures"]["low"], plan["figures"]["high"]],
        plan["figures"]["verdict"],
    )

    await tell(command, planned(base, 3, 1).model_copy(update={"cause": "The second look died."}))

    plan = (await command.case(case["case_id"]))["plan"]
    assert (None, "The second look died.") == (plan["figures"], plan["cause"])


async def test_a_notice_ends_in_the_same_state_whatever_comes_first(command: Desk) -> None:
    case = await command.reports()
    base = common(command, case)

    for turn in permutations(range(3)):
        ids = {"delivery_id": uuid4(), "notice_id": uuid4(), "kind": "raised", "alert_version": 1}
        steps: list[Fact] = [
            notice.NoticeQueued(**base, **ids, priority=1),
            notice.NoticeAccepted(**base, **ids, provider="twilio", segments=1),
            notice.NoticeAcknowledged(**base, **ids, channel="sms"),
        ]
        await tell(command, *(steps[index] for index in turn))

    status = await command.case(case["case_id"])
    assert status["notices"] == {"acknowledged": 6}
    assert status["notices_by_kind"] == {"raised": {"acknowledged": 6}}


async def test_an_escalation_is_counted_beside_the_delivery(command: Desk) -> None:
    case = await command.reports()
    base = common(command, case)
    ids = {"delivery_id": uuid4(), "notice_id": uuid4(), "kind": "raised", "alert_version": 1}

    await tell(command, notice.NoticeDelivered(**base, **ids))
    await tell(command, notice.NoticeEscalated(**base, **ids, to="voice"))

    status = await command.case(case["case_id"])
    assert (status["notices"], status["notices_escalated"]) == ({"delivered": 1}, 1)


async def test_a_nil_report_acknowledges_and_is_told_with_its_time(command: Desk) -> None:
    case = await command.reports()
    base = common(command, case)
    ids = {"delivery_id": uuid4(), "notice_id": uuid4(), "alert_version": 1} | notice.kind_fields(
        "nil_report"
    )
    until = command.runtime.clock.now()

    await tell(command, notice.NoticeNilReported(**base, **ids, seen_nothing_until=until, channel="sms"))

    status = await command.case(case["case_id"])
    assert {"nil_report": {"acknowledged": 1}} == status["notices_by_kind"]
    line = status["timeline"][-1]
    assert ("guitu.notice.nil_reported.v1", "nil_report") == (line["type"], line["details"]["purpose"])
    assert until == datetime.fromisoformat(line["details"]["seen_nothing_until"])


async def test_an_operators_sighting_is_published_kept_once_and_assessed(command: Desk) -> None:
    case = await command.reports()
    path = f"/cases/{case['case_id']}/sightings"
    seen = {"seen_at": command.runtime.clock.now().isoformat(), "place": SEAT, "mode": "bus"}

    first = await command.post(path, seen, Idempotency_Key="s1")
    again = await command.post(path, seen, Idempotency_Key="s1")
    assess = f"{path}/{first.json()['sighting_id']}/assessment"
    command.runtime.clock.advance(minutes=1)
    judged = await command.post(assess, {"verdict": "refuted", "reason": "another child"})
    await command.post(assess, {"verdict": "refuted", "reason": "another child"})

    assert (first.status_code, again.json(), judged.status_code) == (201, first.json(), 200)
    [reported] = await facts(command.runtime, SightingReported)
    [assessed] = await facts(command.runtime, SightingAssessed)
    assert (reported.channel, assessed.verdict) == ("operator", "refuted")
    await tell(command, reported, assessed)
    [shown] = (await command.case(case["case_id"]))["sightings"]
    assert (shown["mode"], shown["verdict"]) == ("bus", "refuted")


async def test_a_sighting_by_sms_is_shown_and_can_be_assessed(command: Desk) -> None:
    case = await command.reports()
    base = common(command, case)
    fact = SightingReported(
        **base,
        sighting_id=uuid4(),
        seen_at=base["occurred_at"],
        place=Place(position=Position(**SEAT)),
        channel="sms",
    )

    await tell(command, fact)
    path = f"/cases/{case['case_id']}/sightings"
    judged = await command.post(f"{path}/{fact.sighting_id}/assessment", {"verdict": "credible"})
    unknown = await command.post(f"{path}/{uuid4()}/assessment", {"verdict": "credible"})

    assert [judged.status_code, unknown.status_code] == [200, 404]
    assert (await command.case(case["case_id"]))["sightings"][0]["verdict"] == "credible"


async def test_a_sighting_of_tomorrow_or_of_a_closed_case_is_refused(command: Desk) -> None:
    case = await command.reports()
    path, now = f"/cases/{case['case_id']}", command.runtime.clock.now()

    tomorrow = {"seen_at": (now + timedelta(days=1)).isoformat(), "place": SEAT}
    refused = await command.post(f"{path}/sightings", tomorrow)
    await command.post(f"{path}/stand-down", {"outcome": "found"})
    closed = await command.post(f"{path}/sightings", tomorrow | {"seen_at": now.isoformat()})

    assert [refused.status_code, closed.status_code] == [422, 409]


async def test_the_laboratorys_line_counts_facts_of_one_type_and_says_the_newest(command: Desk) -> None:
    case = await command.reports()
    base = common(command, case)
    due_at = base["occurred_at"] + timedelta(hours=2)

    await tell(command, SampleRequested(**base, category="parent_of_missing_child", due_at=due_at))
    for _ in range(2):
        await tell(command, CandidateFound(**base, candidate_id=uuid4(), request_id=uuid4()))

    lines = {line["type"]: line for line in (await command.case(case["case_id"]))["dna"]}
    assert lines["guitu.dna.sample_requested.v1"]["category"] == "parent_of_missing_child"
    assert lines["guitu.dna.candidate_found.v1"]["times"] == 2


async def test_the_case_shows_how_far_its_sample_is_though_no_specimen_names_it(command: Desk) -> None:
    case = await command.reports()
    base, request = common(command, case), uuid4()
    tube = {k: v for k, v in base.items() if k != "case_id"} | {"specimen_id": uuid4()}
    needs = ("parent_sample", "parent_profile", "kinship_search")

    for done in range(3):
        await tell(command, CrossMatchRequested(**base, request_id=request, waits_for=needs[done:]))
        await tell(command, CustodyMoved(**tube, from_state="registered", to_state="collected"))

    [line] = (await command.case(case["case_id"]))["dna"]
    assert (line["type"], line["times"]) == ("guitu.dna.cross_match_requested.v1", 3)
    assert line["waits_for"] == ["kinship_search"]


async def test_facts_of_a_case_that_is_not_ours_change_nothing(command: Desk) -> None:
    case = await command.reports()
    base = common(command, case) | {"case_id": uuid4()}

    await tell(command, planned(base, 1, 1), issued(base, uuid4(), uuid4()))
    # A drill's case is known to nobody but the service that began it.
    ids = {"delivery_id": uuid4(), "notice_id": uuid4(), "alert_version": 1} | notice.kind_fields("drill")
    await tell(command, notice.NoticeAcknowledged(**base, **ids, channel="sms"))

    lines = await command.runtime.pool.fetchval("select count(*) from timeline")
    assert lines == 1


async def test_the_timeline_tells_the_case_in_order(command: Desk) -> None:
    case = await command.reports()
    command.runtime.clock.advance(minutes=1)
    await tell(command, planned(common(command, case), 1, 2))
    command.runtime.clock.advance(minutes=1)
    await command.post(f"/cases/{case['case_id']}/stand-down", {"outcome": "found"})

    timeline = (await command.case(case["case_id"]))["timeline"]

    assert [line["type"] for line in timeline] == [
        "guitu.alert.raised.v1",
        "guitu.plan.published.v1",
        "guitu.alert.stood_down.v1",
    ]
